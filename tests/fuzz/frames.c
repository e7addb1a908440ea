/* WebSocket frames of a client: net/conn.c and wslay take an input in pieces, a naive reader takes
 * it whole; messages, answers to pings and the code of the close are the same. What is around
 * conn.c is written here: the socket, the way out, and the services that get the messages. */
#include "net/conn.h"
#include "net/metric.h"
#include "net/origin.h"
#include "net/server.h"

#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/naive/frames.h"

#include <stdlib.h>

enum { LEN_MAX = 400, PIECES_MAX = 6 };

static struct naive_frames naive;

/** What has happened to the connection of this input. */
static struct {
    h2o_socket_cb on_read;
    size_t messages, pongs;
    uint16_t close_code;
    bool has_close, is_gone;
} seen;

/* ---- services ---- */

struct enc_socket *enc_host_socket_open(struct enc_host *host, struct enc_conn *conn,
                                        const struct enc_ws_place *place)
{
    (void)host, (void)place;
    return (struct enc_socket *)conn;
}

void enc_host_socket_message(struct enc_socket *socket, struct enc_bytes message, bool is_binary)
{
    (void)socket;
    ENC_CHECK(seen.messages < naive.count);
    if (seen.messages < NAIVE_MESSAGES_MAX) {
        const struct naive_message *want = &naive.messages[seen.messages];
        ENC_CHECK(want->is_binary == is_binary);
        ENC_CHECK(enc_bytes_equal(message, enc_bytes_of(naive.text + want->start, want->len)));
    }
    seen.messages++;
}

void enc_host_socket_close(struct enc_socket *socket)
{
    (void)socket;
}

bool enc_host_socket_admits(struct enc_socket *socket, uint64_t stream, bool is_last)
{
    (void)socket, (void)stream, (void)is_last;
    return true;
}

void enc_host_socket_written(struct enc_socket *socket, uint64_t stream)
{
    (void)socket, (void)stream;
}

void enc_host_socket_end_subs(struct enc_socket *socket, enum enc_socket_end reason)
{
    (void)socket, (void)reason;
}

void enc_host_socket_subscribe(struct enc_socket *socket, const struct enc_request *request)
{
    (void)socket, (void)request;
}

void enc_host_socket_refuse(struct enc_socket *socket, struct enc_bytes message,
                            const struct enc_quota *quota)
{
    (void)socket, (void)message, (void)quota;
}

/* ---- the way out ---- */

void enc_conn_free_queue(struct enc_conn_queue *queue)
{
    (void)queue;
}

void enc_conn_mark_dirty(struct enc_conn *conn)
{
    (void)conn;
}

void enc_conn_send(struct enc_conn *conn, const struct enc_outgoing *outgoing)
{
    (void)conn, (void)outgoing;
}

void enc_conn_close(struct enc_conn *conn, uint16_t code)
{
    (void)conn, (void)code;
}

void enc_conn_go_on(struct enc_conn *conn)
{
    (void)conn;
}

void enc_conn_send_control(struct enc_conn *conn, const uint8_t *frame, size_t len)
{
    ENC_CHECK(len >= 2 && len == 2U + frame[1]);
    if (conn->is_closed || seen.has_close)
        return;
    seen.pongs += frame[0] == 0x8a;
    seen.has_close = frame[0] == 0x88;
    if (seen.has_close)
        seen.close_code = len >= 4 ? (uint16_t)(frame[2] << 8 | frame[3]) : 1005;
    ENC_CHECK(frame[0] == 0x8a || frame[0] == 0x88);
    conn->is_closing |= seen.has_close;
}

/* A close frame leaves at once here. */
void enc_conn_flush_dirty(struct enc_loop *loop)
{
    struct enc_conn *conn = loop->conns;
    if (conn && conn->is_closing && !conn->is_closed)
        enc_conn_after_farewell(conn);
}

/* ---- the socket ---- */

void h2o_socket_read_start(h2o_socket_t *sock, h2o_socket_cb cb)
{
    (void)sock;
    seen.on_read = cb;
}

void h2o_socket_close(h2o_socket_t *sock)
{
    (void)sock;
    seen.is_gone = true;
}

int h2o_socket_get_fd(h2o_socket_t *sock)
{
    (void)sock;
    return -1;
}

/* ---- the whole ---- */

static struct enc_loop *loop_of_all(void)
{
    static struct enc_loop loop;
    static struct enc_server server;
    static struct enc_config config;
    config.limits.body_len_max = LEN_MAX;
    server.config = &config;
    if (!server.origins)
        server.origins = enc_origins_new((const uint64_t[]){8, 8});
    loop.server = &server;
    return &loop;
}

static void give(h2o_socket_t *sock, struct enc_bytes piece)
{
    if (seen.is_gone)
        return;
    h2o_iovec_t room = h2o_buffer_reserve(&sock->input, piece.len ? piece.len : 1);
    if (piece.len)
        memcpy(room.base, piece.data, piece.len);
    sock->input->size += piece.len;
    if (seen.on_read)
        seen.on_read(sock, NULL);
}

static void check_end(void)
{
    ENC_CHECK(seen.messages == naive.count);
    /* a client that closes at the same time has not asked for its answer any more */
    ENC_CHECK(seen.has_close ? seen.pongs <= naive.pings : seen.pongs == naive.pings);
    ENC_CHECK(seen.has_close == (naive.close_code != 0) || naive.is_early);
    bool is_right =
        naive.close_code == NAIVE_ANY || naive.is_early || seen.close_code == naive.close_code;
    ENC_CHECK(!seen.has_close || is_right);
    ENC_CHECK(!seen.is_gone || seen.has_close);
}

static void run(struct feed *feed, const uint8_t cuts[PIECES_MAX])
{
    struct enc_loop *loop = loop_of_all();
    struct enc_conn *conn = (struct enc_conn *)calloc(1, sizeof *conn);
    h2o_socket_t sock = {.data = NULL};
    ENC_CHECK(conn != NULL);
    atomic_init(&conn->holds, 1);
    conn->loop = loop;
    ENC_CHECK(enc_origins_take(loop->server->origins, conn->bucket16, ENC_ORIGIN_SOCKET));
    h2o_buffer_init(&sock.input, &h2o_socket_buffer_prototype);
    give(&sock, feed_bytes(feed, cuts[0])); /* what came with the handshake */
    enc_conn_open(conn, &sock);
    for (unsigned i = 1; i < PIECES_MAX; i++)
        give(&sock, feed_bytes(feed, cuts[i]));
    give(&sock, feed_rest(feed));
    check_end();
    if (!seen.is_gone)
        enc_conn_gone(conn);
    h2o_buffer_dispose(&sock.input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t cuts[PIECES_MAX];
    struct feed feed = feed_of(data, len);
    for (unsigned i = 0; i < PIECES_MAX; i++)
        cuts[i] = feed_u8(&feed);
    if (feed.left > NAIVE_TEXT_MAX)
        return 0;
    memset(&seen, 0, sizeof seen);
    naive_frames_read(&naive, enc_bytes_of(feed.at, feed.left), LEN_MAX);
    run(&feed, cuts);
    return 0;
}
