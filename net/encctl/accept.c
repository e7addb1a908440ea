/*
 * accept: a held directory may be worked in again. What a node signed after the backup is not in
 * it, so a node that went on would sign a second history. Tree heads seen by others are the
 * evidence: each must be met by the log that was restored.
 */
#include "net/encctl/heads.h"
#include "net/encctl/offline.h"
#include "net/encctl/out.h"
#include "proto/record.h"
#include "proto/replay.h"

#include <inttypes.h>
#include <stdio.h>

enum { MEMORY_GIB = 16 };

struct accepting {
    struct enc_ctl *ctl;
    struct enc_offline offline;
    struct enc_arena page;
    uint64_t heads; /* that were met */
    uint64_t enclaves;
    uint64_t lost; /* enclaves whose log has gone on elsewhere */
};

/* ---- one enclave ---- */

static void tell_lost(struct accepting *accepting, const struct enc_seen *seen,
                      const struct enc_replay *replay)
{
    struct enc_buffer text;
    accepting->lost++;
    enc_buffer_init(&text, &accepting->ctl->arena, 1 << 16);
    if (replay)
        enc_replay_describe(&text, &replay->verdict);
    else
        enc_json_put_raw(&text, "the enclave is not in this directory at all");
    enc_out_hex("LOST", seen->enclave32, 32);
    enc_out_text("", enc_bytes_of(text.data, text.len));
}

static bool feed(struct accepting *accepting, struct enc_replay *replay, struct enc_bytes record)
{
    struct enc_event event;
    bool is_fed = enc_record_take(&event, &accepting->page, record) == ENC_ERR_OK &&
                  enc_replay_feed(replay, &event);
    enc_arena_fini(&accepting->page);
    return is_fed;
}

static bool replay_all(struct accepting *accepting, struct enc_replay *replay,
                       struct enc_snap *snap, uint64_t ord)
{
    struct enc_scan scan;
    struct enc_event_found found;
    bool is_fed = true;
    enc_scan_events(&scan, snap, ord, (struct enc_range){.first = 0, .last = UINT64_MAX});
    while (is_fed && enc_scan_event(&scan, &found))
        is_fed = feed(accepting, replay, found.record);
    return enc_scan_fini(&scan) == ENC_ERR_OK && is_fed && enc_replay_finish(replay);
}

static void compare_with(struct accepting *accepting, const struct enc_seen *seen,
                         struct enc_snap *snap, uint64_t ord)
{
    struct enc_replay replay;
    struct enc_replay_config config = {
        .curve = accepting->ctl->curve,
        .chunks = &accepting->ctl->chunks,
        .memory_max = (size_t)MEMORY_GIB << 30,
        .enclave32 = seen->enclave32,
        .has_push = true,
        .is_stored = true,
    };
    enc_replay_init(&replay, &config);
    enc_replay_expect(&replay, seen->heads, seen->head_count);
    if (replay_all(accepting, &replay, snap, ord))
        accepting->heads += seen->head_count;
    else
        tell_lost(accepting, seen, &replay);
    enc_replay_fini(&replay);
}

static bool compare(struct accepting *accepting, const struct enc_seen *seen)
{
    struct enc_snap *snap = NULL;
    struct enc_enclave_row row;
    if (enc_snap_open(enc_data_shard(accepting->offline.data, seen->enclave32), &snap) !=
        ENC_ERR_OK)
        return false;
    enum enc_err err = enc_snap_enclave(snap, &row, seen->enclave32);
    accepting->enclaves++;
    if (err == ENC_ERR_OK)
        compare_with(accepting, seen, snap, row.ord);
    else if (err == ENC_ERR_ENCLAVE_NOT_FOUND)
        tell_lost(accepting, seen, NULL);
    enc_snap_close(snap);
    return err != ENC_ERR_INTERNAL;
}

/* ---- the evidence ---- */

static bool compare_all(struct accepting *accepting, const char *path)
{
    struct enc_seen *list = NULL;
    if (!enc_seen_read(&list, accepting->ctl, path, accepting->offline.node_pub32))
        return false;
    for (const struct enc_seen *seen = list; seen; seen = seen->next)
        if (!compare(accepting, seen)) {
            enc_out_fault("the store cannot be read on");
            return false;
        }
    if (!list)
        enc_out_fault("%s: no tree head in it was signed by this node: it says nothing", path);
    else if (accepting->lost)
        enc_out_fault("the logs of %" PRIu64 " enclaves have gone on after this backup: take a "
                      "newer one, or --rewind and tell their members",
                      accepting->lost);
    return list && accepting->lost == 0;
}

static bool look(struct accepting *accepting, const char *dir, const char *heads)
{
    enum enc_exit status = enc_offline_open(&accepting->offline, accepting->ctl, dir);
    if (status != ENC_EXIT_OK)
        return false;
    bool is_good = compare_all(accepting, heads);
    enc_offline_close(&accepting->offline);
    return is_good;
}

/* ---- the command ---- */

static enum enc_exit let_go(const struct accepting *accepting, const char *dir)
{
    struct enc_store_note note;
    if (enc_data_let_go(&note, dir) != ENC_STORE_FAULT_NONE) {
        enc_out_fault("%s", note.text);
        return ENC_EXIT_REFUSED;
    }
    if (accepting->ctl->is_json)
        printf("{\"ok\":true,\"enclaves\":%" PRIu64 ",\"heads\":%" PRIu64 "}\n",
               accepting->enclaves, accepting->heads);
    else
        printf("%s: a node may work in it; %" PRIu64 " heads of %" PRIu64 " enclaves met\n", dir,
               accepting->heads, accepting->enclaves);
    return ENC_EXIT_OK;
}

/* Whether there is something to accept, and a word on how. */
static bool is_asked(const char *dir, const struct enc_args *args)
{
    char why[ENC_HELD_LEN_MAX];
    struct enc_store_note note;
    bool has_word = args->values[ENC_OPTION_HEADS] || args->values[ENC_OPTION_REWIND];
    if (enc_data_held(why, &note, dir) != ENC_STORE_FAULT_NONE)
        enc_out_fault("%s", note.text);
    else if (!why[0])
        enc_out_fault("%s: not held", dir);
    else if (!has_word)
        enc_out_fault("held: %s\n  --heads FILE compares it with tree heads that others saw; "
                      "--rewind goes on without: if anything was signed since, there will be two "
                      "histories",
                      why);
    return why[0] && has_word;
}

enum enc_exit enc_command_accept(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct accepting accepting = {.ctl = ctl};
    const char *dir = args->words[0];
    const char *heads = args->values[ENC_OPTION_HEADS];
    if (!is_asked(dir, args))
        return ENC_EXIT_USAGE;
    enc_arena_init(&accepting.page, &ctl->chunks, SIZE_MAX / 2);
    bool is_good = !heads || look(&accepting, dir, heads);
    bool takes_rewind = args->values[ENC_OPTION_REWIND] && accepting.lost > 0;
    return is_good || takes_rewind ? let_go(&accepting, dir) : ENC_EXIT_REFUSED;
}
