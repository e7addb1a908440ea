#include "net/control.h"

#include "net/access.h"
#include "net/handover.h"
#include "net/log.h"
#include "net/metric.h"
#include "net/notify.h"
#include "net/watchdog.h"
#include "proto/base/edge.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/statvfs.h>

enum {
    WATCH_STEP_MS = 1000, /* also the milliseconds of a second */
    DRAIN_STEP_MS = 10,
    CUT_BEFORE_END_MS = 500,  /* a cut needs a moment, too */
    HANDOVER_GRACE_MS = 1000, /* for idle connections to learn that they are to go */
    STOP_MS = 20000, /* what a stop may take beyond its drain: POSTs given up, the store closed */
    WATCHDOG_TEXT_MAX = 256,
    TRIM_MIN = 1000, /* enclaves or connections; what fewer leave behind is not worth a trim */
    MIB = 1048576,
};

static const int SIGNALS[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof *SIGNALS };

struct state {
    struct enc_control *control;
    struct enc_notify notify;
    uv_loop_t uv;
    uv_signal_t signals[SIGNAL_COUNT];
    uv_timer_t watch;
    uv_timer_t drain;
    struct enc_handover handover;
    uint64_t renewed_at_ms; /* certificates */
    uint64_t live_most;     /* enclaves in memory since it was last trimmed, */
    uint64_t open_most;     /* and connections */
    uint64_t cut_at_ms;
    uint64_t end_at_ms;
    bool is_draining;
    bool is_cut;
    bool is_failed; /* the store; the status tells */
    bool writes_fail;
    bool has_backlog;
};

static void cut(struct state *state, const char *why)
{
    if (state->is_cut)
        return;
    state->is_cut = true;
    ENC_EDGE("node", state->control->server, NULL, "cut", "cut");
    enc_log(CUTTING, enc_log_text("why", why));
    enc_server_cut(state->control->server);
    uint64_t end_ms = uv_now(&state->uv) + CUT_BEFORE_END_MS;
    if (end_ms < state->end_at_ms)
        state->end_at_ms = end_ms;
}

static void end(struct state *state)
{
    ENC_EDGE("node", state->control->server, NULL, "ended", "ended");
    uv_stop(&state->uv);
}

static void on_drain_step(uv_timer_t *timer)
{
    struct state *state = timer->data;
    uint64_t now_ms = uv_now(&state->uv);
    if (enc_server_is_drained(state->control->server) || now_ms >= state->end_at_ms)
        end(state);
    else if (now_ms >= state->cut_at_ms)
        cut(state, "drain_timeout_ms");
}

static void drain(struct state *state, uint64_t grace_ms)
{
    uint64_t timeout_ms = state->control->config->drain_timeout_ms;
    uint64_t now_ms = uv_now(&state->uv);
    ENC_EDGE("node", state->control->server, NULL, "drain", "draining");
    state->is_draining = true;
    state->end_at_ms = now_ms + timeout_ms;
    state->cut_at_ms = now_ms + (timeout_ms > 2 * CUT_BEFORE_END_MS ? timeout_ms - CUT_BEFORE_END_MS
                                                                    : timeout_ms / 2);
    enc_log(DRAINING, enc_log_number("timeout_ms", timeout_ms));
    enc_server_drain(state->control->server, grace_ms);
    uv_timer_start(&state->drain, on_drain_step, DRAIN_STEP_MS, DRAIN_STEP_MS);
}

static void drain_for_good(struct state *state)
{
    enc_notify_stopping(&state->notify, state->control->config->drain_timeout_ms + STOP_MS);
    drain(state, 0);
}

static void stop(struct state *state)
{
    if (state->is_draining)
        cut(state, "second signal");
    else
        drain_for_good(state);
}

static void on_successor_ready(void *opaque)
{
    struct state *state = opaque;
    enc_log(HANDING_OVER);
    if (state->is_draining)
        return;
    enc_notify_succeeded(&state->notify, state->handover.pid);
    drain(state, HANDOVER_GRACE_MS);
}

static void hand_over(struct state *state)
{
    if (!state->is_draining)
        enc_handover_start(&state->handover, state->control->server);
}

void enc_control_set_log(const struct enc_config *config)
{
    struct enc_log_levels levels;
    for (unsigned room = 0; room < ENC_LOG_ROOMS; room++)
        levels.of[room] = (enum enc_log_level)config->log_level;
    ENC_CHECK(enc_log_levels_parse(&levels, config->log_levels) == NULL); /* checked when read */
    enc_log_levels_set(&levels);
    enc_access_set(config);
}

static void on_changed(const char *key)
{
    enc_log(WAITS_FOR_RESTART, enc_log_text("key", key));
}

static void on_unchanged(const char *key)
{
    (void)key;
}

static bool load_again(struct enc_control *control, struct enc_config *fresh)
{
    struct enc_config_fault fault;
    enum enc_config_action action;
    if (enc_config_load(fresh, &action, &fault, control->sources))
        return true;
    char *rest = fault.text;
    for (const char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        enc_log(NOT_RELOADED, enc_log_text("why", line));
    return false;
}

/* fresh holds the old values afterwards, so a certificate that is no good is undone by adopting
 * them back. */
static void take_over(struct enc_control *control, struct enc_config *fresh)
{
    struct enc_server_fault fault;
    enc_config_adopt(control->config, fresh, on_changed);
    if (enc_server_reload(control->server, &fault)) {
        enc_control_set_log(control->config);
        enc_log(RELOADED);
        return;
    }
    enc_config_adopt(control->config, fresh, on_unchanged);
    enc_log(NOT_RELOADED, enc_log_text("why", fault.text));
}

static void reload(struct enc_control *control)
{
    struct enc_config fresh;
    enc_config_init(&fresh);
    if (load_again(control, &fresh))
        take_over(control, &fresh);
    enc_config_fini(&fresh);
}

static void reload_told(struct state *state)
{
    enc_notify_reloading(&state->notify);
    reload(state->control);
    if (!state->is_draining)
        enc_notify_ready(&state->notify);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct state *state = handle->data;
    if (number == SIGHUP)
        reload_told(state);
    else if (number == SIGUSR2)
        hand_over(state);
    else
        stop(state);
}

static void check_store(struct state *state)
{
    if (state->is_failed || !enc_host_store_failed(state->control->server->host))
        return;
    state->is_failed = true;
    enc_log(STORE_FAILED);
    enc_server_mark(state->control->server, ENC_UNREADY_STORE, true);
    if (!state->is_draining)
        drain_for_good(state);
}

static void check_writes(struct state *state)
{
    const char *fault = enc_host_write_fault(state->control->server->host);
    if (fault && !state->writes_fail)
        enc_log(WRITES_FAIL, enc_log_text("why", fault));
    if (!fault && state->writes_fail)
        enc_log(WRITES_WORK);
    state->writes_fail = fault != NULL;
    enc_server_mark(state->control->server, ENC_UNREADY_WRITES, state->writes_fail);
}

/* On this thread, because a network file system may keep the caller waiting. */
static void check_disk(struct state *state)
{
    const struct enc_config *config = state->control->config;
    struct statvfs info;
    if (statvfs(config->data, &info) != 0)
        return;
    uint64_t free_len = (uint64_t)info.f_bavail * info.f_frsize;
    enc_metric_set(ENC_METRIC_DISK_FREE, (int64_t)free_len);
    enc_server_mark(state->control->server, ENC_UNREADY_DISK,
                    free_len < config->disk_floor_mib * MIB);
}

struct backlog {
    const char *of;
    uint64_t waiting;
    uint64_t max;
};

static const char *backlog_above(const struct backlog *rows, size_t count, uint64_t percent)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].waiting * 100 >= rows[i].max * percent)
            return rows[i].of;
    return NULL;
}

/* It has ended when half of the mark is reached, or readiness would flutter. */
static void check_backlog(struct state *state)
{
    const struct enc_config *config = state->control->config;
    struct enc_host_counts counts;
    enc_host_counts(state->control->server->host, &counts);
    const struct backlog rows[] = {
        {"jobs", counts.jobs_waiting, config->limits.jobs_max},
        {"mails", counts.mails_waiting, config->limits.jobs_max},
        {"messages", counts.exchange_len, config->limits.exchange_len_max},
    };
    uint64_t percent =
        state->has_backlog ? config->backlog_percent / 2 + 1 : config->backlog_percent;
    const char *of = backlog_above(rows, sizeof rows / sizeof *rows, percent);
    if (of && !state->has_backlog)
        enc_log(BACKLOG_BEGUN, enc_log_text("of", of));
    if (!of && state->has_backlog)
        enc_log(BACKLOG_ENDED);
    state->has_backlog = of != NULL;
    enc_server_mark(state->control->server, ENC_UNREADY_BACKLOG, state->has_backlog);
}

/* Renewed files come into use without a signal, and the key of session tickets does not live as
 * long as the process. */
static void renew_certificates(struct state *state)
{
    struct enc_server_fault fault;
    uint64_t step_ms = state->control->config->tls_reload_s * WATCH_STEP_MS;
    if (step_ms == 0 || uv_now(&state->uv) - state->renewed_at_ms < step_ms)
        return;
    state->renewed_at_ms = uv_now(&state->uv);
    if (!enc_server_reload(state->control->server, &fault))
        enc_log(NOT_RELOADED, enc_log_text("why", fault.text));
}

/* A node that is stuck is restarted by who watches it. */
static void feed_watchdog(const struct state *state)
{
    char text[WATCHDOG_TEXT_MAX];
    if (enc_watchdog_json(state->control->server->watchdog, text, sizeof text))
        enc_notify_alive(&state->notify);
}

/* Whether there were many and most of them have gone; most begins anew then. */
static bool has_sunk(uint64_t *most, uint64_t count)
{
    if (count > *most)
        *most = count;
    if (*most < TRIM_MIN || count > *most / 2)
        return false;
    *most = count;
    return true;
}

/* Enclaves that have retired and connections that were closed leave their memory to the allocator,
 * and it keeps it. */
static void trim_memory(struct state *state)
{
    struct enc_host_counts counts;
    enc_host_counts(state->control->server->host, &counts);
    bool enclaves_sunk = has_sunk(&state->live_most, counts.live_enclaves);
    int64_t open_count = enc_metric_get(ENC_METRIC_CONNECTIONS_OPEN);
    if (has_sunk(&state->open_most, open_count > 0 ? (uint64_t)open_count : 0) || enclaves_sunk)
        malloc_trim(0);
}

static void on_watch_step(uv_timer_t *timer)
{
    struct state *state = timer->data;
    check_disk(state);
    check_store(state);
    check_writes(state);
    check_backlog(state);
    enc_server_watch(state->control->server, uv_now(&state->uv));
    renew_certificates(state);
    feed_watchdog(state);
    trim_memory(state);
}

static void open_handles(struct state *state)
{
    ENC_CHECK(uv_loop_init(&state->uv) == 0);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&state->uv, &state->signals[i]);
        state->signals[i].data = state;
        uv_signal_start(&state->signals[i], on_signal, SIGNALS[i]);
    }
    state->renewed_at_ms = uv_now(&state->uv);
    uv_timer_init(&state->uv, &state->watch);
    uv_timer_init(&state->uv, &state->drain);
    state->watch.data = state->drain.data = state;
    enc_handover_init(&state->handover, &state->uv, state->control->usher, on_successor_ready,
                      state);
    uv_timer_start(&state->watch, on_watch_step, 0, WATCH_STEP_MS);
}

static void close_handles(struct state *state)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&state->signals[i], NULL);
    uv_close((uv_handle_t *)&state->watch, NULL);
    uv_close((uv_handle_t *)&state->drain, NULL);
    enc_handover_fini(&state->handover);
    uv_run(&state->uv, UV_RUN_DEFAULT);
    ENC_CHECK(uv_loop_close(&state->uv) == 0);
}

bool enc_control_run(struct enc_control *control)
{
    struct state state = {.control = control};
    ENC_EDGE("node", control->server, "NONE", "start", "serving");
    open_handles(&state);
    enc_notify_open(&state.notify);
    enc_notify_ready(&state.notify);
    uv_run(&state.uv, UV_RUN_DEFAULT);
    enc_notify_close(&state.notify);
    close_handles(&state);
    return !state.is_failed;
}
