#include "net/encctl/ws.h"

#include "net/encctl/out.h"
#include "net/process.h"
#include "proto/base/hex.h"

#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <wslay/wslay.h>

enum {
    HEAD_LEN_MAX = 16384,
    HANDSHAKE_MS = 10000,
    MESSAGE_LEN_MAX = 64 << 20,
    CLOSE_NORMAL = 1000,
    NONCE_TEXT_LEN = 24, /* base64 of 16 bytes */
    ACCEPT_TEXT_LEN = 28 /* base64 of 20 bytes */
};

struct enc_ws {
    CURL *curl;
    curl_socket_t fd;
    wslay_event_context_ptr wslay;
    enc_ws_text *text;
    void *opaque;
    uint8_t head[HEAD_LEN_MAX]; /* of the answer, and what came right behind it */
    size_t head_len;
    size_t head_used;
    uint64_t message_count; /* delivered */
    bool has_ended;
    bool said_goodbye;
};

/* ---- what wslay asks for ---- */

static size_t take_early(struct enc_ws *ws, uint8_t *out, size_t len)
{
    size_t rest = ws->head_len - ws->head_used;
    size_t piece = rest < len ? rest : len;
    memcpy(out, ws->head + ws->head_used, piece);
    ws->head_used += piece;
    return piece;
}

static ssize_t give_up(struct enc_ws *ws, CURLcode code)
{
    bool waits = code == CURLE_AGAIN;
    ws->has_ended = ws->has_ended || !waits;
    wslay_event_set_error(ws->wslay, waits ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_recv(wslay_event_context_ptr wslay, uint8_t *out, size_t len, int flags,
                       void *self)
{
    (void)wslay;
    (void)flags;
    struct enc_ws *ws = (struct enc_ws *)self;
    size_t got = take_early(ws, out, len);
    if (got > 0)
        return (ssize_t)got;
    CURLcode code = curl_easy_recv(ws->curl, out, len, &got);
    return code == CURLE_OK && got > 0 ? (ssize_t)got : give_up(ws, code);
}

static ssize_t on_send(wslay_event_context_ptr wslay, const uint8_t *data, size_t len, int flags,
                       void *self)
{
    (void)wslay;
    (void)flags;
    struct enc_ws *ws = (struct enc_ws *)self;
    size_t sent = 0;
    CURLcode code = curl_easy_send(ws->curl, data, len, &sent);
    return code == CURLE_OK && sent > 0 ? (ssize_t)sent : give_up(ws, code);
}

static int on_mask(wslay_event_context_ptr wslay, uint8_t *out, size_t len, void *self)
{
    (void)wslay;
    (void)self;
    enc_process_random(out, len);
    return 0;
}

static void on_message(wslay_event_context_ptr wslay,
                       const struct wslay_event_on_msg_recv_arg *message, void *self)
{
    (void)wslay;
    struct enc_ws *ws = (struct enc_ws *)self;
    ws->message_count++;
    if (message->opcode == WSLAY_TEXT_FRAME)
        ws->text(ws->opaque, enc_bytes_of(message->msg, message->msg_length));
    if (message->opcode == WSLAY_CONNECTION_CLOSE)
        ws->said_goodbye = true;
}

/* ---- the handshake ---- */

static bool wait_fd(const struct enc_ws *ws, short events, int timeout_ms)
{
    struct pollfd wait = {.fd = ws->fd, .events = events};
    return poll(&wait, 1, timeout_ms) > 0;
}

static bool send_all(struct enc_ws *ws, const char *data, size_t len)
{
    while (len > 0) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(ws->curl, data, len, &sent);
        if (code != CURLE_OK && code != CURLE_AGAIN)
            return false;
        data += sent;
        len -= sent;
        if (code == CURLE_AGAIN && !wait_fd(ws, POLLOUT, HANDSHAKE_MS))
            return false;
    }
    return true;
}

/* Read until the empty line; what lies behind it stays for on_recv. */
static bool read_head(struct enc_ws *ws)
{
    while (ws->head_len < HEAD_LEN_MAX) {
        size_t got = 0;
        CURLcode code =
            curl_easy_recv(ws->curl, ws->head + ws->head_len, HEAD_LEN_MAX - ws->head_len, &got);
        ws->head_len += got;
        uint8_t *end = (uint8_t *)memmem(ws->head, ws->head_len, "\r\n\r\n", 4);
        if (end) {
            ws->head_used = (size_t)(end + 4 - ws->head);
            end[2] = '\0';
            return true;
        }
        bool is_over = code != CURLE_OK && code != CURLE_AGAIN;
        if (is_over || (code == CURLE_OK && got == 0))
            return false;
        if (code == CURLE_AGAIN && !wait_fd(ws, POLLIN, HANDSHAKE_MS))
            return false;
    }
    return false;
}

/* RFC 6455 4.2.2: base64 of SHA-1 of our nonce and a fixed text. */
static void expected_accept(char out28[ACCEPT_TEXT_LEN], const char *nonce24)
{
    char text[NONCE_TEXT_LEN + 36 + 1];
    uint8_t digest[EVP_MAX_MD_SIZE];
    snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", nonce24);
    ENC_CHECK(EVP_Digest(text, strlen(text), digest, NULL, EVP_sha1(), NULL) == 1);
    enc_base64_encode(out28, enc_bytes_of(digest, 20));
}

static bool is_accepted(const char *head, const char *nonce24)
{
    char accept28[ACCEPT_TEXT_LEN];
    static const char NAME[] = "\r\nSec-WebSocket-Accept:";
    const char *value = strcasestr(head, NAME);
    expected_accept(accept28, nonce24);
    if (strncmp(head, "HTTP/1.1 101", 12) != 0 || !value)
        return false;
    value += sizeof NAME - 1;
    value += strspn(value, " \t");
    return strncmp(value, accept28, ACCEPT_TEXT_LEN) == 0;
}

/* url is scheme://host[:port][/mount]. */
static bool ask_upgrade(struct enc_ws *ws, const struct enc_ctl *ctl, const char *path,
                        const char *nonce24)
{
    char head[4096];
    const char *host = strstr(ctl->url, "://");
    host = host ? host + 3 : ctl->url;
    const char *mount = strchr(host, '/');
    int host_len = mount ? (int)(mount - host) : (int)strlen(host);
    int len = snprintf(head, sizeof head,
                       "GET %s%s HTTP/1.1\r\nHost: %.*s\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: %.24s\r\n\r\n",
                       mount ? mount : "", path, host_len, host, nonce24);
    return len > 0 && (size_t)len < sizeof head && send_all(ws, head, (size_t)len);
}

static const char *shake_hands(struct enc_ws *ws, const struct enc_ctl *ctl, const char *path)
{
    uint8_t nonce16[16];
    char nonce24[NONCE_TEXT_LEN];
    enc_process_random(nonce16, sizeof nonce16);
    enc_base64_encode(nonce24, enc_bytes_of(nonce16, sizeof nonce16));
    if (!ask_upgrade(ws, ctl, path, nonce24) || !read_head(ws))
        return "the connection ended in the handshake";
    return is_accepted((const char *)ws->head, nonce24) ? NULL : "no WebSocket there";
}

static const char *connect_socket(struct enc_ws *ws, const char *url)
{
    ws->curl = curl_easy_init();
    ENC_CHECK(ws->curl != NULL);
    curl_easy_setopt(ws->curl, CURLOPT_URL, url);
    curl_easy_setopt(ws->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(ws->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(ws->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(ws->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)HANDSHAKE_MS);
    curl_easy_setopt(ws->curl, CURLOPT_NOSIGNAL, 1L);
    CURLcode code = curl_easy_perform(ws->curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(ws->curl, CURLINFO_ACTIVESOCKET, &ws->fd);
    return code == CURLE_OK ? NULL : curl_easy_strerror(code);
}

static void start_wslay(struct enc_ws *ws)
{
    static const struct wslay_event_callbacks CALLBACKS = {
        .recv_callback = on_recv,
        .send_callback = on_send,
        .genmask_callback = on_mask,
        .on_msg_recv_callback = on_message,
    };
    ENC_CHECK(wslay_event_context_client_init(&ws->wslay, &CALLBACKS, ws) == 0);
    wslay_event_config_set_max_recv_msg_length(ws->wslay, MESSAGE_LEN_MAX);
}

static void free_ws(struct enc_ws *ws)
{
    wslay_event_context_free(ws->wslay);
    curl_easy_cleanup(ws->curl);
    free(ws);
}

struct enc_ws *enc_ws_open(struct enc_ctl *ctl, const char *path, enc_ws_text *text, void *opaque)
{
    struct enc_ws *ws = (struct enc_ws *)calloc(1, sizeof *ws);
    ENC_CHECK(ws != NULL);
    ws->text = text;
    ws->opaque = opaque;
    start_wslay(ws);
    const char *why = connect_socket(ws, ctl->url);
    if (!why)
        why = shake_hands(ws, ctl, path);
    if (!why)
        return ws;
    enc_out_fault("%s%s: %s", ctl->url, path, why);
    free_ws(ws);
    return NULL;
}

/* ---- life ---- */

void enc_ws_send(struct enc_ws *ws, struct enc_bytes text)
{
    struct wslay_event_msg message = {WSLAY_TEXT_FRAME, text.data, text.len};
    if (!ws->has_ended && !ws->said_goodbye)
        ENC_CHECK(wslay_event_queue_msg(ws->wslay, &message) == 0);
}

size_t enc_ws_unsent(const struct enc_ws *ws)
{
    return wslay_event_get_queued_msg_length(ws->wslay);
}

static bool is_over(struct enc_ws *ws)
{
    return ws->has_ended || ws->said_goodbye || !wslay_event_want_read(ws->wslay);
}

static void move(struct enc_ws *ws)
{
    bool is_moving = wslay_event_recv(ws->wslay) == 0;
    if (wslay_event_want_write(ws->wslay))
        is_moving = wslay_event_send(ws->wslay) == 0 && is_moving;
    ws->has_ended = ws->has_ended || !is_moving;
}

/* The first move takes what poll does not see; who got something from it must not wait for more. */
bool enc_ws_wait(struct enc_ws *ws, int more_fd, int timeout_ms)
{
    uint64_t before = ws->message_count;
    move(ws);
    short events = wslay_event_want_write(ws->wslay) ? POLLIN | POLLOUT : POLLIN;
    struct pollfd waits[2] = {{.fd = ws->fd, .events = events}, {.fd = more_fd, .events = POLLIN}};
    bool has_news = ws->message_count > before;
    if (!is_over(ws) && poll(waits, 2, has_news ? 0 : timeout_ms) > 0)
        move(ws);
    if (ws->has_ended && !ws->said_goodbye)
        enc_out_fault("the connection to the node was lost");
    return !is_over(ws);
}

void enc_ws_close(struct enc_ws *ws)
{
    if (!ws)
        return;
    if (!is_over(ws) && wslay_event_queue_close(ws->wslay, CLOSE_NORMAL, NULL, 0) == 0)
        wslay_event_send(ws->wslay);
    free_ws(ws);
}
