#include "services/case.h"

#include "proto/record.h"
#include "services/read.h"

void enc_case_init(struct enc_case *c, const struct enc_exchange *exchange, uint64_t now_ms)
{
    const struct enc_commit *commit = &exchange->commit;
    *c = (struct enc_case){
        .commit = commit,
        .claimed_hash32 = commit->has_hash ? exchange->claimed_hash32 : NULL,
        .curve = exchange->host->curve,
        .now_ms = now_ms,
        .host = exchange->host,
        .service = exchange->service,
        .type = enc_type_of(commit->type),
    };
}

static enum enc_err load_event(struct enc_event **out, struct enc_run *run, uint64_t seq)
{
    struct enc_bytes record;
    struct enc_event_place place = {.ord = run->state.ord, .seq = seq};
    ENC_TRY(enc_snap_event(run->snap, &record, place));
    record =
        enc_arena_copy(&run->arena, record); /* it is needed longer than the snapshot is open */
    *out = ENC_ARENA_NEW(&run->arena, struct enc_event, 1);
    return *out && record.data ? enc_record_take(*out, &run->arena, record) : ENC_ERR_TOO_LARGE;
}

static const struct enc_event *find_staged(const struct enc_run *run, const uint8_t hash32[32])
{
    for (const struct enc_staged *s = run->first; s; s = s->next)
        if (s->event && memcmp(s->event->commit.hash32, hash32, 32) == 0)
            return s->event;
    return NULL;
}

/* An enclave is known to one service only; on another one its commits are not duplicates but lost
 * (16.55). */
static enum enc_err find_earlier(struct enc_case *c, struct enc_run *run)
{
    struct enc_event_place place;
    struct enc_event *event = NULL;
    c->earlier = find_staged(run, c->commit->hash32);
    if (c->earlier || !run->state.exists || run->state.service != c->service)
        return ENC_ERR_OK;
    enum enc_err err =
        enc_snap_place_by_hash(run->snap, &place, c->commit->exp_ms, c->commit->hash32);
    if (err == ENC_ERR_EVENT_NOT_FOUND)
        return ENC_ERR_OK;
    if (err == ENC_ERR_OK && place.ord == run->state.ord)
        err = load_event(&event, run, place.seq);
    c->earlier = event;
    return err;
}

/* A target in this very run is impossible: its id is known to nobody before the run is durable. */
static enum enc_err find_target(struct enc_case *c, struct enc_run *run)
{
    uint8_t id32[32];
    uint64_t seq = 0;
    struct enc_event *event = NULL;
    if (enc_type_row(c->type)->family != ENC_FAMILY_CHANGE || !run->state.exists ||
        !enc_commit_target(c->commit, id32))
        return ENC_ERR_OK;
    enum enc_err err = enc_snap_seq_by_id(run->snap, &seq, run->state.ord, id32);
    if (err == ENC_ERR_EVENT_NOT_FOUND)
        return ENC_ERR_OK;
    if (err == ENC_ERR_OK)
        err = load_event(&event, run, seq);
    c->target = event;
    return err;
}

static enum enc_err load_target_status(struct enc_case *c, struct enc_run *run)
{
    struct enc_smt_value value;
    uint8_t key21[21];
    if (!c->target)
        return ENC_ERR_OK;
    enc_smt_key(key21, ENC_SMT_EVENT_STATUS, c->target->id32);
    ENC_TRY(enc_smt_get(&run->tree, &value, key21));
    c->target_status = value.len == 0   ? ENC_EVENT_ACTIVE
                       : value.len == 1 ? ENC_EVENT_DELETED
                                        : ENC_EVENT_UPDATED;
    return ENC_ERR_OK;
}

static enum enc_err get_roles(void *self, struct enc_roles *out, const uint8_t identity32[32])
{
    return enc_roles_of(&((struct enc_run *)self)->tree, out, identity32);
}

static enum enc_err bind_roles(struct enc_case *c, struct enc_run *run)
{
    struct enc_roles_source *source = ENC_ARENA_NEW(&run->arena, struct enc_roles_source, 1);
    if (!source)
        return ENC_ERR_TOO_LARGE;
    *source = (struct enc_roles_source){.get = get_roles, .self = run};
    c->roles_source = source;
    return enc_roles_of(&run->tree, &c->roles, c->commit->from32);
}

static enum enc_err judge_manifest(const struct enc_case *c, struct enc_run *run,
                                   struct enc_manifest *manifest)
{
    const struct enc_json *rbac = NULL;
    const char *fixed = enc_service_at(c->service)->enclave.schema.fixed_json;
    ENC_TRY(enc_manifest_parse(manifest, &run->arena, &run->arena, c->commit->content, &rbac));
    ENC_TRY(enc_manifest_check(manifest, c->commit, c->host->key->pub32));
    if (!fixed)
        return ENC_ERR_OK;
    return enc_manifest_matches_schema(rbac, &run->arena, enc_bytes_of_text(fixed));
}

static enum enc_err load_manifest(struct enc_case *c, struct enc_run *run)
{
    c->manifest = run->manifest;
    if (c->type != ENC_TYPE_MANIFEST || run->state.exists)
        return ENC_ERR_OK;
    struct enc_manifest *manifest = ENC_ARENA_NEW(&run->arena, struct enc_manifest, 1);
    if (!manifest)
        return ENC_ERR_TOO_LARGE;
    c->manifest_err = judge_manifest(c, run, manifest);
    c->manifest = manifest;
    return ENC_ERR_OK;
}

enum enc_err enc_case_load(struct enc_case *c, struct enc_run *run,
                           const struct enc_exchange *exchange)
{
    enc_case_init(c, exchange, run->now_ms);
    c->state = &run->state;
    c->arena = &run->arena;
    c->rows = &run->rows;
    ENC_TRY(find_earlier(c, run));
    ENC_TRY(find_target(c, run));
    ENC_TRY(load_target_status(c, run));
    ENC_TRY(bind_roles(c, run));
    return load_manifest(c, run);
}
