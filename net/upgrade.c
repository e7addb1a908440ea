/* From an HTTP/1.1 request to a WebSocket. */
#include "net/upgrade.h"
#include "net/call.h"
#include "net/conn.h"
#include "net/metric.h"
#include "net/origin.h"
#include "net/respond.h"
#include "net/server.h"
#include "net/ticket.h"
#include "proto/base/hex.h"
#include "proto/deflate_offer.h"

#include <h2o/http1.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { KEY_LEN = 24, SHA1_LEN = 20, ACCEPT_LEN = 28 };

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static const struct enc_refusal NO_KEY = {
    .err = ENC_ERR_INVALID_REQUEST, .message = "Sec-WebSocket-Key must be 16 bytes as base64"};
static const struct enc_refusal OTHER_VERSION = {.err = ENC_ERR_INVALID_REQUEST,
                                                 .status = 426,
                                                 .message = "only WebSocket version 13 is spoken"};
static const struct enc_refusal TOO_MANY = {.err = ENC_ERR_RATE_LIMITED,
                                            .message = "too many WebSockets from this address"};
static const struct enc_refusal STOPPING = {.err = ENC_ERR_BUSY, .message = "the node is stopping"};

bool enc_upgrade_is_asked(const h2o_req_t *req)
{
    return req->version == 0x101 && req->upgrade.base &&
           h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) &&
           h2o_lcstris(req->upgrade.base, req->upgrade.len, H2O_STRLIT("websocket"));
}

static struct enc_bytes header(const h2o_req_t *req, const char *name)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, name, strlen(name), -1);
    if (at == -1)
        return (struct enc_bytes){NULL, 0};
    return enc_bytes_of(req->headers.entries[at].value.base, req->headers.entries[at].value.len);
}

static bool is_key(struct enc_bytes key)
{
    uint8_t decoded[KEY_LEN];
    char text[KEY_LEN];
    if (key.len != KEY_LEN || memcmp(key.data + KEY_LEN - 2, "==", 2) != 0)
        return false;
    memcpy(text, key.data, KEY_LEN);
    return EVP_DecodeBlock(decoded, (const unsigned char *)text, KEY_LEN) == 18;
}

const struct enc_refusal *enc_upgrade_check(const h2o_req_t *req)
{
    if (!enc_bytes_is(header(req, "sec-websocket-version"), "13"))
        return &OTHER_VERSION;
    return is_key(header(req, "sec-websocket-key")) ? NULL : &NO_KEY;
}

static void add(h2o_req_t *req, const char *name, const char *value, size_t len)
{
    h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 1, NULL, value, len);
}

/* RFC 6455 4.2.2: SHA-1 of the key and the GUID, as base64. */
static void add_accept(h2o_req_t *req)
{
    struct enc_bytes key = header(req, "sec-websocket-key");
    uint8_t source[KEY_LEN + sizeof GUID - 1], digest[SHA1_LEN];
    char *accept = h2o_mem_alloc_pool(&req->pool, ACCEPT_LEN);
    ENC_CHECK(key.len == KEY_LEN && key.data != NULL);
    memcpy(source, key.data, KEY_LEN);
    memcpy(source + KEY_LEN, GUID, sizeof GUID - 1);
    ENC_CHECK(EVP_Digest(source, sizeof source, digest, NULL, EVP_sha1(), NULL) == 1);
    enc_base64_encode(accept, enc_bytes_of(digest, sizeof digest));
    add(req, "sec-websocket-accept", accept, ACCEPT_LEN);
}

/* What stands in several fields of one name is one list (RFC 9110 5.3), and the first offer in it
 * that can be taken is taken. */
static bool find_offer(struct enc_deflate_terms *out, const h2o_req_t *req)
{
    static const char NAME[] = "sec-websocket-extensions";
    ssize_t at = -1;
    while ((at = h2o_find_header_by_str(&req->headers, NAME, sizeof NAME - 1, at)) != -1) {
        h2o_iovec_t value = req->headers.entries[at].value;
        if (enc_deflate_offer_take(out, enc_bytes_of(value.base, value.len)))
            return true;
    }
    return false;
}

static void agree_to_deflate(struct enc_conn *conn, h2o_req_t *req)
{
    struct enc_deflate_terms terms;
    char *answer = h2o_mem_alloc_pool(&req->pool, ENC_DEFLATE_ANSWER_MAX);
    if (conn->loop->server->config->ws_deflate != ENC_DEFLATE_ON || !find_offer(&terms, req))
        return;
    conn->deflate_bits = terms.window_bits;
    add(req, "sec-websocket-extensions", answer, enc_deflate_offer_answer(answer, &terms));
}

static void refuse_call(struct enc_call *call, h2o_req_t *req, const struct enc_ws_place *place,
                        const struct enc_refusal *refusal)
{
    enc_host_count_error(enc_loop_of_request(req)->server->host, refusal->err);
    enc_call_withdraw(call, enc_refusal_status(refusal), place);
    enc_respond_refusal(req, refusal);
}

static void on_upgraded(void *opaque, h2o_socket_t *sock, size_t request_len)
{
    struct enc_conn *conn = opaque;
    if (sock) {
        h2o_buffer_consume(&sock->input, request_len);
        enc_conn_open(conn, sock);
        return;
    }
    enc_origins_give(conn->loop->server->origins, conn->bucket16, ENC_ORIGIN_SOCKET);
    enc_conn_drop(conn);
}

static struct enc_conn *new_conn(const struct enc_peer *peer, const struct enc_ws_place *place)
{
    struct enc_conn *conn = enc_net_new(sizeof *conn);
    atomic_init(&conn->holds, 1);
    conn->loop = peer->loop;
    conn->place = *place;
    memcpy(conn->bucket16, peer->bucket16, sizeof conn->bucket16);
    return conn;
}

struct enc_conn *enc_conn_admit(h2o_req_t *req, struct enc_call *call,
                                const struct enc_ws_place *place)
{
    const struct enc_peer *peer = enc_peer_of_request(req);
    if (peer->loop->is_draining) {
        refuse_call(call, req, place, &STOPPING);
        return NULL;
    }
    if (!enc_origins_take(peer->loop->server->origins, peer->bucket16, ENC_ORIGIN_SOCKET)) {
        enc_metric_add(ENC_METRIC_REFUSED_SOCKETS, 1);
        refuse_call(call, req, place, &TOO_MANY);
        return NULL;
    }
    return new_conn(peer, place);
}

void enc_conn_upgrade(h2o_req_t *req, struct enc_call *call, const struct enc_ws_place *place)
{
    struct enc_conn *conn = enc_conn_admit(req, call, place);
    if (!conn)
        return;
    enc_call_withdraw(call, 101, place);
    req->res.status = 101;
    req->res.reason = enc_status_reason(101);
    enc_metric_count_status(101);
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_UPGRADE, NULL, H2O_STRLIT("websocket"));
    add_accept(req);
    agree_to_deflate(conn, req);
    enc_ticket_echo(req);
    h2o_http1_upgrade(req, NULL, 0, on_upgraded, conn);
}
