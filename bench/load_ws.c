/*
 * A WebSocket that sends prepared text frames. The mask is zero, which RFC 6455 allows and which
 * leaves the payload as it is. Answers come in no order between enclaves, so each is brought back
 * to its request by the hash of the commit.
 */
#include "bench/load.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_LEN = 1 << 20, HEADER_MAX = 14, OUT_LEN = 1 << 18, HASH_HEX = 16, OPCODE_TEXT = 1 };

struct place {
    uint64_t hash; /* the first digits; 0: free */
    size_t index;
};

struct ws {
    struct load_conn conn;
    struct place *places; /* commits under way, open addressing */
    size_t place_mask;
    uint8_t out[OUT_LEN];
    size_t out_len;
    uint8_t in[2 * READ_LEN];
    size_t in_len;
};

int load_ws_connect(const struct load_options *options)
{
    int fd = load_connect(options->host, options->port);
    char text[512];
    int len = snprintf(text, sizeof text,
                       "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                       options->host,
                       options->deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    load_send_all(fd, text, (size_t)len);
    size_t got = 0;
    while (got < 4 || memcmp(text + got - 4, "\r\n\r\n", 4) != 0)
        if (got == sizeof text || read(fd, text + got, 1) != 1)
            load_die("ws: handshake");
        else
            got++;
    if (memcmp(text, "HTTP/1.1 101", 12) != 0)
        load_die("ws: no upgrade");
    return fd;
}

static size_t put_header(uint8_t header[HEADER_MAX], size_t len)
{
    size_t at = 2;
    header[0] = 0x80 | OPCODE_TEXT;
    if (len < 126) {
        header[1] = (uint8_t)(0x80 | len);
    } else if (len < 65536) {
        header[1] = 0x80 | 126;
        header[2] = (uint8_t)(len >> 8);
        header[3] = (uint8_t)len;
        at = 4;
    } else {
        header[1] = 0x80 | 127;
        enc_be64_put(header + 2, len);
        at = 10;
    }
    memset(header + at, 0, 4);
    return at + 4;
}

void load_ws_send(int fd, struct enc_bytes text)
{
    uint8_t header[HEADER_MAX];
    load_send_all(fd, header, put_header(header, text.len));
    load_send_all(fd, text.data, text.len);
}

static uint64_t hash_in(struct enc_bytes json)
{
    static const char NAME[] = "\"hash\":\"";
    const char *found = memmem(json.data, json.len, NAME, sizeof NAME - 1);
    if (!found || found + sizeof NAME + HASH_HEX > (const char *)json.data + json.len)
        return 0;
    char digits[HASH_HEX + 1] = {0};
    memcpy(digits, found + sizeof NAME - 1, HASH_HEX);
    return strtoull(digits, NULL, 16);
}

static struct place *place_of(struct ws *ws, uint64_t hash)
{
    size_t at = hash & ws->place_mask;
    while (ws->places[at].hash != 0 && ws->places[at].hash != hash)
        at = (at + 1) & ws->place_mask;
    return &ws->places[at];
}

static struct load_conn *ws_open(struct load_work *work, const struct load_options *options)
{
    struct ws *ws = (struct ws *)load_alloc(1, sizeof *ws);
    size_t places = 2;
    while (places < 2 * work->count)
        places *= 2;
    ws->conn = (struct load_conn){work, load_ws_connect(options), 0};
    ws->places = (struct place *)load_alloc(places, sizeof *ws->places);
    ws->place_mask = places - 1;
    return &ws->conn;
}

static void ws_flush(struct load_conn *conn)
{
    struct ws *ws = (struct ws *)conn;
    load_send_all(conn->fd, ws->out, ws->out_len);
    ws->out_len = 0;
}

static void ws_submit(struct load_conn *conn, size_t index)
{
    struct ws *ws = (struct ws *)conn;
    struct enc_bytes body = conn->work->requests[index].body;
    *place_of(ws, hash_in(body)) = (struct place){hash_in(body), index};
    if (ws->out_len + body.len + HEADER_MAX > sizeof ws->out)
        ws_flush(conn);
    if (body.len + HEADER_MAX > sizeof ws->out) {
        load_ws_send(conn->fd, body);
        return;
    }
    ws->out_len += put_header(ws->out + ws->out_len, body.len);
    memcpy(ws->out + ws->out_len, body.data, body.len);
    ws->out_len += body.len;
}

/* One server frame at the start of data: its payload, or false while it is not complete. */
static bool parse_frame(struct enc_bytes *payload, size_t *used, const uint8_t *data, size_t len)
{
    if (len < 2)
        return false;
    size_t body_len = data[1] & 127;
    size_t at = body_len == 126 ? 4 : body_len == 127 ? 10 : 2;
    if (len < at)
        return false;
    if (body_len == 126)
        body_len = (size_t)data[2] << 8 | data[3];
    else if (body_len == 127)
        body_len = (size_t)enc_be64_get(data + 2);
    *payload = enc_bytes_of(data + at, body_len);
    *used = at + body_len;
    return len >= *used;
}

static void answered(struct ws *ws, struct enc_bytes payload)
{
    struct place *place = place_of(ws, hash_in(payload));
    if (place->hash == 0) {
        fprintf(stderr, "ws: %.*s\n", (int)payload.len, (const char *)payload.data);
        exit(1);
    }
    load_answered(&ws->conn, place->index, 200, payload);
}

static void ws_read(struct load_conn *conn)
{
    struct ws *ws = (struct ws *)conn;
    ssize_t got = read(conn->fd, ws->in + ws->in_len, READ_LEN);
    if (got <= 0)
        load_die("ws: receive");
    ws->in_len += (size_t)got;
    size_t at = 0;
    size_t used = 0;
    struct enc_bytes payload;
    while (parse_frame(&payload, &used, ws->in + at, ws->in_len - at)) {
        if ((ws->in[at] & 15) == OPCODE_TEXT)
            answered(ws, payload);
        at += used;
    }
    memmove(ws->in, ws->in + at, ws->in_len - at);
    ws->in_len -= at;
}

static void ws_close(struct load_conn *conn)
{
    struct ws *ws = (struct ws *)conn;
    close(conn->fd);
    free(ws->places);
    free(ws);
}

const struct load_wire load_ws = {"ws", SIZE_MAX, ws_open, ws_submit, ws_flush, ws_read, ws_close};
