#include "proto/replay_part.h"
#include "proto/sha256.h"

#include "proto/change.h"

/* One type's name and how many of it there were. */
struct type_count {
    uint8_t key32[32];
    struct enc_bytes name;
    uint64_t count;
};

void enc_replay_init(struct enc_replay *replay, const struct enc_replay_config *config)
{
    struct enc_smt_root empty = enc_smt_root_empty();
    *replay = (struct enc_replay){.config = *config};
    enc_arena_init(&replay->arena, config->chunks, config->memory_max);
    enc_arena_init(&replay->scratch, config->chunks, config->memory_max);
    enc_smt_init(&replay->tree, &replay->arena, NULL, &empty);
    replay->ids.arena = &replay->arena;
    replay->hashes.arena = &replay->arena;
    replay->types.arena = &replay->arena;
}

void enc_replay_fini(struct enc_replay *replay)
{
    enc_arena_fini(&replay->arena);
    enc_arena_fini(&replay->scratch);
}

void enc_replay_expect(struct enc_replay *replay, const struct enc_sth *heads, size_t count)
{
    ENC_CHECK(replay->next_seq == 0);
    for (size_t i = 1; i < count; i++)
        ENC_CHECK(heads[i - 1].ts <= heads[i].ts);
    replay->heads = heads;
    replay->head_count = count;
}

/* ---- faults ---- */

bool enc_replay_fail(struct enc_replay *replay, enum enc_replay_fault fault, uint64_t seq)
{
    replay->verdict = (struct enc_replay_verdict){.fault = fault, .seq = seq};
    return false;
}

bool enc_replay_fail_numbers(struct enc_replay *replay, enum enc_replay_fault fault, uint64_t want,
                             uint64_t got)
{
    enc_replay_fail(replay, fault, replay->next_seq);
    replay->verdict.want = want;
    replay->verdict.got = got;
    return false;
}

static bool fail(struct enc_replay_case *c, enum enc_replay_fault fault)
{
    return enc_replay_fail(c->replay, fault, c->replay->next_seq);
}

static bool is_ours(enum enc_err err)
{
    return err == ENC_ERR_INTERNAL;
}

/* The arena is bounded by us, so its end says nothing about the log. */
static bool refuse(struct enc_replay_case *c, enum enc_err err, uint8_t step)
{
    if (is_ours(err) || err == ENC_ERR_TOO_LARGE)
        return fail(c, ENC_REPLAY_FAULT_MEMORY);
    fail(c, ENC_REPLAY_FAULT_REFUSED);
    c->replay->verdict.refusal = (struct enc_verdict){.err = err, .step = step};
    return false;
}

static bool require(struct enc_replay_case *c, enum enc_err err, uint8_t step)
{
    return err == ENC_ERR_OK || refuse(c, err, step);
}

/* ---- the event by itself ---- */

static bool check_place(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    const struct enc_event *event = c->event;
    bool is_first = replay->next_seq == 0;
    const uint8_t *enclave32 = is_first ? replay->config.enclave32 : replay->enclave32;
    if (event->seq != replay->next_seq)
        return enc_replay_fail_numbers(replay, ENC_REPLAY_FAULT_SEQ, replay->next_seq, event->seq);
    if ((c->type == ENC_TYPE_MANIFEST) != is_first)
        return fail(c, ENC_REPLAY_FAULT_MANIFEST);
    if (enclave32 && memcmp(enclave32, event->commit.enclave32, 32) != 0)
        return fail(c, ENC_REPLAY_FAULT_ENCLAVE);
    return true;
}

static bool check_erased_hash(const struct enc_replay_case *c)
{
    uint8_t hash32[32];
    if (!c->event->is_erased || !c->replay->config.is_stored)
        return true;
    enc_commit_hash(hash32, &c->event->commit);
    return memcmp(hash32, c->event->commit.hash32, 32) == 0;
}

/* Who is demanded may come later, by a Migrate; then the first one's event is sound by itself. */
static enum enc_event_fault check_event(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    bool is_first = replay->next_seq == 0;
    const uint8_t *sequencer32 = is_first ? replay->config.sequencer32 : replay->sequencer32;
    enum enc_event_fault fault = enc_event_check(c->event, replay->config.curve, sequencer32);
    bool is_other = is_first && fault == ENC_EVENT_FAULT_SEQUENCER;
    if (is_other && enc_event_check(c->event, replay->config.curve, NULL) == ENC_EVENT_SOUND)
        return ENC_EVENT_SOUND;
    return fault;
}

static bool check_signed(struct enc_replay_case *c)
{
    static const enum enc_replay_fault FAULTS[ENC_EVENT_FAULT_COUNT] = {
        [ENC_EVENT_SOUND] = ENC_REPLAY_SOUND,
        [ENC_EVENT_FAULT_HASH] = ENC_REPLAY_FAULT_HASH,
        [ENC_EVENT_FAULT_SIG] = ENC_REPLAY_FAULT_SIG,
        [ENC_EVENT_FAULT_SEQUENCER] = ENC_REPLAY_FAULT_SEQUENCER,
        [ENC_EVENT_FAULT_SEQ_SIG] = ENC_REPLAY_FAULT_SEQ_SIG,
        [ENC_EVENT_FAULT_ID] = ENC_REPLAY_FAULT_ID,
    };
    enum enc_event_fault fault = check_event(c);
    if (fault != ENC_EVENT_SOUND)
        return fail(c, FAULTS[fault]);
    if (!check_erased_hash(c))
        return fail(c, ENC_REPLAY_FAULT_HASH);
    return require(c, enc_commit_check(&c->event->commit), 1);
}

static bool check_order(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    if (c->event->timestamp_ms < replay->last_ms)
        return enc_replay_fail_numbers(replay, ENC_REPLAY_FAULT_TIMESTAMP, replay->last_ms,
                                       c->event->timestamp_ms);
    if (enc_lookup_find(&replay->hashes, c->event->commit.hash32))
        return fail(c, ENC_REPLAY_FAULT_DUPLICATE);
    return true;
}

static enum enc_err count_type(struct enc_replay *replay, struct type_count **out,
                               struct enc_bytes name)
{
    uint8_t key32[32];
    enc_sha256(key32, name);
    struct type_count *count = (struct type_count *)enc_lookup_find(&replay->types, key32);
    if (!count) {
        count = ENC_ARENA_NEW(&replay->arena, struct type_count, 1);
        if (!count)
            return ENC_ERR_TOO_LARGE;
        memcpy(count->key32, key32, 32);
        count->name = enc_arena_copy(&replay->arena, name);
        if (!count->name.data)
            return ENC_ERR_TOO_LARGE;
        ENC_TRY(enc_lookup_add(&replay->types, count->key32, count));
    }
    count->count++;
    *out = count;
    return ENC_ERR_OK;
}

/* ---- is it legal here (steps 6-8) ---- */

/* Only content and Updates can lose what they said; whether a Delete explains it shows later. */
static bool check_erased(struct enc_replay_case *c)
{
    bool may = enc_type_row(c->type)->family == ENC_FAMILY_CONTENT || c->type == ENC_TYPE_UPDATE;
    return !c->event->is_erased || may || fail(c, ENC_REPLAY_FAULT_ERASED);
}

static bool judge_manifest(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    const struct enc_commit *commit = &c->event->commit;
    enum enc_err err = enc_manifest_parse(&replay->manifest, &replay->arena, &replay->scratch,
                                          commit->content, NULL);
    if (err == ENC_ERR_OK)
        err = enc_manifest_check(&replay->manifest, commit, c->event->sequencer32);
    return require(c, err, 6);
}

static bool judge_content(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    return require(
        c, enc_rbac_create(&replay->manifest, &replay->gates, &c->roles, c->event->commit.type), 7);
}

static bool judge_change(struct enc_replay_case *c)
{
    struct enc_commit target;
    struct enc_change_input input = {
        .manifest = &c->replay->manifest,
        .commit = &c->event->commit,
        .roles = &c->roles,
        .target_status = c->target ? c->target->status : ENC_EVENT_ACTIVE,
    };
    if (c->target) {
        target = (struct enc_commit){.type = c->target->type};
        memcpy(target.from32, c->target->from32, 32);
        input.target = &target;
    }
    return require(c, enc_change_rbac(&input), 7) &&
           require(c, enc_change_check(&c->replay->scratch, &input), 8);
}

static enum enc_err judge_life(struct enc_replay_case *c)
{
    struct enc_lifecycle_input input = {
        .commit = &c->event->commit,
        .status = c->replay->status,
        .position = {.last_seq = c->replay->next_seq - 1},
    };
    enc_frontier_root(&c->replay->ct, input.position.ct_root32);
    return enc_lifecycle_judge(&c->replay->scratch, &input);
}

/*
 * A Migrate names the root before it. Whether an overdue bundle was closed by the timer just before
 * it was judged, or only when it was added, the log does not tell: both roots are honest.
 */
static bool judge_lifecycle(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    uint64_t now_ms = c->event->timestamp_ms;
    if (!judge_content(c))
        return false;
    enum enc_err err = judge_life(c);
    if (err == ENC_ERR_INVALID_CONTENT && enc_replay_is_overdue(replay, now_ms)) {
        if (!enc_replay_close_bundle(replay, now_ms))
            return false;
        err = judge_life(c);
    }
    return require(c, err, 8);
}

static bool judge_ac(struct enc_replay_case *c)
{
    struct enc_ac_plan unused;
    struct enc_roles_source roles = {.get = enc_replay_get_roles, .self = c->replay};
    struct enc_ac_input input = enc_replay_ac_input(c, &roles);
    return require(c, enc_ac_rbac(&c->replay->scratch, &input), 7) &&
           require(c, enc_ac_plan(&unused, &c->replay->scratch, &input), 8);
}

static bool judge_reserved(struct enc_replay_case *c)
{
    return refuse(c, ENC_ERR_INVALID_COMMIT, 1);
}

static bool judge(struct enc_replay_case *c)
{
    static bool (*const BY_FAMILY[])(struct enc_replay_case *) = {
        [ENC_FAMILY_CONTENT] = judge_content, [ENC_FAMILY_MANIFEST] = judge_manifest,
        [ENC_FAMILY_CHANGE] = judge_change,   [ENC_FAMILY_LIFECYCLE] = judge_lifecycle,
        [ENC_FAMILY_AC] = judge_ac,           [ENC_FAMILY_RESERVED] = judge_reserved,
    };
    bool is_later = c->type != ENC_TYPE_MANIFEST;
    if (is_later && !require(c, enc_lifecycle_check(c->replay->status, c->type), 6))
        return false;
    return check_erased(c) && BY_FAMILY[enc_type_row(c->type)->family](c);
}

/* ---- keeping it ---- */

static enum enc_err keep(struct enc_replay_case *c, struct enc_bytes type)
{
    struct enc_replay *replay = c->replay;
    const struct enc_event *event = c->event;
    struct enc_replay_event *kept = ENC_ARENA_NEW(&replay->arena, struct enc_replay_event, 1);
    if (!kept)
        return ENC_ERR_TOO_LARGE;
    *kept = (struct enc_replay_event){
        .seq = event->seq, .type = type, .target = c->target, .is_erased = event->is_erased};
    memcpy(kept->id32, event->id32, 32);
    memcpy(kept->hash32, event->commit.hash32, 32);
    memcpy(kept->from32, event->commit.from32, 32);
    ENC_TRY(enc_lookup_add(&replay->ids, kept->id32, kept));
    ENC_TRY(enc_lookup_add(&replay->hashes, kept->hash32, kept));
    if (replay->last)
        replay->last->next = kept;
    else
        replay->first = kept;
    replay->last = kept;
    return ENC_ERR_OK;
}

static void found(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    memcpy(replay->enclave32, c->event->commit.enclave32, 32);
    memcpy(replay->sequencer32, c->event->sequencer32, 32);
    replay->created_ms = c->event->timestamp_ms;
}

static bool add_to_bundle(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    const struct enc_event *event = c->event;
    if (replay->bundle.count == 0) {
        replay->bundle_first_seq = event->seq;
        replay->bundle_first_ms = event->timestamp_ms;
    }
    ENC_CHECK(enc_frontier_add(&replay->bundle, NULL, event->id32) == ENC_ERR_OK);
    bool is_full = replay->bundle.count >= replay->manifest.bundle_size;
    if (!is_full && !enc_lifecycle_closes_bundle(c->type))
        return true;
    return enc_replay_close(replay, event->timestamp_ms, event->timestamp_ms);
}

static bool take_in(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    struct type_count *count = NULL;
    if (count_type(replay, &count, c->event->commit.type) != ENC_ERR_OK)
        return fail(c, ENC_REPLAY_FAULT_MEMORY);
    if (count->count != c->event->type_seq)
        return enc_replay_fail_numbers(replay, ENC_REPLAY_FAULT_TYPE_SEQ, count->count,
                                       c->event->type_seq);
    if (!enc_replay_close_bundle(replay, c->event->timestamp_ms))
        return false;
    if (replay->config.is_stored && c->event->bundle != replay->ct.count)
        return enc_replay_fail_numbers(replay, ENC_REPLAY_FAULT_BUNDLE, replay->ct.count,
                                       c->event->bundle);
    if (keep(c, count->name) != ENC_ERR_OK || enc_replay_apply(c) != ENC_ERR_OK)
        return fail(c, ENC_REPLAY_FAULT_MEMORY);
    return true;
}

static bool gather(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    uint8_t id32[32];
    bool is_change = enc_type_row(c->type)->family == ENC_FAMILY_CHANGE;
    if (is_change && enc_commit_target(&c->event->commit, id32))
        c->target = (struct enc_replay_event *)enc_lookup_find(&replay->ids, id32);
    enum enc_err err = enc_replay_roles(replay, &c->roles, c->event->commit.from32);
    return err == ENC_ERR_OK || fail(c, ENC_REPLAY_FAULT_MEMORY);
}

/* Behind a Migrate only the node that it names goes on. */
static void cross_seam(struct enc_replay_case *c)
{
    struct enc_replay *replay = c->replay;
    bool is_successor = replay->status == ENC_STATUS_MIGRATED &&
                        memcmp(c->event->sequencer32, replay->new_sequencer32, 32) == 0;
    if (is_successor && !enc_replay_take_over(replay))
        ENC_CHECK(memcmp(replay->sequencer32, replay->new_sequencer32, 32) == 0);
}

bool enc_replay_feed(struct enc_replay *replay, struct enc_event *event)
{
    struct enc_replay_case c = {.replay = replay, .event = event};
    c.type = enc_type_of(event->commit.type);
    if (replay->verdict.fault != ENC_REPLAY_SOUND)
        return false;
    cross_seam(&c);
    bool is_sound =
        check_place(&c) && check_signed(&c) && check_order(&c) && gather(&c) && judge(&c);
    if (is_sound && replay->next_seq == 0) {
        found(&c);
        is_sound = enc_replay_meet_heads(replay);
    }
    is_sound = is_sound && take_in(&c);
    if (is_sound) {
        replay->last_ms = event->timestamp_ms;
        is_sound = add_to_bundle(&c);
        replay->next_seq += is_sound;
    }
    enc_arena_fini(&replay->scratch);
    return is_sound;
}
