/* compact: the files of a data directory without their free pages, then the check of all. */
#include "net/encctl/offline.h"
#include "net/encctl/out.h"

#include <inttypes.h>
#include <stdio.h>

struct sums {
    uint64_t before;
    uint64_t after;
};

static void tell_shard(void *opaque, uint32_t index, const struct enc_copy_facts *facts)
{
    struct sums *sums = (struct sums *)opaque;
    sums->before += facts->source_len;
    sums->after += facts->copy_len;
    enc_out_note("shard %" PRIu32 ": %" PRIu64 " KiB, before %" PRIu64 " KiB", index + 1,
                 facts->copy_len >> 10, facts->source_len >> 10);
}

enum enc_exit enc_command_compact(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct enc_store_note note;
    struct sums sums = {0, 0};
    struct enc_data_facts facts;
    const char *dir = args->words[0];
    if (enc_data_look(&facts, &note, dir) != ENC_STORE_FAULT_NONE) {
        enc_out_fault("%s", note.text);
        return ENC_EXIT_USAGE;
    }
    if (enc_data_compact(&note, dir, tell_shard, &sums) != ENC_STORE_FAULT_NONE) {
        enc_out_fault("%s", note.text);
        return ENC_EXIT_REFUSED;
    }
    if (ctl->is_json)
        printf("{\"before\":%" PRIu64 ",\"after\":%" PRIu64 "}\n", sums.before, sums.after);
    else
        printf("%s: %" PRIu64 " bytes, before %" PRIu64 "\n", dir, sums.after, sums.before);
    return enc_command_fsck(ctl, args);
}
