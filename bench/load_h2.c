/* An HTTP/2 client over nghttp2: one clear connection, one POST a stream. */
#include "bench/load.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STREAMS_MAX = 100, ANSWER_MAX = 4096 };

struct stream {
    struct load_work *work;
    size_t index;
    size_t sent_len;
    size_t len;
    uint8_t answer[ANSWER_MAX];
};

struct client {
    struct load_work *work;
    nghttp2_session *session;
    const char *host;
    int fd;
    size_t sent;
};

static void fail(const char *what)
{
    fprintf(stderr, "h2: %s\n", what);
    exit(1);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct stream *stream = (struct stream *)source->ptr;
    struct enc_bytes body = stream->work->bodies[stream->index];
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

static nghttp2_nv header(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static void submit(struct client *client)
{
    struct stream *stream = (struct stream *)calloc(1, sizeof *stream);
    if (!stream)
        fail("memory");
    stream->work = client->work;
    stream->index = client->sent++;
    char len[24];
    snprintf(len, sizeof len, "%zu", client->work->bodies[stream->index].len);
    const nghttp2_nv headers[] = {
        header(":method", "POST"),
        header(":scheme", "http"),
        header(":authority", client->host),
        header(":path", "/"),
        header("content-type", "application/json"),
        header("content-length", len),
    };
    nghttp2_data_provider body = {.source = {.ptr = stream}, .read_callback = read_body};
    client->work->sent_ns[stream->index] = load_now_ns();
    if (nghttp2_submit_request(client->session, NULL, headers, 6, &body, stream) < 0)
        fail("submit");
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *user)
{
    struct stream *stream = (struct stream *)nghttp2_session_get_stream_user_data(session, id);
    (void)flags;
    (void)user;
    if (stream && stream->len + len <= ANSWER_MAX) {
        memcpy(stream->answer + stream->len, data, len);
        stream->len += len;
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct stream *stream = (struct stream *)nghttp2_session_get_stream_user_data(session, id);
    (void)code;
    (void)user;
    if (stream)
        load_answered(stream->work, stream->index, enc_bytes_of(stream->answer, stream->len));
    free(stream);
    return 0;
}

static void flush(struct client *client)
{
    const uint8_t *data = NULL;
    ssize_t len;
    while ((len = nghttp2_session_mem_send(client->session, &data)) > 0)
        for (ssize_t at = 0; at < len;) {
            ssize_t sent = write(client->fd, data + at, (size_t)(len - at));
            if (sent <= 0)
                fail("send");
            at += sent;
        }
}

static void pump(struct client *client)
{
    static uint8_t buffer[1 << 18];
    struct load_work *work = client->work;
    size_t streams_max = work->in_flight < STREAMS_MAX ? work->in_flight : STREAMS_MAX;
    while (client->sent < work->count && client->sent - work->answered < streams_max)
        submit(client);
    flush(client);
    ssize_t got = read(client->fd, buffer, sizeof buffer);
    if (got <= 0 || nghttp2_session_mem_recv(client->session, buffer, (size_t)got) < 0)
        fail("receive");
}

void load_h2(struct load_work *work, const char *host, const char *port)
{
    struct client client = {.work = work, .host = host, .fd = load_connect(host, port)};
    nghttp2_session_callbacks *callbacks = NULL;
    const nghttp2_settings_entry window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20};
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        fail("memory");
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (nghttp2_session_client_new(&client.session, callbacks, &client) != 0)
        fail("memory");
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(client.session, NGHTTP2_FLAG_NONE, &window, 1);
    while (work->answered < work->count)
        pump(&client);
    nghttp2_session_del(client.session);
    close(client.fd);
}
