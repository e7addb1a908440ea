/**
 * The server: its loops, what they share, and the runtime it gives the services. Main thread,
 * unless said otherwise.
 */
#pragma once

#include "net/bind.h"
#include "net/config.h"
#include "net/fields.h"
#include "net/loop.h"
#include "net/mount.h"

struct enc_fetcher;
struct enc_watchdog;
struct enc_inherit;
struct enc_legacy;
struct enc_origins;
struct enc_proxy_trust;
struct enc_tracer;

/** Why /readyz refuses, one bit each. */
enum enc_unready {
    ENC_UNREADY_STARTING = 1,
    ENC_UNREADY_DRAINING = 2,
    ENC_UNREADY_DISK = 4,
    ENC_UNREADY_STORE = 8,
    ENC_UNREADY_WRITES = 16,
    ENC_UNREADY_BACKLOG = 32,
};

/** Everything the loops share. After enc_server_start only what is atomic changes. */
struct enc_server {
    const struct enc_config *config;
    struct enc_runtime runtime;
    struct enc_host *host;
    struct enc_mounts mounts;
    struct enc_origins *origins;
    struct enc_rates *rates;             /* of addresses; NULL: not bounded */
    struct enc_fetcher *fetcher;         /* on the first loop */
    struct enc_tracer *tracer;           /* on the first loop; NULL: nothing is traced */
    struct enc_proxy_trust *proxy_trust; /* NULL: nobody speaks for others */
    struct enc_fields fields[2];         /* of answers in clear, over TLS */
    uint64_t connections_max;
    h2o_globalconf_t global;
    h2o_hostconf_t
        *hosts[ENC_LISTENER_KINDS][2]; /* per listener: one host and NULL, as h2o wants it */
    struct enc_bind binds[ENC_LISTENER_KINDS];
    struct enc_loop *loops;
    unsigned loop_count;
    uint64_t drain_grace_ms;       /* set before the loops are told to drain */
    struct enc_watchdog *watchdog; /* on all threads that serve */
    _Atomic unsigned unready;      /* enum enc_unready */
};

/** One line for people. */
struct enc_server_fault {
    char text[512];
};

/** How threads are shared out between loops and workers. */
struct enc_server_threads {
    unsigned loops, workers;
};

/** From the key "threads"; 0 = one per processor. */
struct enc_server_threads enc_server_threads(const struct enc_config *config);

/**
 * Build loops and runtime; nothing listens or runs yet, but the runtime may be used from now on.
 * config must outlive the server.
 */
struct enc_server *enc_server_new(const struct enc_config *config, unsigned loop_count);

/** What the services are started with. Valid until enc_server_free. */
const struct enc_runtime *enc_server_runtime(const struct enc_server *server);

/** Per service of enc_service_at: its mount, NULL = not served. Valid until enc_server_free. */
const char *const *enc_server_mounts(const struct enc_server *server);

/**
 * Take the addresses; nobody is let in yet. A listener whose descriptors were passed to us (by its
 * name: public, tls, admin) takes those instead of its address. False with the fault filled when an
 * address cannot be had; then only enc_server_free is left.
 */
ENC_MUST_USE bool enc_server_bind(struct enc_server *server, struct enc_server_fault *fault,
                                  struct enc_inherit *inherit);

/**
 * Listen, start the loops and say so, one log line per listener. After enc_server_bind. False with
 * the fault filled when a certificate is no good; then only enc_server_free is left.
 */
ENC_MUST_USE bool enc_server_start(struct enc_server *server, struct enc_server_fault *fault,
                                   struct enc_host *host);

/** Whether the certificate of the configuration can be used; the fault says why not. */
ENC_MUST_USE bool enc_server_check_tls(const struct enc_config *config,
                                       struct enc_server_fault *fault);

/**
 * Add every listening descriptor with its listener's name. The server listens and does not drain.
 * False when they are too many.
 */
ENC_MUST_USE bool enc_server_bequeath(const struct enc_server *server, struct enc_legacy *legacy);

/**
 * Begin to stop: see enc_loop_drain. For grace_ms connections of HTTP/1 may still ask; they learn
 * from the answer that it was their last. 0: those that are idle end at once.
 */
void enc_server_drain(struct enc_server *server, uint64_t grace_ms);

/** Whether every connection and call is gone. */
bool enc_server_is_drained(const struct enc_server *server);

/** Cut what is left. */
void enc_server_cut(struct enc_server *server);

/**
 * Take the certificate from config's files again. False with the fault filled: the old one stays.
 */
ENC_MUST_USE bool enc_server_reload(struct enc_server *server, struct enc_server_fault *fault);

/** Give up outbound POSTs; later ones fail at once. Before the services stop. */
void enc_server_stop_fetches(struct enc_server *server);

/** Export the traces that wait, for a second at most. After the services have finished. */
void enc_server_flush_traces(struct enc_server *server);

/** End the loops. After the services have stopped. */
void enc_server_stop(struct enc_server *server);

/** Free everything; the loops have ended or were never started. NULL is allowed. */
void enc_server_free(struct enc_server *server);

/** Let the watchdog look at every thread. Once a second; one thread. */
void enc_server_watch(struct enc_server *server, uint64_t now_ms);

/** Set or clear one reason of enum enc_unready. Any thread. */
void enc_server_mark(struct enc_server *server, enum enc_unready reason, bool is_set);

/** Fill in the runtime's functions. Private to the server. */
void enc_runtime_init(struct enc_runtime *runtime, struct enc_server *server);
