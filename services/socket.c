/* One WebSocket as its loop sees it: which subscriptions it has, and which frames still belong to
 * one (9.1-9.4). */
#include "proto/base/hex.h"
#include "services/answer.h"
#include "services/count.h"
#include "services/inside.h"
#include "services/post.h"
#include "services/stream.h"

#include <stdlib.h>

struct row {
    uint64_t stream; /* 0 = free */
    uint8_t enclave32[32];
    struct enc_bytes sub_id;          /* own memory */
    struct enc_stream_mail *farewell; /* had ready, so that a subscription can always end */
};

struct enc_socket {
    struct enc_host *host;
    struct enc_conn *conn;
    struct enc_ws_place place;
    uint32_t row_count;
    struct row rows[];
};

struct enc_socket *enc_host_socket_open(struct enc_host *host, struct enc_conn *conn,
                                        const struct enc_ws_place *place)
{
    uint32_t row_count = place->is_stream ? 1 : host->limits.subs_per_socket;
    size_t len = sizeof(struct enc_socket) + row_count * sizeof(struct row);
    struct enc_socket *socket = (struct enc_socket *)calloc(1, len);
    if (!socket)
        return NULL;
    socket->host = host;
    socket->conn = conn;
    socket->place = *place;
    socket->row_count = row_count;
    host->runtime->conn_hold(host->runtime->self, conn);
    return socket;
}

/* ---- rows ---- */

static struct row *find_stream(struct enc_socket *socket, uint64_t stream)
{
    for (uint32_t i = 0; i < socket->row_count; i++)
        if (socket->rows[i].stream == stream)
            return &socket->rows[i];
    return NULL;
}

static struct row *find_sub(struct enc_socket *socket, struct enc_bytes sub_id)
{
    for (uint32_t i = 0; i < socket->row_count; i++)
        if (socket->rows[i].stream && enc_bytes_equal(socket->rows[i].sub_id, sub_id))
            return &socket->rows[i];
    return NULL;
}

static void free_row(struct row *row)
{
    free((void *)(uintptr_t)row->sub_id.data);
    free(row->farewell);
    *row = (struct row){.stream = 0};
}

static struct enc_stream_mail *new_mail(uint64_t stream, enum enc_mail_kind kind)
{
    struct enc_stream_mail *out = (struct enc_stream_mail *)calloc(1, sizeof *out);
    if (!out)
        return NULL;
    enc_mail_init(&out->mail, kind);
    out->stream = stream;
    return out;
}

static bool fill_row(struct row *row, const struct enc_exchange *exchange)
{
    struct enc_bytes sub_id = exchange->asker.sub_id;
    uint8_t *copy = (uint8_t *)malloc(sub_id.len);
    struct row filled = {
        .stream = exchange->asker.stream,
        .sub_id = enc_bytes_of(copy, sub_id.len),
        .farewell = new_mail(exchange->asker.stream, ENC_MAIL_UNSUBSCRIBE),
    };
    if (!copy || !filled.farewell) {
        free_row(&filled);
        return false;
    }
    memcpy(copy, sub_id.data, sub_id.len);
    *row = filled;
    return true;
}

/* ---- mail to the enclaves ---- */

static void post_mail(struct enc_socket *socket, const struct row *row,
                      struct enc_stream_mail *mail)
{
    enum enc_err err =
        enc_directory_post_always(socket->host->directory, row->enclave32, &mail->mail);
    if (err != ENC_ERR_OK)
        free(mail); /* not in memory: it has no subscriptions either */
}

static void say_farewell(struct enc_socket *socket, struct row *row)
{
    post_mail(socket, row, row->farewell);
    row->farewell = NULL;
    free_row(row);
}

static void end_row(struct enc_socket *socket, struct row *row, enum enc_closed reason)
{
    uint8_t memory[2048];
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes text;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_buffer_init(&buffer, &arena, sizeof memory);
    enc_wire_put_closed(&buffer, row->sub_id, reason);
    ENC_CHECK(enc_buffer_bytes(&buffer, &text) == ENC_ERR_OK);
    enc_send_text(socket->host, socket->conn, text, 0, false);
    say_farewell(socket, row);
}

/* ---- what net asks ---- */

bool enc_host_socket_admits(struct enc_socket *socket, uint64_t stream, bool is_last)
{
    struct row *row = stream ? find_stream(socket, stream) : NULL;
    if (row && is_last)
        free_row(row);
    return stream == 0 || row;
}

void enc_host_socket_written(struct enc_socket *socket, uint64_t stream)
{
    struct row *row = stream ? find_stream(socket, stream) : NULL;
    if (!row)
        return;
    struct enc_stream_mail *mail = new_mail(stream, ENC_MAIL_WRITTEN);
    if (mail)
        post_mail(socket, row, mail);
    else
        end_row(socket, row, ENC_CLOSED_SLOW_CONSUMER); /* it could never go on */
}

void enc_host_socket_end_subs(struct enc_socket *socket, enum enc_socket_end reason)
{
    enum enc_closed closed =
        reason == ENC_SOCKET_END_SLOW ? ENC_CLOSED_SLOW_CONSUMER : ENC_CLOSED_SHUTDOWN;
    for (uint32_t i = 0; i < socket->row_count; i++)
        if (socket->rows[i].stream)
            end_row(socket, &socket->rows[i], closed);
}

void enc_host_socket_close(struct enc_socket *socket)
{
    for (uint32_t i = 0; i < socket->row_count; i++)
        if (socket->rows[i].stream)
            say_farewell(socket, &socket->rows[i]);
    socket->host->runtime->conn_drop(socket->host->runtime->self, socket->conn);
    free(socket);
}

/* ---- messages ---- */

static enum enc_err take_row(struct enc_socket *socket, struct enc_exchange *exchange)
{
    struct row *old = find_sub(socket, exchange->asker.sub_id);
    if (old)
        end_row(socket, old, ENC_CLOSED_REPLACED);
    struct row *row = find_stream(socket, 0);
    if (!row)
        return ENC_ERR_RATE_LIMITED;
    /* relaxed: only uniqueness matters */
    exchange->asker.stream =
        atomic_fetch_add_explicit(&socket->host->next_stream, 1, memory_order_relaxed);
    if (fill_row(row, exchange))
        return ENC_ERR_OK;
    exchange->asker.stream = 0;
    return ENC_ERR_BUSY;
}

static void on_query(struct enc_socket *socket, struct enc_exchange *exchange)
{
    enum enc_err err = enc_sub_id_take(&exchange->asker.sub_id, exchange->json);
    if (err == ENC_ERR_OK)
        err = take_row(socket, exchange);
    if (err == ENC_ERR_OK)
        err = enc_exchange_envelope(exchange, ENC_BODY_QUERY);
    if (err != ENC_ERR_OK) {
        enc_answer_err(exchange, err);
        return;
    }
    struct row *row = find_stream(socket, exchange->asker.stream);
    ENC_CHECK(row != NULL); /* just taken */
    memcpy(row->enclave32, exchange->enclave32, 32);
    enc_subscribe_enter(exchange);
}

static void on_close(struct enc_socket *socket, struct enc_exchange *exchange)
{
    struct enc_bytes sub_id;
    enum enc_err err = enc_sub_id_take(&sub_id, exchange->json);
    if (err != ENC_ERR_OK) {
        enc_answer_err(exchange, err);
        return;
    }
    struct row *row = find_sub(socket, sub_id);
    if (row)
        end_row(socket, row, ENC_CLOSED_CLIENT_CLOSE);
    enc_count_answer(exchange, (struct enc_verdict){.err = ENC_ERR_OK});
    enc_exchange_free(exchange);
}

static void on_commit(struct enc_socket *socket, struct enc_exchange *exchange)
{
    (void)socket;
    enc_commit_enter(exchange);
}

static void on_sealed_commit(struct enc_socket *socket, struct enc_exchange *exchange)
{
    (void)socket;
    enc_sealed_commit_enter(exchange);
}

static void on_unknown(struct enc_socket *socket, struct enc_exchange *exchange)
{
    (void)socket;
    enc_answer_err(exchange, ENC_ERR_INVALID_REQUEST);
}

static void notice(struct enc_socket *socket, const char *message)
{
    uint8_t memory[1024];
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes text;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_buffer_init(&buffer, &arena, sizeof memory);
    enc_wire_put_notice(&buffer, message);
    ENC_CHECK(enc_buffer_bytes(&buffer, &text) == ENC_ERR_OK);
    enc_send_text(socket->host, socket->conn, text, 0, false);
}

/* ---- messages that are not looked at ---- */

/* The text of a member somewhere in the message, in quotes; empty when there is none. Good enough
 * to name a refusal by: whoever writes it twice misleads nobody else. */
static struct enc_bytes find_text(struct enc_bytes message, const char *quoted_name)
{
    size_t len = strlen(quoted_name);
    const uint8_t *end = message.data + message.len;
    const uint8_t *at = (const uint8_t *)memmem(message.data, message.len, quoted_name, len);
    if (!at)
        return (struct enc_bytes){NULL, 0};
    for (at += len; at < end && (*at == ' ' || *at == ':');)
        at++;
    const uint8_t *stop = at < end && *at == '"'
                              ? (const uint8_t *)memchr(at + 1, '"', (size_t)(end - at - 1))
                              : NULL;
    return stop ? enc_bytes_of(at + 1, (size_t)(stop - at - 1)) : (struct enc_bytes){NULL, 0};
}

/* An Error frame under the names that the message itself uses (9.2), written without parsing it. */
static void refuse(struct enc_socket *socket, struct enc_bytes message,
                   const struct enc_refusal *refusal)
{
    enum { SUB_ID_LEN_MAX = 64 * 6 };
    uint8_t memory[4096];
    uint8_t hash32[32];
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes text;
    struct enc_refusal named = *refusal;
    const struct enc_err_row *row = enc_err_row(refusal->verdict.err);
    const struct enc_outgoing marks = {.status = row->http_status, .retry_s = row->retry_s};
    struct enc_bytes sub_id = find_text(message, "\"sub_id\"");
    if (sub_id.len <= SUB_ID_LEN_MAX &&
        !memchr(sub_id.data ? sub_id.data : memory, '\\', sub_id.len))
        named.sub_id = sub_id;
    if (!sub_id.len && enc_hex_decode(hash32, 32, find_text(message, "\"hash\"")))
        named.hash32 = hash32;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_buffer_init(&buffer, &arena, sizeof memory / 2);
    enc_wire_put_error(&buffer, &named);
    ENC_CHECK(enc_buffer_bytes(&buffer, &text) == ENC_ERR_OK);
    enc_send_marked(socket->host, socket->conn, text, &marks);
}

/* Whether the node has too much to do for it; a subscription may always be closed. */
static bool is_shed(struct enc_socket *socket, struct enc_bytes message)
{
    static const char CLOSE[] = "\"Close\"";
    struct enc_host *host = socket->host;
    if (host->shed.target_ms == 0 || enc_shed_admits(&host->shed, enc_host_now_ms(host)))
        return false;
    return !memmem(message.data, message.len, CLOSE, sizeof CLOSE - 1);
}

static struct enc_exchange *exchange_of(struct enc_socket *socket, struct enc_bytes message)
{
    const struct enc_runtime *runtime = socket->host->runtime;
    struct enc_exchange *exchange = enc_exchange_new(socket->host);
    if (!exchange)
        return NULL;
    exchange->service = socket->place.service;
    exchange->route_number = socket->place.route;
    exchange->arrived_ns = enc_host_now_ns(socket->host);
    exchange->has_enclave = socket->place.has_enclave;
    memcpy(exchange->enclave32, socket->place.enclave32, 32);
    exchange->asker.conn = socket->conn;
    if (runtime->trace_begin)
        exchange->trace = runtime->trace_begin(runtime->self, &exchange->request_id.trace);
    exchange->asker.is_stream = socket->place.is_stream;
    runtime->conn_hold(runtime->self, socket->conn);
    exchange->body = enc_arena_copy(&exchange->arena, message);
    if (exchange->body.data)
        return exchange;
    enc_exchange_free(exchange);
    return NULL;
}

void enc_host_socket_message(struct enc_socket *socket, struct enc_bytes message, bool is_binary)
{
    static const struct {
        void (*take)(struct enc_socket *, struct enc_exchange *);
        const char *name;
    } KINDS[] = {
        [ENC_BODY_UNKNOWN] = {on_unknown, "unknown"},
        [ENC_BODY_COMMIT] = {on_commit, "commit"},
        [ENC_BODY_QUERY] = {on_query, "query"},
        [ENC_BODY_PULL] = {on_unknown, "unknown"},
        [ENC_BODY_SEALED_COMMIT] = {on_sealed_commit, "commit"},
        [ENC_BODY_CLOSE] = {on_close, "close"},
    };
    if (is_binary) {
        notice(socket, "binary frames are ignored");
        return;
    }
    if (is_shed(socket, message)) {
        refuse(socket, message, &(struct enc_refusal){.verdict = {.err = ENC_ERR_BUSY}});
        return;
    }
    struct enc_exchange *exchange = exchange_of(socket, message);
    if (!exchange) {
        notice(socket, "the node is busy; this frame was not looked at");
        return;
    }
    enc_exchange_begin(exchange);
    enum enc_body_kind kind = ENC_BODY_UNKNOWN;
    if (enc_exchange_parse(exchange) == ENC_ERR_OK)
        kind = enc_body_kind(exchange->json);
    if (exchange->trace)
        exchange->trace->method = KINDS[kind].name;
    KINDS[kind].take(socket, exchange);
}

void enc_host_socket_subscribe(struct enc_socket *socket, const struct enc_request *request)
{
    const struct enc_refusal busy = {.verdict = {.err = ENC_ERR_BUSY}};
    bool is_too_much = is_shed(socket, request->query);
    struct enc_exchange *exchange = is_too_much ? NULL : exchange_of(socket, request->query);
    if (!exchange) {
        refuse(socket, (struct enc_bytes){NULL, 0}, &busy);
        return;
    }
    memcpy(exchange->request_id.text, request->id.text, sizeof request->id.text);
    enc_exchange_begin(exchange);
    enum enc_err err = enc_stream_ask(exchange, request->last_event_id);
    if (err == ENC_ERR_OK)
        err = enc_exchange_parse(exchange);
    if (err == ENC_ERR_OK && enc_body_kind(exchange->json) != ENC_BODY_QUERY)
        err = ENC_ERR_INVALID_REQUEST;
    if (err == ENC_ERR_OK)
        on_query(socket, exchange);
    else
        enc_answer_err(exchange, err);
}

void enc_host_socket_refuse(struct enc_socket *socket, struct enc_bytes message,
                            const struct enc_quota *quota)
{
    const struct enc_refusal refusal = {.verdict = {.err = ENC_ERR_RATE_LIMITED},
                                        .retry_s = quota->rate.retry_s};
    refuse(socket, message, &refusal);
}
