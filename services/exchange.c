#include "services/exchange.h"

#include "services/answer.h"
#include "services/count.h"
#include "services/inside.h"
#include "services/quota.h"

#include <stdlib.h>

/* A page is there as it grows (4), as one object (2), encrypted (1), as text (2), and in its answer
 * (3). */
enum { ARENA_LEN_MIN = 1 << 20, ARENA_PER_BODY = 48, ARENA_PER_PAGE = 12 };

static struct enc_exchange *make(struct enc_host *host)
{
    struct enc_arena arena;
    size_t max_len = ARENA_LEN_MIN + ARENA_PER_BODY * host->limits.body_len_max +
                     ARENA_PER_PAGE * host->limits.query_body_len_max;
    enc_arena_init(&arena, &host->exchange_chunks, max_len);
    struct enc_exchange *exchange = ENC_ARENA_NEW(&arena, struct enc_exchange, 1);
    if (!exchange)
        return NULL;
    exchange->arena = arena;
    exchange->host = host;
    return exchange;
}

struct enc_exchange *enc_exchange_new(struct enc_host *host)
{
    /* relaxed: see where it is counted */
    uint64_t taken_len = atomic_load_explicit(&host->exchange_len, memory_order_relaxed);
    return taken_len < host->limits.exchange_len_max ? make(host) : NULL;
}

/* An answer when there is not even memory for an exchange. */
static void reply_busy(struct enc_host *host, struct enc_call *call, unsigned service)
{
    static const char BODY[] = "{\"type\":\"Error\",\"code\":\"RATE_LIMITED\","
                               "\"message\":\"the node is busy; try again\","
                               "\"error\":\"rate_limited\"}";
    struct enc_reply reply = {
        .status = 503,
        .retry_s = 1,
        .content_type = "application/json",
        .body = enc_bytes_of(BODY, sizeof BODY - 1),
        .place = {.service = service, .is_known = true},
    };
    enc_host_count_error(host, ENC_ERR_BUSY);
    host->runtime->reply(host->runtime->self, call, &reply);
}

void enc_exchange_begin(struct enc_exchange *exchange)
{
    struct enc_host *host = exchange->host;
    if (host->shed.target_ms)
        exchange->begun_ms = enc_host_now_ms(host);
}

void enc_exchange_note_answer(const struct enc_exchange *exchange)
{
    struct enc_host *host = exchange->host;
    if (exchange->begun_ms)
        enc_shed_note(&host->shed, exchange->begun_ms, enc_host_now_ms(host));
}

struct enc_exchange *enc_exchange_open(struct enc_host *host, unsigned service,
                                       const struct enc_request *request)
{
    bool admits = host->shed.target_ms == 0 || enc_shed_admits(&host->shed, enc_host_now_ms(host));
    struct enc_exchange *exchange = admits ? enc_exchange_new(host) : NULL;
    if (!exchange) {
        reply_busy(host, request->call, service);
        return NULL;
    }
    exchange->service = service;
    exchange->arrived_ns = request->arrived_ns;
    exchange->asker.call = request->call;
    enc_exchange_begin(exchange);
    exchange->gathering = request->gathering;
    exchange->request_id = request->id;
    if (request->trace) {
        exchange->trace = *request->trace;
        *request->trace = NULL;
    }
    return exchange;
}

uint64_t enc_exchange_trace_ns(const struct enc_exchange *exchange)
{
    return exchange->trace ? enc_host_now_ns(exchange->host) : 0;
}

void enc_exchange_end_trace(struct enc_exchange *exchange)
{
    struct enc_trace *trace = exchange->trace;
    if (!trace)
        return;
    exchange->trace = NULL;
    trace->place = (struct enc_route_place){exchange->service, exchange->route_number, true};
    enc_trace_end(trace, exchange->host->runtime);
}

void enc_exchange_free(struct enc_exchange *exchange)
{
    const struct enc_runtime *runtime = exchange->host->runtime;
    enc_exchange_end_trace(exchange);
    if (exchange->asker.conn)
        runtime->conn_drop(runtime->self, exchange->asker.conn);
    enc_channel_wipe(&exchange->dress.sealed.channel);
    struct enc_arena arena = exchange->arena; /* the exchange lies in it */
    enc_arena_fini(&arena);
}

/* What was opened stays behind; the keys are needed for every frame. */
static void copy_dress(struct enc_dress *out, const struct enc_dress *dress)
{
    *out = *dress;
    out->sealed.opened.plain = (struct enc_bytes){NULL, 0};
}

enum enc_err enc_exchange_compact(struct enc_exchange **out, struct enc_exchange *exchange)
{
    struct enc_exchange *small = make(exchange->host);
    if (!small)
        return ENC_ERR_BUSY;
    enum enc_err err = enc_filter_copy(&small->filter, &small->arena, &exchange->filter);
    struct enc_bytes sub_id = enc_arena_copy(&small->arena, exchange->asker.sub_id);
    if (err != ENC_ERR_OK || !sub_id.data) {
        enc_exchange_free(small);
        return ENC_ERR_TOO_LARGE;
    }
    small->service = exchange->service;
    small->route_number = exchange->route_number;
    small->arrived_ns = exchange->arrived_ns;
    small->reader = exchange->reader;
    copy_dress(&small->dress, &exchange->dress);
    small->asker = exchange->asker;
    small->asker.sub_id = sub_id;
    small->trace = exchange->trace;
    exchange->asker.conn = NULL; /* its hold has moved, and so has the trace */
    exchange->trace = NULL;
    enc_exchange_free(exchange);
    *out = small;
    return ENC_ERR_OK;
}

uint64_t enc_stream_mail_take(struct enc_mail *mail)
{
    uint64_t stream = ((struct enc_stream_mail *)mail)->stream; /* mail is its first member */
    free(mail);
    return stream;
}

struct enc_exchange *enc_exchange_of_job(struct enc_job *job)
{
    return (struct enc_exchange *)((uint8_t *)job - offsetof(struct enc_exchange, job));
}

struct enc_exchange *enc_exchange_of_mail(struct enc_mail *mail)
{
    return (struct enc_exchange *)mail; /* mail is its first member */
}

void enc_exchange_submit(struct enc_exchange *exchange, void (*fn)(struct enc_job *job))
{
    exchange->job.run = fn;
    enum enc_err err = enc_pool_submit(exchange->host->pool, &exchange->job);
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
}

enum enc_err enc_exchange_parse(struct enc_exchange *exchange)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    enum enc_err err = enc_json_parse(&json, &exchange->arena, exchange->body, &facts);
    exchange->json = json;
    return err;
}

enum enc_err enc_exchange_aim(struct enc_exchange *exchange, const uint8_t enclave32[32])
{
    if (exchange->has_enclave && memcmp(exchange->enclave32, enclave32, 32) != 0)
        return ENC_ERR_INVALID_REQUEST;
    exchange->has_enclave = true;
    memcpy(exchange->enclave32, enclave32, 32);
    return ENC_ERR_OK;
}

const uint8_t *enc_exchange_default(const struct enc_exchange *exchange)
{
    bool is_singleton = enc_service_at(exchange->service)->enclave.addressing.segment == 0;
    return is_singleton ? exchange->host->singletons32[exchange->service] : NULL;
}

enum enc_err enc_exchange_envelope(struct enc_exchange *exchange, enum enc_body_kind kind)
{
    ENC_TRY(enc_envelope_parse(&exchange->envelope, exchange->json, kind));
    if (exchange->envelope.has_enclave)
        return enc_exchange_aim(exchange, exchange->envelope.enclave32);
    if (!exchange->has_enclave && enc_exchange_default(exchange))
        return enc_exchange_aim(exchange, enc_exchange_default(exchange));
    return exchange->has_enclave ? ENC_ERR_OK : ENC_ERR_INVALID_QUERY;
}

static struct enc_node_side node_side(const struct enc_exchange *exchange, uint64_t now_ms)
{
    struct enc_node_side side = {
        .curve = exchange->host->curve,
        .key = exchange->host->key,
        .now_ms = now_ms,
        .is_encrypted = enc_service_at(exchange->service)->enclave.encrypted,
    };
    memcpy(side.scope.seq_pub32, exchange->host->key->pub32, 32);
    memcpy(side.scope.enclave32, exchange->enclave32, 32);
    return side;
}

enum enc_err enc_exchange_unseal(struct enc_exchange *exchange, uint64_t now_ms)
{
    struct enc_sealed sealed;
    struct enc_node_side side = node_side(exchange, now_ms);
    if (!exchange->envelope.is_sealed)
        return ENC_ERR_OK;
    ENC_TRY(enc_envelope_open(&exchange->envelope, &sealed, &exchange->arena, &side));
    exchange->dress.is_sealed = true;
    exchange->dress.sealed = sealed;
    enc_channel_wipe(&sealed.channel);
    return ENC_ERR_OK;
}

enum enc_err enc_exchange_identify(struct enc_exchange *exchange, uint64_t now_ms)
{
    struct enc_node_side side = node_side(exchange, now_ms);
    const struct enc_sealed *sealed = exchange->dress.is_sealed ? &exchange->dress.sealed : NULL;
    ENC_TRY(enc_envelope_reader(&exchange->reader, &exchange->envelope, sealed, &side));
    return exchange->reader.is_known ? enc_quota_take_key(exchange, exchange->reader.pub32)
                                     : ENC_ERR_OK;
}
