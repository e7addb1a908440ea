#include "net/server.h"

#include "net/access.h"
#include "net/admin.h"
#include "net/amend.h"
#include "net/certs.h"
#include "net/fetch.h"
#include "net/inherit.h"
#include "net/listener.h"
#include "net/log.h"
#include "net/mend.h"
#include "net/metric.h"
#include "net/origin.h"
#include "net/process.h"
#include "net/proxy.h"
#include "net/rate.h"
#include "net/request.h"
#include "net/successor.h"
#include "net/tracer.h"

#include "net/watchdog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILES_RESERVED = 256, LOOP_SHARE = 4, FLUSH_MS = 1000 };

static const char *const LISTENER_NAMES[ENC_LISTENER_KINDS] = {"public", "tls", "admin"};

/* Something that every loop is asked to do. */
struct order {
    struct enc_task task; /* first */
    void (*act)(struct enc_loop *loop);
};

static void run_order(struct enc_loop *loop, struct enc_task *task)
{
    ((struct order *)task)->act(loop);
    free(task);
}

static void order_one(struct enc_loop *loop, void (*act)(struct enc_loop *loop))
{
    struct order *order = enc_net_new(sizeof *order);
    order->task.run = run_order;
    order->act = act;
    enc_loop_post(loop, &order->task);
}

static void order_all(struct enc_server *server, void (*act)(struct enc_loop *loop))
{
    for (unsigned i = 0; i < server->loop_count; i++)
        order_one(&server->loops[i], act);
}

void enc_server_mark(struct enc_server *server, enum enc_unready reason, bool is_set)
{
    /* relaxed: the bits order nothing */
    if (is_set)
        atomic_fetch_or_explicit(&server->unready, reason, memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&server->unready, ~(unsigned)reason, memory_order_relaxed);
}

void enc_server_watch(struct enc_server *server, uint64_t now_ms)
{
    size_t count = server->loop_count + enc_host_thread_count(server->host);
    struct enc_thread_pulse *pulses = enc_net_new(count * sizeof *pulses);
    for (unsigned i = 0; i < server->loop_count; i++)
        pulses[i] = (struct enc_thread_pulse){"loop", i, enc_pulse_read(&server->loops[i].pulse)};
    enc_host_pulses(server->host, pulses + server->loop_count);
    enc_watchdog_look(server->watchdog, pulses, now_ms, server->config->watchdog_ms);
    free(pulses);
}

struct enc_server_threads enc_server_threads(const struct enc_config *config)
{
    unsigned threads = config->threads ? (unsigned)config->threads : enc_process_cpus();
    unsigned loops = threads / LOOP_SHARE > 0 ? threads / LOOP_SHARE : 1;
    return (struct enc_server_threads){loops, threads > loops + 1 ? threads - loops : threads};
}

/* ---- building ---- */

static void set_global(h2o_globalconf_t *global, const struct enc_config *config)
{
    h2o_config_init(global);
    global->server_name = h2o_iovec_init(H2O_STRLIT("enclaved"));
    /* One byte more than allowed: h2o's two checks differ by one, and ours is exact. */
    global->max_request_entity_size = config->limits.body_len_max + 1;
    global->handshake_timeout = config->handshake_timeout_ms;
    global->http1.req_timeout = config->request_timeout_ms;
    global->http2.idle_timeout = config->idle_timeout_ms;
    global->http2.max_concurrent_requests_per_connection = config->streams_max;
}

static h2o_hostconf_t *add_host(struct enc_server *server, const char *name)
{
    h2o_hostconf_t *host =
        h2o_config_register_host(&server->global, h2o_iovec_init(name, strlen(name)), 65535);
    host->http2.push_preload = 0;
    enc_amend_register(host);
    enc_access_register(host);
    return host;
}

static void add_hosts(struct enc_server *server)
{
    h2o_hostconf_t *public_host = add_host(server, "public");
    h2o_hostconf_t *admin_host = add_host(server, "admin");
    enc_request_register(public_host);
    enc_admin_register(admin_host);
    server->hosts[ENC_LISTENER_PUBLIC][0] = public_host;
    server->hosts[ENC_LISTENER_TLS][0] = public_host;
    server->hosts[ENC_LISTENER_ADMIN][0] = admin_host;
}

static void init_loop(struct enc_server *server, struct enc_loop *loop)
{
    enc_loop_init(loop, server, &server->global);
    loop->live = enc_config_live(server->config);
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++) {
        loop->listeners[kind].kind = (enum enc_listener_kind)kind;
        loop->listeners[kind].accept.hosts = server->hosts[kind];
    }
}

/* Every connection needs a descriptor, and so do the store and the pushes. */
static uint64_t affordable_connections(const struct enc_config *config)
{
    uint64_t files = enc_process_raise_files();
    uint64_t affordable = files > 2 * FILES_RESERVED ? files - FILES_RESERVED : files / 2;
    if (config->connections_max <= affordable)
        return config->connections_max;
    enc_log(FEW_FILES, enc_log_number("connections", affordable));
    return affordable;
}

struct enc_server *enc_server_new(const struct enc_config *config, unsigned loop_count)
{
    ENC_CHECK(enc_mend_is_in_place());
    struct enc_server *server = enc_net_new(sizeof *server);
    server->config = config;
    server->connections_max = affordable_connections(config);
    server->origins =
        enc_origins_new((uint64_t[]){config->connections_per_address, config->sockets_per_address});
    server->rates = enc_rate_open(config);
    server->proxy_trust = enc_proxy_trust_new(config);
    enc_fields_init(&server->fields[0], config, false);
    enc_fields_init(&server->fields[1], config, true);
    atomic_init(&server->unready, ENC_UNREADY_STARTING);
    enc_mounts_init(&server->mounts, config);
    set_global(&server->global, config);
    add_hosts(server);
    server->loop_count = loop_count;
    server->loops = enc_net_new(loop_count * sizeof *server->loops);
    for (unsigned i = 0; i < loop_count; i++)
        init_loop(server, &server->loops[i]);
    server->fetcher = enc_fetcher_new(&server->loops[0], config);
    server->tracer = enc_tracer_new(&server->loops[0], server->fetcher, &config->otel);
    enc_runtime_init(&server->runtime, server);
    return server;
}

const struct enc_runtime *enc_server_runtime(const struct enc_server *server)
{
    return &server->runtime;
}

const char *const *enc_server_mounts(const struct enc_server *server)
{
    return server->mounts.paths;
}

/* ---- starting ---- */

static bool refuse(struct enc_server_fault *fault, const char *what, const char *why)
{
    snprintf(fault->text, sizeof fault->text, "%s: %s", what, why);
    return false;
}

/* Admin is small and lives on the first loop alone. */
static unsigned loops_of(const struct enc_server *server, enum enc_listener_kind kind)
{
    return kind == ENC_LISTENER_ADMIN ? 1 : server->loop_count;
}

static bool bind_listener(struct enc_server *server, struct enc_server_fault *fault,
                          enum enc_listener_kind kind, struct enc_inherit *inherit)
{
    const char *const texts[] = {server->config->listen, server->config->tls_listen,
                                 server->config->admin};
    struct enc_bind *bind = &server->binds[kind];
    struct enc_bind_fault why;
    int fds[ENC_INHERIT_FDS_MAX];
    unsigned count = loops_of(server, kind);
    if (texts[kind][0] == '\0')
        return true;
    unsigned passed = enc_inherit_take(inherit, fds, ENC_INHERIT_FDS_MAX, LISTENER_NAMES[kind]);
    if (passed ? enc_bind_adopt(bind, &why, fds, passed, count)
               : enc_bind_open(bind, &why, texts[kind], count))
        return true;
    return refuse(fault, LISTENER_NAMES[kind], why.text);
}

static bool open_listener(struct enc_server *server, struct enc_server_fault *fault,
                          enum enc_listener_kind kind)
{
    struct enc_bind *bind = &server->binds[kind];
    for (unsigned i = 0; i < bind->count; i++) {
        struct enc_loop *loop = &server->loops[i];
        int fd = bind->fds[i];
        bind->fds[i] = -1; /* the listener's from here on */
        if (!enc_listener_open(&loop->listeners[kind], loop, fd))
            return refuse(fault, LISTENER_NAMES[kind], strerror(errno));
    }
    return true;
}

static bool load_certs(struct enc_certs *certs, struct enc_server_fault *fault,
                       const struct enc_config *config)
{
    struct enc_tls_fault why;
    return enc_certs_open(certs, &why, config) || refuse(fault, "tls", why.text);
}

bool enc_server_check_tls(const struct enc_config *config, struct enc_server_fault *fault)
{
    struct enc_certs certs;
    if (!load_certs(&certs, fault, config))
        return false;
    enc_certs_drop(&certs);
    return true;
}

/* Each loop holds its own references. */
static void share_certs(struct enc_server *server, struct enc_certs *certs)
{
    for (unsigned i = 0; i < server->loop_count; i++) {
        struct enc_certs held = enc_certs_hold(certs);
        for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++)
            server->loops[i].listeners[kind].accept.ssl_ctx = held.of[kind];
    }
    enc_metric_set(ENC_METRIC_TLS_NOT_AFTER, enc_certs_not_after(certs));
    enc_certs_drop(certs);
}

bool enc_server_bind(struct enc_server *server, struct enc_server_fault *fault,
                     struct enc_inherit *inherit)
{
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++) {
        if (!bind_listener(server, fault, (enum enc_listener_kind)kind, inherit))
            return false;
    }
    return true;
}

static bool open_all(struct enc_server *server, struct enc_server_fault *fault)
{
    struct enc_certs certs;
    if (!load_certs(&certs, fault, server->config))
        return false;
    share_certs(server, &certs);
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++) {
        if (!open_listener(server, fault, (enum enc_listener_kind)kind))
            return false;
    }
    return true;
}

static void announce(const struct enc_server *server)
{
    char address[ENC_ADDRESS_TEXT_MAX];
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++) {
        if (server->binds[kind].count == 0)
            continue;
        enc_address_text(address, &server->binds[kind].address);
        enc_log(LISTENING, enc_log_text("listener", LISTENER_NAMES[kind]),
                enc_log_text("address", address));
    }
}

bool enc_server_start(struct enc_server *server, struct enc_server_fault *fault,
                      struct enc_host *host)
{
    server->host = host;
    server->watchdog = enc_watchdog_new(server->loop_count + enc_host_thread_count(host));
    if (!open_all(server, fault))
        return false;
    for (unsigned i = 0; i < server->loop_count; i++)
        enc_loop_start(&server->loops[i]);
    enc_server_mark(server, ENC_UNREADY_STARTING, false);
    announce(server);
    return true;
}

/* ---- changing and stopping ---- */

/* Certificates on their way to one loop. */
struct rotation {
    struct enc_task task; /* first */
    struct enc_certs certs;
    struct enc_config_live live;
};

static void rotate(struct enc_loop *loop, struct enc_task *task)
{
    struct rotation *rotation = (struct rotation *)task;
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++) {
        h2o_accept_ctx_t *accept = &loop->listeners[kind].accept;
        SSL_CTX_free(accept->ssl_ctx); /* connections hold references of their own */
        accept->ssl_ctx = rotation->certs.of[kind];
    }
    loop->live = rotation->live;
    free(rotation);
}

bool enc_server_reload(struct enc_server *server, struct enc_server_fault *fault)
{
    struct enc_certs certs;
    if (!load_certs(&certs, fault, server->config))
        return false;
    enc_origins_bound(server->origins, (uint64_t[]){server->config->connections_per_address,
                                                    server->config->sockets_per_address});
    for (unsigned i = 0; i < server->loop_count; i++) {
        struct rotation *rotation = enc_net_new(sizeof *rotation);
        rotation->task.run = rotate;
        rotation->certs = enc_certs_hold(&certs);
        rotation->live = enc_config_live(server->config);
        enc_loop_post(&server->loops[i], &rotation->task);
    }
    enc_metric_set(ENC_METRIC_TLS_NOT_AFTER, enc_certs_not_after(&certs));
    enc_certs_drop(&certs);
    return true;
}

bool enc_server_bequeath(const struct enc_server *server, struct enc_legacy *legacy)
{
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++) {
        for (unsigned i = 0; i < server->binds[kind].count; i++) {
            int fd = enc_listener_fd(&server->loops[i].listeners[kind]);
            if (!enc_legacy_add(legacy, fd, LISTENER_NAMES[kind]))
                return false;
        }
    }
    return true;
}

void enc_server_drain(struct enc_server *server, uint64_t grace_ms)
{
    server->drain_grace_ms = grace_ms; /* the order below publishes it */
    enc_server_mark(server, ENC_UNREADY_DRAINING, true);
    order_all(server, enc_loop_drain);
}

bool enc_server_is_drained(const struct enc_server *server)
{
    for (unsigned i = 0; i < server->loop_count; i++) {
        /* acquire: pairs with the loop's release; its last answers came before */
        if (!atomic_load_explicit(&server->loops[i].is_drained, memory_order_acquire))
            return false;
    }
    return true;
}

void enc_server_cut(struct enc_server *server)
{
    order_all(server, enc_loop_cut);
}

static void stop_fetches(struct enc_loop *loop)
{
    enc_fetcher_stop(loop->server->fetcher);
}

void enc_server_stop_fetches(struct enc_server *server)
{
    order_one(&server->loops[0], stop_fetches);
}

void enc_server_flush_traces(struct enc_server *server)
{
    enc_tracer_stop(server->tracer, FLUSH_MS);
}

void enc_server_stop(struct enc_server *server)
{
    order_all(server, enc_loop_stop);
    for (unsigned i = 0; i < server->loop_count; i++)
        enc_loop_join(&server->loops[i]);
}

/* Contexts go in reverse order of their making, one after the other: h2o's handlers share
 * vectors. */
static bool fini_loops(struct enc_server *server)
{
    bool is_clean = true;
    enc_fetcher_close(server->fetcher);
    enc_tracer_close(server->tracer);
    for (unsigned i = server->loop_count; i-- > 0;) {
        for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++)
            SSL_CTX_free(server->loops[i].listeners[kind].accept.ssl_ctx);
        is_clean &= enc_loop_fini(&server->loops[i]);
    }
    return is_clean;
}

void enc_server_free(struct enc_server *server)
{
    if (!server)
        return;
    if (!fini_loops(server)) {
        enc_log(OUTLIVED);
        return;
    }
    enc_fetcher_free(server->fetcher);
    enc_tracer_free(server->tracer);
    h2o_config_dispose(&server->global);
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++)
        enc_bind_fini(&server->binds[kind]);
    enc_origins_free(server->origins);
    enc_watchdog_free(server->watchdog);
    enc_rates_close(server->rates);
    enc_proxy_trust_free(server->proxy_trust);
    free(server->loops);
    free(server);
}
