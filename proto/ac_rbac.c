#include "proto/ac_part.h"

/** The member that says whom a type is about; NULL: about nobody. */
static const char *about_member(enum enc_type type)
{
    static const char *const MEMBERS[ENC_TYPE_COUNT] = {
        [ENC_TYPE_GRANT] = "identity",      [ENC_TYPE_GRANT_PUSH] = "identity",
        [ENC_TYPE_REVOKE] = "identity",     [ENC_TYPE_MOVE] = "identity",
        [ENC_TYPE_FORCE_MOVE] = "identity", [ENC_TYPE_TRANSFER_OWNER] = "new_owner",
    };
    return MEMBERS[type];
}

bool enc_ac_has_identity(enum enc_type type)
{
    return about_member(type) != NULL;
}

bool enc_ac_is_about(const struct enc_ac_op *op, uint8_t identity32[32])
{
    const char *member = about_member(op->type);
    return member && enc_json_hex(enc_json_get(op->json, member), identity32, 32);
}

static bool wants_push(const struct enc_ac_op *op)
{
    return op->type == ENC_TYPE_GRANT_PUSH ||
           (op->type == ENC_TYPE_GRANT && enc_json_get(op->json, "endpoint"));
}

enum enc_err enc_ac_authorise(struct enc_ac_work *work, const struct enc_ac_op *op)
{
    const struct enc_ac_input *input = work->input;
    uint8_t identity32[32];
    struct enc_roles actor;
    if (wants_push(op) && !input->has_push)
        return ENC_ERR_PUSH_UNSUPPORTED;
    ENC_TRY(enc_ac_roles(work, &actor, input->commit->from32));
    bool is_about = enc_ac_is_about(op, identity32);
    bool is_self = is_about && memcmp(identity32, input->commit->from32, 32) == 0;
    bool may_be_self = is_self || (!is_about && enc_ac_has_identity(op->type));
    bool may_be_other = !is_self;
    struct enc_bytes type = enc_bytes_of_text(enc_type_row(op->type)->name);
    const struct enc_context self = {.self = true, .authenticated = true};
    const struct enc_context other = {.self = false, .authenticated = true};
    bool is_permitted =
        (may_be_self && enc_rbac_permits(input->manifest, &actor, type, ENC_OP_CREATE, self)) ||
        (may_be_other && enc_rbac_permits(input->manifest, &actor, type, ENC_OP_CREATE, other));
    return is_permitted ? ENC_ERR_OK : ENC_ERR_UNAUTHORIZED;
}
