#include "services/subscribers.h"

#include "services/answer.h"
#include "services/count.h"
#include "services/frames.h"
#include "services/read.h"
#include "services/sub.h"

#include <stdlib.h>

enum {
    CHUNK_LEN_MAX = 256 << 10
}; /* bytes of stored events sent before the socket must have written them */

struct enc_subs {
    struct enc_sub *first;
    uint32_t count;
    uint64_t timer_ms; /* what the timer is set to; 0 = not set */
};

bool enc_subs_is_empty(const struct enc_subs *subs)
{
    return !subs || subs->count == 0;
}

/* ---- the list ---- */

static struct enc_sub **find(struct enc_subs *subs, uint64_t stream)
{
    struct enc_sub **at = &subs->first;
    while (*at && (*at)->stream != stream)
        at = &(*at)->next;
    return at;
}

static void unlink_sub(struct enc_node *node, struct enc_sub **at)
{
    struct enc_sub *sub = *at;
    *at = sub->next;
    node->subs->count--;
    enc_count(node->host, ENC_COUNTED_SUBS_OPEN, -1);
    enc_exchange_free(sub->exchange); /* the sub lies in its arena */
}

void enc_subs_remove(struct enc_node *node, uint64_t stream)
{
    if (!node->subs)
        return;
    struct enc_sub **at = find(node->subs, stream);
    if (*at)
        unlink_sub(node, at);
}

void enc_subs_free(struct enc_node *node)
{
    if (!node->subs)
        return;
    while (node->subs->first)
        unlink_sub(node, &node->subs->first);
    free(node->subs);
    node->subs = NULL;
}

static void end(struct enc_node *node, struct enc_sub **at, enum enc_closed reason)
{
    enc_sub_send_closed(*at, reason);
    unlink_sub(node, at);
}

/* Go through all, ending those that ends() names a reason for. */
static void end_where(struct enc_node *node,
                      bool (*ends)(const struct enc_node *node, const struct enc_sub *sub,
                                   enum enc_closed *reason))
{
    struct enc_sub **at = node->subs ? &node->subs->first : NULL;
    enum enc_closed reason = ENC_CLOSED_COMPLETE;
    while (at && *at) {
        if (!ends(node, *at, &reason)) {
            at = &(*at)->next;
            continue;
        }
        end(node, at, reason);
    }
}

/* ---- why a subscription ends ---- */

static struct enc_filter_progress progress_of(const struct enc_node *node,
                                              const struct enc_sub *sub, uint64_t now_ms)
{
    return (struct enc_filter_progress){
        .last_seq = node->state.next_seq - 1, .now_ms = now_ms, .ids_served = sub->ids_served};
}

static bool ends_live(const struct enc_node *node, const struct enc_sub *sub,
                      enum enc_closed *reason)
{
    struct enc_filter_progress progress = progress_of(node, sub, node->subs_now_ms);
    if (sub->phase != ENC_SUB_LIVE)
        return false;
    *reason = node->state.status == ENC_STATUS_TERMINATED ? ENC_CLOSED_ENCLAVE_TERMINATED
              : node->state.status == ENC_STATUS_MIGRATED ? ENC_CLOSED_ENCLAVE_MIGRATED
                                                          : ENC_CLOSED_COMPLETE;
    return enc_status_is_final(node->state.status) ||
           enc_filter_is_complete(&sub->exchange->filter, &progress);
}

static bool ends_by_time(const struct enc_node *node, const struct enc_sub *sub,
                         enum enc_closed *reason)
{
    *reason = ENC_CLOSED_SESSION_EXPIRED;
    return !enc_reader_lives(&sub->exchange->reader, node->subs_now_ms) ||
           ends_live(node, sub, reason);
}

static bool ends_by_revocation(const struct enc_node *node, const struct enc_sub *sub,
                               enum enc_closed *reason)
{
    (void)node;
    *reason = ENC_CLOSED_ACCESS_REVOKED;
    return sub->is_revoked;
}

/* ---- timer ---- */

static uint64_t ends_ms(const struct enc_sub *sub)
{
    uint64_t bound_ms = enc_filter_ends_ms(&sub->exchange->filter);
    uint64_t session_ms =
        sub->exchange->reader.is_known ? sub->exchange->reader.until_ms : UINT64_MAX;
    return bound_ms < session_ms ? bound_ms : session_ms;
}

static void set_timer(struct enc_node *node, uint64_t due_ms)
{
    if (due_ms == UINT64_MAX || (node->subs->timer_ms && node->subs->timer_ms <= due_ms))
        return;
    node->subs->timer_ms = due_ms;
    enc_node_set_timer(node, ENC_TIMER_SUBS, due_ms);
}

void enc_subs_timer(struct enc_node *node, uint64_t now_ms)
{
    if (!node->subs)
        return;
    node->subs->timer_ms = 0;
    node->subs_now_ms = now_ms;
    end_where(node, ends_by_time);
    for (const struct enc_sub *sub = node->subs->first; sub; sub = sub->next)
        set_timer(node, ends_ms(sub) > now_ms ? ends_ms(sub) : now_ms + 1000);
}

/* ---- stored events ---- */

struct replay {
    struct enc_sub *sub;
    size_t sent_len;
};

static bool send_stored(void *opaque, const struct enc_shown *shown)
{
    struct replay *replay = (struct replay *)opaque;
    struct enc_sub *sub = replay->sub;
    if (sub->left == 0 || replay->sent_len >= CHUNK_LEN_MAX)
        return false;
    sub->left--;
    enc_sub_passed(sub, shown->event.seq);
    replay->sent_len += enc_sub_send_element(sub, &shown->element);
    return true;
}

/* Behind EOSE a subscription that had to wait for its socket reads what it missed from the log, as
 * if live. */
static bool send_missed(void *opaque, const struct enc_shown *shown)
{
    struct replay *replay = (struct replay *)opaque;
    struct enc_sub *sub = replay->sub;
    if (replay->sent_len >= CHUNK_LEN_MAX)
        return false;
    sub->missed.seq.first = shown->event.seq + 1;
    const struct enc_event *target = shown->has_target ? &shown->target : NULL;
    if (enc_filter_matches_live(&sub->exchange->filter, &shown->event, target))
        replay->sent_len += enc_sub_send_element(sub, &shown->element);
    return true;
}

static enum enc_err replay_some(struct enc_node *node, struct replay *replay,
                                const struct enc_filter *filter, enc_shown_fn *fn)
{
    struct enc_snap *snap = NULL;
    struct enc_arena arena;
    ENC_TRY(enc_snap_open(node->store, &snap));
    struct enc_viewer viewer = {
        .snap = snap,
        .ord = node->state.ord,
        .manifest = &node->manifest,
        .reader = &replay->sub->exchange->reader,
        .roles = &replay->sub->roles,
    };
    enc_arena_init(&arena, &node->host->chunks, 1 << 20);
    enum enc_err err = enc_shown_walk(&viewer, filter, &arena, fn, replay);
    enc_arena_fini(&arena);
    enc_snap_close(snap);
    return err;
}

static void start_missed(struct enc_node *node, struct enc_sub *sub, uint64_t seen_seq)
{
    sub->missed = (struct enc_filter){
        .seq = {.first = seen_seq + 1, .last = node->state.next_seq - 1},
        .timestamp_ms = {.first = 0, .last = UINT64_MAX},
        .statuses = UINT8_MAX,
    };
    sub->phase = ENC_SUB_MISSED;
}

/* One step of a subscription on its way to being live. False: it waits for its socket. */
static enum enc_err step(struct enc_node *node, struct enc_sub *sub, bool *waits)
{
    struct replay replay = {.sub = sub};
    bool is_stored = sub->phase == ENC_SUB_STORED;
    ENC_TRY(replay_some(node, &replay, is_stored ? &sub->stored : &sub->missed,
                        is_stored ? send_stored : send_missed));
    *waits = replay.sent_len >= CHUNK_LEN_MAX;
    if (*waits) {
        enc_sub_ask_written(sub);
        return ENC_ERR_OK;
    }
    if (is_stored) {
        enc_sub_send_eose(sub);
        start_missed(node, sub, sub->stored_last);
    } else {
        sub->phase = ENC_SUB_LIVE;
        if (sub->owes_eose)
            enc_sub_send_eose(sub);
    }
    return ENC_ERR_OK;
}

/* A read that fails ends the subscription with an Error: a gap must never look like silence. */
static void advance(struct enc_node *node, struct enc_sub **at)
{
    struct enc_sub *sub = *at;
    enum enc_err err = ENC_ERR_OK;
    bool waits = false;
    while (err == ENC_ERR_OK && !waits && sub->phase != ENC_SUB_LIVE)
        err = step(node, sub, &waits);
    if (err != ENC_ERR_OK) {
        *at = sub->next;
        node->subs->count--;
        enc_count(node->host, ENC_COUNTED_SUBS_OPEN, -1);
        enc_answer_err(sub->exchange, err);
        return;
    }
    node->subs_now_ms = enc_host_now_ms(node->host);
    enum enc_closed reason = ENC_CLOSED_COMPLETE;
    if (ends_live(node, sub, &reason))
        end(node, at, reason);
}

void enc_subs_written(struct enc_node *node, uint64_t stream)
{
    if (!node->subs)
        return;
    struct enc_sub **at = find(node->subs, stream);
    if (!*at || (*at)->phase == ENC_SUB_LIVE)
        return;
    if ((*at)->phase == ENC_SUB_MISSED)
        (*at)->missed.seq.last = node->state.next_seq - 1;
    advance(node, at);
}

/* ---- a new subscription ---- */

static enum enc_err load_roles(struct enc_node *node, struct enc_sub *sub)
{
    struct enc_snap *snap = NULL;
    struct enc_arena arena;
    struct enc_tree_source source;
    struct enc_smt tree;
    if (!sub->exchange->reader.is_known)
        return ENC_ERR_OK;
    ENC_TRY(enc_snap_open(node->store, &snap));
    enc_arena_init(&arena, &node->host->chunks, 1 << 20);
    enc_tree_source_init(&source, snap, node->state.ord);
    enc_smt_init(&tree, &arena, &source.nodes, &node->state.smt);
    enum enc_err err = enc_roles_of(&tree, &sub->roles, sub->exchange->reader.pub32);
    enc_arena_fini(&arena);
    enc_snap_close(snap);
    return err;
}

static bool can_read(const struct enc_node *node, const struct enc_sub *sub)
{
    struct enc_context context = {.self = true, .authenticated = sub->exchange->reader.is_known};
    return enc_rbac_reads_any(&node->manifest, &sub->roles, context);
}

static enum enc_err admit(struct enc_node *node, const struct enc_exchange *exchange)
{
    ENC_TRY(exchange->verdict.err);
    if (!node->state.exists || node->state.service != exchange->service)
        return ENC_ERR_ENCLAVE_NOT_FOUND;
    if (!node->subs)
        node->subs = (struct enc_subs *)calloc(1, sizeof *node->subs);
    if (!node->subs)
        return ENC_ERR_BUSY;
    bool has_room = node->subs->count < node->host->limits.subs_per_enclave;
    return has_room ? ENC_ERR_OK : ENC_ERR_RATE_LIMITED;
}

static void init_sub(struct enc_node *node, struct enc_sub *sub)
{
    const struct enc_filter *filter = &sub->exchange->filter;
    sub->stream = sub->exchange->asker.stream;
    sub->left = filter->limit;
    sub->stored = *filter;
    sub->stored_last = node->state.next_seq - 1;
    if (sub->stored.seq.last > sub->stored_last)
        sub->stored.seq.last = sub->stored_last;
    sub->had_access = can_read(node, sub);
    sub->owes_eose = sub->exchange->asker.resumes;
    if (sub->owes_eose)
        start_missed(node, sub, sub->exchange->asker.resume_seq);
}

static enum enc_err new_sub(struct enc_sub **out, struct enc_node *node,
                            struct enc_exchange *exchange)
{
    struct enc_sub *sub = ENC_ARENA_NEW(&exchange->arena, struct enc_sub, 1);
    if (!sub)
        return ENC_ERR_TOO_LARGE;
    sub->exchange = exchange;
    *out = sub;
    return load_roles(node, sub);
}

void enc_subs_add(struct enc_node *node, struct enc_exchange *exchange)
{
    struct enc_sub *sub = NULL;
    enc_trace_note(exchange->trace, enc_stage_name(ENC_STAGE_QUEUE), 0,
                   enc_exchange_trace_ns(exchange));
    enum enc_err err = admit(node, exchange);
    if (err == ENC_ERR_OK)
        err = enc_exchange_compact(&exchange, exchange);
    if (err == ENC_ERR_OK)
        err = new_sub(&sub, node, exchange);
    if (err != ENC_ERR_OK) {
        enc_answer_err(exchange, err);
        return;
    }
    init_sub(node, sub);
    sub->next = node->subs->first;
    node->subs->first = sub;
    node->subs->count++;
    enc_count(node->host, ENC_COUNTED_SUBS, 1);
    enc_count(node->host, ENC_COUNTED_SUBS_OPEN, 1);
    enc_count_answer(exchange, (struct enc_verdict){.err = ENC_ERR_OK});
    enc_exchange_end_trace(exchange);
    set_timer(node, ends_ms(sub));
    advance(node, &node->subs->first);
}

/* ---- live events ---- */

/* R is judged after the event's own effect, so role changes reach the readers event by event
 * (16.65). */
static void apply_roles(struct enc_node *node, const struct enc_ac_plan *plan, struct enc_sub *sub)
{
    for (size_t i = 0; i < plan->change_count; i++) {
        const struct enc_role_change *change = &plan->changes[i];
        if (!sub->exchange->reader.is_known ||
            memcmp(change->identity32, sub->exchange->reader.pub32, 32) != 0)
            continue;
        sub->roles = change->after;
        bool has_access = can_read(node, sub);
        sub->is_revoked = sub->had_access && !has_access;
        sub->had_access = has_access;
    }
}

static bool wants(const struct enc_node *node, const struct enc_sub *sub,
                  const struct enc_staged *staged)
{
    const struct enc_commit *target = staged->target ? &staged->target->commit : NULL;
    struct enc_sight sight = enc_sight_of(&staged->event->commit, target);
    return sub->phase == ENC_SUB_LIVE &&
           enc_reader_lives(&sub->exchange->reader, node->subs_now_ms) &&
           enc_filter_matches_live(&sub->exchange->filter, staged->event, staged->target) &&
           enc_rbac_can_read(&node->manifest, &sub->roles, &sub->exchange->reader, &sight);
}

static void cast_event(struct enc_node *node, const struct enc_staged *staged)
{
    struct enc_cast cast;
    enc_cast_init(&cast, node->host, staged->event);
    for (struct enc_sub *sub = node->subs->first; sub; sub = sub->next) {
        apply_roles(node, &staged->plan, sub);
        if (wants(node, sub, staged))
            enc_cast_send(&cast, sub);
    }
    enc_cast_fini(&cast);
    end_where(node, ends_by_revocation);
}

/* The node is already what the whole run made of it: what that ends is ended behind all of it. */
void enc_subs_broadcast(struct enc_node *node, const struct enc_staged *first)
{
    if (enc_subs_is_empty(node->subs))
        return;
    node->subs_now_ms = enc_host_now_ms(node->host);
    for (const struct enc_staged *staged = first; staged; staged = staged->next)
        if (staged->refusal.verdict.err == ENC_ERR_OK)
            cast_event(node, staged);
    end_where(node, ends_by_time);
}
