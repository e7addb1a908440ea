#include "services/rows.h"

#include "proto/sha256.h"

struct staged_row {
    uint8_t name32[32];
    struct enc_bytes value;
    bool is_deleted;
};

void enc_rows_init(struct enc_rows *rows, struct enc_arena *arena, struct enc_snap *snap,
                   struct enc_writeset *set, uint64_t ord)
{
    *rows = (struct enc_rows){
        .arena = arena, .snap = snap, .set = set, .staged = {.arena = arena}, .ord = ord};
}

/* The lookup wants keys of 32 spread bytes. */
static void name_of(uint8_t name32[32], uint32_t view, struct enc_bytes key)
{
    const struct enc_bytes parts[] = {enc_bytes_of(&view, sizeof view), key};
    enc_sha256_parts(name32, parts, 2);
}

enum enc_err enc_rows_get(const struct enc_rows *rows, bool *found, struct enc_bytes *value,
                          uint32_t view, struct enc_bytes key)
{
    uint8_t name32[32];
    name_of(name32, view, key);
    const struct staged_row *row =
        (const struct staged_row *)enc_lookup_find(&rows->staged, name32);
    if (!row)
        return enc_snap_row(rows->snap, found, value, (struct enc_view){rows->ord, view}, key);
    *found = !row->is_deleted;
    *value = row->value;
    return ENC_ERR_OK;
}

static enum enc_err stage(struct enc_rows *rows, uint32_t view, struct enc_bytes key,
                          struct staged_row **out)
{
    uint8_t name32[32];
    name_of(name32, view, key);
    *out = (struct staged_row *)enc_lookup_find(&rows->staged, name32);
    if (*out)
        return ENC_ERR_OK;
    *out = ENC_ARENA_NEW(rows->arena, struct staged_row, 1);
    if (!*out)
        return ENC_ERR_TOO_LARGE;
    memcpy((*out)->name32, name32, 32);
    return enc_lookup_add(&rows->staged, (*out)->name32, *out);
}

static enum enc_err copy(struct enc_bytes *out, struct enc_arena *arena, struct enc_bytes bytes)
{
    *out = enc_arena_copy(arena, bytes);
    return out->data ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}

enum enc_err enc_rows_put(struct enc_rows *rows, uint32_t view, struct enc_bytes key,
                          struct enc_bytes value)
{
    struct staged_row *row = NULL;
    ENC_TRY(stage(rows, view, key, &row));
    ENC_TRY(copy(&row->value, rows->arena, value));
    row->is_deleted = false;
    enc_put_row(rows->set, (struct enc_view){rows->ord, view}, key, row->value);
    return ENC_ERR_OK;
}

enum enc_err enc_rows_del(struct enc_rows *rows, uint32_t view, struct enc_bytes key)
{
    struct staged_row *row = NULL;
    ENC_TRY(stage(rows, view, key, &row));
    row->value = (struct enc_bytes){NULL, 0};
    row->is_deleted = true;
    enc_del_row(rows->set, (struct enc_view){rows->ord, view}, key);
    return ENC_ERR_OK;
}

static enum enc_err take_count(uint64_t *number, bool found, struct enc_bytes value)
{
    if (found && value.len != 8)
        return ENC_ERR_INTERNAL;
    *number = found ? enc_be64_get(value.data) : 0;
    return ENC_ERR_OK;
}

enum enc_err enc_rows_count(struct enc_rows *rows, uint32_t view, struct enc_bytes key, int by)
{
    bool found = false;
    struct enc_bytes value;
    uint64_t number = 0;
    uint8_t bytes8[8];
    ENC_TRY(enc_rows_get(rows, &found, &value, view, key));
    ENC_TRY(take_count(&number, found, value));
    if (by < 0 && number == 0)
        return ENC_ERR_INTERNAL;
    number += (uint64_t)(int64_t)by;
    if (number == 0)
        return enc_rows_del(rows, view, key);
    enc_be64_put(bytes8, number);
    return enc_rows_put(rows, view, key, enc_bytes_of(bytes8, sizeof bytes8));
}

enum enc_err enc_count_find(uint64_t *number, struct enc_snap *snap, struct enc_view view,
                            struct enc_bytes key)
{
    bool found = false;
    struct enc_bytes value;
    ENC_TRY(enc_snap_row(snap, &found, &value, view, key));
    return take_count(number, found, value);
}

enum enc_err enc_rows_put_shared(struct enc_rows *rows, enum enc_shared_view view,
                                 struct enc_bytes key, struct enc_bytes value)
{
    struct enc_bytes kept;
    ENC_TRY(copy(&kept, rows->arena, value));
    enc_put_row(rows->set, (struct enc_view){0, view}, key, kept);
    return ENC_ERR_OK;
}
