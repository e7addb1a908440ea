#include "net/access.h"

#include "net/address.h"
#include "net/peer.h"
#include "net/ticket.h"
#include "proto/base/hex.h"

#include <stdatomic.h>

enum { FIELDS_MAX = 16, MILLION = 1000000, FAILURES_PER_SECOND = 1000 };

/* relaxed in this file: each figure stands alone, a request more or less around a change is fine */
static _Atomic uint32_t sample_ppm;
static _Atomic bool has_addresses;
static _Atomic uint64_t failures_s; /* the second that the next counts */
static _Atomic uint32_t failures;

void enc_access_set(const struct enc_config *config)
{
    atomic_store_explicit(&sample_ppm, config->log_access_sample, memory_order_relaxed);
    atomic_store_explicit(&has_addresses, config->log_addresses, memory_order_relaxed);
}

/* FNV-1a, its upper half folded in: ids that count upwards spread, too. */
bool enc_access_is_sampled(const char *id, uint32_t ppm)
{
    uint64_t hash = 0xcbf29ce484222325;
    if (ppm == 0 || ppm >= MILLION)
        return ppm > 0;
    for (; *id; id++)
        hash = (hash ^ (uint8_t)*id) * 0x100000001b3;
    hash ^= hash >> 32;
    hash *= 0x9e3779b97f4a7c15;
    return (hash >> 32) % MILLION < ppm;
}

/* What fails thousands of times a second is told a thousand times: the lines must not become the
 * load. */
static bool may_tell_failure(uint64_t now_s)
{
    uint64_t last_s = atomic_load_explicit(&failures_s, memory_order_relaxed);
    if (last_s != now_s) {
        atomic_store_explicit(&failures_s, now_s, memory_order_relaxed);
        atomic_store_explicit(&failures, 0, memory_order_relaxed);
    }
    return atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed) < FAILURES_PER_SECOND;
}

/* A method is the client's text; only known ones are told. */
const char *enc_access_method(const h2o_req_t *req)
{
    static const char *const METHODS[] = {"GET",    "HEAD",    "POST", "PUT",
                                          "DELETE", "OPTIONS", "PATCH"};
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        if (h2o_memis(req->input.method.base, req->input.method.len, METHODS[i],
                      strlen(METHODS[i])))
            return METHODS[i];
    }
    return "other";
}

static const char *protocol_of(const h2o_req_t *req)
{
    if (req->version >= 0x200)
        return "h2";
    return req->version == 0x101 ? "http/1.1" : "http/1.0";
}

static void tell(h2o_req_t *req, const struct enc_ticket *ticket, bool has_failed)
{
    char address[ENC_ADDRESS_TEXT_MAX] = "";
    char trace_id[32 + 1] = "";
    struct enc_address peer = {.len = 0};
    struct enc_log_field fields[FIELDS_MAX] = {
        enc_log_text("request_id", ticket->id.text),
        enc_log_text("method", enc_access_method(req)),
        enc_log_text("service", ticket->service ? ticket->service : "none"),
        enc_log_text("route", enc_route_name(ticket->place)),
        enc_log_number("status", (uint64_t)req->res.status),
        enc_log_number("bytes", req->bytes_sent),
        enc_log_number("duration_us", (uv_hrtime() - ticket->begun_ns) / 1000),
        enc_log_text("protocol", protocol_of(req)),
    };
    size_t count = 8;
    if (ticket->id.trace.is_sampled) {
        enc_hex_encode(trace_id, enc_bytes_of(ticket->id.trace.trace16, 16));
        fields[count++] = enc_log_text("trace_id", trace_id);
    }
    if (ticket->code[0])
        fields[count++] = enc_log_text("code", ticket->code);
    if (atomic_load_explicit(&has_addresses, memory_order_relaxed))
        peer.len = req->conn->callbacks->get_peername(req->conn, (struct sockaddr *)&peer.storage);
    if (peer.len > 0) {
        enc_address_text(address, &peer);
        fields[count++] = enc_log_text("address", address);
    }
    ENC_CHECK(count < FIELDS_MAX);
    enc_log_write(has_failed ? ENC_HAPPENED_REQUEST_FAILED : ENC_HAPPENED_REQUEST, fields);
}

static void on_end(h2o_logger_t *self, h2o_req_t *req)
{
    (void)self;
    const struct enc_ticket *ticket = enc_ticket_of(req);
    if (ticket->trace)
        ticket->trace->status = (uint16_t)req->res.status;
    uint32_t ppm = atomic_load_explicit(&sample_ppm, memory_order_relaxed);
    bool has_failed = req->res.status >= 500 && may_tell_failure(uv_hrtime() / 1000000000);
    if (has_failed || enc_access_is_sampled(ticket->id.text, ppm))
        tell(req, ticket, has_failed);
}

void enc_access_register(h2o_hostconf_t *host)
{
    h2o_create_logger(&host->fallback_path, sizeof(h2o_logger_t))->log_access = on_end;
}
