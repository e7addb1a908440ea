#include "net/amend.h"

#include "net/fields.h"
#include "net/metric.h"
#include "net/peer.h"
#include "net/respond.h"
#include "net/ticket.h"

enum { LINGER_LEN_MAX = 8 << 20 };

/* Our place in the chain of one answer, in the request's pool. */
struct amendment {
    h2o_ostream_t super; /* first */
    h2o_iovec_t body;    /* sent instead of what comes; base NULL = as it comes */
    bool must_linger;
    bool is_sent;
    size_t drained_len;
    h2o_req_t *req;
    h2o_socket_t *sock;
    h2o_timeout_entry_t timeout;
};

static const char CLOSE_MARK[] = "enc-close";

void enc_amend_close(h2o_req_t *req)
{
    req->http1_is_persistent = 0;
    *h2o_req_getenv(req, CLOSE_MARK, sizeof CLOSE_MARK - 1, 1) = h2o_iovec_init(H2O_STRLIT("1"));
}

static bool is_marked(h2o_req_t *req)
{
    return h2o_req_getenv(req, CLOSE_MARK, sizeof CLOSE_MARK - 1, 0) != NULL;
}

static void finish(struct amendment *amendment)
{
    h2o_timeout_unlink(&amendment->timeout);
    h2o_socket_read_stop(amendment->sock);
    enc_peer_of_socket(amendment->sock)->lingering = NULL;
    h2o_ostream_send_next(&amendment->super, amendment->req, NULL, 0, H2O_SEND_STATE_FINAL);
}

static void on_linger_timeout(h2o_timeout_entry_t *entry)
{
    finish(H2O_STRUCT_FROM_MEMBER(struct amendment, timeout, entry));
}

static void on_linger_read(h2o_socket_t *sock, const char *err)
{
    struct amendment *amendment = enc_peer_of_socket(sock)->lingering;
    amendment->drained_len += sock->bytes_read;
    h2o_buffer_consume(&sock->input, sock->input->size);
    if (err || amendment->drained_len > LINGER_LEN_MAX)
        finish(amendment);
}

/* The answer has left. Say that no more comes, and read on until the client has seen it or a
 * second is over. */
static void linger(struct amendment *amendment)
{
    struct enc_peer *peer = enc_peer_of_socket(amendment->sock);
    h2o_context_t *http = amendment->req->conn->ctx;
    peer->lingering = amendment;
    amendment->timeout.cb = on_linger_timeout;
    h2o_timeout_link(http->loop, &http->one_sec_timeout, &amendment->timeout);
    if (!amendment->sock->ssl)
        shutdown(h2o_socket_get_fd(amendment->sock), SHUT_WR);
    h2o_buffer_consume(&amendment->sock->input, amendment->sock->input->size);
    h2o_socket_read_start(amendment->sock, on_linger_read);
}

static void on_send(h2o_ostream_t *super, h2o_req_t *req, h2o_iovec_t *bufs, size_t count,
                    h2o_send_state_t state)
{
    struct amendment *amendment = (struct amendment *)super;
    if (amendment->is_sent && amendment->must_linger && state == H2O_SEND_STATE_FINAL) {
        linger(amendment);
        return;
    }
    amendment->is_sent = true;
    if (count > 0 && amendment->body.base)
        bufs = &amendment->body, count = 1;
    if (count == 0)
        amendment->must_linger = false; /* HEAD: the head alone cannot be sent without the end */
    if (amendment->must_linger)
        state = H2O_SEND_STATE_IN_PROGRESS; /* h2o asks again when this has left */
    h2o_ostream_send_next(super, req, bufs, count, state);
}

static enum enc_err err_of_status(int status)
{
    switch (status) {
    case 404:
        return ENC_ERR_INVALID_ROUTE;
    case 413:
        return ENC_ERR_TOO_LARGE;
    default:
        return status < 500 ? ENC_ERR_INVALID_REQUEST : ENC_ERR_INTERNAL;
    }
}

/* h2o's own carry a content type at most. */
static bool is_foreign(const h2o_req_t *req)
{
    return req->res.status >= 400 && !enc_fields_are_in(&req->res.headers);
}

static h2o_iovec_t rewrite(h2o_req_t *req)
{
    struct enc_refusal refusal = {.err = err_of_status(req->res.status),
                                  .status = (uint16_t)req->res.status};
    h2o_iovec_t body = enc_refusal_json(req, &refusal);
    req->res.reason = enc_status_reason(refusal.status);
    req->res.content_length = body.len;
    req->res.headers = (h2o_headers_t){NULL, 0, 0};
    enc_respond_headers(req, "application/json", false);
    enc_metric_count_status(refusal.status);
    if (refusal.err == ENC_ERR_TOO_LARGE)
        enc_metric_add(ENC_METRIC_REFUSED_BODY, 1);
    return body;
}

static void on_setup(h2o_filter_t *self, h2o_req_t *req, h2o_ostream_t **slot)
{
    (void)self;
    bool is_rewritten = is_foreign(req);
    bool must_linger =
        req->version < 0x200 && !req->http1_is_persistent && (is_rewritten || is_marked(req));
    if (is_rewritten || must_linger) {
        struct amendment *amendment = (void *)h2o_add_ostream(req, sizeof *amendment, slot);
        h2o_ostream_t super = amendment->super;
        *amendment = (struct amendment){.super = super, .must_linger = must_linger, .req = req};
        amendment->super.do_send = on_send;
        amendment->sock = req->conn->callbacks->get_socket(req->conn);
        if (is_rewritten)
            amendment->body = rewrite(req);
        slot = &amendment->super.next;
    }
    enc_ticket_echo(req);
    h2o_setup_next_ostream(req, slot);
}

void enc_amend_register(h2o_hostconf_t *host)
{
    h2o_filter_t *filter = h2o_create_filter(&host->fallback_path, sizeof *filter);
    filter->on_setup_ostream = on_setup;
}
