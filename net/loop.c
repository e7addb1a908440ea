#include "net/loop.h"

#include "net/conn.h"
#include "net/deflate.h"
#include "net/listener.h"
#include "net/log.h"
#include "net/mend.h"
#include "net/metric.h"
#include "net/peer.h"
#include "net/process.h"
#include "net/proxy.h"
#include "net/server.h"
#include "net/sweep.h"
#include "proto/base/edge.h"

#include <stdlib.h>
#include <sys/resource.h>

enum { TICK_MS = 1000, DRAIN_STEP_MS = 20, STOP_WAIT_MS = 1000, AWAY_MS = 1000 };

void *enc_net_new(size_t len)
{
    void *memory = calloc(1, len);
    ENC_CHECK(memory != NULL);
    return memory;
}

/* The loop of this thread: what it posts to itself needs no waking. */
static _Thread_local const struct enc_loop *own_loop;

static struct enc_task *take_all(struct enc_loop *loop)
{
    /* acquire: pairs with the release of enc_loop_post, so that the tasks' contents are seen */
    struct enc_task *newest = atomic_exchange_explicit(&loop->inbox, NULL, memory_order_acquire);
    struct enc_task *oldest = NULL;
    while (newest) {
        struct enc_task *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

void enc_loop_post(struct enc_loop *loop, struct enc_task *task)
{
    ENC_EDGE("loop", loop, NULL, "post", NULL);
    /* relaxed: the exchange below orders; a stale head only costs one more try */
    struct enc_task *head = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do {
        task->next = head;
        /* release: the task's contents come before its place in the list; relaxed: nothing was
         * published */
    } while (!atomic_compare_exchange_weak_explicit(&loop->inbox, &head, task, memory_order_release,
                                                    memory_order_relaxed));
    if (!head && loop != own_loop)
        uv_async_send(&loop->wake);
}

static void run_inbox(struct enc_loop *loop)
{
    struct enc_task *task = take_all(loop);
    while (task) {
        struct enc_task *next = task->next;
        task->run(loop, task);
        task = next;
    }
}

static void work_off(struct enc_loop *loop)
{
    run_inbox(loop);
    enc_conn_flush_dirty(loop);
    /* What HTTP/2 would write at the next turn of the loop leaves now: it saves the turn, and no
     * bytes can arrive between an answer and its write (README, defects of h2o). */
    h2o_timeout_run(&loop->uv, &loop->http.zero_timeout, uv_now(&loop->uv));
}

static void on_wake(uv_async_t *wake)
{
    work_off(wake->data);
}

static void on_tick(uv_timer_t *timer)
{
    struct enc_loop *loop = timer->data;
    enc_sweep_slow(loop);
    enc_proxy_sweep(loop);
    enc_conn_tick(loop);
    enc_conn_flush_dirty(loop);
}

static uint64_t disk_reads(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_majflt : 0;
}

/* A loop reads itself until a page has to come from the disk; for a second then workers do. */
static void choose_reader(struct enc_loop *loop)
{
    uint64_t count = disk_reads();
    if (count != loop->disk_reads)
        loop->reads_from_ms = uv_now(&loop->uv) + AWAY_MS;
    loop->disk_reads = count;
    loop->gathering.is_done_here = uv_now(&loop->uv) >= loop->reads_from_ms;
}

static void end_turn(struct enc_loop *loop)
{
    if (loop->gathering.count == 0)
        return;
    enc_host_end_turn(loop->server->host, &loop->gathering);
    choose_reader(loop);
}

static bool has_posts(struct enc_loop *loop)
{
    /* relaxed: who posts later wakes the loop */
    return atomic_load_explicit(&loop->inbox, memory_order_relaxed) != NULL;
}

/* What the loop has posted to itself leaves in the same turn; what follows from that waits for the
 * next one. */
static void answer_own(struct enc_loop *loop)
{
    if (!has_posts(loop))
        return;
    work_off(loop);
    enc_mend_deliver(loop);
    if (has_posts(loop) || loop->gathering.count > 0)
        uv_async_send(&loop->wake);
}

/* How long the turn took that now ends, less what the loop slept of it. For the watchdog a loop is
 * always at work, because its tick ends a turn at least every second. */
static void end_busy(struct enc_loop *loop)
{
    uint64_t now_ns = enc_process_now_ns();
    uint64_t idle_ns = uv_metrics_idle_time(&loop->uv);
    uint64_t slept_ns = idle_ns - loop->idle_ns;
    uint64_t took_ns = now_ns - loop->turned_ns;
    enc_metric_observe(ENC_METRIC_LOOP_TURN, took_ns > slept_ns ? took_ns - slept_ns : 0);
    loop->turned_ns = now_ns;
    loop->idle_ns = idle_ns;
    enc_pulse_beat(&loop->pulse);
    enc_pulse_beat(&loop->pulse);
}

/* Before the loop sleeps. What was written may let a connection go on to its next request. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct enc_loop *loop = prepare->data;
    enc_mend_deliver(loop);
    end_turn(loop);
    answer_own(loop);
    end_busy(loop);
}

static void init_handles(struct enc_loop *loop)
{
    ENC_CHECK(uv_loop_init(&loop->uv) == 0);
    ENC_CHECK(uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME) == 0);
    ENC_CHECK(uv_async_init(&loop->uv, &loop->wake, on_wake) == 0);
    uv_timer_init(&loop->uv, &loop->tick);
    uv_timer_init(&loop->uv, &loop->drain);
    uv_prepare_init(&loop->uv, &loop->prepare);
    loop->wake.data = loop->tick.data = loop->drain.data = loop->prepare.data = loop;
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_timer_start(&loop->tick, on_tick, TICK_MS, TICK_MS);
}

void enc_loop_init(struct enc_loop *loop, struct enc_server *server, h2o_globalconf_t *global)
{
    loop->server = server;
    ENC_EDGE("loop", loop, "NONE", "start", "open");
    init_handles(loop);
    h2o_context_init(&loop->http, &loop->uv, global);
}

static void run_thread(void *opaque)
{
    struct enc_loop *loop = opaque;
    own_loop = loop;
    loop->disk_reads = disk_reads();
    loop->gathering.is_done_here = true;
    loop->turned_ns = enc_process_now_ns();
    enc_pulse_beat(&loop->pulse);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void enc_loop_start(struct enc_loop *loop)
{
    ENC_CHECK(uv_thread_create(&loop->thread, run_thread, loop) == 0);
}

uint64_t enc_loop_now_ms(const struct enc_loop *loop)
{
    return uv_now(&loop->uv);
}

struct enc_loop *enc_loop_of_request(const h2o_req_t *req)
{
    return H2O_STRUCT_FROM_MEMBER(struct enc_loop, http, req->conn->ctx);
}

static size_t public_peers(const struct enc_loop *loop)
{
    return loop->peer_counts[ENC_LISTENER_PUBLIC] + loop->peer_counts[ENC_LISTENER_TLS];
}

static void on_drain_step(uv_timer_t *timer)
{
    struct enc_loop *loop = timer->data;
    if (uv_now(&loop->uv) >= loop->sweep_at_ms)
        enc_sweep_idle(loop);
    enc_proxy_sweep(loop);
    if (public_peers(loop) > 0 || loop->call_count > 0)
        return;
    uv_timer_stop(timer);
    ENC_EDGE("loop", loop, NULL, "drained", "drained");
    /* release: whoever sees it sees what the loop did before; pairs with enc_server_is_drained */
    atomic_store_explicit(&loop->is_drained, true, memory_order_release);
}

void enc_loop_drain(struct enc_loop *loop)
{
    if (loop->is_draining)
        return;
    ENC_EDGE("loop", loop, NULL, "drain", "draining");
    loop->is_draining = true;
    loop->sweep_at_ms = uv_now(&loop->uv) + loop->server->drain_grace_ms;
    enc_listener_close(&loop->listeners[ENC_LISTENER_PUBLIC]);
    enc_listener_close(&loop->listeners[ENC_LISTENER_TLS]);
    h2o_context_request_shutdown(&loop->http);
    enc_conn_end_all(loop);
    uv_timer_start(&loop->drain, on_drain_step, 0, DRAIN_STEP_MS);
}

void enc_loop_cut(struct enc_loop *loop)
{
    for (struct enc_peer *peer = loop->peers; peer; peer = peer->next)
        enc_peer_kill(peer);
}

static void close_own_handles(struct enc_loop *loop)
{
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->tick, NULL);
    uv_close((uv_handle_t *)&loop->drain, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
}

static void on_stop_step(uv_timer_t *timer)
{
    struct enc_loop *loop = timer->data;
    if (!loop->peers || uv_now(&loop->uv) >= loop->stop_at_ms)
        uv_stop(&loop->uv);
}

void enc_loop_stop(struct enc_loop *loop)
{
    ENC_EDGE("loop", loop, NULL, "stop", "stopping");
    for (size_t i = 0; i < ENC_LISTENER_KINDS; i++)
        enc_listener_close(&loop->listeners[i]);
    enc_loop_cut(loop);
    loop->stop_at_ms = uv_now(&loop->uv) + STOP_WAIT_MS;
    uv_timer_start(&loop->drain, on_stop_step, 0, DRAIN_STEP_MS);
}

/* h2o 2.2.5 disposes of a context whose second GOAWAY is still to come by aborting. */
static void dispose_context(struct enc_loop *loop)
{
    h2o_timeout_unlink(&loop->http.http2._graceful_shutdown_timeout);
    h2o_context_dispose(&loop->http);
}

void enc_loop_join(struct enc_loop *loop)
{
    uv_thread_join(&loop->thread);
    end_turn(loop);
    run_inbox(loop);
    enc_conn_flush_dirty(loop);
    enc_mend_deliver(loop);
    ENC_EDGE("loop", loop, NULL, "join", "joined");
}

bool enc_loop_fini(struct enc_loop *loop)
{
    if (loop->peers)
        return false;
    ENC_EDGE("loop", loop, NULL, "free", "NONE");
    for (size_t i = 0; i < ENC_LISTENER_KINDS; i++)
        enc_listener_close(&loop->listeners[i]);
    enc_inflater_free(loop->inflater);
    dispose_context(loop);
    close_own_handles(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    ENC_CHECK(uv_loop_close(&loop->uv) == 0);
    return true;
}
