/* HTTP/1.1 with keep-alive, one request under way on each connection. */
#include "bench/load.h"

#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { HEAD_MAX = 1024, READ_LEN = 1 << 16 };

struct h1 {
    struct load_conn conn;
    const char *host;
    size_t index;
    uint8_t *out;
    size_t out_len;
    size_t out_cap;
    uint8_t *in;
    size_t in_len;
    size_t in_cap;
};

static void grow(uint8_t **data, size_t *cap, size_t need)
{
    if (need <= *cap)
        return;
    *cap = need * 2;
    *data = (uint8_t *)realloc(*data, *cap);
    if (!*data)
        load_die("memory");
}

static struct load_conn *h1_open(struct load_work *work, const struct load_options *options)
{
    struct h1 *h1 = (struct h1 *)load_alloc(1, sizeof *h1);
    h1->conn = (struct load_conn){work, load_connect(options->host, options->port), 0};
    h1->host = options->host;
    return &h1->conn;
}

static void h1_submit(struct load_conn *conn, size_t index)
{
    struct h1 *h1 = (struct h1 *)conn;
    const struct load_request *request = &conn->work->requests[index];
    grow(&h1->out, &h1->out_cap, HEAD_MAX + request->path.len + request->body.len);
    int len = snprintf((char *)h1->out, h1->out_cap,
                       "%.*s %.*s HTTP/1.1\r\nhost: %s\r\ncontent-type: application/json\r\n"
                       "content-length: %zu\r\n\r\n",
                       (int)request->method.len, (const char *)request->method.data,
                       (int)request->path.len, (const char *)request->path.data, h1->host,
                       request->body.len);
    memcpy(h1->out + len, request->body.data, request->body.len);
    h1->out_len = (size_t)len + request->body.len;
    h1->index = index;
}

static void h1_flush(struct load_conn *conn)
{
    struct h1 *h1 = (struct h1 *)conn;
    load_send_all(conn->fd, h1->out, h1->out_len);
    h1->out_len = 0;
}

/* The body's length out of a complete head; every answer of the node has one. */
static size_t content_length(const uint8_t *head, size_t head_len)
{
    static const char NAME[] = "\ncontent-length:";
    for (size_t at = 0; at + sizeof NAME < head_len; at++)
        if (strncasecmp((const char *)head + at, NAME, sizeof NAME - 1) == 0)
            return strtoul((const char *)head + at + sizeof NAME - 1, NULL, 10);
    fprintf(stderr, "h1: no content-length\n");
    exit(1);
}

static void h1_read(struct load_conn *conn)
{
    struct h1 *h1 = (struct h1 *)conn;
    grow(&h1->in, &h1->in_cap, h1->in_len + READ_LEN);
    ssize_t got = read(conn->fd, h1->in + h1->in_len, READ_LEN);
    if (got <= 0)
        load_die("h1: receive");
    h1->in_len += (size_t)got;
    const uint8_t *end = memmem(h1->in, h1->in_len, "\r\n\r\n", 4);
    if (!end)
        return;
    size_t head_len = (size_t)(end - h1->in) + 4;
    size_t body_len = content_length(h1->in, head_len);
    if (h1->in_len < head_len + body_len)
        return;
    ENC_CHECK(h1->in_len == head_len + body_len);
    unsigned status = (unsigned)strtoul((const char *)h1->in + sizeof "HTTP/1.1", NULL, 10);
    h1->in_len = 0;
    load_answered(conn, h1->index, status, enc_bytes_of(h1->in + head_len, body_len));
}

static void h1_close(struct load_conn *conn)
{
    struct h1 *h1 = (struct h1 *)conn;
    close(conn->fd);
    free(h1->out);
    free(h1->in);
    free(h1);
}

const struct load_wire load_h1 = {"h1", 1, h1_open, h1_submit, h1_flush, h1_read, h1_close};
