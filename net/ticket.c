#include "net/ticket.h"

#include "net/process.h"
#include "net/server.h"
#include "net/traceparent.h"
#include "net/tracer.h"
#include "proto/base/hex.h"

#include <ctype.h>

enum { MADE_LEN = 16 };

static const char NAME[] = "x-request-id";
static const char MARK[] = "enc-ticket";
static const char ERROR_HEAD[] = "{\"type\":\"Error\",\"code\":\"";

bool enc_request_id_is_safe(struct enc_bytes text)
{
    if (text.len == 0 || text.len >= sizeof((struct enc_request_id *)0)->text)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_plain = text.data[i] < 0x80 && isalnum(text.data[i]);
        if (!is_plain && text.data[i] != '_' && text.data[i] != '.' && text.data[i] != '-')
            return false;
    }
    return true;
}

void enc_request_id_make(struct enc_request_id *id)
{
    uint8_t made[MADE_LEN];
    enc_process_draw(made, sizeof made);
    enc_hex_encode(id->text, enc_bytes_of(made, sizeof made));
    id->text[2 * MADE_LEN] = '\0';
}

static void take_id(struct enc_request_id *id, const h2o_req_t *req)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, NAME, sizeof NAME - 1, -1);
    struct enc_bytes given = {NULL, 0};
    if (at != -1)
        given =
            enc_bytes_of(req->headers.entries[at].value.base, req->headers.entries[at].value.len);
    if (!enc_request_id_is_safe(given)) {
        enc_request_id_make(id);
        return;
    }
    ENC_CHECK(given.data != NULL); /* what is empty is not safe */
    memcpy(id->text, given.data, given.len);
    id->text[given.len] = '\0';
}

struct enc_ticket *enc_ticket_of(h2o_req_t *req)
{
    h2o_iovec_t *slot = h2o_req_getenv(req, MARK, sizeof MARK - 1, 1);
    if (slot->base)
        return (void *)slot->base;
    struct enc_ticket *ticket = h2o_mem_alloc_pool(&req->pool, sizeof *ticket);
    *ticket = (struct enc_ticket){.begun_ns = uv_hrtime()};
    take_id(&ticket->id, req);
    *slot = h2o_iovec_init(ticket, sizeof *ticket);
    return ticket;
}

/* ---- traces ---- */

/* Two are as good as none. */
static bool find_parent(struct enc_trace_context *out, const h2o_req_t *req)
{
    static const char PARENT[] = "traceparent";
    ssize_t at = h2o_find_header_by_str(&req->headers, PARENT, sizeof PARENT - 1, -1);
    if (at == -1 || h2o_find_header_by_str(&req->headers, PARENT, sizeof PARENT - 1, at) != -1)
        return false;
    h2o_iovec_t value = req->headers.entries[at].value;
    return enc_traceparent_parse(out, enc_bytes_of(value.base, value.len));
}

static const char *version_of(const h2o_req_t *req)
{
    if (req->version >= 0x200)
        return "2";
    return req->version == 0x101 ? "1.1" : "1.0";
}

/* In the request's pool, so that it is told when the request dies. */
struct guard {
    struct enc_ticket *ticket;
    const struct enc_runtime *runtime;
};

static void on_request_gone(void *opaque)
{
    struct guard *guard = opaque;
    struct enc_trace *trace = guard->ticket->trace;
    if (!trace)
        return; /* an exchange has it */
    trace->place = guard->ticket->place;
    memcpy(trace->code, guard->ticket->code, sizeof trace->code);
    enc_trace_end(trace, guard->runtime);
}

void enc_ticket_trace(h2o_req_t *req, const char *method)
{
    struct enc_server *server = enc_loop_of_request(req)->server;
    struct enc_ticket *ticket = enc_ticket_of(req);
    struct enc_trace_context parent;
    if (!server->tracer)
        return;
    bool has_parent = find_parent(&parent, req);
    ticket->trace =
        enc_tracer_begin(server->tracer, &ticket->id.trace, has_parent ? &parent : NULL);
    if (!ticket->trace)
        return;
    ticket->trace->began_ns = ticket->begun_ns;
    ticket->trace->method = method;
    ticket->trace->version = version_of(req);
    ticket->trace->is_tls = req->scheme == &H2O_URL_SCHEME_HTTPS;
    struct guard *guard = h2o_mem_alloc_shared(&req->pool, sizeof *guard, on_request_gone);
    *guard = (struct guard){ticket, &server->runtime};
}

void enc_ticket_echo(h2o_req_t *req)
{
    const struct enc_ticket *ticket = enc_ticket_of(req);
    h2o_add_header_by_str(&req->pool, &req->res.headers, NAME, sizeof NAME - 1, 0, NULL,
                          ticket->id.text, strlen(ticket->id.text));
}

struct enc_bytes enc_error_code(struct enc_bytes body)
{
    size_t head_len = sizeof ERROR_HEAD - 1;
    if (body.len <= head_len || memcmp(body.data, ERROR_HEAD, head_len) != 0)
        return (struct enc_bytes){NULL, 0};
    const uint8_t *begin = body.data + head_len;
    const uint8_t *end = memchr(begin, '"', body.len - head_len);
    return enc_bytes_of(begin, end ? (size_t)(end - begin) : 0);
}
