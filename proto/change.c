#include "proto/change.h"

#include "proto/json.h"

enum enc_err enc_change_rbac(const struct enc_change_input *input)
{
    const struct enc_commit *commit = input->commit, *target = input->target;
    enum enc_type type = enc_type_of(commit->type);
    ENC_CHECK(enc_type_row(type)->family == ENC_FAMILY_CHANGE);
    if (!target || enc_type_is_predefined(target->type))
        return ENC_ERR_OK;
    const struct enc_context context = {
        .self = memcmp(target->from32, commit->from32, 32) == 0,
        .authenticated = true,
    };
    enum enc_op op = type == ENC_TYPE_UPDATE ? ENC_OP_UPDATE : ENC_OP_DELETE;
    bool is_permitted = enc_rbac_permits(input->manifest, input->roles, target->type, op, context);
    return is_permitted ? ENC_ERR_OK : ENC_ERR_UNAUTHORIZED;
}

/** Absent, or one of the two words. */
static bool is_reason(const struct enc_json *json)
{
    struct enc_bytes reason;
    return !json || (enc_json_text(json, &reason) &&
                     (enc_bytes_is(reason, "author") || enc_bytes_is(reason, "moderator")));
}

static enum enc_err check_delete(struct enc_arena *arena, struct enc_bytes content)
{
    struct enc_json_facts facts;
    struct enc_json *json;
    struct enc_bytes note;
    if (content.len == 0)
        return ENC_ERR_OK;
    enum enc_err err = enc_json_parse(&json, arena, content, &facts);
    if (err != ENC_ERR_OK)
        return err == ENC_ERR_INVALID_REQUEST ? ENC_ERR_INVALID_CONTENT : err;
    const struct enc_json *said = enc_json_get(json, "note");
    bool is_good = json->kind == ENC_JSON_OBJECT && is_reason(enc_json_get(json, "reason")) &&
                   (!said || enc_json_text(said, &note));
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

enum enc_err enc_change_check(struct enc_arena *arena, const struct enc_change_input *input)
{
    if (!input->target)
        return ENC_ERR_EVENT_NOT_FOUND;
    if (enc_type_is_predefined(input->target->type))
        return ENC_ERR_INVALID_CONTENT;
    if (input->target_status == ENC_EVENT_DELETED)
        return ENC_ERR_ALREADY_DELETED;
    if (enc_type_of(input->commit->type) == ENC_TYPE_UPDATE)
        return ENC_ERR_OK;
    return check_delete(arena, input->commit->content);
}

enum enc_event_status enc_change_status(enum enc_type type)
{
    ENC_CHECK(enc_type_row(type)->family == ENC_FAMILY_CHANGE);
    return type == ENC_TYPE_UPDATE ? ENC_EVENT_UPDATED : ENC_EVENT_DELETED;
}
