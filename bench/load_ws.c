/* A WebSocket client that does one thing: send prepared text frames, count answers. The mask is zero, which RFC 6455
 * allows and which leaves the payload as it is. */
#include "bench/load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READ_LEN = 1 << 20, HEADER_MAX = 14 };

struct reader {
    uint8_t data[2 * READ_LEN];
    size_t len;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void shake_hands(int fd, const char *host)
{
    char text[512];
    int len = snprintf(text, sizeof text,
                       "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                       host);
    if (write(fd, text, (size_t)len) != len)
        die("handshake");
    size_t got = 0;
    while (got < 4 || memcmp(text + got - 4, "\r\n\r\n", 4) != 0)
        if (got == sizeof text || read(fd, text + got, 1) != 1)
            die("handshake answer");
        else
            got++;
    if (memcmp(text, "HTTP/1.1 101", 12) != 0)
        die("no upgrade");
}

static size_t put_header(uint8_t header[HEADER_MAX], size_t len)
{
    size_t at = 2;
    header[0] = 0x81;
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

static void send_all(int fd, const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t sent = write(fd, data, len);
        if (sent <= 0)
            die("send");
        data += sent;
        len -= (size_t)sent;
    }
}

static void send_some(int fd, struct load_work *work, size_t *sent)
{
    static uint8_t buffer[1 << 18];
    size_t len = 0;
    while (*sent < work->count && *sent - work->answered < work->in_flight &&
           len + work->bodies[*sent].len + HEADER_MAX < sizeof buffer) {
        const struct enc_bytes *body = &work->bodies[*sent];
        len += put_header(buffer + len, body->len);
        memcpy(buffer + len, body->data, body->len);
        len += body->len;
        work->sent_ns[(*sent)++] = load_now_ns();
    }
    send_all(fd, buffer, len);
}

/* One server frame at the start of data: its payload, or false while it is not complete. */
static bool parse_frame(const uint8_t *data, size_t len, struct enc_bytes *payload, size_t *used)
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

static void read_some(int fd, struct reader *reader, struct load_work *work)
{
    ssize_t got = read(fd, reader->data + reader->len, READ_LEN);
    if (got <= 0)
        die("receive");
    reader->len += (size_t)got;
    size_t at = 0;
    size_t used = 0;
    struct enc_bytes payload;
    while (parse_frame(reader->data + at, reader->len - at, &payload, &used)) {
        if ((reader->data[at] & 15) == 1)
            load_answered(work, work->answered, payload);
        at += used;
    }
    memmove(reader->data, reader->data + at, reader->len - at);
    reader->len -= at;
}

void load_ws(struct load_work *work, const char *host, const char *port)
{
    static struct reader reader;
    size_t sent = 0;
    int fd = load_connect(host, port);
    shake_hands(fd, host);
    reader.len = 0;
    while (work->answered < work->count) {
        send_some(fd, work, &sent);
        read_some(fd, &reader, work);
    }
    close(fd);
}
