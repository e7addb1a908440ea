#include "net/request.h"

#include "net/access.h"
#include "net/call.h"
#include "net/conn.h"
#include "net/head.h"
#include "net/metric.h"
#include "net/rate.h"
#include "net/respond.h"
#include "net/server.h"
#include "net/stream.h"
#include "net/ticket.h"
#include "net/upgrade.h"

enum {
    RESETS_FREE = 100, /* requests a client may take back before their share is looked at */
    BOMB_FACTOR = 4,   /* this many times the allowed header fields is an attack, not a mistake */
};

/* A request on its way through the checks. */
struct visit {
    h2o_req_t *req;
    struct enc_peer *peer;
    const struct enc_config *config;
    struct enc_refusal refusal; /* of a check that has to build one */
};

typedef const struct enc_refusal *check_fn(struct visit *visit);

static const struct enc_refusal CUT = {.err = ENC_ERR_RATE_LIMITED, .must_close = true};
static const struct enc_refusal TOO_MANY_OUTSTANDING = {
    .err = ENC_ERR_BUSY, .message = "too many unanswered requests on this connection"};
static const struct enc_refusal HEADERS_TOO_LARGE = {.err = ENC_ERR_TOO_LARGE,
                                                     .status = 431,
                                                     .message = "too many or too large headers",
                                                     .must_close = true};
static const struct enc_refusal BODY_TOO_LARGE = {.err = ENC_ERR_TOO_LARGE};
static const struct enc_refusal CODED_BODY = {
    .err = ENC_ERR_INVALID_REQUEST, .status = 415, .message = "bodies are taken without a coding"};
static const struct enc_refusal NOT_A_PATH = {
    .err = ENC_ERR_INVALID_REQUEST, .message = "the target is not a path", .must_close = true};

/* CVE-2023-44487: requests that are taken back as fast as they come. */
static const struct enc_refusal *check_resets(struct visit *visit)
{
    struct enc_peer *peer = visit->peer;
    peer->requests++;
    if (peer->resets <= RESETS_FREE || peer->resets * 2 <= peer->requests)
        return NULL;
    enc_metric_add(ENC_METRIC_REFUSED_RESETS, 1);
    enc_peer_kill(peer);
    return &CUT;
}

/* An answer is begun with what is left, whoever makes it later. */
static const struct enc_refusal *check_rate(struct visit *visit)
{
    struct enc_quota quota;
    bool admits = enc_rate_admits(visit->peer->loop, &quota, visit->peer->bucket16);
    if (quota.policy)
        enc_rate_add_fields(visit->req, &quota);
    if (admits)
        return NULL;
    visit->refusal =
        (struct enc_refusal){.err = ENC_ERR_RATE_LIMITED, .retry_s = quota.rate.retry_s};
    return &visit->refusal;
}

static const struct enc_refusal *check_outstanding(struct visit *visit)
{
    if (visit->peer->outstanding < visit->peer->loop->live.outstanding_max)
        return NULL;
    enc_metric_add(ENC_METRIC_REFUSED_OUTSTANDING, 1);
    return &TOO_MANY_OUTSTANDING;
}

static size_t headers_len(const h2o_headers_t *headers)
{
    size_t len = 0;
    for (size_t i = 0; i < headers->size; i++)
        len += headers->entries[i].name->len + headers->entries[i].value.len;
    return len;
}

static const struct enc_refusal *check_headers(struct visit *visit)
{
    const h2o_headers_t *headers = &visit->req->headers;
    if (headers->size <= visit->peer->loop->live.headers_max &&
        headers_len(headers) <= visit->peer->loop->live.header_len_max)
        return NULL;
    enc_metric_add(ENC_METRIC_REFUSED_HEADERS, 1);
    if (headers->size > BOMB_FACTOR * visit->peer->loop->live.headers_max)
        enc_peer_kill(visit->peer);
    return &HEADERS_TOO_LARGE;
}

/* The raw head is still where h2o has read it. */
static const struct enc_refusal *check_head(struct visit *visit)
{
    if (visit->req->version >= 0x200)
        return NULL;
    const h2o_buffer_t *input = visit->peer->sock->input;
    struct enc_head head = enc_head_check(enc_bytes_of(input->bytes, input->size));
    if (!head.fault)
        return NULL;
    enc_metric_add(ENC_METRIC_REFUSED_HEAD, 1);
    visit->refusal = (struct enc_refusal){
        .err = ENC_ERR_INVALID_REQUEST, .message = head.fault, .must_close = true};
    return &visit->refusal;
}

static const struct enc_refusal *check_body(struct visit *visit)
{
    if (visit->req->entity.len <= visit->config->limits.body_len_max)
        return NULL;
    enc_metric_add(ENC_METRIC_REFUSED_BODY, 1);
    return &BODY_TOO_LARGE;
}

/* A body in a coding would be taken for malformed JSON; its type is nobody's business (README). */
static const struct enc_refusal *check_coding(struct visit *visit)
{
    const h2o_headers_t *headers = &visit->req->headers;
    if (visit->req->entity.len == 0)
        return NULL;
    ssize_t at = h2o_find_header(headers, H2O_TOKEN_CONTENT_ENCODING, -1);
    if (at == -1)
        return NULL;
    const h2o_iovec_t *coding = &headers->entries[at].value;
    return h2o_lcstris(coding->base, coding->len, H2O_STRLIT("identity")) ? NULL : &CODED_BODY;
}

static bool is_method(const h2o_req_t *req, const char *name)
{
    return h2o_memis(req->input.method.base, req->input.method.len, name, strlen(name));
}

static const struct enc_refusal *check_target(struct visit *visit)
{
    const h2o_req_t *req = visit->req;
    bool is_path = req->path.len > 0 && req->path.base[0] == '/';
    return is_path || is_method(req, "OPTIONS") ? NULL : &NOT_A_PATH;
}

static const struct enc_refusal *check_upgrade(struct visit *visit)
{
    return enc_upgrade_is_asked(visit->req) ? enc_upgrade_check(visit->req) : NULL;
}

static check_fn *const CHECKS[] = {check_resets,  check_rate,   check_outstanding,
                                   check_headers, check_head,   check_body,
                                   check_coding,  check_target, check_upgrade};

static const struct enc_refusal *check_all(struct visit *visit)
{
    const struct enc_refusal *refusal = NULL;
    for (size_t i = 0; i < sizeof CHECKS / sizeof *CHECKS && !refusal; i++)
        refusal = CHECKS[i](visit);
    return refusal;
}

static enum enc_method method_of(const h2o_req_t *req)
{
    if (is_method(req, "GET") || is_method(req, "HEAD"))
        return ENC_METHOD_GET;
    return is_method(req, "POST") ? ENC_METHOD_POST : ENC_METHOD_OTHER;
}

static struct enc_bytes path_of(const h2o_req_t *req)
{
    size_t len = req->query_at < req->path.len ? req->query_at : req->path.len;
    return enc_bytes_of(req->path.base, len);
}

static struct enc_bytes query_of(const h2o_req_t *req)
{
    if (req->query_at >= req->path.len)
        return (struct enc_bytes){NULL, 0};
    size_t begin = req->query_at + 1;
    return enc_bytes_of(req->path.base + begin, req->path.len - begin);
}

static void hand_over(struct visit *visit, const struct enc_mount_place *mount)
{
    h2o_req_t *req = visit->req;
    struct enc_ws_place place;
    struct enc_call *call = enc_call_open(req, visit->peer);
    struct enc_request request = {
        .method = method_of(req),
        .is_upgrade = enc_upgrade_is_asked(req),
        .is_stream = enc_stream_is_asked(req),
        .last_event_id = enc_stream_last_id(req),
        .path = mount->path,
        .query = query_of(req),
        .body = enc_bytes_of(req->entity.base, req->entity.len),
        .id = enc_ticket_of(req)->id,
        .call = call,
        .trace = &enc_ticket_of(req)->trace,
        .arrived_ns = enc_call_arrived_ns(call),
        .gathering = &visit->peer->loop->gathering,
    };
    enc_ticket_of(req)->service = enc_service_at(mount->service)->name;
    struct enc_host *host = visit->peer->loop->server->host;
    enum enc_handled handled = enc_host_handle(host, mount->service, &request, &place);
    if (handled == ENC_HANDLED_UPGRADE)
        enc_conn_upgrade(req, request.call, &place);
    if (handled == ENC_HANDLED_STREAM)
        enc_stream_open(req, &request, &place);
}

/* What never came to a service. */
static void count(const struct visit *visit, uint16_t status)
{
    bool is_h2 = visit->req->version >= 0x200;
    struct enc_request_fact fact = {.protocol = is_h2 ? ENC_PROTOCOL_H2 : ENC_PROTOCOL_H1,
                                    .status = status};
    enc_host_count_request(visit->peer->loop->server->host, &fact);
}

static void refuse(const struct visit *visit, const struct enc_refusal *refusal)
{
    enc_host_count_error(visit->peer->loop->server->host, refusal->err);
    count(visit, enc_refusal_status(refusal));
    enc_respond_refusal(visit->req, refusal);
}

static void answer_options(const struct visit *visit)
{
    count(visit, 204);
    enc_respond_options(visit->req);
}

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    (void)self;
    struct enc_peer *peer = enc_peer_of_request(req);
    struct enc_server *server = peer->loop->server;
    enc_ticket_of(req); /* its time begins */
    enc_ticket_trace(req, enc_access_method(req));
    struct visit visit = {.req = req, .peer = peer, .config = server->config};
    struct enc_mount_place mount;
    const struct enc_mount_query query = {
        .authority = enc_bytes_of(req->input.authority.base, req->input.authority.len),
        .path = path_of(req),
    };
    const struct enc_refusal *refusal = check_all(&visit);
    if (refusal)
        refuse(&visit, refusal);
    else if (is_method(req, "OPTIONS"))
        answer_options(&visit);
    else if (!enc_mounts_find(&server->mounts, &mount, &query))
        refuse(&visit, &(struct enc_refusal){.err = ENC_ERR_INVALID_ROUTE});
    else
        hand_over(&visit, &mount);
    return 0;
}

void enc_request_register(h2o_hostconf_t *host)
{
    h2o_create_handler(&host->fallback_path, sizeof(h2o_handler_t))->on_req = on_request;
}
