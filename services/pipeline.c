#include "services/pipeline.h"

#include "proto/record.h"
#include "proto/sha256.h"
#include "services/push.h"
#include "services/subscribers.h"

typedef enum enc_err judge_fn(const struct enc_case *c); /* may refuse, changes nothing */

struct delta {
    const struct enc_case *c;
    struct enc_run *run;
    struct enc_staged *staged;
};
typedef enum enc_err build_fn(struct delta *d); /* cannot refuse; only damage or want of memory */

/* ---- 1 structure: required fields, valid types (their shape was read before, on the loop) ---- */

static enum enc_err structure(const struct enc_case *c)
{
    return enc_commit_check(c->commit);
}

/* ---- 2 expiration ---- */

static enum enc_err expiration(const struct enc_case *c)
{
    return enc_commit_expiry(c->commit, c->now_ms);
}

/* ---- 3 hash ---- */

static enum enc_err hash(const struct enc_case *c)
{
    if (!c->claimed_hash32)
        return ENC_ERR_OK;
    bool is_equal = memcmp(c->claimed_hash32, c->commit->hash32, 32) == 0;
    return is_equal ? ENC_ERR_OK : ENC_ERR_INVALID_HASH;
}

/* ---- 4 signature ---- */

static enum enc_err signature(const struct enc_case *c)
{
    return enc_commit_signature(c->curve, c->commit);
}

/* ---- 5 dedup: against everything stored and everything staged before in this run ---- */

static enum enc_err dedup(const struct enc_case *c)
{
    return c->earlier ? ENC_ERR_DUPLICATE : ENC_ERR_OK;
}

/* ---- 6 lifecycle ---- */

static enum enc_err creation(const struct enc_case *c)
{
    return c->state->exists ? ENC_ERR_ENCLAVE_EXISTS : c->manifest_err;
}

static enum enc_err lifecycle(const struct enc_case *c)
{
    if (c->type == ENC_TYPE_MANIFEST)
        return creation(c);
    if (!c->state->exists || c->state->service != c->service)
        return ENC_ERR_ENCLAVE_NOT_FOUND;
    return enc_lifecycle_check(c->state->status, c->type);
}

/* ---- 7 RBAC ---- */

static struct enc_change_input change_input(const struct enc_case *c)
{
    return (struct enc_change_input){
        .manifest = c->manifest,
        .commit = c->commit,
        .roles = &c->roles,
        .target = c->target ? &c->target->commit : NULL,
        .target_status = c->target_status,
    };
}

static struct enc_ac_input ac_input(const struct enc_case *c)
{
    return (struct enc_ac_input){
        .manifest = c->manifest,
        .commit = c->commit,
        .gates = &c->state->gates,
        .roles = c->roles_source,
        .endpoints = c->host->endpoints,
        .has_push = enc_service_at(c->service)->enclave.has_push,
    };
}

static enum enc_err rbac_none(const struct enc_case *c)
{
    (void)c; /* a Manifest brings its own rules */
    return ENC_ERR_OK;
}

static enum enc_err rbac_create(const struct enc_case *c)
{
    return enc_rbac_create(c->manifest, &c->state->gates, &c->roles, c->commit->type);
}

static enum enc_err rbac_change(const struct enc_case *c)
{
    struct enc_change_input input = change_input(c);
    return enc_change_rbac(&input);
}

static enum enc_err rbac_ac(const struct enc_case *c)
{
    struct enc_ac_input input = ac_input(c);
    return enc_ac_rbac(c->arena, &input);
}

static enum enc_err refuse_reserved(const struct enc_case *c)
{
    (void)c; /* step 1 has refused it already */
    return ENC_ERR_INVALID_COMMIT;
}

static enum enc_err rbac(const struct enc_case *c)
{
    static judge_fn *const BY_FAMILY[] = {
        [ENC_FAMILY_CONTENT] = rbac_create, [ENC_FAMILY_MANIFEST] = rbac_none,
        [ENC_FAMILY_CHANGE] = rbac_change,  [ENC_FAMILY_LIFECYCLE] = rbac_create,
        [ENC_FAMILY_AC] = rbac_ac,          [ENC_FAMILY_RESERVED] = refuse_reserved,
    };
    return BY_FAMILY[enc_type_row(c->type)->family](c);
}

/* ---- 8 AC logic: target_roles, Self match, ownership, targets, lifecycle content ---- */

static enum enc_err logic_change(const struct enc_case *c)
{
    struct enc_change_input input = change_input(c);
    return enc_change_check(c->arena, &input);
}

static enum enc_err logic_lifecycle(const struct enc_case *c)
{
    struct enc_lifecycle_input input = {
        .commit = c->commit,
        .status = c->state->status,
        .position = {.last_seq = c->state->next_seq - 1},
    };
    enc_frontier_root(&c->state->ct, input.position.ct_root32);
    return enc_lifecycle_judge(c->arena, &input);
}

static enum enc_err logic_ac(const struct enc_case *c)
{
    struct enc_ac_input input = ac_input(c);
    struct enc_ac_plan unused; /* step 10 plans again, on the same state */
    return enc_ac_plan(&unused, c->arena, &input);
}

/* What the service itself asks of the content. */
static struct enc_fact fact_of(const struct enc_case *c)
{
    return (struct enc_fact){
        .rows = c->rows,
        .arena = c->arena,
        .curve = c->curve,
        .own32 = c->state->enclave32,
        .commit = c->commit,
    };
}

static enum enc_err content_rule(const struct enc_case *c)
{
    const struct enc_dataview *view = enc_service_at(c->service)->view;
    struct enc_fact fact = fact_of(c);
    if (!view)
        return ENC_ERR_OK;
    return enc_dataview_judge(view, &fact, c->target ? &c->target->commit : NULL);
}

static enum enc_err ac_logic(const struct enc_case *c)
{
    static judge_fn *const BY_FAMILY[] = {
        [ENC_FAMILY_CONTENT] = rbac_none,   [ENC_FAMILY_MANIFEST] = rbac_none,
        [ENC_FAMILY_CHANGE] = logic_change, [ENC_FAMILY_LIFECYCLE] = logic_lifecycle,
        [ENC_FAMILY_AC] = logic_ac,         [ENC_FAMILY_RESERVED] = refuse_reserved,
    };
    ENC_TRY(BY_FAMILY[enc_type_row(c->type)->family](c));
    return content_rule(c);
}

/* ---- 9 finalise: seq, timestamp, seq_sig, event_hash, event_id ---- */

struct enc_type_count {
    struct enc_type_count *next;
    struct enc_bytes type;
    uint64_t last;
};

static enum enc_err stored_type_count(struct enc_run *run, uint64_t *last, struct enc_bytes type)
{
    struct enc_scan scan;
    struct enc_typed_found found = {0, 0};
    struct enc_range newest_first = {.first = 0, .last = UINT64_MAX, .reverse = true};
    enc_scan_type(&scan, run->snap, run->state.ord, type, newest_first);
    *last = enc_scan_typed(&scan, &found) ? found.type_seq : 0;
    return enc_scan_fini(&scan);
}

static enum enc_err next_type_seq(struct enc_run *run, uint64_t *type_seq, struct enc_bytes type)
{
    struct enc_type_count *count = run->types;
    while (count && !enc_bytes_equal(count->type, type))
        count = count->next;
    if (!count) {
        count = ENC_ARENA_NEW(&run->arena, struct enc_type_count, 1);
        if (!count)
            return ENC_ERR_TOO_LARGE;
        count->type = type;
        ENC_TRY(stored_type_count(run, &count->last, type));
        count->next = run->types;
        run->types = count;
    }
    *type_seq = ++count->last;
    return ENC_ERR_OK;
}

/* Before the event touches anything: a bundle whose time is over ends without it, on the state as
 * it was. */
static enum enc_err close_overdue(struct enc_run *run, uint64_t timestamp_ms)
{
    uint64_t timeout_ms = run->manifest->bundle_timeout_ms;
    const struct enc_state *state = &run->state;
    bool is_overdue = timeout_ms > 0 && state->bundle.count > 0 &&
                      timestamp_ms - state->bundle_first_ms >= timeout_ms;
    return is_overdue ? enc_bundle_close(run, timestamp_ms) : ENC_ERR_OK;
}

static void found_enclave(struct delta *d)
{
    struct enc_state *state = &d->run->state;
    state->exists = true;
    state->service = (uint8_t)d->c->service;
    state->ord = enc_store_next_ord(d->run->node->store);
    state->created_ms = d->c->now_ms;
    d->run->sink.ord = state->ord;
    d->run->rows.ord = state->ord;
}

static enum enc_err finalise(struct delta *d)
{
    struct enc_run *run = d->run;
    struct enc_state *state = &run->state;
    struct enc_event *event = d->staged->event;
    if (d->c->type == ENC_TYPE_MANIFEST)
        found_enclave(d);
    event->timestamp_ms = d->c->now_ms > state->last_ms ? d->c->now_ms : state->last_ms;
    ENC_TRY(close_overdue(run, event->timestamp_ms));
    ENC_TRY(next_type_seq(run, &event->type_seq, event->commit.type));
    event->seq = state->next_seq++;
    event->bundle = state->ct.count;
    state->last_ms = event->timestamp_ms;
    enc_event_finalise(event, d->c->curve, run->node->host->key);
    return ENC_ERR_OK;
}

/* ---- 10 SMT: role bitmasks and event status ---- */

static enum enc_err write_roles(struct enc_smt *tree, const uint8_t identity32[32],
                                const struct enc_roles *roles)
{
    uint8_t key21[21];
    uint8_t value32[32];
    enc_smt_key(key21, ENC_SMT_RBAC, identity32);
    if (enc_roles_are_none(roles))
        return enc_smt_remove(tree, key21);
    enc_roles_encode(value32, roles);
    return enc_smt_set(tree, key21, enc_bytes_of(value32, 32));
}

static void count_owner(struct enc_state *state, const struct enc_roles *before,
                        const struct enc_roles *after)
{
    state->owner_count -= enc_roles_have(before, ENC_ROLE_OWNER);
    state->owner_count += enc_roles_have(after, ENC_ROLE_OWNER);
}

static enum enc_err smt_manifest(struct delta *d)
{
    const struct enc_roles none = {{0}};
    for (uint32_t i = 0; i < d->c->manifest->initial_count; i++) {
        const struct enc_member *member = &d->c->manifest->initial[i];
        ENC_TRY(write_roles(&d->run->tree, member->identity32, &member->roles));
        count_owner(&d->run->state, &none, &member->roles);
    }
    return ENC_ERR_OK;
}

static enum enc_err smt_change(struct delta *d)
{
    uint8_t key21[21];
    const uint8_t deleted = 0x00;
    enc_smt_key(key21, ENC_SMT_EVENT_STATUS, d->c->target->id32);
    if (d->c->type == ENC_TYPE_DELETE)
        return enc_smt_set(&d->run->tree, key21, enc_bytes_of(&deleted, 1));
    return enc_smt_set(&d->run->tree, key21, enc_bytes_of(d->staged->event->id32, 32));
}

static enum enc_err smt_ac(struct delta *d)
{
    struct enc_ac_input input = ac_input(d->c);
    struct enc_ac_plan *plan = &d->staged->plan;
    ENC_TRY(enc_ac_plan(plan, &d->run->arena, &input));
    for (size_t i = 0; i < plan->change_count; i++) {
        const struct enc_role_change *change = &plan->changes[i];
        ENC_TRY(write_roles(&d->run->tree, change->identity32, &change->after));
        count_owner(&d->run->state, &change->before, &change->after);
    }
    ENC_CHECK(d->run->state.owner_count > 0);
    if (plan->gates)
        d->run->state.gates = *plan->gates;
    return ENC_ERR_OK;
}

static enum enc_err smt_lifecycle(struct delta *d)
{
    struct enc_state *state = &d->run->state;
    struct enc_migrate migrate;
    state->status = enc_lifecycle_next(state->status, d->c->type);
    if (d->c->type != ENC_TYPE_MIGRATE)
        return ENC_ERR_OK;
    ENC_TRY(enc_migrate_parse(&migrate, d->c->arena, d->c->commit->content));
    memcpy(state->new_sequencer32, migrate.new_sequencer32, 32);
    return ENC_ERR_OK;
}

static enum enc_err smt_nothing(struct delta *d)
{
    (void)d;
    return ENC_ERR_OK;
}

static enum enc_err smt(struct delta *d)
{
    static build_fn *const BY_FAMILY[] = {
        [ENC_FAMILY_CONTENT] = smt_nothing, [ENC_FAMILY_MANIFEST] = smt_manifest,
        [ENC_FAMILY_CHANGE] = smt_change,   [ENC_FAMILY_LIFECYCLE] = smt_lifecycle,
        [ENC_FAMILY_AC] = smt_ac,           [ENC_FAMILY_RESERVED] = smt_nothing,
    };
    return BY_FAMILY[enc_type_row(d->c->type)->family](d);
}

/* ---- 11 CT: append to the bundle; a full bundle becomes a CT leaf ---- */

enum enc_err enc_bundle_close(struct enc_run *run, uint64_t close_ms)
{
    struct enc_state *state = &run->state;
    struct enc_ct_leaf_row row = {
        .first_seq = state->bundle_first_seq,
        .closed_ms = close_ms,
        .count = (uint32_t)state->bundle.count,
    };
    uint8_t leaf32[32];
    enc_frontier_root(&state->bundle, row.events_root32);
    enc_smt_root_hash(&run->tree, row.state_hash32);
    enc_ct_leaf(leaf32, row.events_root32, row.state_hash32);
    enc_put_ct_leaf(&run->set, state->ord, state->ct.count, &row);
    ENC_TRY(enc_frontier_add(&state->ct, &run->sink.subtrees, leaf32));
    memcpy(state->leaf_state_hash32, row.state_hash32, 32);
    enc_put_leaf_of_state(&run->set, state->ord, row.state_hash32, state->ct.count - 1);
    state->bundle = (struct enc_frontier){.count = 0};
    state->last_ms = close_ms > state->last_ms ? close_ms : state->last_ms;
    run->has_writes = true;
    return ENC_ERR_OK;
}

static enum enc_err ct(struct delta *d)
{
    struct enc_state *state = &d->run->state;
    const struct enc_event *event = d->staged->event;
    if (state->bundle.count == 0) {
        state->bundle_first_seq = event->seq;
        state->bundle_first_ms = event->timestamp_ms;
    }
    ENC_TRY(enc_frontier_add(&state->bundle, NULL, event->id32));
    bool is_full = state->bundle.count >= d->run->manifest->bundle_size;
    if (!is_full && !enc_lifecycle_closes_bundle(d->c->type))
        return ENC_ERR_OK;
    return enc_bundle_close(d->run, event->timestamp_ms);
}

/* ---- 12 persist: the event and what hangs on it join the run's write set ---- */

static void put_status(struct delta *d)
{
    struct enc_event_place place = {.ord = d->run->state.ord, .seq = d->c->target->seq};
    struct enc_status_row row = {.status = (uint8_t)enc_change_status(d->c->type)};
    memcpy(row.by32, d->staged->event->id32, 32);
    enc_put_status(&d->run->set, place, &row);
}

/* A singleton is found again by its name (11.1, addressing). */
static enum enc_err put_name(struct delta *d)
{
    const struct enc_addressing *addressing = &enc_service_at(d->c->service)->enclave.addressing;
    if (addressing->segment != 0)
        return ENC_ERR_OK;
    return enc_rows_put_shared(&d->run->rows, ENC_SHARED_SINGLETON,
                               enc_bytes_of_text(addressing->name),
                               enc_bytes_of(d->run->state.enclave32, 32));
}

static enum enc_err put_enclave(struct delta *d)
{
    const struct enc_state *state = &d->run->state;
    struct enc_enclave_row row = {
        .ord = state->ord,
        .created_ms = state->created_ms,
        .service = state->service,
    };
    enc_put_enclave(&d->run->set, state->enclave32, &row);
    return put_name(d);
}

/* The rows of a DataView become durable with the event they come from. */
static enum enc_err project(struct delta *d)
{
    const struct enc_dataview *view = enc_service_at(d->c->service)->view;
    struct enc_fact fact = fact_of(d->c);
    fact.event = d->staged->event;
    return view ? enc_dataview_project(view, &d->run->rows, &fact) : ENC_ERR_OK;
}

static enum enc_err persist(struct delta *d)
{
    const struct enc_event *event = d->staged->event;
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, &d->run->arena, SIZE_MAX / 4);
    enc_record_put(&buffer, event);
    struct enc_event_row row = {
        .ord = d->run->state.ord,
        .seq = event->seq,
        .type_seq = event->type_seq,
        .id32 = event->id32,
        .hash32 = event->commit.hash32,
        .exp_ms = event->commit.exp_ms,
        .type = event->commit.type,
        .id_at = ENC_RECORD_ID_AT,
    };
    ENC_TRY(enc_buffer_bytes(&buffer, &row.record));
    if (d->c->type == ENC_TYPE_MANIFEST)
        ENC_TRY(put_enclave(d));
    enc_put_event(&d->run->set, &row);
    if (d->c->target && enc_type_row(d->c->type)->family == ENC_FAMILY_CHANGE)
        put_status(d);
    d->run->has_writes = true;
    ENC_TRY(project(d));
    return enc_push_enqueue(d->run, d->staged);
}

/* ---- 13 broadcast and 14 push: after the run is durable ---- */

static void broadcast(struct enc_run *run)
{
    enc_subs_broadcast(run->node, run->first);
}

/* The rows of the queues became durable with their events; what is left is to wake the queues. */
static void push(struct enc_run *run)
{
    enc_push_wake(run->node);
}

/* ---- the order ---- */

static judge_fn *const JUDGE[] = {
    /* 1 */ structure, /* 2 */ expiration, /* 3 */ hash, /* 4 */ signature,
    /* 5 */ dedup,     /* 6 */ lifecycle,  /* 7 */ rbac, /* 8 */ ac_logic,
};

static build_fn *const BUILD[] = {/* 9 */ finalise, /* 10 */ smt, /* 11 */ ct, /* 12 */ persist};

static void (*const PUBLISH[])(struct enc_run *) = {/* 13 */ broadcast, /* 14 */ push};

static struct enc_verdict judge(const struct enc_case *c, unsigned first, unsigned last)
{
    for (unsigned step = first; step <= last; step++) {
        enum enc_err err = JUDGE[step - 1](c);
        if (err != ENC_ERR_OK)
            return (struct enc_verdict){err, (uint8_t)step};
    }
    return (struct enc_verdict){ENC_ERR_OK, 0};
}

struct enc_verdict enc_pipeline_prepare(const struct enc_case *c)
{
    return judge(c, 1, 4);
}

struct enc_verdict enc_pipeline_judge(const struct enc_case *c)
{
    return judge(c, 5, 8);
}

enum enc_err enc_pipeline_build(const struct enc_case *c, struct enc_run *run,
                                struct enc_staged *staged)
{
    struct delta d = {.c = c, .run = run, .staged = staged};
    for (size_t i = 0; i < sizeof BUILD / sizeof BUILD[0]; i++)
        ENC_TRY(BUILD[i](&d));
    return ENC_ERR_OK;
}

void enc_pipeline_publish(struct enc_run *run)
{
    for (size_t i = 0; i < sizeof PUBLISH / sizeof PUBLISH[0]; i++)
        PUBLISH[i](run);
}
