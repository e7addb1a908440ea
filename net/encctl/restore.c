/* restore: a backup becomes a data directory, which stays held until somebody has looked. */
#include "net/encctl/backup.h"
#include "net/encctl/offline.h"
#include "net/encctl/out.h"
#include "net/key.h"
#include "net/process.h"
#include "proto/json.h"

#include <inttypes.h>
#include <stdio.h>

struct restoring {
    struct enc_ctl *ctl;
    const char *from;
    struct enc_making out;
    struct enc_backup list;
    uint64_t byte_count;
    uint64_t flaw_count;
};

/* ---- the files ---- */

static const struct enc_backup_file *find_file(const struct restoring *restoring, const char *name)
{
    for (size_t i = 0; i < restoring->list.file_count; i++)
        if (strcmp(restoring->list.files[i].name, name) == 0)
            return &restoring->list.files[i];
    return NULL;
}

/* What was written is read again, so that neither side's disk is taken at its word. */
static bool check_file(struct restoring *restoring, const struct enc_backup_file *file)
{
    char path[ENC_PLACE_LEN_MAX];
    uint8_t sha32[32];
    uint64_t len = 0;
    if (!enc_path_join(path, restoring->out.fresh, file->name) ||
        !enc_file_digest(sha32, &len, path))
        return false;
    restoring->byte_count += len;
    if (len == file->len && memcmp(sha32, file->sha32, 32) == 0)
        return true;
    enc_out_fault("%s/%s: %s", restoring->from, file->name,
                  len == file->len ? "other bytes than its SHA-256 in " ENC_BACKUP_LIST " says"
                                   : "another length than " ENC_BACKUP_LIST " says");
    return false;
}

static bool copy_file(struct restoring *restoring, const struct enc_backup_file *file)
{
    char path[ENC_PLACE_LEN_MAX];
    return enc_path_join(path, restoring->from, file->name) &&
           enc_making_copy(&restoring->out, file->name, path) && check_file(restoring, file);
}

static bool is_key(const struct enc_backup_file *file)
{
    return strcmp(file->name, "node.key") == 0;
}

static bool copy_files(struct restoring *restoring)
{
    for (size_t i = 0; i < restoring->list.file_count; i++)
        if (!is_key(&restoring->list.files[i]) && !copy_file(restoring, &restoring->list.files[i]))
            return false;
    return true;
}

/* ---- the key ---- */

static bool is_node(const struct restoring *restoring, const struct enc_key *key, const char *path)
{
    if (memcmp(key->pub32, restoring->list.node_pub32, 32) == 0)
        return true;
    enc_out_fault("%s: not the key of the node whose backup this is", path);
    return false;
}

static bool check_key(const struct restoring *restoring)
{
    char path[ENC_PLACE_LEN_MAX];
    uint8_t priv32[32];
    struct enc_key key;
    struct enc_key_fault fault;
    if (!enc_path_join(path, restoring->out.fresh, "node.key"))
        return false;
    if (!enc_key_read(priv32, &fault, path)) {
        enc_out_fault("%s", fault.text);
        return false;
    }
    bool is_good = enc_key_init(&key, restoring->ctl->curve, priv32);
    is_good = is_good && is_node(restoring, &key, path);
    enc_key_wipe(&key);
    enc_process_wipe(priv32, sizeof priv32);
    return is_good;
}

static bool copy_key(struct restoring *restoring, const struct enc_args *args)
{
    const struct enc_backup_file *file = find_file(restoring, "node.key");
    const char *given = args->values[ENC_OPTION_KEY];
    if (args->values[ENC_OPTION_NO_KEY])
        return true;
    if (given)
        return is_node(restoring, &restoring->ctl->key, given) &&
               enc_making_copy(&restoring->out, "node.key", given);
    return copy_file(restoring, file) && check_key(restoring);
}

/* Without its key the node would make another one, and then refuse its own data. */
static bool has_key(const struct restoring *restoring, const struct enc_args *args)
{
    bool is_settled = find_file(restoring, "node.key") || args->values[ENC_OPTION_KEY] ||
                      args->values[ENC_OPTION_NO_KEY];
    if (!is_settled)
        enc_out_fault("%s has no node.key; --key FILE puts it there, --no-key goes without",
                      restoring->from);
    return is_settled;
}

/* ---- the shape ---- */

static void tell_flaw(void *opaque, const struct enc_store_flaw *flaw)
{
    (void)opaque;
    enc_out_fault("a row of table %s %s", enc_table_row(flaw->table)->name, flaw->what);
}

static bool check_shard(struct restoring *restoring, struct enc_store *store)
{
    struct enc_snap *snap = NULL;
    uint64_t flaw_count = 0;
    if (enc_snap_open(store, &snap) != ENC_ERR_OK)
        return false;
    bool reads_on = enc_store_verify(snap, &flaw_count, tell_flaw, NULL) == ENC_ERR_OK;
    enc_snap_close(snap);
    restoring->flaw_count += flaw_count;
    return reads_on;
}

static bool check_shards(struct restoring *restoring, struct enc_data *data)
{
    bool reads_on = true;
    for (uint32_t i = 0; i < enc_data_shard_count(data) && reads_on; i++)
        reads_on = check_shard(restoring, enc_data_shard_at(data, i));
    if (!reads_on)
        enc_out_fault("%s: the store cannot be read on", restoring->from);
    return reads_on && restoring->flaw_count == 0;
}

static bool check_data(struct restoring *restoring)
{
    struct enc_data *data = NULL;
    struct enc_store_note note;
    struct enc_data_config config = {.dir = restoring->out.fresh,
                                     .node_pub32 = restoring->list.node_pub32,
                                     .shard_count = restoring->list.shard_count,
                                     .opens_held = true,
                                     .sync = true};
    if (enc_data_open(&data, &note, &config) != ENC_STORE_FAULT_NONE) {
        enc_out_fault("%s", note.text);
        return false;
    }
    bool is_good = check_shards(restoring, data);
    enc_data_close(data);
    return is_good;
}

/* ---- the command ---- */

static void tell(const struct restoring *restoring)
{
    struct enc_buffer out;
    enc_buffer_init(&out, &restoring->ctl->arena, 1 << 16);
    enc_json_put_raw(&out, "{\"ok\":true");
    enc_json_member_text(&out, "dir", enc_bytes_of_text(restoring->out.place));
    enc_json_member_hex(&out, "node", enc_bytes_of(restoring->list.node_pub32, 32));
    enc_json_member_u64(&out, "created_ms", restoring->list.created_ms);
    enc_json_member_u64(&out, "bytes", restoring->byte_count);
    enc_json_put_raw(&out, ",\"held\":true}");
    if (restoring->ctl->is_json)
        enc_out_buffer(&out);
    else
        printf("%s: %" PRIu64 " bytes; held: no node starts there before encctl accept\n",
               restoring->out.place, restoring->byte_count);
}

enum enc_exit enc_command_restore(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct restoring restoring = {.ctl = ctl, .from = args->words[0]};
    restoring.out.fd = -1;
    if (!enc_backup_read(&restoring.list, ctl, restoring.from) || !has_key(&restoring, args))
        return ENC_EXIT_USAGE;
    bool is_begun = enc_making_begin_over(&restoring.out, args->words[1]);
    bool is_done = is_begun && copy_files(&restoring) && copy_key(&restoring, args) &&
                   check_data(&restoring) && enc_making_settle(&restoring.out);
    enc_making_drop(&restoring.out);
    if (is_done)
        tell(&restoring);
    return is_done ? ENC_EXIT_OK : is_begun ? ENC_EXIT_REFUSED : ENC_EXIT_USAGE;
}
