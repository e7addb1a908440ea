/* backup: a copy of a data directory, taken beside the node that works in it. */
#include "net/encctl/backup.h"
#include "net/encctl/offline.h"
#include "net/encctl/out.h"
#include "net/process.h"
#include "proto/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct copying {
    struct enc_ctl *ctl;
    const char *dir;
    struct enc_making out;
    struct enc_backup list;
    uint64_t byte_count;
};

static bool refuse(const struct enc_store_note *note)
{
    enc_out_fault("%s", note->text);
    return false;
}

/* ---- the files ---- */

static struct enc_backup_file *add_file(struct copying *copying, const char *name)
{
    struct enc_backup_file *file = &copying->list.files[copying->list.file_count++];
    snprintf(file->name, sizeof file->name, "%s", name);
    return file;
}

/* What is in the list is what can be read back. */
static bool seal_file(struct copying *copying, const char *name)
{
    char path[ENC_PLACE_LEN_MAX];
    struct enc_backup_file *file = add_file(copying, name);
    if (!enc_path_join(path, copying->out.fresh, name) ||
        !enc_file_digest(file->sha32, &file->len, path))
        return false;
    copying->byte_count += file->len;
    return true;
}

static bool copy_shard(struct copying *copying, uint32_t index)
{
    char name[ENC_BACKUP_NAME_LEN_MAX];
    struct enc_store_note note;
    struct enc_copy_facts facts;
    snprintf(name, sizeof name, "shard-%" PRIu32 "/data.mdb", index);
    struct enc_copy copy = {.dir = copying->dir, .index = index};
    copy.fd = enc_making_file(&copying->out, name);
    if (copy.fd < 0)
        return false;
    bool is_copied = enc_shard_copy(&facts, &note, &copy) == ENC_STORE_FAULT_NONE || refuse(&note);
    is_copied = enc_making_close(&copying->out, name, copy.fd) && is_copied;
    if (is_copied)
        enc_out_note("shard %" PRIu32 " of %" PRIu32 ": %" PRIu64 " KiB, of %" PRIu64
                     " KiB at transaction %" PRIu64,
                     index + 1, copying->list.shard_count, facts.copy_len >> 10,
                     facts.source_len >> 10, facts.txn_id);
    return is_copied && seal_file(copying, name);
}

static bool copy_version(struct copying *copying)
{
    char path[ENC_PLACE_LEN_MAX];
    return enc_path_join(path, copying->dir, "version") &&
           enc_making_copy(&copying->out, "version", path) && seal_file(copying, "version");
}

static bool copy_key(struct copying *copying)
{
    char path[ENC_PLACE_LEN_MAX];
    if (!enc_path_join(path, copying->dir, "node.key"))
        return false;
    if (access(path, F_OK) == 0)
        return enc_making_copy(&copying->out, "node.key", path) && seal_file(copying, "node.key");
    enc_out_note("no node.key in %s: the backup is without the key", copying->dir);
    return true;
}

/* From the first moment on: a copy of the past must not be taken for the present. */
static bool put_mark(struct copying *copying)
{
    char text[ENC_HELD_LEN_MAX];
    char when[32];
    time_t seconds = (time_t)(copying->list.created_ms / 1000);
    struct tm utc;
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    snprintf(text, sizeof text,
             "this is a backup of %s; what the node signed after it is missing here; see encctl "
             "accept\n",
             when);
    return enc_making_text(&copying->out, "held", enc_bytes_of_text(text)) &&
           seal_file(copying, "held");
}

static bool put_list(struct copying *copying)
{
    struct enc_buffer out;
    struct enc_bytes text;
    enc_buffer_init(&out, &copying->ctl->arena, 1 << 20);
    enc_backup_put(&out, &copying->list);
    ENC_CHECK(enc_buffer_bytes(&out, &text) == ENC_ERR_OK);
    return enc_making_text(&copying->out, ENC_BACKUP_LIST, text);
}

static bool copy_shards(struct copying *copying)
{
    for (uint32_t i = 0; i < copying->list.shard_count; i++)
        if (!copy_shard(copying, i))
            return false;
    return true;
}

/* ---- the command ---- */

static bool look(struct copying *copying)
{
    struct enc_data_facts facts;
    struct enc_store_note note;
    if (enc_data_look(&facts, &note, copying->dir) != ENC_STORE_FAULT_NONE)
        return refuse(&note);
    copying->list = (struct enc_backup){.created_ms = enc_process_now_ms(),
                                        .data_format = facts.format,
                                        .shard_count = facts.shard_count};
    memcpy(copying->list.node_pub32, facts.node_pub32, 32);
    copying->list.files =
        ENC_ARENA_NEW(&copying->ctl->arena, struct enc_backup_file, facts.shard_count + 3);
    ENC_CHECK(copying->list.files != NULL);
    return true;
}

static bool copy_all(struct copying *copying, bool with_key)
{
    return put_mark(copying) && copy_version(copying) && (!with_key || copy_key(copying)) &&
           copy_shards(copying) && put_list(copying) && enc_making_settle(&copying->out);
}

static void tell(const struct copying *copying)
{
    struct enc_buffer out;
    enc_buffer_init(&out, &copying->ctl->arena, 1 << 16);
    enc_json_put_raw(&out, "{\"ok\":true");
    enc_json_member_text(&out, "out", enc_bytes_of_text(copying->out.place));
    enc_json_member_hex(&out, "node", enc_bytes_of(copying->list.node_pub32, 32));
    enc_json_member_u64(&out, "created_ms", copying->list.created_ms);
    enc_json_member_u64(&out, "shards", copying->list.shard_count);
    enc_json_member_u64(&out, "bytes", copying->byte_count);
    enc_json_put_raw(&out, "}");
    if (copying->ctl->is_json)
        enc_out_buffer(&out);
    else
        printf("%s: %" PRIu32 " shards, %" PRIu64 " bytes\n", copying->out.place,
               copying->list.shard_count, copying->byte_count);
}

enum enc_exit enc_command_backup(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct copying copying = {.ctl = ctl, .dir = args->words[0]};
    copying.out.fd = -1;
    bool is_begun = look(&copying) && enc_making_begin(&copying.out, args->words[1]);
    bool is_done = is_begun && copy_all(&copying, !args->values[ENC_OPTION_NO_KEY]);
    enc_making_drop(&copying.out);
    if (is_done)
        tell(&copying);
    return is_done ? ENC_EXIT_OK : is_begun ? ENC_EXIT_REFUSED : ENC_EXIT_USAGE;
}
