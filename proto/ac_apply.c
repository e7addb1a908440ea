#include "proto/ac_part.h"

/** An operation on one identity, as far as it is understood. */
struct about {
    struct enc_ac_work *work;
    const struct enc_ac_op *op;
    uint8_t identity32[32];
    struct enc_roles targets;
    struct enc_roles roles; /* of the identity, before the operation */
};

typedef enum enc_err apply_fn(struct enc_ac_work *work, const struct enc_ac_op *op);

enum { NO_ROLE = -1 };

/** Whom it is about, what may be handed out, what the identity holds. */
static enum enc_err begin(struct about *about, struct enc_ac_work *work, const struct enc_ac_op *op)
{
    const struct enc_ac_input *input = work->input;
    struct enc_roles actor;
    about->work = work;
    about->op = op;
    if (!enc_ac_is_about(op, about->identity32) || !enc_point_lifts(about->identity32))
        return ENC_ERR_INVALID_CONTENT;
    ENC_TRY(enc_ac_roles(work, &actor, input->commit->from32));
    ENC_TRY(enc_ac_roles(work, &about->roles, about->identity32));
    const struct enc_context context = {
        .self = memcmp(about->identity32, input->commit->from32, 32) == 0,
        .authenticated = true,
    };
    bool is_permitted = enc_rbac_targets(&about->targets, input->manifest, &actor,
                                         enc_bytes_of_text(enc_type_row(op->type)->name), context);
    return is_permitted ? ENC_ERR_OK : ENC_ERR_UNAUTHORIZED;
}

static enum enc_err finish(struct about *about)
{
    return enc_ac_set(about->work, about->identity32, &about->roles);
}

/** A role by name, or null: no role. */
struct name {
    bool is_null;
    struct enc_bytes text;
};

static enum enc_err take_name(struct name *name, const struct enc_ac_op *op, const char *member)
{
    const struct enc_json *json = enc_json_get(op->json, member);
    *name = (struct name){0};
    return enc_json_text(json, &name->text) ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

static enum enc_err take_name_or_null(struct name *name, const struct enc_ac_op *op,
                                      const char *member)
{
    const struct enc_json *json = enc_json_get(op->json, member);
    if (!json || json->kind != ENC_JSON_NULL)
        return take_name(name, op, member);
    *name = (struct name){.is_null = true};
    return ENC_ERR_OK;
}

static bool names_equal(const struct name *a, const struct name *b)
{
    return a->is_null == b->is_null && enc_bytes_equal(a->text, b->text);
}

/** The bit of a role that may be handed out, or NO_ROLE for null. */
static enum enc_err take_bit(int *bit, const struct about *about, const struct name *name)
{
    *bit = NO_ROLE;
    if (name->is_null)
        return ENC_ERR_OK;
    int declared = enc_manifest_role_bit(about->work->input->manifest, name->text);
    if (declared < 0 || !enc_roles_have(&about->targets, (unsigned)declared))
        return ENC_ERR_UNAUTHORIZED;
    *bit = declared;
    return ENC_ERR_OK;
}

static void add_role(struct about *about, int bit)
{
    if (bit != NO_ROLE)
        enc_roles_add(&about->roles, (unsigned)bit);
}

/** url is empty when the member is absent. */
static enum enc_err take_endpoint(struct enc_bytes *url, const struct enc_ac_work *work,
                                  const struct enc_ac_op *op)
{
    const struct enc_json *json = enc_json_get(op->json, "endpoint");
    *url = (struct enc_bytes){0};
    if (!json && op->type == ENC_TYPE_GRANT)
        return ENC_ERR_OK;
    bool is_good =
        enc_json_text(json, url) && enc_endpoint_is_allowed(*url, &work->input->endpoints);
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

static enum enc_err add_endpoint(struct about *about, struct enc_bytes url, int bit)
{
    struct enc_roles role = {0};
    enc_roles_add(&role, (unsigned)bit);
    if (!enc_rbac_delivers(about->work->input->manifest, &role))
        return ENC_ERR_INVALID_CONTENT;
    struct enc_endpoint *endpoint = &about->work->endpoints[about->work->endpoint_count++];
    memcpy(endpoint->identity32, about->identity32, 32);
    endpoint->url = url;
    return ENC_ERR_OK;
}

static enum enc_err grant(struct enc_ac_work *work, const struct enc_ac_op *op)
{
    struct about about;
    struct name name;
    struct enc_bytes url;
    int bit;
    ENC_TRY(take_name(&name, op, "role"));
    ENC_TRY(take_endpoint(&url, work, op));
    ENC_TRY(begin(&about, work, op));
    ENC_TRY(take_bit(&bit, &about, &name));
    if (url.len)
        ENC_TRY(add_endpoint(&about, url, bit));
    add_role(&about, bit);
    return finish(&about);
}

static enum enc_err revoke(struct enc_ac_work *work, const struct enc_ac_op *op)
{
    struct about about;
    struct name name;
    int bit;
    ENC_TRY(take_name(&name, op, "role"));
    ENC_TRY(begin(&about, work, op));
    ENC_TRY(take_bit(&bit, &about, &name));
    if (!enc_roles_have(&about.roles, (unsigned)bit))
        return ENC_ERR_TARGET_LACKS_ROLE;
    enc_roles_drop(&about.roles, (unsigned)bit);
    return finish(&about);
}

/** Whether the identity is where a Move takes it from: nowhere = it holds none of the targets. */
static bool is_at(const struct about *about, int bit)
{
    return bit == NO_ROLE ? !enc_roles_meet(&about->roles, &about->targets)
                          : enc_roles_have(&about->roles, (unsigned)bit);
}

static enum enc_err move(struct enc_ac_work *work, const struct enc_ac_op *op)
{
    struct about about;
    struct name from_name, to_name;
    int from, to;
    ENC_TRY(take_name_or_null(&from_name, op, "from"));
    ENC_TRY(take_name_or_null(&to_name, op, "to"));
    if (names_equal(&from_name, &to_name))
        return ENC_ERR_INVALID_CONTENT;
    ENC_TRY(begin(&about, work, op));
    ENC_TRY(take_bit(&from, &about, &from_name));
    ENC_TRY(take_bit(&to, &about, &to_name));
    if (!is_at(&about, from))
        return ENC_ERR_TARGET_LACKS_ROLE;
    if (from != NO_ROLE)
        enc_roles_drop(&about.roles, (unsigned)from);
    add_role(&about, to);
    return finish(&about);
}

static enum enc_err force_move(struct enc_ac_work *work, const struct enc_ac_op *op)
{
    struct about about;
    struct name name;
    int to;
    ENC_TRY(take_name_or_null(&name, op, "to"));
    ENC_TRY(begin(&about, work, op));
    ENC_TRY(take_bit(&to, &about, &name));
    enc_roles_subtract(&about.roles, &about.targets);
    add_role(&about, to);
    return finish(&about);
}

static enum enc_err transfer_owner(struct enc_ac_work *work, const struct enc_ac_op *op)
{
    const uint8_t *actor32 = work->input->commit->from32;
    uint8_t heir32[32];
    struct enc_roles actor, heir;
    ENC_TRY(enc_ac_roles(work, &actor, actor32));
    if (!enc_roles_have(&actor, ENC_ROLE_OWNER))
        return ENC_ERR_UNAUTHORIZED;
    if (!enc_ac_is_about(op, heir32) || !enc_point_lifts(heir32) ||
        memcmp(heir32, actor32, 32) == 0)
        return ENC_ERR_INVALID_CONTENT;
    ENC_TRY(enc_ac_roles(work, &heir, heir32));
    enc_roles_drop(&actor, ENC_ROLE_OWNER);
    enc_roles_add(&heir, ENC_ROLE_OWNER);
    ENC_TRY(enc_ac_set(work, actor32, &actor));
    return enc_ac_set(work, heir32, &heir);
}

static bool take_gate(struct enc_bytes *type, bool *is_open, const struct enc_json *json)
{
    return enc_json_text(enc_json_get(json, "event"), type) && enc_type_is_well_formed(*type) &&
           !enc_type_is_predefined(*type) && enc_json_bool(enc_json_get(json, "open"), is_open);
}

static enum enc_err gate(struct enc_ac_work *work, const struct enc_ac_op *op)
{
    const struct enc_gates *before = work->input->gates;
    struct enc_bytes type;
    bool is_open;
    if (!take_gate(&type, &is_open, op->json))
        return ENC_ERR_INVALID_CONTENT;
    if (enc_gates_stop(before, type) != is_open)
        return ENC_ERR_OK;
    struct enc_gates *after = ENC_ARENA_NEW(work->arena, struct enc_gates, 1);
    work->gates = after;
    return after ? enc_gates_set(after, work->arena, before, type, is_open) : ENC_ERR_TOO_LARGE;
}

static enum enc_err entry(struct enc_ac_work *work, const struct enc_json *json)
{
    struct enc_bytes name;
    if (!enc_json_text(enc_json_get(json, "type"), &name))
        return ENC_ERR_INVALID_CONTENT;
    const struct enc_ac_op op = {.type = enc_type_of(name), .json = json};
    if (!enc_type_row(op.type)->is_bundled)
        return ENC_ERR_INVALID_CONTENT;
    ENC_TRY(enc_ac_authorise(work, &op));
    return enc_ac_apply(work, &op);
}

static enum enc_err bundle(struct enc_ac_work *work, const struct enc_ac_op *op)
{
    const struct enc_json *operations = enc_json_get(op->json, "operations");
    if (!operations || operations->kind != ENC_JSON_ARRAY || operations->count == 0)
        return ENC_ERR_INVALID_CONTENT;
    for (const struct enc_json *json = operations->child; json; json = json->next)
        ENC_TRY(entry(work, json));
    return ENC_ERR_OK;
}

enum enc_err enc_ac_apply(struct enc_ac_work *work, const struct enc_ac_op *op)
{
    static apply_fn *const APPLY[ENC_TYPE_COUNT] = {
        [ENC_TYPE_GRANT] = grant,
        [ENC_TYPE_GRANT_PUSH] = grant,
        [ENC_TYPE_REVOKE] = revoke,
        [ENC_TYPE_MOVE] = move,
        [ENC_TYPE_FORCE_MOVE] = force_move,
        [ENC_TYPE_TRANSFER_OWNER] = transfer_owner,
        [ENC_TYPE_GATE] = gate,
        [ENC_TYPE_AC_BUNDLE] = bundle,
    };
    return APPLY[op->type](work, op);
}
