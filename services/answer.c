#include "services/answer.h"

#include "services/count.h"
#include "services/founding.h"
#include "services/inside.h"

static void release_exchange(void *owner)
{
    enc_exchange_free((struct enc_exchange *)owner);
}

/* An answer that could not even be written: too much of it, or memory is short, which passes.
 * Static text, so it always can. */
static const struct {
    enum enc_err err; /* whose status and hint it has */
    const char *text;
} UNWRITTEN[] = {
    {ENC_ERR_INTERNAL, "{\"type\":\"Error\",\"code\":\"INTERNAL_ERROR\","
                       "\"message\":\"the answer is too large\",\"error\":\"internal_error\"}"},
    {ENC_ERR_BUSY, "{\"type\":\"Error\",\"code\":\"RATE_LIMITED\","
                   "\"message\":\"the node is short of memory; try again\","
                   "\"error\":\"rate_limited\"}"},
};

void enc_answer_send(struct enc_exchange *exchange)
{
    const struct enc_runtime *runtime = exchange->host->runtime;
    struct enc_reply out = exchange->answer; /* it dies with the exchange */
    runtime->reply(runtime->self, exchange->asker.call, &out);
}

/* What a read tells somebody who did not say who they are. */
static bool is_public(const struct enc_exchange *exchange)
{
    return exchange->read && !exchange->dress.is_sealed && !exchange->reader.is_known;
}

static void reply(struct enc_exchange *exchange, uint16_t status, uint16_t retry_s,
                  const struct enc_buffer *buffer)
{
    struct enc_reply out = {
        .status = status,
        .retry_s = retry_s,
        .content_type = "application/json",
        .allow = status == 405 ? exchange->allow : NULL,
        .is_public = status == 200 && is_public(exchange),
        .immutable = status == 200 && exchange->is_immutable,
        .quota = exchange->quota.policy ? &exchange->quota : NULL,
        .release = release_exchange,
        .owner = exchange,
        .place = {exchange->service, exchange->route_number, true},
    };
    enc_founding_leave(exchange);
    enc_exchange_note_answer(exchange);
    if (enc_buffer_bytes(buffer, &out.body) != ENC_ERR_OK) {
        const struct enc_err_row *row = enc_err_row(UNWRITTEN[exchange->arena.is_starved].err);
        out.status = (uint16_t)row->http_status;
        out.retry_s = row->retry_s;
        out.body = enc_bytes_of_text(UNWRITTEN[exchange->arena.is_starved].text);
    }
    if (exchange->trace)
        exchange->trace->status = out.status;
    exchange->answer = out;
    if (!exchange->keeps_answer)
        enc_answer_send(exchange);
}

void enc_send_marked(const struct enc_host *host, struct enc_conn *conn, struct enc_bytes text,
                     const struct enc_outgoing *marks)
{
    const struct enc_runtime *runtime = host->runtime;
    struct enc_outgoing out = *marks;
    out.frame = enc_frame_new(text);
    if (out.frame)
        runtime->ws_send(runtime->self, conn, &out);
    else
        runtime->ws_close(runtime->self, conn, 1011);
}

void enc_send_text(const struct enc_host *host, struct enc_conn *conn, struct enc_bytes text,
                   uint64_t stream, bool is_last)
{
    enc_send_marked(host, conn, text, &(struct enc_outgoing){.stream = stream, .is_last = is_last});
}

static void send_frame(struct enc_exchange *exchange, const struct enc_buffer *buffer,
                       const struct enc_outgoing *marks)
{
    struct enc_bytes text;
    if (enc_buffer_bytes(buffer, &text) != ENC_ERR_OK)
        text = enc_bytes_of_text(UNWRITTEN[exchange->arena.is_starved].text);
    enc_send_marked(exchange->host, exchange->asker.conn, text, marks);
    enc_exchange_note_answer(exchange);
    enc_exchange_free(exchange);
}

static uint16_t retry_of(const struct enc_refusal *refusal)
{
    uint16_t usual = enc_err_row(refusal->verdict.err)->retry_s;
    return refusal->retry_s ? (uint16_t)refusal->retry_s : usual;
}

/* The node's own commits wait for no answer. */
static bool is_unasked(const struct enc_exchange *exchange)
{
    return !exchange->asker.call && !exchange->asker.conn;
}

void enc_answer_refusal(struct enc_exchange *exchange, const struct enc_refusal *refusal)
{
    struct enc_buffer buffer;
    enc_count_answer(exchange, refusal->verdict);
    if (is_unasked(exchange)) {
        enc_exchange_free(exchange);
        return;
    }
    struct enc_refusal out = *refusal;
    if (out.verdict.err == ENC_ERR_TOO_LARGE && exchange->arena.is_starved)
        out.verdict = (struct enc_verdict){.err = ENC_ERR_BUSY};
    if (out.verdict.err == ENC_ERR_RATE_LIMITED && !out.retry_s)
        out.retry_s = exchange->quota.rate.retry_s;
    enc_buffer_init(&buffer, &exchange->arena, SIZE_MAX / 4);
    if (exchange->asker.call) {
        enc_wire_put_error(&buffer, &out);
        reply(exchange, enc_err_row(out.verdict.err)->http_status, retry_of(&out), &buffer);
        return;
    }
    out.sub_id = exchange->asker.sub_id;
    out.hash32 = exchange->has_hash ? exchange->commit.hash32 : NULL;
    enc_wire_put_error(&buffer, &out);
    send_frame(exchange, &buffer,
               &(struct enc_outgoing){.stream = exchange->asker.stream,
                                      .is_last = exchange->asker.stream != 0,
                                      .status = enc_err_row(out.verdict.err)->http_status,
                                      .retry_s = retry_of(&out)});
}

void enc_answer_err(struct enc_exchange *exchange, enum enc_err err)
{
    struct enc_refusal refusal = {.verdict = {.err = err}};
    enc_answer_refusal(exchange, &refusal);
}

/* The nonce must outlive the writer only; random bytes come from the runtime. */
static struct enc_sealing sealing_of(struct enc_exchange *exchange, uint8_t nonce24[24])
{
    const struct enc_runtime *runtime = exchange->host->runtime;
    runtime->random(runtime->self, nonce24, 24);
    return (struct enc_sealing){
        .arena = &exchange->arena,
        .channel = &exchange->dress.sealed.channel,
        .nonce24 = nonce24,
    };
}

void enc_answer_start(struct enc_exchange *exchange, struct enc_buffer *out)
{
    enc_buffer_init(out, &exchange->arena, SIZE_MAX / 4);
    if (!exchange->json)
        enc_json_put_raw(out, "{");
    else if (!exchange->dress.is_sealed)
        enc_wire_put_response_lead(out);
}

static void finish_sealed(struct enc_exchange *exchange, const struct enc_buffer *members)
{
    struct enc_buffer buffer;
    struct enc_bytes bytes;
    uint8_t nonce24[24];
    struct enc_sealing sealing = sealing_of(exchange, nonce24);
    enc_buffer_init(&buffer, &exchange->arena, SIZE_MAX / 4);
    bool is_sealed = enc_buffer_bytes(members, &bytes) == ENC_ERR_OK &&
                     enc_wire_put_sealed_response(&buffer, &sealing, bytes) == ENC_ERR_OK;
    buffer.failed |= !is_sealed;
    reply(exchange, 200, 0, &buffer);
}

void enc_answer_finish(struct enc_exchange *exchange, struct enc_buffer *out)
{
    if (exchange->dress.is_sealed) {
        finish_sealed(exchange, out);
        return;
    }
    if (exchange->json)
        enc_wire_put_response_rest(out);
    else
        enc_json_put_raw(out, "}");
    reply(exchange, 200, 0, out);
}

void enc_answer_json(struct enc_exchange *exchange, const struct enc_buffer *json)
{
    reply(exchange, 200, 0, json);
}

static void put_receipt(struct enc_exchange *exchange, struct enc_buffer *buffer,
                        const struct enc_event *event)
{
    uint8_t nonce24[24];
    enum enc_receipt_form form = exchange->asker.call ? ENC_RECEIPT_RESPONSE : ENC_RECEIPT_FRAME;
    if (!exchange->dress.is_sealed) {
        enc_receipt_put_json(buffer, event);
        return;
    }
    struct enc_sealing sealing = sealing_of(exchange, nonce24);
    if (enc_wire_put_sealed_receipt(buffer, &sealing, event, form) != ENC_ERR_OK)
        buffer->failed = true;
}

/* protocol.md 11.6: where the new enclave is, and all that proves it. */
static void put_welcome(struct enc_exchange *exchange, struct enc_buffer *buffer,
                        const struct enc_event *event)
{
    enc_json_put_raw(buffer, "{");
    if (exchange->is_group)
        enc_json_member_hex(buffer, "group", enc_bytes_of(exchange->enclave32, 32));
    enc_json_member_hex(buffer, "enclave", enc_bytes_of(exchange->enclave32, 32));
    enc_json_member_hex(buffer, "seq_pub", enc_bytes_of(exchange->host->key->pub32, 32));
    enc_json_member(buffer, "manifest");
    enc_event_put_json(buffer, event, false);
    enc_json_member(buffer, "receipt");
    enc_receipt_put_json(buffer, event);
    enc_json_put_raw(buffer, "}");
}

void enc_answer_existing(struct enc_exchange *exchange, const struct enc_event *manifest)
{
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, &exchange->arena, SIZE_MAX / 4);
    put_welcome(exchange, &buffer, manifest);
    reply(exchange, 200, 0, &buffer);
}

void enc_answer_receipt(struct enc_exchange *exchange, const struct enc_event *event)
{
    struct enc_buffer buffer;
    enc_count_answer(exchange, (struct enc_verdict){.err = ENC_ERR_OK});
    if (is_unasked(exchange)) {
        enc_exchange_free(exchange);
        return;
    }
    enc_buffer_init(&buffer, &exchange->arena, SIZE_MAX / 4);
    if (exchange->is_founding) {
        put_welcome(exchange, &buffer, event);
        reply(exchange, 201, 0, &buffer);
        return;
    }
    put_receipt(exchange, &buffer, event);
    if (exchange->asker.call)
        reply(exchange, 200, 0, &buffer);
    else
        send_frame(exchange, &buffer, &(struct enc_outgoing){.stream = 0});
}
