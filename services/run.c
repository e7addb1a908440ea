#include "services/run.h"

#include "proto/record.h"
#include "services/answer.h"
#include "services/case.h"
#include "services/count.h"
#include "services/pipeline.h"
#include "services/push.h"
#include "services/receive.h"
#include "services/subscribers.h"

enum {
    RUN_ARENA_LEN_MAX = 256 << 20,
    FULL_LEN = 32 << 20,  /* memory after which no commit joins, whether they are accepted or not */
    ROOM_LEN = 128 << 20, /* memory up to which push payloads join */
};

static void bind_run(struct enc_run *run)
{
    struct enc_node *node = run->node;
    enc_writeset_init(&run->set, &run->arena);
    enc_tree_source_init(&run->source, run->snap, node->state.ord);
    enc_tree_sink_init(&run->sink, &run->set, node->state.ord);
    enc_rows_init(&run->rows, &run->arena, run->snap, &run->set, node->state.ord);
    enc_smt_init(&run->tree, &run->arena, &run->source.nodes, &run->state.smt);
}

enum enc_err enc_run_open(struct enc_run **out, struct enc_node *node, uint64_t now_ms)
{
    struct enc_arena arena;
    struct enc_snap *snap = NULL;
    ENC_TRY(enc_snap_open(node->store, &snap));
    enc_arena_init(&arena, &node->host->chunks, RUN_ARENA_LEN_MAX);
    struct enc_run *run = ENC_ARENA_NEW(&arena, struct enc_run, 1);
    if (!run) {
        enc_snap_close(snap);
        return ENC_ERR_BUSY;
    }
    run->arena = arena;
    run->node = node;
    run->snap = snap;
    run->state = node->state;
    run->manifest = node->state.exists ? &node->manifest : NULL;
    run->now_ms = now_ms;
    run->marked_ns = enc_host_now_ns(node->host);
    bind_run(run);
    ENC_EDGE("run", run, "NONE", "open", "open");
    *out = run;
    return ENC_ERR_OK;
}

static void free_run(struct enc_run *run)
{
    ENC_EDGE("run", run, NULL, "free", "NONE");
    enc_snap_close(run->snap);
    struct enc_arena arena = run->arena; /* the run lies in it */
    enc_arena_fini(&arena);
}

static struct enc_staged *append_staged(struct enc_run *run, struct enc_exchange *exchange)
{
    struct enc_staged *staged = ENC_ARENA_NEW(&run->arena, struct enc_staged, 1);
    if (!staged)
        return NULL;
    staged->exchange = exchange;
    staged->type = enc_type_of(exchange->commit.type);
    if (run->last)
        run->last->next = staged;
    else
        run->first = staged;
    run->last = staged;
    run->count++;
    return staged;
}

static enum enc_err stage_event(struct enc_run *run, struct enc_staged *staged, struct enc_case *c)
{
    staged->event = ENC_ARENA_NEW(&run->arena, struct enc_event, 1);
    if (!staged->event)
        return ENC_ERR_TOO_LARGE;
    staged->event->commit = *c->commit;
    staged->target = c->target;
    if (c->type == ENC_TYPE_MANIFEST) {
        run->manifest = c->manifest;
        run->first_content = c->commit->content;
    }
    ENC_TRY(enc_pipeline_build(c, run, staged));
    run->accepted_count++;
    return ENC_ERR_OK;
}

static struct enc_refusal refusal_of(const struct enc_case *c, struct enc_verdict verdict)
{
    struct enc_refusal refusal = {.verdict = verdict};
    if (verdict.err == ENC_ERR_DUPLICATE)
        refusal.receipt = c->earlier;
    if (verdict.err == ENC_ERR_ENCLAVE_MIGRATED)
        refusal.new_sequencer32 = c->state->new_sequencer32;
    return refusal;
}

/* of: the run itself, or a commit in it. */
static void end_stage(struct enc_run *run, enum enc_stage stage, const void *of)
{
    struct enc_lap lap = {stage, (uintptr_t)of, (uintptr_t)run, run->marked_ns};
    run->marked_ns = enc_count_stage(run->node->host, &lap);
}

/* The node's own commits come by no queue. */
static void end_queue(const struct enc_run *run, const struct enc_exchange *exchange)
{
    struct enc_lap lap = {ENC_STAGE_QUEUE, (uintptr_t)exchange, (uintptr_t)run,
                          exchange->marked_ns};
    if (exchange->marked_ns)
        enc_count_lap(exchange->host, &lap, run->marked_ns);
    enc_trace_note(exchange->trace, enc_stage_name(lap.stage), lap.since_ns, run->marked_ns);
}

static void end_stage_of(struct enc_run *run, const struct enc_staged *staged, enum enc_stage stage)
{
    uint64_t since_ns = run->marked_ns;
    end_stage(run, stage, staged->exchange);
    enc_trace_note(staged->exchange->trace, enc_stage_name(stage), since_ns, run->marked_ns);
}

/* For tests: what the models tell apart. */

static const char *status_of(bool exists, enum enc_status status)
{
    return exists ? enc_status_name(status) : "none";
}

static const char *type_of(enum enc_type type)
{
    static const char *const NAMES[ENC_TYPE_COUNT] = {
        [ENC_TYPE_MANIFEST] = "manifest", [ENC_TYPE_PAUSE] = "pause",
        [ENC_TYPE_RESUME] = "resume",     [ENC_TYPE_TERMINATE] = "terminate",
        [ENC_TYPE_MIGRATE] = "migrate",
    };
    return NAMES[type] ? NAMES[type] : "other";
}

static bool is_refused_by_status(const struct enc_staged *staged)
{
    enum enc_err err = staged->refusal.verdict.err;
    return err == ENC_ERR_ENCLAVE_PAUSED || err == ENC_ERR_ENCLAVE_TERMINATED ||
           err == ENC_ERR_ENCLAVE_MIGRATED ||
           (err == ENC_ERR_INVALID_COMMIT && staged->type == ENC_TYPE_RESUME);
}

static void build(struct enc_run *run, struct enc_staged *staged, struct enc_case *c)
{
    bool has_existed = run->state.exists;
    enum enc_status was = run->state.status;
    if (stage_event(run, staged, c) != ENC_ERR_OK)
        run->is_broken = true;
    else
        ENC_EDGE("status", run, status_of(has_existed, was), type_of(staged->type),
                 status_of(true, run->state.status));
    end_stage_of(run, staged, ENC_STAGE_BUILD);
}

static void judge_and_stage(struct enc_run *run, struct enc_staged *staged)
{
    struct enc_case c;
    const struct enc_exchange *exchange = staged->exchange;
    end_queue(run, exchange);
    enum enc_err err = enc_case_load(&c, run, exchange);
    if (err == ENC_ERR_OK)
        staged->refusal = refusal_of(&c, enc_pipeline_judge(&c));
    else
        staged->refusal.verdict.err = err;
    if (staged->refusal.verdict.err == ENC_ERR_TOO_LARGE && run->arena.is_starved)
        staged->refusal.verdict = (struct enc_verdict){.err = ENC_ERR_BUSY};
    end_stage_of(run, staged, ENC_STAGE_JUDGE);
    if (is_refused_by_status(staged))
        ENC_EDGE("refused", run, status_of(run->state.exists, run->state.status),
                 type_of(staged->type), status_of(run->state.exists, run->state.status));
    if (staged->refusal.verdict.err == ENC_ERR_OK)
        build(run, staged, &c);
}

void enc_run_add(struct enc_run *run, struct enc_exchange *exchange)
{
    struct enc_staged *staged = append_staged(run, exchange);
    if (!staged) {
        enc_answer_err(exchange, ENC_ERR_BUSY);
        return;
    }
    staged->refusal.verdict = exchange->verdict;
    if (exchange->verdict.err == ENC_ERR_OK && !run->is_broken)
        judge_and_stage(run, staged);
}

static bool is_refusal(enum enc_err err)
{
    return err == ENC_ERR_OK || err == ENC_ERR_UNAUTHORIZED || err == ENC_ERR_BUSY;
}

void enc_run_add_push(struct enc_run *run, struct enc_exchange *exchange)
{
    struct enc_staged *staged = append_staged(run, exchange);
    if (!staged) {
        enc_answer_err(exchange, ENC_ERR_BUSY);
        return;
    }
    staged->refusal.verdict = exchange->verdict;
    if (exchange->verdict.err != ENC_ERR_OK || run->is_broken)
        return;
    enum enc_err err = enc_receive_stage(run, exchange->arrival);
    staged->refusal.verdict.err = err;
    run->is_broken = !is_refusal(err);
}

void enc_run_close_bundle(struct enc_run *run)
{
    const struct enc_state *state = &run->state;
    if (!state->exists || run->is_broken)
        return;
    uint64_t due_ms = enc_state_bundle_due(state, run->manifest);
    uint64_t close_ms = run->now_ms > state->last_ms ? run->now_ms : state->last_ms;
    if (due_ms == 0)
        return;
    if (close_ms < due_ms) /* meant for an earlier bundle, or the clock was set back */
        enc_node_set_timer(run->node, ENC_TIMER_BUNDLE, due_ms);
    else if (enc_bundle_close(run, close_ms) != ENC_ERR_OK)
        run->is_broken = true;
}

bool enc_run_is_full(const struct enc_run *run)
{
    return run->is_broken || run->count >= run->node->host->limits.run_commits_max ||
           run->arena.used_len >= FULL_LEN;
}

bool enc_run_has_room(const struct enc_run *run)
{
    return run->arena.used_len < ROOM_LEN;
}

/* ---- sealing ---- */

static void put_bundle_alarm(struct enc_run *run)
{
    struct enc_alarm_row row = {.kind = ENC_TIMER_BUNDLE};
    row.due_ms = enc_state_bundle_due(&run->state, run->manifest);
    if (row.due_ms == run->node->bundle_alarm_ms)
        return;
    if (row.due_ms)
        enc_put_alarm(&run->set, run->state.enclave32, &row);
    else
        enc_del_alarm(&run->set, run->state.enclave32, ENC_TIMER_BUNDLE);
}

static void sign_head(struct enc_run *run)
{
    struct enc_state *state = &run->state;
    if (state->sth.ts == state->ct.count)
        return;
    state->sth.t_ms = run->now_ms;
    state->sth.ts = state->ct.count;
    enc_frontier_root(&state->ct, state->sth.r32);
    enc_sth_sign(run->node->host->curve, &state->sth, run->node->host->key);
}

static bool has_new_gates(const struct enc_run *run)
{
    return run->gates_arena.source != NULL;
}

/* Gates live in the run's arena while staged; what the node keeps needs memory of its own. */
static enum enc_err keep_gates(struct enc_run *run)
{
    struct enc_buffer buffer;
    struct enc_bytes record;
    struct enc_gates *staged = &run->state.gates;
    const struct enc_gates *kept = &run->node->state.gates;
    if (staged->types == kept->types && staged->count == kept->count)
        return ENC_ERR_OK;
    enc_arena_init(&run->gates_arena, &run->node->host->chunks, 1 << 20);
    enc_buffer_init(&buffer, &run->gates_arena, SIZE_MAX / 4);
    enc_gates_put(&buffer, staged);
    ENC_TRY(enc_buffer_bytes(&buffer, &record));
    return enc_gates_take(staged, &run->gates_arena, record);
}

static bool is_founding(const struct enc_run *run)
{
    return !run->node->state.exists && run->state.exists;
}

/* Whatever needs memory happens before anything is durable; afterwards nothing may fail. */
static enum enc_err keep(struct enc_run *run)
{
    ENC_TRY(keep_gates(run));
    return is_founding(run) ? enc_node_adopt_manifest(run->node, run->first_content) : ENC_ERR_OK;
}

static void drop_kept(struct enc_run *run)
{
    if (has_new_gates(run))
        enc_arena_fini(&run->gates_arena);
    if (is_founding(run))
        enc_arena_fini(&run->node->arena);
}

static enum enc_err seal(struct enc_run *run)
{
    struct enc_state *state = &run->state;
    struct enc_buffer buffer;
    struct enc_bytes head;
    state->smt_version++;
    ENC_TRY(enc_smt_seal(&run->tree, &state->smt, &run->sink.nodes, state->smt_version));
    sign_head(run);
    put_bundle_alarm(run);
    enc_buffer_init(&buffer, &run->arena, SIZE_MAX / 4);
    enc_state_encode(&buffer, state);
    ENC_TRY(enc_buffer_bytes(&buffer, &head));
    enc_put_head(&run->set, state->ord, head);
    ENC_TRY(keep(run));
    return enc_writeset_ok(&run->set) ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}

bool enc_run_submit(struct enc_run *run, struct enc_actor *actor)
{
    struct enc_node *node = run->node;
    if (!run->is_broken && enc_push_stage(run) != ENC_ERR_OK)
        run->is_broken = true;
    run->outcome = ENC_OUTCOME_OK;
    if (!run->has_writes && !run->is_broken) {
        ENC_EDGE("run", run, NULL, "nothing", "clear");
        return false;
    }
    run->outcome = ENC_OUTCOME_FAILED;
    run->actor = actor;
    node->run = run;
    if (run->is_broken || seal(run) != ENC_ERR_OK) {
        ENC_EDGE("run", run, NULL, "broken", "failed");
        return false;
    }
    enc_snap_close(run->snap); /* many runs may wait for the writer, and snapshots are few */
    run->snap = NULL;
    run->times.built_ns = run->marked_ns;
    end_stage(run, ENC_STAGE_SEAL, run);
    run->times.sealed_ns = run->marked_ns;
    ENC_EDGE("run", run, NULL, "submit", "waiting");
    enum enc_err err =
        enc_lane_post(enc_host_writer(node->host, node->state.enclave32), &run->link);
    if (err != ENC_ERR_OK) /* in no model: the lane has a place for the run of every enclave */
        ENC_EDGE("run", run, NULL, "busy", "failed");
    return err == ENC_ERR_OK;
}

void enc_run_write(struct enc_run *run)
{
    struct enc_apply_facts facts = {.culprit = SIZE_MAX};
    const struct enc_writeset *sets[] = {&run->set};
    run->outcome = ENC_OUTCOME_FAILED;
    ENC_EDGE("run", run, NULL, "take", "writing");
    if (!run->is_broken && seal(run) == ENC_ERR_OK)
        run->outcome = enc_store_apply(run->node->store, &facts, sets, 1);
    ENC_RUN_ENDED(run);
}

/* ---- the outcome ---- */

static void swap_in(struct enc_run *run)
{
    struct enc_node *node = run->node;
    if (has_new_gates(run)) {
        enc_arena_fini(&node->gates_arena);
        node->gates_arena = run->gates_arena;
    }
    if (run->state.exists)
        ENC_EDGE("enclave", node, node->state.exists ? enc_status_name(node->state.status) : "NONE",
                 "swap", enc_status_name(run->state.status));
    node->state = run->state;
    node->bundle_alarm_ms = enc_state_bundle_due(&node->state, &node->manifest);
    if (node->bundle_alarm_ms)
        enc_node_set_timer(node, ENC_TIMER_BUNDLE, node->bundle_alarm_ms);
}

static void note_times(const struct enc_run_times *times, const struct enc_exchange *exchange)
{
    const struct {
        enum enc_stage stage;
        uint64_t began_ns, ended_ns;
    } ROWS[] = {
        {ENC_STAGE_SEAL, times->built_ns, times->sealed_ns},
        {ENC_STAGE_WRITER, times->sealed_ns, times->taken_ns},
        {ENC_STAGE_WRITE, times->taken_ns, times->written_ns},
        {ENC_STAGE_SYNC, times->written_ns, times->durable_ns},
        {ENC_STAGE_PUBLISH, times->durable_ns, enc_exchange_trace_ns(exchange)},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (ROWS[i].began_ns && ROWS[i].ended_ns)
            enc_trace_note(exchange->trace, enc_stage_name(ROWS[i].stage), ROWS[i].began_ns,
                           ROWS[i].ended_ns);
}

static void answer_staged(const struct enc_run *run, struct enc_staged *staged)
{
    struct enc_exchange *exchange = staged->exchange;
    bool is_accepted = staged->refusal.verdict.err == ENC_ERR_OK;
    staged->exchange = NULL;
    ENC_EDGE("run", run, NULL,
             !is_accepted        ? "refuse"
             : exchange->arrival ? "accept"
                                 : "receipt",
             NULL);
    if (exchange->trace)
        note_times(&run->times, exchange);
    if (exchange->arrival)
        enc_count_arrival(exchange->host, is_accepted);
    if (!is_accepted)
        enc_answer_refusal(exchange, &staged->refusal);
    else if (exchange->arrival)
        enc_receive_answer(exchange);
    else
        enc_answer_receipt(exchange, staged->event);
}

/* The bundle's timer may have rung for this very run, and it rings once. */
static void ring_again(struct enc_node *node)
{
    enum { RETRY_MS = 1000 };
    uint64_t soon_ms = enc_host_now_ms(node->host) + RETRY_MS, due_ms = node->bundle_alarm_ms;
    if (due_ms)
        enc_node_set_timer(node, ENC_TIMER_BUNDLE, due_ms > soon_ms ? due_ms : soon_ms);
}

/* A refusal may have been judged on staged state that is gone now; it is then no truth any more. */
static void fail_staged(struct enc_run *run)
{
    for (struct enc_staged *s = run->first; s; s = s->next) {
        bool stands = s->exchange->verdict.err != ENC_ERR_OK;
        if (!stands)
            s->refusal =
                (struct enc_refusal){.verdict = {ENC_ERR_INTERNAL, s->exchange->arrival ? 0 : 12}};
        answer_staged(run, s);
    }
    enc_push_forget(run->node);
    ring_again(run->node);
}

void enc_run_finish(struct enc_run *run)
{
    run->node->run = NULL;
    if (run->outcome != ENC_OUTCOME_OK) {
        drop_kept(run);
        fail_staged(run);
    } else {
        if (run->has_writes) {
            ENC_EDGE("run", run, NULL, "swap", "live");
            swap_in(run);
            enc_pipeline_publish(run);
        } else {
            enc_push_rest(run->node);
        }
        for (struct enc_staged *s = run->first; s; s = s->next)
            answer_staged(run, s);
        if (run->has_writes && run->actor)
            end_stage(run, ENC_STAGE_PUBLISH, run);
    }
    free_run(run);
}
