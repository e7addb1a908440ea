#include "services/node.h"

#include "proto/base/edge.h"
#include "proto/record.h"
#include "services/answer.h"
#include "services/gap.h"
#include "services/push.h"
#include "services/run.h"
#include "services/subscribers.h"

#include <stdlib.h>

enum { NODE_ARENA_LEN_MAX = 16 << 20, SCRATCH_LEN_MAX = 64 << 20 };

uint64_t enc_state_bundle_due(const struct enc_state *state, const struct enc_manifest *manifest)
{
    bool has_timer = state->bundle.count > 0 && manifest->bundle_timeout_ms > 0;
    return has_timer ? state->bundle_first_ms + manifest->bundle_timeout_ms : 0;
}

void enc_node_set_timer(struct enc_node *node, enum enc_timer_kind kind, uint64_t due_ms)
{
    /* only subscriptions' can be refused, and every later run sets them again */
    enum enc_err err = enc_timer_set(node->host->timers, node->state.enclave32, kind, due_ms);
    if (err != ENC_ERR_OK)
        atomic_fetch_add_explicit(&node->host->timer_refusals, 1, memory_order_relaxed);
}

enum enc_err enc_node_adopt_manifest(struct enc_node *node, struct enc_bytes content)
{
    struct enc_arena scratch;
    enc_arena_init(&scratch, &node->host->chunks, SCRATCH_LEN_MAX);
    struct enc_bytes copy = enc_arena_copy(&node->arena, content);
    enum enc_err err = copy.data ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
    if (err == ENC_ERR_OK)
        err = enc_manifest_parse(&node->manifest, &node->arena, &scratch, copy, NULL);
    enc_arena_fini(&scratch);
    return err;
}

/* ---- activation ---- */

static enum enc_err load_manifest(struct enc_node *node, struct enc_snap *snap)
{
    struct enc_arena scratch;
    struct enc_event event;
    struct enc_bytes record;
    struct enc_event_place place = {.ord = node->state.ord, .seq = 0};
    ENC_TRY(enc_snap_event(snap, &record, place));
    enc_arena_init(&scratch, &node->host->chunks, SCRATCH_LEN_MAX);
    enum enc_err err = enc_record_take(&event, &scratch, record);
    if (err == ENC_ERR_OK)
        err = enc_node_adopt_manifest(node, event.commit.content);
    enc_arena_fini(&scratch);
    return err;
}

static enum enc_err load_state(struct enc_node *node, struct enc_snap *snap,
                               const struct enc_enclave_row *row)
{
    struct enc_bytes head;
    uint8_t enclave32[32];
    memcpy(enclave32, node->state.enclave32, 32);
    ENC_TRY(enc_snap_head(snap, &head, row->ord));
    ENC_TRY(enc_state_decode(&node->state, &node->gates_arena, head));
    return enc_state_is_of(&node->state, enclave32, row) ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err load_stored(struct enc_node *node, struct enc_snap *snap,
                                const struct enc_enclave_row *row)
{
    ENC_TRY(load_state(node, snap, row));
    ENC_EDGE("enclave", node, "NONE", "load", enc_status_name(node->state.status));
    ENC_TRY(load_manifest(node, snap));
    ENC_TRY(enc_snap_alarm(snap, &node->bundle_alarm_ms, node->state.enclave32, ENC_TIMER_BUNDLE));
    return enc_push_load(node, snap);
}

static enum enc_err load(struct enc_node *node, const uint8_t enclave32[32])
{
    struct enc_snap *snap = NULL;
    struct enc_enclave_row row;
    enc_state_init(&node->state, enclave32);
    ENC_TRY(enc_snap_open(node->store, &snap));
    enum enc_err err = enc_snap_enclave(snap, &row, enclave32);
    if (err == ENC_ERR_OK)
        err = load_stored(node, snap, &row);
    else if (err == ENC_ERR_ENCLAVE_NOT_FOUND)
        err = ENC_ERR_OK; /* its Manifest may be the mail that waits */
    enc_snap_close(snap);
    return err;
}

static void node_close(void *self)
{
    struct enc_node *node = (struct enc_node *)self;
    ENC_EDGE("enclave", node, NULL, "close", "NONE");
    enc_subs_free(node);
    enc_push_free(node);
    enc_gap_free(node);
    enc_arena_fini(&node->arena);
    enc_arena_fini(&node->gates_arena);
    free(node);
}

static enum enc_err node_open(void **self, void *opaque, const uint8_t key32[32])
{
    struct enc_host *host = (struct enc_host *)opaque;
    struct enc_node *node = (struct enc_node *)calloc(1, sizeof *node);
    if (!node)
        return ENC_ERR_BUSY;
    node->host = host;
    node->store = enc_host_store(host, key32);
    enc_arena_init(&node->arena, &host->chunks, NODE_ARENA_LEN_MAX);
    enc_arena_init(&node->gates_arena, &host->chunks, NODE_ARENA_LEN_MAX);
    enum enc_err err = load(node, key32);
    if (err != ENC_ERR_OK)
        node_close(node);
    else
        *self = node;
    return err == ENC_ERR_TOO_LARGE ? ENC_ERR_BUSY : err; /* what is stored was not: it is memory */
}

static bool node_may_retire(const void *self)
{
    const struct enc_node *node = (const struct enc_node *)self;
    return !node->run && enc_subs_is_empty(node->subs) && !enc_push_is_busy(node->pushes) &&
           !node->gaps;
}

/* ---- the turn ---- */

static void on_subscribe(struct enc_node *node, struct enc_mail *mail)
{
    enc_subs_add(node, enc_exchange_of_mail(mail));
}

static void on_unsubscribe(struct enc_node *node, struct enc_mail *mail)
{
    enc_subs_remove(node, enc_stream_mail_take(mail));
}

static void on_written(struct enc_node *node, struct enc_mail *mail)
{
    enc_subs_written(node, enc_stream_mail_take(mail));
}

static void on_fetched(struct enc_node *node, struct enc_mail *mail)
{
    enc_push_fetched(node, mail);
}

/* The timer of a bundle is a run without commits; the others act at once. */
static void on_timer(struct enc_node *node, struct enc_mail *mail)
{
    struct enc_timer_mail *timer = (struct enc_timer_mail *)mail;
    uint64_t now_ms = enc_host_now_ms(node->host);
    if (timer->timer_kind == ENC_TIMER_PUSH)
        enc_push_timer(node, now_ms);
    if (timer->timer_kind == ENC_TIMER_SUBS)
        enc_subs_timer(node, now_ms);
    enc_timer_mail_free(timer);
}

static void handle(struct enc_node *node, struct enc_mail *mail)
{
    static void (*const BY_KIND[])(struct enc_node *, struct enc_mail *) = {
        [ENC_MAIL_COMMIT] = NULL,
        [ENC_MAIL_SUBSCRIBE] = on_subscribe,
        [ENC_MAIL_UNSUBSCRIBE] = on_unsubscribe,
        [ENC_MAIL_WRITTEN] = on_written,
        [ENC_MAIL_TIMER] = on_timer,
        [ENC_MAIL_FETCHED] = on_fetched,
    };
    ENC_CHECK(mail->kind < sizeof BY_KIND / sizeof BY_KIND[0] && BY_KIND[mail->kind]);
    BY_KIND[mail->kind](node, mail);
}

static bool is_bundle_timer(const struct enc_mail *mail)
{
    return mail->kind == ENC_MAIL_TIMER &&
           ((const struct enc_timer_mail *)mail)->timer_kind == ENC_TIMER_BUNDLE;
}

typedef void join_fn(struct enc_run *run, struct enc_mail *mail);

static void join_commit(struct enc_run *run, struct enc_mail *mail)
{
    enc_run_add(run, enc_exchange_of_mail(mail));
}

static void join_push(struct enc_run *run, struct enc_mail *mail)
{
    enc_run_add_push(run, enc_exchange_of_mail(mail));
}

static void join_pull(struct enc_run *run, struct enc_mail *mail)
{
    if (enc_gap_settle(run, mail) != ENC_ERR_OK)
        run->is_broken = true;
}

static void join_timer(struct enc_run *run, struct enc_mail *mail)
{
    enc_run_close_bundle(run);
    enc_timer_mail_free((struct enc_timer_mail *)mail);
}

/* What a mail does in a run; NULL: it ends one. */
static join_fn *join_of(const struct enc_mail *mail)
{
    static join_fn *const BY_KIND[] = {
        [ENC_MAIL_COMMIT] = join_commit,
        [ENC_MAIL_PUSHED] = join_push,
        [ENC_MAIL_PULLED] = join_pull,
    };
    if (!mail)
        return NULL;
    if (is_bundle_timer(mail))
        return join_timer;
    return mail->kind < sizeof BY_KIND / sizeof BY_KIND[0] ? BY_KIND[mail->kind] : NULL;
}

static void refuse_mail(void *opaque, struct enc_mail *mail, enum enc_err err);

/* True: the run is at the writer and the turn must park. */
static bool run_commits(struct enc_node *node, struct enc_batch *batch)
{
    struct enc_run *run = NULL;
    enum enc_err err = enc_run_open(&run, node, enc_host_now_ms(node->host));
    if (err != ENC_ERR_OK) {
        if (enc_batch_peek(batch))
            refuse_mail(node->host, enc_batch_next(batch), err);
        else
            enc_push_forget(node); /* only deliveries wanted a run: their timer comes back */
        return false;
    }
    join_fn *join = NULL;
    while ((join = join_of(enc_batch_peek(batch))) && !enc_run_is_full(run))
        join(run, enc_batch_next(batch));
    if (enc_run_submit(run, batch->actor))
        return true;
    enc_run_finish(run);
    return false;
}

static enum enc_turn node_turn(void *self, struct enc_batch *batch)
{
    struct enc_node *node = (struct enc_node *)self;
    if (batch->resumed)
        enc_run_finish(node->run);
    while (enc_batch_peek(batch)) {
        if (!join_of(enc_batch_peek(batch)))
            handle(node, enc_batch_next(batch));
        else if (run_commits(node, batch))
            return ENC_TURN_PARK;
    }
    if (enc_push_is_due(node) && run_commits(node, batch))
        return ENC_TURN_PARK;
    return ENC_TURN_DONE;
}

/* ---- mail to an enclave that cannot be brought into memory ---- */

static void retry_timer(struct enc_host *host, struct enc_timer_mail *timer)
{
    enum { RETRY_MS = 1000 };
    uint64_t due_ms = enc_host_now_ms(host) + RETRY_MS;
    enum enc_err err = enc_timer_set(host->timers, timer->key32, timer->timer_kind, due_ms);
    if (err != ENC_ERR_OK)
        atomic_fetch_add_explicit(&host->timer_refusals, 1, memory_order_relaxed);
    enc_timer_mail_free(timer);
}

static void refuse_mail(void *opaque, struct enc_mail *mail, enum enc_err err)
{
    struct enc_host *host = (struct enc_host *)opaque;
    if (mail->kind == ENC_MAIL_TIMER)
        retry_timer(host, (struct enc_timer_mail *)mail);
    else if (mail->kind == ENC_MAIL_FETCHED)
        enc_push_mail_free(mail);
    else if (mail->kind == ENC_MAIL_PULLED)
        enc_gap_mail_free(mail);
    else if (mail->kind == ENC_MAIL_COMMIT || mail->kind == ENC_MAIL_PUSHED ||
             mail->kind == ENC_MAIL_SUBSCRIBE)
        enc_answer_err(enc_exchange_of_mail(mail), err);
    else
        (void)enc_stream_mail_take(mail);
}

const struct enc_actor_class ENC_NODE_CLASS = {
    .open = node_open,
    .turn = node_turn,
    .refuse = refuse_mail,
    .may_retire = node_may_retire,
    .close = node_close,
};
