#include "net/stream.h"

#include "net/call.h"
#include "net/metric.h"
#include "net/respond.h"
#include "net/server.h"
#include "net/ticket.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { KIND_LEN_MAX = 16, VECTOR_MAX = 128 };

struct enc_stream {
    h2o_generator_t generator; /* first */
    h2o_req_t *req;
    struct enc_conn *conn;
    struct enc_call *call; /* until the answer begins */
    bool has_begun;
    uint64_t flight_ms; /* when it was sent what is still on its way */
};

/* ---- text ---- */

struct enc_bytes enc_stream_kind(struct enc_bytes frame)
{
    static const char LEAD[] = "{\"type\":\"";
    size_t len = sizeof LEAD - 1;
    if (frame.len < len || memcmp(frame.data, LEAD, len) != 0)
        return (struct enc_bytes){NULL, 0};
    struct enc_bytes rest = enc_bytes_of(frame.data + len, frame.len - len);
    struct enc_bytes kind = enc_bytes_cut(&rest, '"');
    return kind.len <= KIND_LEN_MAX ? kind : (struct enc_bytes){NULL, 0};
}

size_t enc_stream_head(uint8_t out[ENC_STREAM_HEAD_MAX], struct enc_bytes kind,
                       const struct enc_outgoing *outgoing)
{
    char name[KIND_LEN_MAX + 1] = "";
    char id[32] = "";
    ENC_CHECK(kind.len <= KIND_LEN_MAX);
    for (size_t i = 0; i < kind.len; i++)
        name[i] = (char)tolower(kind.data[i]);
    if (outgoing->has_seq)
        snprintf(id, sizeof id, "id: %llu\n", (unsigned long long)outgoing->seq);
    int len = snprintf((char *)out, ENC_STREAM_HEAD_MAX, "event: %s\n%sdata: ", name, id);
    ENC_CHECK(len > 0 && len < ENC_STREAM_HEAD_MAX);
    return (size_t)len;
}

/* ---- what is asked for ---- */

static struct enc_bytes header(const h2o_req_t *req, const char *name)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, name, strlen(name), -1);
    if (at == -1)
        return (struct enc_bytes){NULL, 0};
    return enc_bytes_of(req->headers.entries[at].value.base, req->headers.entries[at].value.len);
}

static bool is_events(struct enc_bytes media)
{
    static const char TYPE[] = "text/event-stream";
    while (media.len > 0 && media.data[0] == ' ')
        media = enc_bytes_of(media.data + 1, media.len - 1);
    while (media.len > 0 && media.data[media.len - 1] == ' ')
        media.len--;
    return media.len == sizeof TYPE - 1 &&
           strncasecmp((const char *)media.data, TYPE, media.len) == 0;
}

bool enc_stream_is_asked(const h2o_req_t *req)
{
    struct enc_bytes accept = header(req, "accept");
    if (!h2o_memis(req->input.method.base, req->input.method.len, H2O_STRLIT("GET")))
        return false;
    while (accept.len > 0) {
        struct enc_bytes one = enc_bytes_cut(&accept, ',');
        if (is_events(enc_bytes_cut(&one, ';')))
            return true;
    }
    return false;
}

struct enc_bytes enc_stream_last_id(const h2o_req_t *req)
{
    return header(req, "last-event-id");
}

/* ---- its life ---- */

static void withdraw(struct enc_stream *stream, uint16_t status)
{
    struct enc_call *call = stream->call;
    stream->call = NULL;
    if (call)
        enc_call_withdraw(call, status, &stream->conn->place);
}

/* The request's pool dies with it, whichever way. */
static void on_request_gone(void *guard)
{
    struct enc_stream *stream = *(struct enc_stream **)guard;
    struct enc_conn *conn = stream->conn;
    withdraw(stream, 200);
    conn->stream = NULL;
    free(stream);
    enc_conn_leave(conn);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    (void)req;
    struct enc_conn *conn = ((struct enc_stream *)generator)->conn;
    enc_conn_hold(conn);
    enc_conn_go_on(conn);
    enc_conn_drop(conn);
}

static void make_stream(struct enc_conn *conn, h2o_req_t *req, struct enc_call *call)
{
    struct enc_stream **guard = h2o_mem_alloc_shared(&req->pool, sizeof *guard, on_request_gone);
    struct enc_stream *stream = enc_net_new(sizeof *stream);
    stream->generator.proceed = on_proceed;
    stream->req = req;
    stream->conn = conn;
    stream->call = call;
    conn->stream = *guard = stream;
}

void enc_stream_open(h2o_req_t *req, const struct enc_request *request,
                     const struct enc_ws_place *place)
{
    struct enc_conn *conn = enc_conn_admit(req, request->call, place);
    if (!conn)
        return;
    make_stream(conn, req, request->call);
    enc_ticket_of(req)->is_stream = true;
    enc_conn_enter(conn);
    ENC_CHECK(conn->socket != NULL); /* no memory means abort */
    enc_host_socket_subscribe(conn->socket, request);
}

/* ---- what goes out ---- */

static void begin(struct enc_stream *stream)
{
    stream->has_begun = true;
    withdraw(stream, 200);
    enc_respond_stream(stream->req, &stream->generator);
}

static void refuse(struct enc_stream *stream, const struct enc_outgoing *error)
{
    struct enc_reply reply = {
        .status = error->status,
        .retry_s = error->retry_s,
        .content_type = "application/json",
        .body = enc_frame_bytes(error->frame),
    };
    withdraw(stream, error->status);
    enc_respond(stream->req, &reply);
}

void enc_stream_write(struct enc_conn *conn, const struct enc_stream_flight *flight)
{
    h2o_iovec_t vector[VECTOR_MAX];
    struct enc_stream *stream = conn->stream;
    ENC_CHECK(flight->count <= VECTOR_MAX);
    for (size_t i = 0; i < flight->count; i++)
        vector[i] = h2o_iovec_init(flight->vector[i].iov_base, flight->vector[i].iov_len);
    stream->flight_ms = enc_loop_now_ms(conn->loop);
    conn->is_closing |= flight->ends;
    conn->is_closed |= flight->ends;
    if (!stream->has_begun && flight->first->status) {
        refuse(stream, flight->first);
        return;
    }
    if (!stream->has_begun)
        begin(stream);
    h2o_send(stream->req, vector, flight->count,
             flight->ends ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

/* ---- time ---- */

/* h2o does not read an HTTP/1 connection while it answers, so nobody would notice. */
static bool has_left(const struct enc_stream *stream, const struct enc_peer *peer)
{
    if (stream->req->version >= 0x200 || !peer->sock)
        return false;
    struct pollfd fd = {.fd = h2o_socket_get_fd(peer->sock), .events = POLLRDHUP};
    return poll(&fd, 1, 0) > 0;
}

/* The request alone when h2o has nothing of it in hand, else the connection. */
static void cut(struct enc_conn *conn, struct enc_peer *peer)
{
    struct enc_stream *stream = conn->stream;
    bool is_free = !conn->flight.head;
    enc_peer_hold(peer);
    if (stream->req->version < 0x200 || !is_free)
        enc_peer_kill(peer);
    if (is_free && !stream->has_begun)
        begin(stream);
    if (is_free)
        h2o_send(stream->req, NULL, 0, H2O_SEND_STATE_ERROR);
    enc_peer_drop(peer);
}

static bool is_stuck(const struct enc_conn *conn, uint64_t now_ms)
{
    return conn->flight.head &&
           now_ms - conn->stream->flight_ms >= conn->loop->live.response_timeout_ms;
}

void enc_stream_tick(struct enc_conn *conn, uint64_t now_ms)
{
    static const uint8_t COMMENT[] = ":\n\n";
    struct enc_peer *peer = enc_peer_of_request(conn->stream->req);
    bool stuck = is_stuck(conn, now_ms);
    if (stuck)
        enc_metric_add(ENC_METRIC_REFUSED_SLOW_RESPONSE, 1);
    if (stuck || has_left(conn->stream, peer) || (conn->give_up_ms && now_ms >= conn->give_up_ms)) {
        cut(conn, peer);
        return;
    }
    if (now_ms - conn->pinged_ms < conn->loop->live.ping_ms)
        return;
    conn->pinged_ms = now_ms;
    if (conn->stream->has_begun && !conn->is_closing && !conn->flight.head)
        enc_conn_send_control(conn, COMMENT, sizeof COMMENT - 1);
}
