/* What events do, the bundles they fall into, and the heads over those. */
#include "proto/replay_part.h"

#include "proto/change.h"

/* ---- roles ---- */

enum enc_err enc_replay_roles(struct enc_replay *replay, struct enc_roles *out,
                              const uint8_t identity32[32])
{
    uint8_t key21[21];
    struct enc_smt_value value;
    enc_smt_key(key21, ENC_SMT_RBAC, identity32);
    ENC_TRY(enc_smt_get(&replay->tree, &value, key21));
    *out = (struct enc_roles){{0}};
    if (value.len == 32)
        *out = enc_roles_decode(value.data);
    return ENC_ERR_OK;
}

enum enc_err enc_replay_get_roles(void *self, struct enc_roles *out, const uint8_t identity32[32])
{
    return enc_replay_roles((struct enc_replay *)self, out, identity32);
}

struct enc_ac_input enc_replay_ac_input(const struct enc_replay_case *c,
                                        const struct enc_roles_source *roles)
{
    return (struct enc_ac_input){
        .manifest = &c->replay->manifest,
        .commit = &c->event->commit,
        .gates = &c->replay->gates,
        .roles = roles,
        .endpoints = {.allow_http = true, .allow_private = true},
        .has_push = c->replay->config.has_push,
    };
}

static enum enc_err write_roles(struct enc_replay *replay, const uint8_t identity32[32],
                                const struct enc_roles *before, const struct enc_roles *after)
{
    uint8_t key21[21];
    uint8_t value32[32];
    replay->owner_count -= enc_roles_have(before, ENC_ROLE_OWNER);
    replay->owner_count += enc_roles_have(after, ENC_ROLE_OWNER);
    enc_smt_key(key21, ENC_SMT_RBAC, identity32);
    if (enc_roles_are_none(after))
        return enc_smt_remove(&replay->tree, key21);
    enc_roles_encode(value32, after);
    return enc_smt_set(&replay->tree, key21, enc_bytes_of(value32, 32));
}

/* ---- effects (step 10) ---- */

static enum enc_err apply_nothing(struct enc_replay_case *c)
{
    (void)c;
    return ENC_ERR_OK;
}

static enum enc_err apply_manifest(struct enc_replay_case *c)
{
    const struct enc_roles none = {{0}};
    const struct enc_manifest *manifest = &c->replay->manifest;
    for (uint32_t i = 0; i < manifest->initial_count; i++) {
        const struct enc_member *member = &manifest->initial[i];
        ENC_TRY(write_roles(c->replay, member->identity32, &none, &member->roles));
    }
    return ENC_ERR_OK;
}

static enum enc_err apply_change(struct enc_replay_case *c)
{
    uint8_t key21[21];
    const uint8_t deleted = 0x00;
    bool is_delete = c->type == ENC_TYPE_DELETE;
    c->target->status = enc_change_status(c->type);
    c->target->by = c->replay->last;
    enc_smt_key(key21, ENC_SMT_EVENT_STATUS, c->target->id32);
    return enc_smt_set(&c->replay->tree, key21,
                       is_delete ? enc_bytes_of(&deleted, 1) : enc_bytes_of(c->event->id32, 32));
}

static enum enc_err apply_lifecycle(struct enc_replay_case *c)
{
    struct enc_migrate migrate;
    c->replay->status_before = c->replay->status;
    c->replay->status = enc_lifecycle_next(c->replay->status, c->type);
    if (c->type != ENC_TYPE_MIGRATE)
        return ENC_ERR_OK;
    ENC_TRY(enc_migrate_parse(&migrate, &c->replay->scratch, c->event->commit.content));
    memcpy(c->replay->new_sequencer32, migrate.new_sequencer32, 32);
    return ENC_ERR_OK;
}

/* The list of gates is the only part of a plan that stays. */
static enum enc_err apply_ac(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    struct enc_ac_plan plan;
    struct enc_roles_source roles = {.get = enc_replay_get_roles, .self = replay};
    struct enc_ac_input input = enc_replay_ac_input(c, &roles);
    struct enc_arena *arena = c->type == ENC_TYPE_GATE ? &replay->arena : &replay->scratch;
    ENC_TRY(enc_ac_plan(&plan, arena, &input));
    for (size_t i = 0; i < plan.change_count; i++) {
        const struct enc_role_change *change = &plan.changes[i];
        ENC_TRY(write_roles(replay, change->identity32, &change->before, &change->after));
    }
    if (plan.gates)
        replay->gates = *plan.gates;
    if (replay->config.planned)
        replay->config.planned(replay->config.opaque, &plan);
    return ENC_ERR_OK;
}

enum enc_err enc_replay_apply(struct enc_replay_case *c)
{
    static enum enc_err (*const BY_FAMILY[])(struct enc_replay_case *) = {
        [ENC_FAMILY_CONTENT] = apply_nothing, [ENC_FAMILY_MANIFEST] = apply_manifest,
        [ENC_FAMILY_CHANGE] = apply_change,   [ENC_FAMILY_LIFECYCLE] = apply_lifecycle,
        [ENC_FAMILY_AC] = apply_ac,           [ENC_FAMILY_RESERVED] = apply_nothing,
    };
    return BY_FAMILY[enc_type_row(c->type)->family](c);
}

void enc_replay_state_hash(struct enc_replay *replay, uint8_t hash32[32])
{
    enc_smt_root_hash(&replay->tree, hash32);
}

const struct enc_replay_event *enc_replay_find(const struct enc_replay *replay,
                                               const uint8_t id32[32])
{
    return (const struct enc_replay_event *)enc_lookup_find(&replay->ids, id32);
}

bool enc_replay_take_over(struct enc_replay *replay)
{
    if (replay->verdict.fault != ENC_REPLAY_SOUND || replay->status != ENC_STATUS_MIGRATED ||
        memcmp(replay->new_sequencer32, replay->sequencer32, 32) == 0)
        return false;
    memcpy(replay->sequencer32, replay->new_sequencer32, 32);
    memset(replay->new_sequencer32, 0, 32);
    replay->status = replay->status_before;
    replay->since_seq = replay->next_seq;
    return true;
}

/* ---- bundles (step 11) ---- */

bool enc_replay_is_overdue(const struct enc_replay *replay, uint64_t now_ms)
{
    uint64_t timeout_ms = replay->manifest.bundle_timeout_ms;
    return timeout_ms > 0 && replay->bundle.count > 0 && now_ms >= replay->bundle_first_ms &&
           now_ms - replay->bundle_first_ms >= timeout_ms;
}

bool enc_replay_close(struct enc_replay *replay, uint64_t min_ms, uint64_t max_ms)
{
    uint8_t leaf32[32];
    struct enc_replay_leaf leaf = {
        .index = replay->ct.count,
        .first_seq = replay->bundle_first_seq,
        .count = replay->bundle.count,
        .closed_min_ms = min_ms,
        .closed_max_ms = max_ms,
    };
    enc_frontier_root(&replay->bundle, leaf.events_root32);
    enc_smt_root_hash(&replay->tree, leaf.state_hash32);
    enc_ct_leaf(leaf32, leaf.events_root32, leaf.state_hash32);
    memcpy(replay->leaf_state_hash32, leaf.state_hash32, 32);
    replay->bundle = (struct enc_frontier){.count = 0};
    bool is_good = enc_frontier_add(&replay->ct, replay->config.subtrees, leaf32) == ENC_ERR_OK;
    if (is_good && replay->config.observe)
        is_good = replay->config.observe(replay->config.opaque, replay, &leaf);
    if (!is_good)
        return enc_replay_fail(replay, ENC_REPLAY_FAULT_LEAF, leaf.first_seq);
    return enc_replay_meet_heads(replay);
}

/* By the timer: not before its time nor before its last event, and not after what came next. */
bool enc_replay_close_bundle(struct enc_replay *replay, uint64_t close_ms)
{
    if (replay->verdict.fault != ENC_REPLAY_SOUND)
        return false;
    if (!enc_replay_is_overdue(replay, close_ms))
        return true;
    uint64_t due_ms = replay->bundle_first_ms + replay->manifest.bundle_timeout_ms;
    return enc_replay_close(replay, due_ms > replay->last_ms ? due_ms : replay->last_ms, close_ms);
}

/* ---- heads ---- */

/* Over the log that ends with a Migrate there are heads of both nodes. */
static bool is_head_signed(const struct enc_replay *replay, const struct enc_sth *head)
{
    return enc_sth_verify(replay->config.curve, head, replay->sequencer32) ||
           (replay->status == ENC_STATUS_MIGRATED &&
            enc_sth_verify(replay->config.curve, head, replay->new_sequencer32));
}

static bool meet(struct enc_replay *replay, const struct enc_sth *head)
{
    uint8_t root32[32];
    enc_frontier_root(&replay->ct, root32);
    if (!is_head_signed(replay, head))
        return enc_replay_fail(replay, ENC_REPLAY_FAULT_HEAD_SIG, head->ts);
    if (memcmp(root32, head->r32, 32) != 0)
        return enc_replay_fail(replay, ENC_REPLAY_FAULT_HEAD_ROOT, head->ts);
    return true;
}

bool enc_replay_meet_heads(struct enc_replay *replay)
{
    while (replay->head_at < replay->head_count &&
           replay->heads[replay->head_at].ts == replay->ct.count)
        if (!meet(replay, &replay->heads[replay->head_at++]))
            return false;
    return true;
}

static bool meet_later_heads(struct enc_replay *replay)
{
    if (replay->head_at == replay->head_count)
        return true;
    const struct enc_sth *head = &replay->heads[replay->head_at];
    bool is_one_more = head->ts == replay->ct.count + 1;
    if (is_one_more && !enc_replay_close_bundle(replay, head->t_ms))
        return false;
    if (replay->head_at == replay->head_count)
        return true;
    head = &replay->heads[replay->head_at];
    enc_replay_fail_numbers(replay, ENC_REPLAY_FAULT_HEAD_SIZE, replay->ct.count, head->ts);
    replay->verdict.seq = head->ts;
    return false;
}

/* ---- the end ---- */

static bool is_explained(const struct enc_replay_event *event)
{
    bool is_deleted = event->status == ENC_EVENT_DELETED;
    return !event->is_erased || is_deleted ||
           (event->target && event->target->status == ENC_EVENT_DELETED);
}

static bool is_demanded(const struct enc_replay *replay)
{
    const uint8_t *wanted32 = replay->config.sequencer32;
    return !wanted32 || memcmp(replay->sequencer32, wanted32, 32) == 0 ||
           (replay->status == ENC_STATUS_MIGRATED &&
            memcmp(replay->new_sequencer32, wanted32, 32) == 0);
}

bool enc_replay_finish(struct enc_replay *replay)
{
    if (replay->verdict.fault != ENC_REPLAY_SOUND)
        return false;
    if (replay->next_seq == 0)
        return enc_replay_fail(replay, ENC_REPLAY_FAULT_MANIFEST, 0);
    if (!is_demanded(replay))
        return enc_replay_fail(replay, ENC_REPLAY_FAULT_SEQUENCER, replay->since_seq);
    for (const struct enc_replay_event *e = replay->first; e; e = e->next)
        if (!is_explained(e))
            return enc_replay_fail(replay, ENC_REPLAY_FAULT_ERASED, e->seq);
    return meet_later_heads(replay);
}
