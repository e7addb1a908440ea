/* The way out of a WebSocket: from any thread into the loop's inbox, into the queue, into one
 * gathered write. */
#include "net/conn.h"
#include "net/deflate.h"
#include "net/metric.h"
#include "net/server.h"
#include "net/stream.h"

#include <stdlib.h>
#include <sys/uio.h>

enum {
    BATCH_ITEMS_MAX = 32,       /* one write gathers at most this many items ... */
    BATCH_LEN_MAX = 256 * 1024, /* ... and not much more than this many bytes */
    HEAD_LEN_MAX = 10,          /* RFC 6455 5.2 */
    FRAME_HEAD_LEN_MAX = HEAD_LEN_MAX + ENC_DEFLATE_STORED_LEN,
    CODE_SLOW = 1013, /* try again later */
    FIRST_TEXT = 0x81,
    RSV1 = 0x40, /* RFC 7692 6: the message is compressed */
    FIRST_CLOSE = 0x88,
    FIRST_PONG = 0x8a,
};

enum item_kind { ITEM_FRAME, ITEM_CLOSE, ITEM_CONTROL };

struct enc_conn_item {
    struct enc_task task;  /* first */
    struct enc_conn *conn; /* held until the item reaches the queue */
    struct enc_conn_item *next;
    struct enc_outgoing outgoing;
    enum item_kind kind;
    bool is_deflated; /* head ends with that of a stored block */
    bool is_end;      /* of a stream: nothing comes behind it */
    uint8_t tail_len;
    uint8_t head_len;
    uint8_t head[]; /* header of the frame, or all of a control frame */
};

/* There are as many of them at once as there are subscribers. */
static struct enc_conn_item *new_item(enum item_kind kind, size_t head_max)
{
    struct enc_conn_item *item = enc_net_new(sizeof *item + head_max);
    item->kind = kind;
    return item;
}

static void push_tail(struct enc_conn_queue *queue, struct enc_conn_item *item)
{
    item->next = NULL;
    if (queue->tail)
        queue->tail->next = item;
    else
        queue->head = item;
    queue->tail = item;
}

static void push_head(struct enc_conn_queue *queue, struct enc_conn_item *item)
{
    item->next = queue->head;
    queue->head = item;
    if (!queue->tail)
        queue->tail = item;
}

static struct enc_conn_item *pop_head(struct enc_conn_queue *queue)
{
    struct enc_conn_item *item = queue->head;
    if (item)
        queue->head = item->next;
    if (!queue->head)
        queue->tail = NULL;
    return item;
}

static struct enc_bytes bytes_of(const struct enc_frame *frame)
{
    return frame ? enc_frame_bytes(frame) : (struct enc_bytes){NULL, 0};
}

static size_t payload_len(const struct enc_conn_item *item)
{
    return bytes_of(item->outgoing.frame).len + bytes_of(item->outgoing.rest).len;
}

static size_t item_len(const struct enc_conn_item *item)
{
    return item->head_len + payload_len(item) + item->tail_len;
}

static bool is_farewell(const struct enc_conn_item *item)
{
    return item->is_end || (item->kind != ITEM_FRAME && item->head[0] == FIRST_CLOSE);
}

static void free_item(struct enc_conn_item *item)
{
    enc_frame_drop(item->outgoing.frame);
    enc_frame_drop(item->outgoing.rest);
    free(item);
}

void enc_conn_free_queue(struct enc_conn_queue *queue)
{
    for (struct enc_conn_item *item = pop_head(queue); item; item = pop_head(queue))
        free_item(item);
}

/* RFC 6455 5.2: FIN and text, no mask, the shortest form of the length. */
static void write_head(struct enc_conn_item *item, uint8_t first, size_t len)
{
    uint8_t wide8[8];
    enc_be64_put(wide8, len);
    item->head_len = len < 126 ? 2 : len <= UINT16_MAX ? 4 : HEAD_LEN_MAX;
    item->head[0] = first;
    item->head[1] = len < 126 ? (uint8_t)len : len <= UINT16_MAX ? 126 : 127;
    size_t wide_len = item->head_len - 2U;
    memcpy(item->head + 2, wide8 + 8 - wide_len, wide_len);
}

/* Only what its subscribers share is compressed: what is their own stands before it as it is. What
 * is no longer than the window a client has needs no larger one. */
static bool can_deflate(const struct enc_conn *conn, const struct enc_outgoing *outgoing)
{
    size_t own_len = bytes_of(outgoing->frame).len, shared_len = bytes_of(outgoing->rest).len;
    return conn->deflate_bits && outgoing->is_public && outgoing->rest &&
           own_len <= ENC_DEFLATE_STORED_MAX &&
           own_len + shared_len >= conn->loop->server->config->ws_deflate_min &&
           (conn->deflate_bits == ENC_DEFLATE_BITS_MAX || shared_len <= 1U << conn->deflate_bits);
}

static void take_twin(struct enc_conn_item *item)
{
    struct enc_frame *twin = enc_deflate_twin(item->outgoing.rest);
    if (!twin)
        return;
    enc_frame_hold(twin);
    enc_frame_drop(item->outgoing.rest);
    item->outgoing.rest = twin;
    item->is_deflated = true;
}

static void write_text_head(struct enc_conn_item *item)
{
    size_t len = payload_len(item);
    if (!item->is_deflated) {
        write_head(item, FIRST_TEXT, len);
        return;
    }
    write_head(item, FIRST_TEXT | RSV1, len + ENC_DEFLATE_STORED_LEN);
    enc_deflate_stored_head(item->head + item->head_len,
                            (uint16_t)bytes_of(item->outgoing.frame).len);
    item->head_len += ENC_DEFLATE_STORED_LEN;
}

static void write_stream_head(struct enc_conn_item *item)
{
    struct enc_bytes kind = enc_stream_kind(bytes_of(item->outgoing.frame));
    item->is_end = enc_bytes_is(kind, "Closed") || enc_bytes_is(kind, "Error");
    item->tail_len = ENC_STREAM_TAIL_LEN;
    item->head_len = (uint8_t)enc_stream_head(item->head, kind, &item->outgoing);
}

void enc_conn_mark_dirty(struct enc_conn *conn)
{
    if (conn->is_dirty)
        return;
    conn->is_dirty = true;
    enc_conn_hold(conn);
    conn->dirty_next = conn->loop->dirty;
    conn->loop->dirty = conn;
}

/* The subscriptions end with their reason, then the socket closes. Both are posted like all else,
 * so they come after what is queued; what the ended subscriptions had queued is dropped on its way
 * out. */
static void overrun(struct enc_conn *conn)
{
    conn->is_slow = true;
    enc_metric_add(ENC_METRIC_REFUSED_SLOW_SOCKET, 1);
    enc_host_socket_end_subs(conn->socket, ENC_SOCKET_END_SLOW);
    enc_conn_close(conn, CODE_SLOW);
    enc_conn_give_up_in(conn, conn->loop->live.slow_grace_ms);
}

static void enqueue(struct enc_conn *conn, struct enc_conn_item *item)
{
    push_tail(&conn->queue, item);
    conn->queued_len += item_len(item);
    conn->is_closing = item->kind == ITEM_CLOSE;
    enc_conn_mark_dirty(conn);
    if (!conn->is_slow && conn->queued_len > conn->loop->live.send_queue_max)
        overrun(conn);
}

static void arrive(struct enc_loop *loop, struct enc_task *task)
{
    (void)loop;
    struct enc_conn_item *item = (struct enc_conn_item *)task;
    struct enc_conn *conn = item->conn;
    if ((conn->sock || conn->stream) && !conn->is_closing)
        enqueue(conn, item);
    else
        free_item(item);
    enc_conn_drop(conn);
}

static void post_item(struct enc_conn *conn, struct enc_conn_item *item)
{
    enc_conn_hold(conn);
    item->conn = conn;
    item->task.run = arrive;
    enc_loop_post(conn->loop, &item->task);
}

void enc_conn_send(struct enc_conn *conn, const struct enc_outgoing *outgoing)
{
    bool is_stream = conn->place.is_stream;
    struct enc_conn_item *item =
        new_item(ITEM_FRAME, is_stream ? ENC_STREAM_HEAD_MAX : FRAME_HEAD_LEN_MAX);
    item->outgoing = *outgoing;
    if (can_deflate(conn, outgoing))
        take_twin(item);
    if (outgoing->frame && is_stream)
        write_stream_head(item);
    else if (outgoing->frame)
        write_text_head(item);
    post_item(conn, item);
}

void enc_conn_close(struct enc_conn *conn, uint16_t code)
{
    struct enc_conn_item *item = new_item(ITEM_CLOSE, HEAD_LEN_MAX);
    item->head_len = conn->place.is_stream ? 0 : 4; /* a stream has an end, and no code for it */
    memcpy(item->head, (uint8_t[]){FIRST_CLOSE, 2, (uint8_t)(code >> 8), (uint8_t)code}, 4);
    post_item(conn, item);
}

static struct enc_conn_item *control_item(struct enc_conn *conn, uint8_t first)
{
    if (first == FIRST_PONG && conn->pong)
        return conn->pong; /* RFC 6455 5.5.3: only the last ping needs an answer */
    struct enc_conn_item *item = new_item(ITEM_CONTROL, ENC_CONTROL_LEN_MAX);
    push_head(&conn->queue, item);
    if (first == FIRST_PONG)
        conn->pong = item;
    return item;
}

void enc_conn_send_control(struct enc_conn *conn, const uint8_t *frame, size_t len)
{
    if (conn->is_closed)
        return;
    struct enc_conn_item *item = control_item(conn, frame[0]);
    conn->queued_len += len - item->head_len;
    item->head_len = (uint8_t)len;
    memcpy(item->head, frame, len);
    conn->is_closing |= frame[0] == FIRST_CLOSE;
    enc_conn_mark_dirty(conn);
}

/* Whether item may leave; what may not is freed. */
static bool admit(struct enc_conn *conn, struct enc_conn_item *item)
{
    if (item == conn->pong)
        conn->pong = NULL;
    const struct enc_outgoing *outgoing = &item->outgoing;
    if (item->kind != ITEM_FRAME ||
        enc_host_socket_admits(conn->socket, outgoing->stream, outgoing->is_last))
        return true;
    conn->queued_len -= item_len(item);
    enc_metric_add(ENC_METRIC_FRAMES_STALE, 1);
    free_item(item);
    return false;
}

static void drop_queue(struct enc_conn *conn)
{
    conn->pong = NULL;
    enc_conn_free_queue(&conn->queue);
}

/* Move what leaves together from queue to flight; returns its bytes. Nothing follows a close
 * frame. */
static size_t gather(struct enc_conn *conn)
{
    size_t len = 0;
    for (unsigned count = 0; count < BATCH_ITEMS_MAX && len < BATCH_LEN_MAX;) {
        struct enc_conn_item *item = pop_head(&conn->queue);
        if (!item)
            break;
        if (!admit(conn, item))
            continue;
        push_tail(&conn->flight, item);
        len += item_len(item);
        count++;
        if (is_farewell(item)) {
            drop_queue(conn);
            break;
        }
    }
    return len;
}

/* What has left: tell who asked to be told. Returns whether the close frame was among it. */
static bool settle_flight(struct enc_conn *conn)
{
    bool has_farewell = false;
    free(conn->flat);
    conn->flat = NULL;
    for (struct enc_conn_item *item = pop_head(&conn->flight); item;
         item = pop_head(&conn->flight)) {
        conn->queued_len -= item_len(item);
        has_farewell |= is_farewell(item);
        if (item->outgoing.frame)
            enc_metric_add(ENC_METRIC_FRAMES_OUT, 1);
        if (item->is_deflated)
            enc_metric_add(ENC_METRIC_FRAMES_DEFLATED, 1);
        if (item->outgoing.wants_ack)
            enc_host_socket_written(conn->socket, item->outgoing.stream);
        free_item(item);
    }
    return has_farewell;
}

static void flush(struct enc_conn *conn);

static void on_written(h2o_socket_t *sock, const char *err)
{
    struct enc_conn *conn = sock->data;
    if (err) {
        enc_conn_gone(conn);
        return;
    }
    if (settle_flight(conn))
        enc_conn_after_farewell(conn);
    else
        flush(conn);
}

enum { PIECES = 4 };

/* What an item is made of, in order. */
static void pieces_of(struct enc_bytes pieces[PIECES], const struct enc_conn_item *item)
{
    pieces[0] = enc_bytes_of(item->head, item->head_len);
    pieces[1] = bytes_of(item->outgoing.frame);
    pieces[2] = bytes_of(item->outgoing.rest);
    pieces[3] = enc_bytes_of(ENC_STREAM_TAIL, item->tail_len);
}

static size_t vector_of(struct iovec vector[PIECES * BATCH_ITEMS_MAX], const struct enc_conn *conn)
{
    struct enc_bytes pieces[PIECES];
    size_t count = 0;
    for (struct enc_conn_item *item = conn->flight.head; item; item = item->next) {
        pieces_of(pieces, item);
        for (int i = 0; i < PIECES; i++)
            if (pieces[i].len > 0)
                vector[count++] = (struct iovec){(void *)(uintptr_t)pieces[i].data, pieces[i].len};
    }
    return count;
}

/* What is left of vector behind its first len bytes goes the long way. */
static void write_rest(struct enc_conn *conn, const struct iovec *vector, size_t count, size_t len)
{
    h2o_iovec_t rest[PIECES * BATCH_ITEMS_MAX];
    size_t first = 0;
    for (; first < count && len >= vector[first].iov_len; first++)
        len -= vector[first].iov_len;
    for (size_t i = first; i < count; i++)
        rest[i - first] = h2o_iovec_init(vector[i].iov_base, vector[i].iov_len);
    ENC_CHECK(first < count); /* all of it is no rest */
    rest[0].base += len;
    rest[0].len -= len;
    h2o_socket_write(conn->sock, rest, count - first, on_written);
}

/* Whether all of it has left. What fails is found out by the long way. */
static bool write_shared(struct enc_conn *conn, size_t len)
{
    struct iovec vector[PIECES * BATCH_ITEMS_MAX];
    size_t count = vector_of(vector, conn);
    ssize_t taken = writev(h2o_socket_get_fd(conn->sock), vector, (int)count);
    if (taken == (ssize_t)len)
        return true;
    write_rest(conn, vector, count, taken > 0 ? (size_t)taken : 0);
    return false;
}

/* TLS would make a record of every header; it copies anyway. */
static void write_flat(struct enc_conn *conn, size_t len)
{
    uint8_t *at = enc_net_new(len);
    h2o_iovec_t whole = h2o_iovec_init(at, len);
    struct enc_bytes pieces[PIECES];
    conn->flat = at;
    for (struct enc_conn_item *item = conn->flight.head; item; item = item->next) {
        pieces_of(pieces, item);
        for (int i = 0; i < PIECES; at += pieces[i++].len)
            if (pieces[i].len > 0)
                memcpy(at, pieces[i].data, pieces[i].len);
    }
    h2o_socket_write(conn->sock, &whole, 1, on_written);
}

/* False: it was bare marks and has left already. */
static bool write_stream(struct enc_conn *conn, size_t len)
{
    struct iovec vector[PIECES * BATCH_ITEMS_MAX];
    struct enc_stream_flight flight = {.ends = is_farewell(conn->flight.tail)};
    if (len == 0 && !flight.ends)
        return false;
    flight.vector = vector;
    flight.count = vector_of(vector, conn);
    flight.first = &conn->flight.head->outgoing;
    enc_stream_write(conn, &flight);
    return true;
}

static void flush_stream(struct enc_conn *conn)
{
    while (conn->queue.head && !conn->flight.head) {
        size_t len = gather(conn);
        if (conn->flight.head && write_stream(conn, len))
            return; /* the stream may be gone */
        settle_flight(conn);
    }
}

void enc_conn_go_on(struct enc_conn *conn)
{
    settle_flight(conn);
    flush_stream(conn);
}

/* Write as much as goes in one piece; a flight of bare marks has left as soon as it is gathered. */
static void flush(struct enc_conn *conn)
{
    while (conn->queue.head && !conn->flight.head) {
        size_t len = gather(conn);
        if (len > 0 && conn->sock->ssl)
            write_flat(conn, len);
        else if ((len == 0 || write_shared(conn, len)) && settle_flight(conn)) {
            enc_conn_after_farewell(conn);
            return;
        }
    }
}

void enc_conn_flush_dirty(struct enc_loop *loop)
{
    while (loop->dirty) {
        struct enc_conn *conn = loop->dirty;
        loop->dirty = conn->dirty_next;
        conn->is_dirty = false;
        if (conn->sock)
            flush(conn);
        else if (conn->stream)
            flush_stream(conn);
        enc_conn_drop(conn);
    }
}
