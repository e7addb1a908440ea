#include "net/fetch.h"

#include "net/address.h"
#include "net/breaker.h"
#include "net/metric.h"
#include "net/server.h"
#include "net/ticket.h"
#include "net/traceparent.h"
#include "net/tracer.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BODY_LEN_MAX = 65536, IDLE_CONNECTIONS_MAX = 64 };

/* One POST: waiting, or under way when easy is set. */
struct transfer {
    struct enc_task task; /* first */
    struct enc_fetcher *fetcher;
    struct enc_fetch *fetch;
    struct transfer *prev, *next;
    CURL *easy;
    struct curl_slist *headers;
    struct enc_trace *trace; /* NULL: not traced */
    uint8_t *body;           /* what is kept of the answer */
    size_t body_len;
    size_t body_cap;
    bool is_barred;  /* an address was refused */
    bool is_resting; /* its host is left alone for now */
    bool is_cut;     /* more body than we care to read; the status is known */
};

struct list {
    struct transfer *head, *tail;
};

struct enc_fetcher {
    struct enc_loop *loop;
    const struct enc_config *config;
    struct enc_breaker *breaker;
    CURLM *multi;
    uv_timer_t timer;
    struct list waiting, active;
    uint32_t active_count;
    struct list own; /* under way, those of net itself */
    bool is_stopped;
    bool is_own_stopped;
};

/* A descriptor of libcurl's that the loop watches. */
struct watch {
    uv_poll_t poll;
    struct enc_fetcher *fetcher;
    curl_socket_t fd;
};

static void push(struct list *list, struct transfer *transfer)
{
    transfer->prev = list->tail;
    transfer->next = NULL;
    *(list->tail ? &list->tail->next : &list->head) = transfer;
    list->tail = transfer;
}

static void take_out(struct list *list, struct transfer *transfer)
{
    *(transfer->prev ? &transfer->prev->next : &list->head) = transfer->next;
    *(transfer->next ? &transfer->next->prev : &list->tail) = transfer->prev;
}

/* The oldest, or NULL; it stays in the list. */
static struct transfer *first(const struct list *list)
{
    ENC_CHECK(!list->head || !list->head->prev);
    return list->head;
}

static enum enc_metric metric_of(const struct transfer *transfer)
{
    int status = transfer->fetch->status;
    if (transfer->is_resting)
        return ENC_METRIC_FETCHES_RESTING;
    if (transfer->is_barred && status == 0)
        return ENC_METRIC_FETCHES_BARRED;
    if (status == 0)
        return ENC_METRIC_FETCHES_NONE;
    return status / 100 == 2 ? ENC_METRIC_FETCHES_2XX : ENC_METRIC_FETCHES_OTHER;
}

static void end_trace(struct transfer *transfer)
{
    const struct enc_server *server = transfer->fetcher->loop->server;
    struct enc_trace *trace = transfer->trace;
    int status = transfer->fetch->status;
    if (!trace)
        return;
    trace->status = (uint16_t)status;
    trace->has_failed = status == 0 || status >= 400;
    if (status)
        snprintf(trace->code, sizeof trace->code, "%d", status);
    else
        snprintf(trace->code, sizeof trace->code, "no_answer");
    enc_trace_end(trace, &server->runtime);
}

static void count(const struct transfer *transfer)
{
    if (transfer->fetch->own)
        return;
    enc_metric_add(metric_of(transfer), 1);
    enc_metric_add(ENC_METRIC_FETCHES_OPEN, -1);
}

/* The end of a transfer; fetch is the caller's again and may be gone after done. */
static void finish(struct transfer *transfer, int status, const char *reason)
{
    struct enc_fetch *fetch = transfer->fetch;
    fetch->status = status;
    fetch->reason = reason;
    bool is_whole = status != 0 && !transfer->is_cut;
    if (!is_whole)
        free(transfer->body);
    fetch->answer = is_whole ? transfer->body : NULL;
    fetch->answer_len = fetch->answer ? transfer->body_len : 0;
    count(transfer);
    end_trace(transfer);
    free(transfer);
    fetch->done(fetch);
}

/* ---- what libcurl asks ---- */

static curl_socket_t open_socket(void *opaque, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = opaque;
    const struct enc_config *config = transfer->fetcher->config;
    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!transfer->fetch->own && !config->push_allow_private &&
        !enc_address_is_public(&address->addr)) {
        transfer->is_barred = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  address->protocol);
}

static bool make_room(struct transfer *transfer, size_t len)
{
    enum { CAP_MIN = 16384 };
    size_t cap = transfer->body_cap ? transfer->body_cap : CAP_MIN;
    while (cap < len)
        cap *= 2;
    uint8_t *body = cap == transfer->body_cap ? transfer->body : realloc(transfer->body, cap);
    if (!body)
        return false;
    transfer->body = body;
    transfer->body_cap = cap;
    return true;
}

/* Of most answers only the status is wanted; their bodies are read so that the connection can be
 * used again. */
static size_t take_body(char *data, size_t size, size_t count, void *opaque)
{
    struct transfer *transfer = opaque;
    size_t len = size * count;
    size_t wanted_len = transfer->fetch->answer_len_max;
    size_t len_max = wanted_len ? wanted_len : BODY_LEN_MAX;
    transfer->is_cut = len > len_max - transfer->body_len ||
                       (wanted_len && !make_room(transfer, transfer->body_len + len));
    if (transfer->is_cut)
        return 0;
    if (wanted_len)
        memcpy(transfer->body + transfer->body_len, data, len);
    transfer->body_len += len;
    return len;
}

static void collect(struct enc_fetcher *fetcher);

static void on_timer(uv_timer_t *timer)
{
    struct enc_fetcher *fetcher = timer->data;
    int running;
    curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(fetcher);
}

static int set_timer(CURLM *multi, long wait_ms, void *opaque)
{
    (void)multi;
    struct enc_fetcher *fetcher = opaque;
    if (wait_ms < 0)
        uv_timer_stop(&fetcher->timer);
    else
        uv_timer_start(&fetcher->timer, on_timer, (uint64_t)wait_ms, 0);
    return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct enc_fetcher *fetcher = watch->fetcher;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    int running;
    flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    curl_multi_socket_action(fetcher->multi, watch->fd, flags, &running);
    collect(fetcher);
}

static void free_watch(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop_watch(struct enc_fetcher *fetcher, struct watch *watch)
{
    if (!watch)
        return;
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, free_watch);
    curl_multi_assign(fetcher->multi, watch->fd, NULL);
}

static struct watch *new_watch(struct enc_fetcher *fetcher, curl_socket_t fd)
{
    struct watch *watch = enc_net_new(sizeof *watch);
    watch->fetcher = fetcher;
    watch->fd = fd;
    ENC_CHECK(uv_poll_init_socket(&fetcher->loop->uv, &watch->poll, fd) == 0);
    watch->poll.data = watch;
    curl_multi_assign(fetcher->multi, fd, watch);
    return watch;
}

static int set_watch(CURL *easy, curl_socket_t fd, int what, void *opaque, void *known)
{
    (void)easy;
    struct enc_fetcher *fetcher = opaque;
    struct watch *watch = known;
    if (what == CURL_POLL_REMOVE) {
        drop_watch(fetcher, watch);
        return 0;
    }
    if (!watch)
        watch = new_watch(fetcher, fd);
    int events = what & CURL_POLL_IN ? UV_READABLE : 0;
    events |= what & CURL_POLL_OUT ? UV_WRITABLE : 0;
    uv_poll_start(&watch->poll, events, on_poll);
    return 0;
}

/* ---- transfers ---- */

static void set_security(CURL *easy, const struct enc_fetch *fetch, const struct enc_config *config)
{
    const char *ca_file = fetch->own ? fetch->own->ca_file : config->push_ca_file;
    bool allows_http = fetch->own || config->push_allow_http;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, allows_http ? "https,http" : "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file[0])
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
}

static void set_limits(CURL *easy, const struct enc_fetch *fetch)
{
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)fetch->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)fetch->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A lookup that outlives its transfer is left to its thread instead of being waited for. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "enclaved");
}

static void set_callbacks(CURL *easy, struct transfer *transfer)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
}

static void add_header(struct curl_slist **headers, const char *line)
{
    *headers = curl_slist_append(*headers, line);
    ENC_CHECK(*headers != NULL);
}

/* Each attempt is a span of its own, which is the parent of what the receiver does. */
static void add_trace(struct transfer *transfer)
{
    struct enc_trace_context context = transfer->fetch->request_id.trace;
    char text[ENC_TRACEPARENT_LEN + 1], line[sizeof text + sizeof "traceparent: "];
    transfer->trace = enc_tracer_follow(&context);
    if (transfer->trace) {
        transfer->trace->kind = ENC_TRACE_POST;
        transfer->trace->method = "POST";
    }
    enc_traceparent_write(text, &context);
    snprintf(line, sizeof line, "traceparent: %s", text);
    add_header(&transfer->headers, line);
}

static bool is_in_trace(const struct enc_trace_context *context)
{
    static const struct enc_trace_context NONE;
    return memcmp(context->trace16, NONE.trace16, sizeof NONE.trace16) != 0;
}

static void add_id(struct transfer *transfer)
{
    struct enc_request_id id = transfer->fetch->request_id;
    char line[sizeof id.text + sizeof "X-Request-Id: "];
    if (!id.text[0])
        enc_request_id_make(&id);
    snprintf(line, sizeof line, "X-Request-Id: %s", id.text);
    add_header(&transfer->headers, line);
    if (is_in_trace(&id.trace))
        add_trace(transfer);
}

static void set_headers(struct transfer *transfer)
{
    const struct enc_fetch_own *own = transfer->fetch->own;
    add_header(&transfer->headers, "Content-Type: application/json");
    add_header(&transfer->headers, "Expect:");
    if (!own)
        add_id(transfer);
    for (size_t i = 0; own && own->headers[i]; i++)
        add_header(&transfer->headers, own->headers[i]);
}

static void begin(struct transfer *transfer)
{
    struct enc_fetcher *fetcher = transfer->fetcher;
    const struct enc_fetch *fetch = transfer->fetch;
    CURL *easy = curl_easy_init();
    ENC_CHECK(easy != NULL);
    transfer->easy = easy;
    set_headers(transfer);
    curl_easy_setopt(easy, CURLOPT_URL, (const char *)fetch->url.data);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)fetch->body.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, (const char *)fetch->body.data);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    set_security(easy, fetch, fetcher->config);
    set_limits(easy, fetch);
    set_callbacks(easy, transfer);
    push(fetch->own ? &fetcher->own : &fetcher->active, transfer);
    fetcher->active_count += !fetch->own;
    ENC_CHECK(curl_multi_add_handle(fetcher->multi, easy) == CURLM_OK);
}

static void show_breakers(const struct enc_fetcher *fetcher)
{
    struct enc_breaker_counts counts = enc_breaker_counts(fetcher->breaker);
    enc_metric_set(ENC_METRIC_BREAKERS_CLOSED, counts.closed);
    enc_metric_set(ENC_METRIC_BREAKERS_OPEN, counts.open);
    enc_metric_set(ENC_METRIC_BREAKERS_HALF_OPEN, counts.half_open);
}

/* An attempt that the breaker forbids has failed (README). */
static void begin_or_rest(struct transfer *transfer)
{
    struct enc_fetcher *fetcher = transfer->fetcher;
    transfer->is_resting =
        !enc_breaker_admits(fetcher->breaker, transfer->fetch->url, enc_loop_now_ms(fetcher->loop));
    if (transfer->is_resting)
        finish(transfer, 0, "the host is left alone after many failures");
    else
        begin(transfer);
    show_breakers(fetcher);
}

/* Whoever answers is alive, unless with an error of its own; an address that we refuse says nothing
 * of its host. */
static void note_result(const struct transfer *transfer, long status)
{
    struct enc_fetcher *fetcher = transfer->fetcher;
    bool is_good = transfer->is_barred || (status > 0 && status < 500);
    enc_breaker_note(fetcher->breaker, transfer->fetch->url, is_good,
                     enc_loop_now_ms(fetcher->loop));
    show_breakers(fetcher);
}

static void begin_waiting(struct enc_fetcher *fetcher)
{
    while (fetcher->waiting.head &&
           fetcher->active_count < fetcher->config->limits.push_in_flight_max) {
        struct transfer *transfer = first(&fetcher->waiting);
        take_out(&fetcher->waiting, transfer);
        begin_or_rest(transfer);
    }
}

static const char *reason_of(const struct transfer *transfer, CURLcode code)
{
    if (transfer->is_barred)
        return "the address is not public";
    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
        return "the URL's scheme is not allowed";
    case CURLE_OPERATION_TIMEDOUT:
        return "timed out";
    case CURLE_COULDNT_RESOLVE_HOST:
        return "the host name has no address";
    case CURLE_COULDNT_CONNECT:
        return "no connection";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "the certificate does not verify";
    default:
        return curl_easy_strerror(code);
    }
}

static struct list *list_of(struct enc_fetcher *fetcher, const struct transfer *transfer)
{
    return transfer->fetch->own ? &fetcher->own : &fetcher->active;
}

static void end(struct enc_fetcher *fetcher, struct list *list, struct transfer *transfer)
{
    curl_multi_remove_handle(fetcher->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    take_out(list, transfer);
    fetcher->active_count -= !transfer->fetch->own;
}

static uint32_t retry_of(CURL *easy)
{
    curl_off_t retry_s = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_s);
    return retry_s > 0 && retry_s < UINT32_MAX ? (uint32_t)retry_s : 0;
}

static void complete(CURL *easy, CURLcode code)
{
    struct transfer *transfer = NULL;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->fetch->retry_s = retry_of(easy);
    bool is_answered = code == CURLE_OK || (code == CURLE_WRITE_ERROR && transfer->is_cut);
    end(transfer->fetcher, list_of(transfer->fetcher, transfer), transfer);
    if (!transfer->fetch->own)
        note_result(transfer, is_answered ? status : 0);
    finish(transfer, is_answered ? (int)status : 0, is_answered ? NULL : reason_of(transfer, code));
}

static void collect(struct enc_fetcher *fetcher)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(fetcher->multi, &left));) {
        if (message->msg == CURLMSG_DONE)
            complete(message->easy_handle, message->data.result);
    }
    begin_waiting(fetcher);
}

static void arrive(struct enc_loop *loop, struct enc_task *task)
{
    (void)loop;
    struct transfer *transfer = (struct transfer *)task;
    struct enc_fetcher *fetcher = transfer->fetcher;
    bool is_own = transfer->fetch->own != NULL;
    if (is_own ? fetcher->is_own_stopped : fetcher->is_stopped) {
        finish(transfer, 0, "the node is stopping");
        return;
    }
    if (is_own) {
        begin(transfer);
        return;
    }
    push(&fetcher->waiting, transfer);
    begin_waiting(fetcher);
}

void enc_fetcher_post(struct enc_fetcher *fetcher, struct enc_fetch *fetch)
{
    struct transfer *transfer = enc_net_new(sizeof *transfer);
    transfer->fetcher = fetcher;
    transfer->fetch = fetch;
    transfer->task.run = arrive;
    if (!fetch->own)
        enc_metric_add(ENC_METRIC_FETCHES_OPEN, 1);
    enc_loop_post(fetcher->loop, &transfer->task);
}

struct enc_fetcher *enc_fetcher_new(struct enc_loop *loop, const struct enc_config *config)
{
    struct enc_fetcher *fetcher = enc_net_new(sizeof *fetcher);
    fetcher->loop = loop;
    fetcher->config = config;
    fetcher->breaker =
        enc_breaker_new((uint32_t)config->breaker_failures, config->breaker_cooldown_ms);
    uv_timer_init(&loop->uv, &fetcher->timer);
    fetcher->timer.data = fetcher;
    fetcher->multi = curl_multi_init();
    ENC_CHECK(fetcher->multi != NULL);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, set_watch);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX);
    return fetcher;
}

static void end_all(struct enc_fetcher *fetcher, struct list *list)
{
    struct transfer *transfer;
    while ((transfer = first(list))) {
        end(fetcher, list, transfer);
        finish(transfer, 0, "the node is stopping");
    }
}

void enc_fetcher_stop_own(struct enc_fetcher *fetcher)
{
    fetcher->is_own_stopped = true;
    end_all(fetcher, &fetcher->own);
}

void enc_fetcher_stop(struct enc_fetcher *fetcher)
{
    fetcher->is_stopped = true;
    struct transfer *transfer;
    end_all(fetcher, &fetcher->active);
    while ((transfer = first(&fetcher->waiting))) {
        take_out(&fetcher->waiting, transfer);
        finish(transfer, 0, "the node is stopping");
    }
}

void enc_fetcher_close(struct enc_fetcher *fetcher)
{
    curl_multi_cleanup(fetcher->multi);
    uv_close((uv_handle_t *)&fetcher->timer, NULL);
}

void enc_fetcher_free(struct enc_fetcher *fetcher)
{
    enc_breaker_free(fetcher->breaker);
    free(fetcher);
}
