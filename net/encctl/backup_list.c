/* The list of a backup's files, as JSON. */
#include "net/encctl/backup.h"
#include "net/encctl/out.h"
#include "proto/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- writing ---- */

static void put_file(struct enc_buffer *out, const struct enc_backup_file *file)
{
    enc_json_put_raw(out, "\n  {");
    enc_json_member_text(out, "name", enc_bytes_of_text(file->name));
    enc_json_member_u64(out, "len", file->len);
    enc_json_member_hex(out, "sha256", enc_bytes_of(file->sha32, 32));
    enc_json_put_raw(out, "}");
}

void enc_backup_put(struct enc_buffer *out, const struct enc_backup *backup)
{
    enc_json_put_raw(out, "{");
    enc_json_member_u64(out, "enc_backup", ENC_BACKUP_FORMAT);
    enc_json_member_u64(out, "data_format", backup->data_format);
    enc_json_member_text(out, "made_by", ENC_LIT("encctl " ENC_VERSION));
    enc_json_member_hex(out, "node", enc_bytes_of(backup->node_pub32, 32));
    enc_json_member_u64(out, "created_ms", backup->created_ms);
    enc_json_member_u64(out, "shards", backup->shard_count);
    enc_json_put_raw(out, ",\"files\":[");
    for (size_t i = 0; i < backup->file_count; i++) {
        enc_json_put_raw(out, i ? "," : "");
        put_file(out, &backup->files[i]);
    }
    enc_json_put_raw(out, "\n]}\n");
}

/* ---- reading ---- */

static bool is_shard_file(const char *name, uint32_t shard_count)
{
    static const char SHARD[] = "shard-";
    char again[ENC_BACKUP_NAME_LEN_MAX];
    if (strncmp(name, SHARD, sizeof SHARD - 1) != 0)
        return false;
    unsigned long index = strtoul(name + sizeof SHARD - 1, NULL, 10);
    if (index >= shard_count)
        return false;
    snprintf(again, sizeof again, "%s%lu/data.mdb", SHARD, index);
    return strcmp(name, again) == 0;
}

bool enc_backup_names(const char *name, uint32_t shard_count)
{
    static const char *const OTHERS[] = {"version", "held", "node.key"};
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        if (strcmp(name, OTHERS[i]) == 0)
            return true;
    return is_shard_file(name, shard_count);
}

static bool take_name(struct enc_backup_file *out, const struct enc_backup *backup,
                      const struct enc_json *json)
{
    struct enc_bytes name;
    if (!enc_json_text(json, &name) || name.len >= sizeof out->name)
        return false;
    memcpy(out->name, name.data, name.len);
    out->name[name.len] = '\0';
    if (strlen(out->name) != name.len || !enc_backup_names(out->name, backup->shard_count))
        return false;
    for (const struct enc_backup_file *f = backup->files; f < out; f++)
        if (strcmp(f->name, out->name) == 0)
            return false;
    return true;
}

static bool take_file(struct enc_backup *backup, const struct enc_json *json)
{
    struct enc_backup_file *file = &backup->files[backup->file_count];
    bool is_good = take_name(file, backup, enc_json_get(json, "name")) &&
                   enc_json_u64(enc_json_get(json, "len"), &file->len) &&
                   enc_json_hex(enc_json_get(json, "sha256"), file->sha32, 32);
    backup->file_count += is_good;
    return is_good;
}

static size_t count_names(const struct enc_backup *backup, const char *beginning)
{
    size_t count = 0;
    for (size_t i = 0; i < backup->file_count; i++)
        count += strncmp(backup->files[i].name, beginning, strlen(beginning)) == 0;
    return count;
}

static bool take_files(struct enc_backup *out, struct enc_arena *arena, const struct enc_json *list)
{
    if (!list || list->kind != ENC_JSON_ARRAY || list->count > ENC_BACKUP_SHARDS_MAX + 3)
        return false;
    out->files = ENC_ARENA_NEW(arena, struct enc_backup_file, list->count + 1);
    ENC_CHECK(out->files != NULL);
    for (const struct enc_json *f = list->child; f; f = f->next)
        if (!take_file(out, f))
            return false;
    return count_names(out, "shard-") == out->shard_count && count_names(out, "version") == 1 &&
           count_names(out, "held") == 1;
}

static bool take(struct enc_backup *out, struct enc_arena *arena, const struct enc_json *json)
{
    uint64_t format = 0;
    uint64_t data_format = 0;
    uint64_t shard_count = 0;
    bool is_good = enc_json_u64(enc_json_get(json, "enc_backup"), &format) &&
                   format == ENC_BACKUP_FORMAT &&
                   enc_json_u64(enc_json_get(json, "data_format"), &data_format) &&
                   enc_json_u64(enc_json_get(json, "created_ms"), &out->created_ms) &&
                   enc_json_u64(enc_json_get(json, "shards"), &shard_count) && shard_count > 0 &&
                   shard_count <= ENC_BACKUP_SHARDS_MAX &&
                   enc_json_hex(enc_json_get(json, "node"), out->node_pub32, 32);
    out->data_format = (uint32_t)data_format;
    out->shard_count = (uint32_t)shard_count;
    return is_good && take_files(out, arena, enc_json_get(json, "files"));
}

bool enc_backup_read(struct enc_backup *out, struct enc_ctl *ctl, const char *dir)
{
    char path[ENC_PLACE_LEN_MAX];
    struct enc_bytes text;
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    *out = (struct enc_backup){.files = NULL};
    if (!enc_path_join(path, dir, ENC_BACKUP_LIST) || !enc_ctl_read_file(ctl, &text, path))
        return false;
    bool is_good = enc_json_parse(&json, &ctl->arena, text, &facts) == ENC_ERR_OK &&
                   take(out, &ctl->arena, json);
    if (!is_good)
        enc_out_fault("%s: no list of a backup that this program knows", path);
    return is_good;
}
