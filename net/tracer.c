#include "net/tracer.h"

#include "net/fetch.h"
#include "net/log.h"
#include "net/metric.h"
#include "net/otlp.h"
#include "net/process.h"
#include "proto/base/hex.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TRIES_MAX = 5,
    PAUSE_FIRST_MS = 1000,
    PAUSE_MAX_MS = 30000,
    BODY_LEN_MAX = 256 << 20,
    HEADERS_MAX = 32,
    NS_PER_MS = 1000000,
    MS_PER_S = 1000,
};

/* One POST, tried again and again. */
struct batch {
    struct enc_fetch fetch;
    struct enc_tracer *tracer;
    struct enc_arena arena; /* of the body */
    uint64_t spans;
    unsigned tries;
};

struct enc_tracer {
    struct enc_loop *loop;
    struct enc_fetcher *fetcher;
    const struct enc_otel *otel;
    _Atomic(struct enc_trace *) inbox; /* newest first */
    _Atomic uint64_t spans;            /* in inbox and waiting */
    _Atomic bool is_woken;
    struct enc_task wake, flush, halt;
    uv_mutex_t lock; /* of is_flushed */
    uv_cond_t flushed;
    bool is_flushed;
    struct enc_chunk_source chunks;
    struct enc_arena arena; /* of what follows, for good */
    struct enc_bytes resource;
    const char *headers[HEADERS_MAX + 1];
    struct enc_fetch_own own;

    /* the loop's */
    uv_timer_t tick, pause;
    struct enc_trace *waiting, **waiting_end; /* oldest first */
    struct batch *batch;                      /* under way, or pausing */
    bool is_flushing, is_halted;
    bool is_failing; /* told */
};

/* ---- beginning ---- */

static void draw_id(uint8_t *out, size_t len)
{
    static const uint8_t NONE[16];
    do
        enc_process_draw(out, len);
    while (memcmp(out, NONE, len) == 0);
}

static struct enc_trace *make(const struct enc_trace_context *context, const uint8_t *parent8)
{
    if (!context->is_sampled)
        return NULL;
    struct enc_trace *trace = enc_net_new(sizeof *trace);
    trace->context = *context;
    trace->began_ns = enc_process_now_ns();
    trace->has_parent = parent8 != NULL;
    if (parent8)
        memcpy(trace->parent8, parent8, sizeof trace->parent8);
    return trace;
}

struct enc_trace *enc_tracer_begin(const struct enc_tracer *tracer,
                                   struct enc_trace_context *context,
                                   const struct enc_trace_context *parent)
{
    if (parent)
        memcpy(context->trace16, parent->trace16, sizeof context->trace16);
    else
        draw_id(context->trace16, sizeof context->trace16);
    draw_id(context->span8, sizeof context->span8);
    context->is_sampled = enc_sampler_samples(&tracer->otel->sampler, parent, context->trace16);
    return make(context, parent ? parent->span8 : NULL);
}

struct enc_trace *enc_tracer_follow(struct enc_trace_context *context)
{
    struct enc_trace_context parent = *context;
    draw_id(context->span8, sizeof context->span8);
    return make(context, parent.span8);
}

/* ---- the queue ---- */

static void drop(enum enc_metric metric, uint64_t spans)
{
    enc_metric_add(metric, (int64_t)spans);
}

static void push(struct enc_tracer *tracer, struct enc_trace *trace)
{
    /* relaxed: the exchange below orders; a stale head only costs one more try */
    struct enc_trace *head = atomic_load_explicit(&tracer->inbox, memory_order_relaxed);
    do
        trace->next = head;
    /* release: the trace's contents come before its place in the list */
    while (!atomic_compare_exchange_weak_explicit(&tracer->inbox, &head, trace,
                                                  memory_order_release, memory_order_relaxed));
}

void enc_tracer_end(struct enc_tracer *tracer, struct enc_trace *trace)
{
    uint64_t more = enc_otlp_span_count(trace);
    /* relaxed: a bound and a hint; the list orders what matters */
    uint64_t spans = atomic_fetch_add_explicit(&tracer->spans, more, memory_order_relaxed) + more;
    if (spans > tracer->otel->queue_max) {
        atomic_fetch_sub_explicit(&tracer->spans, more, memory_order_relaxed);
        drop(ENC_METRIC_SPANS_CROWDED, more);
        free(trace);
        return;
    }
    push(tracer, trace);
    /* acq_rel: pairs with the clearing in on_wake, so that the task is free when it is posted */
    if (spans >= tracer->otel->batch_max &&
        !atomic_exchange_explicit(&tracer->is_woken, true, memory_order_acq_rel))
        enc_loop_post(tracer->loop, &tracer->wake);
}

static void take_all(struct enc_tracer *tracer)
{
    /* acquire: pairs with the release of push */
    struct enc_trace *newest = atomic_exchange_explicit(&tracer->inbox, NULL, memory_order_acquire);
    struct enc_trace *oldest = NULL, *last = newest;
    while (newest) {
        struct enc_trace *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    *tracer->waiting_end = oldest;
    if (last)
        tracer->waiting_end = &last->next;
}

/* The oldest of what waits, as many as a batch holds, at least one. */
static struct enc_trace *take_batch(struct enc_tracer *tracer, uint64_t *spans)
{
    struct enc_trace *list = tracer->waiting;
    struct enc_trace **end = &tracer->waiting;
    *spans = 0;
    do {
        *spans += enc_otlp_span_count(*end);
        end = &(*end)->next;
    } while (*end && *spans + enc_otlp_span_count(*end) <= tracer->otel->batch_max);
    tracer->waiting = *end;
    *end = NULL;
    if (!tracer->waiting)
        tracer->waiting_end = &tracer->waiting;
    atomic_fetch_sub_explicit(&tracer->spans, *spans, memory_order_relaxed); /* see its addition */
    return list;
}

static void free_list(struct enc_trace *list)
{
    while (list) {
        struct enc_trace *next = list->next;
        free(list);
        list = next;
    }
}

/* ---- exporting ---- */

static void export_next(struct enc_tracer *tracer);

static uint64_t wall_offset_ns(void)
{
    return enc_process_wall_ns() - enc_process_now_ns();
}

static void free_batch(struct batch *batch)
{
    batch->tracer->batch = NULL;
    enc_arena_fini(&batch->arena);
    free(batch);
}

static void tell(struct enc_tracer *tracer, const char *why)
{
    if (why && !tracer->is_failing)
        enc_log(COLLECTOR_FAILS, enc_log_text("why", why));
    else if (!why && tracer->is_failing)
        enc_log(COLLECTOR_WORKS);
    tracer->is_failing = why != NULL;
}

static const char *fault_of(const struct enc_fetch *fetch, char text[32])
{
    if (fetch->status / 100 == 2)
        return NULL;
    if (fetch->status == 0)
        return fetch->reason;
    snprintf(text, 32, "status %d", fetch->status);
    return text;
}

/* What OTLP says may be tried again. */
static bool may_retry(const struct batch *batch)
{
    int status = batch->fetch.status;
    bool is_passing =
        status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
    return is_passing && batch->tries < TRIES_MAX && !batch->tracer->is_flushing;
}

/* Twice as long each time, up to half of it more by chance, and no less than the collector says. */
static uint64_t pause_ms(const struct batch *batch)
{
    uint16_t chance;
    uint64_t ms = (uint64_t)PAUSE_FIRST_MS << (batch->tries - 1);
    uint64_t wished_ms = (uint64_t)batch->fetch.retry_s * MS_PER_S;
    enc_process_draw((uint8_t *)&chance, sizeof chance);
    ms += ms * chance / UINT16_MAX / 2;
    ms = wished_ms > ms ? wished_ms : ms;
    return ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

static void try_now(struct batch *batch)
{
    batch->tries++;
    enc_fetcher_post(batch->tracer->fetcher, &batch->fetch);
}

static void on_pause(uv_timer_t *timer)
{
    struct enc_tracer *tracer = timer->data;
    try_now(tracer->batch);
}

static void on_done(struct enc_fetch *fetch)
{
    struct batch *batch = (struct batch *)fetch; /* its first member */
    struct enc_tracer *tracer = batch->tracer;
    char text[32];
    const char *fault = fault_of(fetch, text);
    free(fetch->answer);
    if (!tracer->is_halted)
        tell(tracer, fault);
    if (fault && may_retry(batch)) {
        uv_timer_start(&tracer->pause, on_pause, pause_ms(batch), 0);
        return;
    }
    drop(fault ? ENC_METRIC_SPANS_REFUSED : ENC_METRIC_SPANS_EXPORTED, batch->spans);
    free_batch(batch);
    take_all(tracer);
    uint64_t spans = atomic_load_explicit(&tracer->spans, memory_order_relaxed); /* a hint */
    if (tracer->is_flushing || spans >= tracer->otel->batch_max)
        export_next(tracer);
}

static struct batch *new_batch(struct enc_tracer *tracer)
{
    struct batch *batch = enc_net_new(sizeof *batch);
    batch->tracer = tracer;
    batch->fetch.url = enc_bytes_of_text(tracer->otel->url);
    batch->fetch.timeout_ms = (uint32_t)tracer->otel->timeout_ms;
    batch->fetch.own = &tracer->own;
    batch->fetch.done = on_done;
    enc_arena_init(&batch->arena, &tracer->chunks, BODY_LEN_MAX);
    return batch;
}

static void start_batch(struct enc_tracer *tracer)
{
    struct enc_buffer body;
    struct batch *batch = new_batch(tracer);
    struct enc_trace *list = take_batch(tracer, &batch->spans);
    enc_buffer_init(&body, &batch->arena, BODY_LEN_MAX);
    enc_otlp_put(&body, tracer->resource, list, wall_offset_ns());
    free_list(list);
    tracer->batch = batch;
    if (enc_buffer_bytes(&body, &batch->fetch.body) == ENC_ERR_OK) {
        try_now(batch);
        return;
    }
    drop(ENC_METRIC_SPANS_REFUSED, batch->spans);
    free_batch(batch);
}

static void note_flushed(struct enc_tracer *tracer)
{
    uv_mutex_lock(&tracer->lock);
    tracer->is_flushed = true;
    uv_cond_signal(&tracer->flushed);
    uv_mutex_unlock(&tracer->lock);
}

static void export_next(struct enc_tracer *tracer)
{
    take_all(tracer);
    if (tracer->is_halted || tracer->batch)
        return;
    if (tracer->waiting)
        start_batch(tracer);
    if (tracer->is_flushing && !tracer->batch && !tracer->waiting)
        note_flushed(tracer);
}

static void on_tick(uv_timer_t *timer)
{
    export_next(timer->data);
}

static void on_wake(struct enc_loop *loop, struct enc_task *task)
{
    struct enc_tracer *tracer =
        (struct enc_tracer *)((uint8_t *)task - offsetof(struct enc_tracer, wake));
    (void)loop;
    /* release: the task is the next one's from here on */
    atomic_store_explicit(&tracer->is_woken, false, memory_order_release);
    export_next(tracer);
}

/* ---- the end ---- */

static void on_flush(struct enc_loop *loop, struct enc_task *task)
{
    struct enc_tracer *tracer =
        (struct enc_tracer *)((uint8_t *)task - offsetof(struct enc_tracer, flush));
    (void)loop;
    tracer->is_flushing = true;
    if (uv_is_active((uv_handle_t *)&tracer->pause)) {
        uv_timer_stop(&tracer->pause);
        try_now(tracer->batch);
    }
    export_next(tracer);
}

static void on_halt(struct enc_loop *loop, struct enc_task *task)
{
    struct enc_tracer *tracer =
        (struct enc_tracer *)((uint8_t *)task - offsetof(struct enc_tracer, halt));
    (void)loop;
    tracer->is_halted = true;
    uv_timer_stop(&tracer->tick);
    enc_fetcher_stop_own(tracer->fetcher);
}

void enc_tracer_stop(struct enc_tracer *tracer, uint64_t patience_ms)
{
    if (!tracer)
        return;
    uint64_t end_ns = enc_process_now_ns() + patience_ms * NS_PER_MS;
    enc_loop_post(tracer->loop, &tracer->flush);
    uv_mutex_lock(&tracer->lock);
    for (uint64_t now_ns; !tracer->is_flushed && (now_ns = enc_process_now_ns()) < end_ns;)
        uv_cond_timedwait(&tracer->flushed, &tracer->lock, end_ns - now_ns);
    uv_mutex_unlock(&tracer->lock);
    enc_loop_post(tracer->loop, &tracer->halt);
}

/* ---- the tracer ---- */

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    (void)self;
    struct enc_chunk *chunk = malloc(len);
    if (chunk)
        chunk->len = len;
    return chunk;
}

static void give_chunks(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

static void set_headers(struct enc_tracer *tracer)
{
    struct enc_otel_pair pair;
    char line[sizeof pair.key + sizeof pair.value + sizeof ": "];
    const char *rest = tracer->otel->headers, *wrong;
    for (size_t i = 0; i < HEADERS_MAX && enc_otel_pair_take(&pair, &rest, &wrong); i++) {
        snprintf(line, sizeof line, "%s: %s", pair.key, pair.value);
        struct enc_bytes copy = enc_arena_copy(&tracer->arena, enc_bytes_of_text(line));
        ENC_CHECK(copy.data != NULL);
        tracer->headers[i] = (const char *)copy.data;
    }
    tracer->own = (struct enc_fetch_own){tracer->headers, tracer->otel->ca_file};
}

static void set_resource(struct enc_tracer *tracer)
{
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, &tracer->arena, SIZE_MAX / 4);
    enc_otlp_put_resource(&buffer, tracer->otel);
    ENC_CHECK(enc_buffer_bytes(&buffer, &tracer->resource) == ENC_ERR_OK);
}

static void open_handles(struct enc_tracer *tracer)
{
    uv_timer_init(&tracer->loop->uv, &tracer->tick);
    uv_timer_init(&tracer->loop->uv, &tracer->pause);
    tracer->tick.data = tracer->pause.data = tracer;
    uv_timer_start(&tracer->tick, on_tick, tracer->otel->delay_ms, tracer->otel->delay_ms);
    ENC_CHECK(uv_mutex_init(&tracer->lock) == 0 && uv_cond_init(&tracer->flushed) == 0);
}

struct enc_tracer *enc_tracer_new(struct enc_loop *loop, struct enc_fetcher *fetcher,
                                  const struct enc_otel *otel)
{
    if (otel->why_off)
        enc_log(TRACES_OFF, enc_log_text("why", otel->why_off));
    if (!otel->is_on)
        return NULL;
    struct enc_tracer *tracer = enc_net_new(sizeof *tracer);
    tracer->loop = loop;
    tracer->fetcher = fetcher;
    tracer->otel = otel;
    tracer->wake.run = on_wake;
    tracer->flush.run = on_flush;
    tracer->halt.run = on_halt;
    tracer->waiting_end = &tracer->waiting;
    tracer->chunks = (struct enc_chunk_source){.take = take_chunk, .give = give_chunks};
    enc_arena_init(&tracer->arena, &tracer->chunks, SIZE_MAX / 4);
    set_headers(tracer);
    set_resource(tracer);
    open_handles(tracer);
    return tracer;
}

void enc_tracer_close(struct enc_tracer *tracer)
{
    if (!tracer)
        return;
    uv_close((uv_handle_t *)&tracer->tick, NULL);
    uv_close((uv_handle_t *)&tracer->pause, NULL);
}

void enc_tracer_free(struct enc_tracer *tracer)
{
    if (!tracer)
        return;
    take_all(tracer);
    free_list(tracer->waiting);
    if (tracer->batch)
        free_batch(tracer->batch);
    uv_cond_destroy(&tracer->flushed);
    uv_mutex_destroy(&tracer->lock);
    enc_arena_fini(&tracer->arena);
    free(tracer);
}
