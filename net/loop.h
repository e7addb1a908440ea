/**
 * One event loop and its thread: an h2o context with its listeners, and an inbox through which
 * every other thread asks it to do something. Whatever belongs to a loop is touched by its thread
 * only; before the thread starts and after it has ended, by the main thread.
 */
#pragma once

#include "net/bind.h"
#include "net/config.h"
#include "services/host.h"

#include <h2o.h>
#include <stdatomic.h>

struct enc_server;
struct enc_loop;
struct enc_peer;

/** Something to be done on a loop. Embedded in what it is about; run owns it from then on. */
struct enc_task {
    struct enc_task *next;
    void (*run)(struct enc_loop *loop, struct enc_task *task);
};

enum enc_listener_kind {
    ENC_LISTENER_PUBLIC,
    ENC_LISTENER_TLS,
    ENC_LISTENER_ADMIN,
    ENC_LISTENER_KINDS
};

/** Where a loop takes connections from. */
struct enc_listener {
    uv_poll_t poll;
    uv_timer_t rest; /* no descriptor or memory for a connection: they wait in the kernel's queue */
    int fd;
    h2o_accept_ctx_t accept;
    struct enc_loop *loop;
    enum enc_listener_kind kind;
    bool is_open;
    bool has_told; /* the log, that connections cannot be taken */
};

struct enc_loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t tick;      /* every second: what is slow, silent or due for a ping */
    uv_timer_t drain;     /* while draining */
    uv_prepare_t prepare; /* before it sleeps */
    uint64_t turned_ns;   /* when its last turn ended, */
    uint64_t idle_ns;     /* and how long it had slept until then */
    struct enc_pulse pulse;
    h2o_context_t http;
    _Atomic(struct enc_task *) inbox; /* newest first */
    struct enc_server *server;
    struct enc_config_live live; /* changes with SIGHUP, between two turns */
    uv_thread_t thread;
    struct enc_listener listeners[ENC_LISTENER_KINDS];
    struct enc_peer *peers;        /* every open connection */
    struct enc_conn *conns;        /* every open WebSocket */
    struct enc_conn *dirty;        /* WebSockets with something new to write */
    struct enc_peer *written;      /* connections whose write has left, but was not told so */
    struct enc_inflater *inflater; /* for compressed messages; NULL until the first */
    size_t peer_counts[ENC_LISTENER_KINDS];
    struct enc_gathering gathering; /* reads of this turn */
    uint64_t disk_reads;            /* page faults of its thread that waited for the disk, */
    uint64_t reads_from_ms;         /* and when it reads itself again after one */
    uint64_t sweep_count;
    size_t call_count; /* calls the services have not answered */
    bool is_draining;
    uint64_t sweep_at_ms;    /* while draining: from when on idle connections are closed */
    uint64_t stop_at_ms;     /* when the thread ends whatever is left */
    _Atomic bool is_drained; /* no public connection and no call is left */
};

/** Prepare loop: uv handles and h2o context. Main thread, one loop after the other. */
void enc_loop_init(struct enc_loop *loop, struct enc_server *server, h2o_globalconf_t *global);

/** Start the thread. */
void enc_loop_start(struct enc_loop *loop);

/**
 * Run task on the loop, after what was posted before by the same thread. Any thread; never blocks.
 */
void enc_loop_post(struct enc_loop *loop, struct enc_task *task);

/** Milliseconds of a clock that only goes forward, as of this turn of the loop. Loop thread. */
uint64_t enc_loop_now_ms(const struct enc_loop *loop);

/** The loop of a request. Loop thread. */
struct enc_loop *enc_loop_of_request(const h2o_req_t *req);

/**
 * Stop taking connections, close what is idle (HTTP/1: after the server's drain_grace_ms), let what
 * is at work finish (server.md: SIGTERM).
 * Sets is_drained when nothing is left. Loop thread.
 */
void enc_loop_drain(struct enc_loop *loop);

/** Cut every connection that is still there. Loop thread. */
void enc_loop_cut(struct enc_loop *loop);

/** End the thread as soon as every connection is gone, or after a second. Loop thread. */
void enc_loop_stop(struct enc_loop *loop);

/** Wait until the thread has ended; what is still in the inbox is run. Main thread. */
void enc_loop_join(struct enc_loop *loop);

/**
 * Free the handles of a loop whose thread has ended or never started. Main thread, loops in
 * reverse order of enc_loop_init. False when connections are left: nothing is freed then.
 */
ENC_MUST_USE bool enc_loop_fini(struct enc_loop *loop);

/**
 * calloc that does not fail: net aborts, as h2o does, when the machine has no memory. Any thread.
 */
ENC_MUST_USE void *enc_net_new(size_t len);
