#include "proto/ac_part.h"

static struct enc_role_change *find(const struct enc_ac_work *work, const uint8_t identity32[32])
{
    for (size_t i = 0; i < work->change_count; i++)
        if (memcmp(work->changes[i].identity32, identity32, 32) == 0)
            return &work->changes[i];
    return NULL;
}

enum enc_err enc_ac_roles(const struct enc_ac_work *work, struct enc_roles *out,
                          const uint8_t identity32[32])
{
    const struct enc_role_change *change = find(work, identity32);
    if (!change)
        return work->input->roles->get(work->input->roles->self, out, identity32);
    *out = change->after;
    return ENC_ERR_OK;
}

enum enc_err enc_ac_set(struct enc_ac_work *work, const uint8_t identity32[32],
                        const struct enc_roles *roles)
{
    struct enc_role_change *change = find(work, identity32);
    if (!change) {
        change = &work->changes[work->change_count];
        memcpy(change->identity32, identity32, 32);
        ENC_TRY(work->input->roles->get(work->input->roles->self, &change->before, identity32));
        work->change_count++;
    }
    change->after = *roles;
    return ENC_ERR_OK;
}

/** The event itself as an operation; its content need not be JSON. */
static enum enc_err open_event(struct enc_ac_op *op, struct enc_arena *arena,
                               const struct enc_commit *commit)
{
    struct enc_json_facts facts;
    struct enc_json *json;
    op->type = enc_type_of(commit->type);
    op->json = NULL;
    ENC_CHECK(enc_type_row(op->type)->family == ENC_FAMILY_AC);
    enum enc_err err = enc_json_parse(&json, arena, commit->content, &facts);
    if (err == ENC_ERR_OK)
        op->json = json;
    return err == ENC_ERR_INVALID_REQUEST ? ENC_ERR_OK : err;
}

enum enc_err enc_ac_rbac(struct enc_arena *arena, const struct enc_ac_input *input)
{
    struct enc_ac_work work = {.input = input, .arena = arena};
    struct enc_ac_op op;
    ENC_TRY(open_event(&op, arena, input->commit));
    return enc_ac_authorise(&work, &op);
}

/** A Transfer_Owner changes two identities, everything else at most one. */
static enum enc_err make_room(struct enc_ac_work *work, const struct enc_ac_op *op)
{
    const struct enc_json *operations = enc_json_get(op->json, "operations");
    size_t count = op->type == ENC_TYPE_AC_BUNDLE && operations ? operations->count : 1;
    if (count > ENC_AC_BUNDLE_MAX)
        return ENC_ERR_INVALID_CONTENT;
    work->changes = ENC_ARENA_NEW(work->arena, struct enc_role_change, 2 * count);
    work->endpoints = ENC_ARENA_NEW(work->arena, struct enc_endpoint, count);
    return work->changes && work->endpoints ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}

/** Leave out what ended as it began. */
static void drop_unchanged(struct enc_ac_work *work)
{
    size_t kept = 0;
    for (size_t i = 0; i < work->change_count; i++)
        if (!enc_roles_equal(&work->changes[i].before, &work->changes[i].after))
            work->changes[kept++] = work->changes[i];
    work->change_count = kept;
}

enum enc_err enc_ac_plan(struct enc_ac_plan *out, struct enc_arena *arena,
                         const struct enc_ac_input *input)
{
    struct enc_ac_work work = {.input = input, .arena = arena};
    struct enc_ac_op op;
    ENC_TRY(open_event(&op, arena, input->commit));
    ENC_TRY(make_room(&work, &op));
    ENC_TRY(enc_ac_apply(&work, &op));
    drop_unchanged(&work);
    *out = (struct enc_ac_plan){
        .changes = work.changes,
        .change_count = work.change_count,
        .endpoints = work.endpoints,
        .endpoint_count = work.endpoint_count,
        .gates = work.gates,
    };
    return ENC_ERR_OK;
}
