#include "net/respond.h"

#include "net/amend.h"
#include "net/cache.h"
#include "net/fields.h"
#include "net/metric.h"
#include "net/rate.h"
#include "net/ticket.h"

#include <ctype.h>
#include <stdio.h>

enum { REFUSAL_LEN_MAX = 512 };

static const char JSON_TYPE[] = "application/json";

struct reason {
    unsigned status;
    const char *text;
};
static const struct reason REASONS[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
};

const char *enc_status_reason(unsigned status)
{
    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
        if (REASONS[i].status == status)
            return REASONS[i].text;
    }
    return "Status";
}

static void add(h2o_req_t *req, const h2o_token_t *name, const char *value)
{
    h2o_add_header(&req->pool, &req->res.headers, name, NULL, value, strlen(value));
}

static void add_by_name(h2o_req_t *req, const char *name, const char *value)
{
    h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 1, NULL, value,
                          strlen(value));
}

void enc_respond_headers(h2o_req_t *req, const char *content_type, bool immutable)
{
    if (content_type)
        add(req, H2O_TOKEN_CONTENT_TYPE, content_type);
    add(req, H2O_TOKEN_CACHE_CONTROL,
        immutable ? "public, max-age=31536000, immutable" : "no-store");
    enc_fields_add(req);
}

static bool is_head(const h2o_req_t *req)
{
    return h2o_memis(req->input.method.base, req->input.method.len, H2O_STRLIT("HEAD"));
}

static void set_status(h2o_req_t *req, unsigned status)
{
    req->res.status = (int)status;
    req->res.reason = enc_status_reason(status);
    enc_metric_count_status(status);
    if (enc_loop_of_request(req)->is_draining)
        req->http1_is_persistent = 0;
}

/* h2o may free the request, and whatever hangs on it, inside of this. */
static void send_body(h2o_req_t *req, h2o_iovec_t body)
{
    static h2o_generator_t generator = {NULL, NULL};
    bool has_body = body.len > 0 && !is_head(req);
    h2o_start_response(req, &generator);
    h2o_send(req, has_body ? &body : NULL, has_body, H2O_SEND_STATE_FINAL);
}

static void add_retry(h2o_req_t *req, unsigned retry_s)
{
    char *text = h2o_mem_alloc_pool(&req->pool, 8);
    snprintf(text, 8, "%u", retry_s > 9999 ? 9999 : retry_s);
    add(req, H2O_TOKEN_RETRY_AFTER, text);
}

/* The client has it: the head of the answer without its body. */
static void respond_unchanged(h2o_req_t *req)
{
    h2o_headers_t *headers = &req->res.headers;
    ssize_t coding = h2o_find_header(headers, H2O_TOKEN_CONTENT_ENCODING, -1);
    if (coding != -1)
        h2o_delete_header(headers, coding);
    set_status(req, 304);
    enc_respond_headers(req, NULL, true);
    send_body(req, h2o_iovec_init(NULL, 0));
}

static void note_code(h2o_req_t *req, struct enc_bytes body)
{
    struct enc_ticket *ticket = enc_ticket_of(req);
    struct enc_bytes code = enc_error_code(body);
    snprintf(ticket->code, sizeof ticket->code, "%.*s", (int)code.len, (const char *)code.data);
}

/* An error of the services with the id as one more member; what is none as it is. */
static h2o_iovec_t with_id(h2o_req_t *req, struct enc_bytes body)
{
    const char *id = enc_ticket_of(req)->id.text;
    note_code(req, body);
    if (!enc_ticket_of(req)->code[0] || body.data[body.len - 1] != '}')
        return h2o_iovec_init(body.data, body.len);
    return h2o_concat(&req->pool, h2o_iovec_init(body.data, body.len - 1),
                      h2o_iovec_init(H2O_STRLIT(",\"request_id\":\"")),
                      h2o_iovec_init(id, strlen(id)), h2o_iovec_init(H2O_STRLIT("\"}")));
}

/* What is chosen by the client's field is told to caches, chosen or not. */
static h2o_iovec_t choose_body(h2o_req_t *req, const struct enc_reply *reply,
                               const struct enc_coded *coded)
{
    if (coded->is_possible)
        add(req, H2O_TOKEN_VARY, "Accept-Encoding");
    if (!coded->data)
        return with_id(req, reply->body);
    add(req, H2O_TOKEN_CONTENT_ENCODING, coded->name);
    return h2o_iovec_init(coded->data, coded->len);
}

void enc_respond(h2o_req_t *req, const struct enc_reply *reply)
{
    enc_respond_coded(req, reply, &(struct enc_coded){.data = NULL});
}

void enc_respond_coded(h2o_req_t *req, const struct enc_reply *reply, const struct enc_coded *coded)
{
    h2o_iovec_t body = choose_body(req, reply, coded);
    if (reply->immutable && enc_cache_tag(req, reply->body, coded->data != NULL)) {
        respond_unchanged(req);
        return;
    }
    set_status(req, reply->status);
    if (reply->status != 204)
        req->res.content_length = body.len;
    enc_respond_headers(req, reply->body.len ? reply->content_type : NULL, reply->immutable);
    if (reply->retry_s)
        add_retry(req, reply->retry_s);
    if (reply->quota)
        enc_rate_add_fields(req, reply->quota);
    if (reply->allow)
        add(req, H2O_TOKEN_ALLOW, reply->allow);
    send_body(req, body);
}

void enc_respond_stream(h2o_req_t *req, h2o_generator_t *generator)
{
    set_status(req, 200);
    enc_respond_headers(req, "text/event-stream", false);
    add_by_name(req, "x-accel-buffering", "no");
    h2o_start_response(req, generator);
}

void enc_respond_options(h2o_req_t *req)
{
    set_status(req, 204);
    enc_fields_add(req);
    add(req, H2O_TOKEN_ALLOW, "GET, POST, OPTIONS");
    enc_fields_add_preflight(req);
    send_body(req, h2o_iovec_init(NULL, 0));
}

uint16_t enc_refusal_status(const struct enc_refusal *refusal)
{
    return refusal->status ? refusal->status : enc_err_row(refusal->err)->http_status;
}

static uint32_t retry_of(const struct enc_refusal *refusal)
{
    return refusal->retry_s ? refusal->retry_s : enc_err_row(refusal->err)->retry_s;
}

static void lower(char *out, size_t len, const char *text)
{
    size_t i = 0;
    for (; text[i] && i + 1 < len; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[i] = '\0';
}

h2o_iovec_t enc_refusal_json(h2o_req_t *req, const struct enc_refusal *refusal)
{
    const struct enc_err_row *row = enc_err_row(refusal->err);
    char code[64], retry[32] = "";
    lower(code, sizeof code, row->code);
    uint32_t retry_s = retry_of(refusal);
    if (retry_s)
        snprintf(retry, sizeof retry, ",\"retry_after\":%u", retry_s);
    char *text = h2o_mem_alloc_pool(&req->pool, REFUSAL_LEN_MAX);
    int len = snprintf(text, REFUSAL_LEN_MAX,
                       "{\"type\":\"Error\",\"code\":\"%s\",\"message\":\"%s\",\"error\":\"%s\"%s"
                       ",\"request_id\":\"%s\"}",
                       row->code, refusal->message ? refusal->message : row->message, code, retry,
                       enc_ticket_of(req)->id.text);
    ENC_CHECK(len > 0 && len < REFUSAL_LEN_MAX);
    note_code(req, enc_bytes_of(text, (size_t)len));
    return h2o_iovec_init(text, (size_t)len);
}

void enc_respond_refusal(h2o_req_t *req, const struct enc_refusal *refusal)
{
    h2o_iovec_t body = enc_refusal_json(req, refusal);
    set_status(req, enc_refusal_status(refusal));
    req->res.content_length = body.len;
    enc_respond_headers(req, JSON_TYPE, false);
    if (retry_of(refusal))
        add_retry(req, retry_of(refusal));
    if (req->res.status == 426)
        add_by_name(req, "sec-websocket-version", "13");
    if (req->res.status == 415)
        add(req, H2O_TOKEN_ACCEPT_ENCODING, "identity");
    if (refusal->must_close)
        enc_amend_close(req);
    send_body(req, body);
}
