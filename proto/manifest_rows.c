#include "proto/manifest_part.h"

#include "proto/type.h"

static const struct {
    const char *name;
    enum enc_holder holder;
    uint8_t bit;
} RESERVED[] = {
    {"Owner", ENC_HOLDER_ROLE, ENC_ROLE_OWNER},
    {"Self", ENC_HOLDER_SELF, 0},
    {"Sender", ENC_HOLDER_SELF, 0},
    {"Any", ENC_HOLDER_ANY, 0},
    {"Public", ENC_HOLDER_PUBLIC, 0},
    {"OUTSIDER", ENC_HOLDER_NOBODY, 0},
    {"*", ENC_HOLDER_NOBODY, 0},
};

static enum enc_err refuse_unless(bool good)
{
    return good ? ENC_ERR_OK : ENC_ERR_INVALID_MANIFEST;
}

static enum enc_err take_event(struct enc_schema_row *row, struct enc_arena *arena,
                               const struct enc_json *json)
{
    struct enc_bytes name;
    if (!enc_json_text(json, &name))
        return ENC_ERR_INVALID_MANIFEST;
    row->is_wildcard = enc_bytes_is(name, "*");
    if (row->is_wildcard)
        return ENC_ERR_OK;
    if (!enc_type_is_well_formed(name))
        return ENC_ERR_INVALID_MANIFEST;
    row->event = enc_arena_copy(arena, name);
    return row->event.data ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}

static bool take_holder(struct enc_schema_row *row, const struct enc_manifest *manifest,
                        const struct enc_json *json)
{
    struct enc_bytes name;
    if (!enc_json_text(json, &name))
        return false;
    for (size_t i = 0; i < sizeof RESERVED / sizeof *RESERVED; i++)
        if (enc_bytes_is(name, RESERVED[i].name)) {
            row->holder = (uint8_t)RESERVED[i].holder;
            row->bit = RESERVED[i].bit;
            return true;
        }
    int bit = enc_manifest_role_bit(manifest, name);
    row->holder = ENC_HOLDER_ROLE;
    row->bit = (uint8_t)bit;
    return bit >= 0;
}

/** One letter grants, one behind an underscore denies. */
static bool take_op(struct enc_schema_row *row, const struct enc_json *json)
{
    static const char LETTERS[ENC_OP_COUNT] = {'C', 'R', 'U', 'D', 'P', 'N'};
    struct enc_bytes op;
    if (!enc_json_text(json, &op) || op.len == 0 || op.len > 2)
        return false;
    if (op.len == 2 && op.data[0] != '_')
        return false;
    const char *at = memchr(LETTERS, op.data[op.len - 1], sizeof LETTERS);
    if (!at)
        return false;
    uint8_t *mask = op.len == 2 ? &row->denies : &row->ops;
    *mask |= (uint8_t)(1 << (at - LETTERS));
    return true;
}

static bool take_ops(struct enc_schema_row *row, const struct enc_json *json)
{
    if (!json || json->kind != ENC_JSON_ARRAY)
        return false;
    for (const struct enc_json *child = json->child; child; child = child->next)
        if (!take_op(row, child))
            return false;
    return true;
}

static struct enc_roles all_custom(const struct enc_manifest *manifest)
{
    struct enc_roles roles = {0};
    for (unsigned i = 0; i < manifest->role_count; i++)
        enc_roles_add(&roles, ENC_ROLE_CUSTOM + i);
    return roles;
}

/** Owner may be named but is no target: only Transfer_Owner moves it. */
static bool take_target(struct enc_schema_row *row, const struct enc_manifest *manifest,
                        const struct enc_json *json)
{
    struct enc_bytes name;
    int bit = enc_json_text(json, &name) ? enc_manifest_role_bit(manifest, name) : -1;
    if (bit >= ENC_ROLE_CUSTOM)
        enc_roles_add(&row->targets, (unsigned)bit);
    return bit >= 0;
}

static bool take_targets(struct enc_schema_row *row, const struct enc_manifest *manifest,
                         const struct enc_json *json)
{
    if (!json) {
        row->targets = all_custom(manifest);
        return true;
    }
    if (json->kind != ENC_JSON_ARRAY || !enc_type_row(enc_type_of(row->event))->has_targets)
        return false;
    for (const struct enc_json *child = json->child; child; child = child->next)
        if (!take_target(row, manifest, child))
            return false;
    return true;
}

static enum enc_err take_row(struct enc_schema_row *row, const struct enc_manifest_reading *reading,
                             const struct enc_json *json)
{
    ENC_TRY(take_event(row, reading->arena, enc_json_get(json, "event")));
    return refuse_unless(take_holder(row, reading->out, enc_json_get(json, "role")) &&
                         take_ops(row, enc_json_get(json, "ops")) &&
                         take_targets(row, reading->out, enc_json_get(json, "target_roles")));
}

enum enc_err enc_manifest_take_rows(const struct enc_manifest_reading *reading,
                                    const struct enc_json *schema)
{
    if (!schema || schema->kind != ENC_JSON_ARRAY || schema->count > ENC_MANIFEST_ROWS_MAX)
        return ENC_ERR_INVALID_MANIFEST;
    struct enc_schema_row *rows =
        ENC_ARENA_NEW(reading->arena, struct enc_schema_row, schema->count);
    if (!rows)
        return ENC_ERR_TOO_LARGE;
    reading->out->rows = rows;
    reading->out->row_count = (uint32_t)schema->count;
    for (const struct enc_json *child = schema->child; child; child = child->next)
        ENC_TRY(take_row(rows++, reading, child));
    return ENC_ERR_OK;
}
