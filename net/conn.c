#include "net/conn.h"

#include "net/deflate.h"
#include "net/metric.h"
#include "net/origin.h"
#include "net/rate.h"
#include "net/server.h"
#include "net/stream.h"
#include "proto/utf8.h"

#include <stdlib.h>

enum {
    FAREWELL_WAIT_MS = 5000, /* for the client's half of the closing handshake */
    DEAF_WAIT_MS = 2000,     /* for a client that broke the protocol to read why */
    MESSAGE_KEPT_MAX = 65536,
    CODE_GOING_AWAY = 1001,
    CODE_NO_TEXT = 1007,
    CODE_TOO_BIG = 1009,
};

static const uint8_t PING2[2] = {0x89, 0};
static const uint8_t PROTOCOL_ERROR4[4] = {0x88, 2, 0x03, 0xea}; /* close with 1002 */

void enc_conn_hold(struct enc_conn *conn)
{
    /* relaxed: whoever holds already may give a hold away */
    atomic_fetch_add_explicit(&conn->holds, 1, memory_order_relaxed);
}

void enc_conn_drop(struct enc_conn *conn)
{
    /* acq_rel: what any holder did comes before the free */
    if (atomic_fetch_sub_explicit(&conn->holds, 1, memory_order_acq_rel) == 1)
        free(conn);
}

static void link_conn(struct enc_conn *conn)
{
    conn->next = conn->loop->conns;
    if (conn->next)
        conn->next->prev = conn;
    conn->loop->conns = conn;
}

static void unlink_conn(struct enc_conn *conn)
{
    if (conn->next)
        conn->next->prev = conn->prev;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        conn->loop->conns = conn->next;
}

static void free_message(struct enc_conn *conn)
{
    free(conn->message.data);
    conn->message = (struct enc_conn_message){.data = NULL};
}

void enc_conn_enter(struct enc_conn *conn)
{
    conn->seen_ms = conn->pinged_ms = enc_loop_now_ms(conn->loop);
    link_conn(conn);
    enc_metric_add(ENC_METRIC_SOCKETS, 1);
    enc_metric_add(ENC_METRIC_SOCKETS_OPEN, 1);
    conn->socket = enc_host_socket_open(conn->loop->server->host, conn, &conn->place);
}

void enc_conn_gone(struct enc_conn *conn)
{
    h2o_socket_t *sock = conn->sock;
    conn->sock = NULL;
    h2o_socket_close(sock);
    free(conn->flat);
    conn->flat = NULL;
    free_message(conn);
    wslay_event_context_free(conn->wslay);
    enc_conn_leave(conn);
}

void enc_conn_leave(struct enc_conn *conn)
{
    unlink_conn(conn);
    if (conn->socket)
        enc_host_socket_close(conn->socket);
    conn->socket = NULL;
    enc_conn_free_queue(&conn->queue);
    enc_conn_free_queue(&conn->flight);
    enc_origins_give(conn->loop->server->origins, conn->bucket16, ENC_ORIGIN_SOCKET);
    enc_metric_add(ENC_METRIC_SOCKETS_OPEN, -1);
    enc_conn_drop(conn);
}

void enc_conn_give_up_in(struct enc_conn *conn, uint64_t wait_ms)
{
    conn->give_up_ms = enc_loop_now_ms(conn->loop) + wait_ms;
}

void enc_conn_after_farewell(struct enc_conn *conn)
{
    conn->is_closed = true;
    if (wslay_event_get_close_received(conn->wslay)) {
        enc_conn_gone(conn);
        return;
    }
    if (conn->is_deaf && !conn->sock->ssl)
        shutdown(h2o_socket_get_fd(conn->sock), SHUT_WR);
    enc_conn_give_up_in(conn, conn->is_deaf ? DEAF_WAIT_MS : FAREWELL_WAIT_MS);
}

/* ---- the way in ---- */

static ssize_t give_bytes(wslay_event_context_ptr wslay, uint8_t *out, size_t len, int flags,
                          void *opaque)
{
    (void)flags;
    struct enc_conn *conn = opaque;
    h2o_buffer_t *input = conn->sock->input;
    if (input->size == 0) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    len = len < input->size ? len : input->size;
    memcpy(out, input->bytes, len);
    h2o_buffer_consume(&conn->sock->input, len);
    return (ssize_t)len;
}

/* wslay hands a control frame over in pieces, one frame after the other. */
static ssize_t take_control(wslay_event_context_ptr wslay, const uint8_t *data, size_t len,
                            int flags, void *opaque)
{
    (void)wslay;
    (void)flags;
    struct enc_conn *conn = opaque;
    size_t want = conn->control_len < 2 ? 2 - conn->control_len
                                        : 2U + (conn->control[1] & 0x7f) - conn->control_len;
    len = len < want ? len : want;
    memcpy(conn->control + conn->control_len, data, len);
    conn->control_len += len;
    if (conn->control_len >= 2 && conn->control_len == 2U + (conn->control[1] & 0x7f)) {
        enc_conn_send_control(conn, conn->control, conn->control_len);
        conn->control_len = 0;
    }
    return (ssize_t)len;
}

static void on_frame_start(wslay_event_context_ptr wslay,
                           const struct wslay_event_on_frame_recv_start_arg *frame, void *opaque)
{
    (void)wslay;
    struct enc_conn *conn = opaque;
    conn->is_control = wslay_is_ctrl_frame(frame->opcode);
}

static void append(struct enc_conn_message *message, const uint8_t *data, size_t len)
{
    if (message->len + len > message->cap) {
        size_t cap = (message->len + len) * 2;
        message->data = realloc(message->data, cap);
        ENC_CHECK(message->data != NULL);
        message->cap = cap;
    }
    memcpy(message->data + message->len, data, len);
    message->len += len;
}

static void refuse(wslay_event_context_ptr wslay, uint16_t code)
{
    wslay_event_queue_close(wslay, code, NULL, 0);
    wslay_event_shutdown_read(wslay);
}

static void on_chunk(wslay_event_context_ptr wslay,
                     const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *opaque)
{
    struct enc_conn *conn = opaque;
    if (conn->is_control || chunk->data_length == 0)
        return;
    if (conn->message.len + chunk->data_length > conn->loop->server->config->limits.body_len_max) {
        refuse(wslay, CODE_TOO_BIG);
        return;
    }
    append(&conn->message, chunk->data, chunk->data_length);
}

static void hand_over(struct enc_conn *conn, struct enc_bytes message, bool is_binary)
{
    struct enc_quota quota;
    if (enc_rate_admits(conn->loop, &quota, conn->bucket16))
        enc_host_socket_message(conn->socket, message, is_binary);
    else
        enc_host_socket_refuse(conn->socket, message, &quota);
}

/* wslay looks at the characters of clear messages only. */
static void hand_over_inflated(struct enc_conn *conn, bool is_binary)
{
    struct enc_loop *loop = conn->loop;
    struct enc_bytes coded = enc_bytes_of(conn->message.data, conn->message.len), message;
    if (!loop->inflater)
        loop->inflater = enc_inflater_new();
    enum enc_inflated how =
        enc_inflate(loop->inflater, &message, coded, loop->server->config->limits.body_len_max);
    enc_metric_add(ENC_METRIC_FRAMES_INFLATED, 1);
    if (how == ENC_INFLATED_TOO_LARGE)
        enc_metric_add(ENC_METRIC_REFUSED_INFLATION, 1);
    if (how == ENC_INFLATED_TOO_LARGE)
        refuse(conn->wslay, CODE_TOO_BIG);
    else if (how == ENC_INFLATED_WRONG || (!is_binary && !enc_utf8_is_valid(message)))
        refuse(conn->wslay, CODE_NO_TEXT);
    else
        hand_over(conn, message, is_binary);
    enc_inflater_rest(loop->inflater);
}

static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *arg,
                       void *opaque)
{
    (void)wslay;
    struct enc_conn *conn = opaque;
    if (wslay_is_ctrl_frame(arg->opcode))
        return;
    enc_metric_add(ENC_METRIC_FRAMES_IN, 1);
    bool is_heard = !conn->is_closing && wslay_event_want_read(conn->wslay);
    bool is_binary = arg->opcode == WSLAY_BINARY_FRAME;
    if (is_heard && wslay_get_rsv1(arg->rsv))
        hand_over_inflated(conn, is_binary);
    else if (is_heard)
        hand_over(conn, enc_bytes_of(conn->message.data, conn->message.len), is_binary);
    conn->message.len = 0;
    if (conn->message.cap > MESSAGE_KEPT_MAX)
        free_message(conn);
}

static void become_deaf(struct enc_conn *conn)
{
    conn->is_deaf = true;
    if (!wslay_event_get_close_received(conn->wslay))
        enc_metric_add(ENC_METRIC_REFUSED_FRAME, 1);
}

/* Take in what the socket has read. conn may be freed. */
static void feed(struct enc_conn *conn)
{
    if (conn->is_deaf) {
        h2o_buffer_consume(&conn->sock->input, conn->sock->input->size);
        return;
    }
    bool is_broken = wslay_event_recv(conn->wslay) != 0;
    if (is_broken || !wslay_event_want_read(conn->wslay))
        become_deaf(conn);
    if (is_broken) /* wslay would close without saying why */
        enc_conn_send_control(conn, PROTOCOL_ERROR4, sizeof PROTOCOL_ERROR4);
    else
        wslay_event_send(conn->wslay);
    if (conn->is_closed && conn->is_deaf)
        enc_conn_gone(conn);
}

static void on_read(h2o_socket_t *sock, const char *err)
{
    struct enc_conn *conn = sock->data;
    if (err) {
        enc_conn_gone(conn);
        return;
    }
    struct enc_loop *loop = conn->loop;
    conn->seen_ms = enc_loop_now_ms(loop);
    feed(conn);
    enc_conn_flush_dirty(loop);
}

static const struct wslay_event_callbacks CALLBACKS = {
    .recv_callback = give_bytes,
    .send_callback = take_control,
    .on_frame_recv_start_callback = on_frame_start,
    .on_frame_recv_chunk_callback = on_chunk,
    .on_msg_recv_callback = on_message,
};

static void init_wslay(struct enc_conn *conn)
{
    ENC_CHECK(wslay_event_context_server_init(&conn->wslay, &CALLBACKS, conn) == 0);
    wslay_event_config_set_no_buffering(conn->wslay, 1);
    wslay_event_config_set_max_recv_msg_length(conn->wslay,
                                               conn->loop->server->config->limits.body_len_max);
    if (conn->deflate_bits)
        wslay_event_config_set_allowed_rsv_bits(conn->wslay, WSLAY_RSV1_BIT);
}

static void end(struct enc_conn *conn, enum enc_socket_end reason, uint16_t code)
{
    enc_host_socket_end_subs(conn->socket, reason);
    enc_conn_close(conn, code);
    enc_conn_give_up_in(conn, FAREWELL_WAIT_MS);
}

void enc_conn_open(struct enc_conn *conn, h2o_socket_t *sock)
{
    conn->sock = sock;
    sock->data = conn;
    init_wslay(conn);
    enc_conn_enter(conn);
    if (!conn->socket) {
        enc_conn_gone(conn);
        return;
    }
    if (conn->loop->is_draining)
        end(conn, ENC_SOCKET_END_SHUTDOWN, CODE_GOING_AWAY);
    h2o_socket_read_start(sock, on_read);
    on_read(sock, NULL); /* what came with the handshake */
}

/* ---- time ---- */

static void ping(struct enc_conn *conn, uint64_t now_ms)
{
    conn->pinged_ms = now_ms;
    if (!conn->is_closing)
        enc_conn_send_control(conn, PING2, sizeof PING2);
}

static void tick(struct enc_conn *conn, uint64_t now_ms)
{
    bool is_silent = now_ms - conn->seen_ms >= conn->loop->live.silence_ms;
    if (is_silent)
        enc_metric_add(ENC_METRIC_REFUSED_SILENT_SOCKET, 1);
    if (is_silent || (conn->give_up_ms && now_ms >= conn->give_up_ms))
        enc_conn_gone(conn);
    else if (now_ms - conn->pinged_ms >= conn->loop->live.ping_ms)
        ping(conn, now_ms);
}

void enc_conn_tick(struct enc_loop *loop)
{
    uint64_t now_ms = enc_loop_now_ms(loop);
    struct enc_conn *next;
    for (struct enc_conn *conn = loop->conns; conn; conn = next) {
        next = conn->next;
        if (conn->place.is_stream)
            enc_stream_tick(conn, now_ms);
        else
            tick(conn, now_ms);
    }
}

void enc_conn_end_all(struct enc_loop *loop)
{
    for (struct enc_conn *conn = loop->conns; conn; conn = conn->next)
        end(conn, ENC_SOCKET_END_SHUTDOWN, CODE_GOING_AWAY);
}
