/* HTTP/2 without TLS, by nghttp2: one request a stream, many streams a connection. */
#include "bench/load.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <unistd.h>

enum { WINDOW_LEN = 1 << 24, READ_LEN = 1 << 18, HEADER_COUNT = 6 };

struct h2 {
    struct load_conn conn;
    nghttp2_session *session;
    const char *host;
};

struct stream {
    struct h2 *h2;
    size_t index;
    size_t sent_len;
    unsigned status;
    uint8_t *answer;
    size_t len;
    size_t cap;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "h2: %s\n", what);
    exit(1);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct stream *stream = (struct stream *)source->ptr;
    struct enc_bytes body = stream->h2->conn.work->requests[stream->index].body;
    size_t rest = body.len - stream->sent_len;
    size_t part = rest < len ? rest : len;
    (void)session;
    (void)id;
    (void)user;
    memcpy(out, body.data + stream->sent_len, part);
    stream->sent_len += part;
    if (stream->sent_len == body.len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

static nghttp2_nv header(const char *name, struct enc_bytes value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value.data, strlen(name),
                        value.len, NGHTTP2_NV_FLAG_NONE};
}

static void h2_submit(struct load_conn *conn, size_t index)
{
    struct h2 *h2 = (struct h2 *)conn;
    const struct load_request *request = &conn->work->requests[index];
    struct stream *stream = (struct stream *)load_alloc(1, sizeof *stream);
    char len[24];
    stream->h2 = h2;
    stream->index = index;
    snprintf(len, sizeof len, "%zu", request->body.len);
    const nghttp2_nv headers[HEADER_COUNT] = {
        header(":method", request->method),
        header(":scheme", ENC_LIT("http")),
        header(":authority", enc_bytes_of_text(h2->host)),
        header(":path", request->path),
        header("content-type", ENC_LIT("application/json")),
        header("content-length", enc_bytes_of_text(len)),
    };
    nghttp2_data_provider body = {.source = {.ptr = stream}, .read_callback = read_body};
    if (nghttp2_submit_request(h2->session, NULL, headers, HEADER_COUNT,
                               request->body.len ? &body : NULL, stream) < 0)
        fail("submit");
}

static struct stream *stream_of(nghttp2_session *session, int32_t id)
{
    return (struct stream *)nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct stream *stream = stream_of(session, frame->hd.stream_id);
    (void)value_len;
    (void)flags;
    (void)user;
    if (stream && enc_bytes_is(enc_bytes_of(name, name_len), ":status"))
        stream->status = (unsigned)strtoul((const char *)value, NULL, 10);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *user)
{
    struct stream *stream = stream_of(session, id);
    (void)flags;
    (void)user;
    if (!stream)
        return 0;
    if (stream->len + len > stream->cap) {
        stream->cap = 2 * (stream->len + len);
        stream->answer = (uint8_t *)realloc(stream->answer, stream->cap);
        if (!stream->answer)
            fail("memory");
    }
    memcpy(stream->answer + stream->len, data, len);
    stream->len += len;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct stream *stream = stream_of(session, id);
    (void)user;
    if (!stream)
        return 0;
    load_answered(&stream->h2->conn, stream->index, code ? 0 : stream->status,
                  enc_bytes_of(stream->answer, stream->len));
    free(stream->answer);
    free(stream);
    return 0;
}

static nghttp2_session *new_session(struct h2 *h2)
{
    static const nghttp2_settings_entry WINDOW = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_LEN};
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_session *session = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        fail("memory");
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (nghttp2_session_client_new(&session, callbacks, h2) != 0)
        fail("memory");
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &WINDOW, 1);
    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW_LEN);
    return session;
}

static struct load_conn *h2_open(struct load_work *work, const struct load_options *options)
{
    struct h2 *h2 = (struct h2 *)load_alloc(1, sizeof *h2);
    h2->conn = (struct load_conn){work, load_connect(options->host, options->port), 0};
    h2->host = options->host;
    h2->session = new_session(h2);
    return &h2->conn;
}

static void h2_flush(struct load_conn *conn)
{
    struct h2 *h2 = (struct h2 *)conn;
    const uint8_t *data = NULL;
    ssize_t len;
    while ((len = nghttp2_session_mem_send(h2->session, &data)) > 0)
        load_send_all(conn->fd, data, (size_t)len);
}

static void h2_read(struct load_conn *conn)
{
    static uint8_t buffer[READ_LEN];
    struct h2 *h2 = (struct h2 *)conn;
    ssize_t got = read(conn->fd, buffer, sizeof buffer);
    if (got <= 0 || nghttp2_session_mem_recv(h2->session, buffer, (size_t)got) < 0)
        fail("receive");
    h2_flush(conn); /* acknowledgements and windows */
}

static void h2_close(struct load_conn *conn)
{
    struct h2 *h2 = (struct h2 *)conn;
    nghttp2_session_del(h2->session);
    close(conn->fd);
    free(h2);
}

const struct load_wire load_h2 = {"h2", 100, h2_open, h2_submit, h2_flush, h2_read, h2_close};
