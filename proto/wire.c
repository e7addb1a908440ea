#include "proto/wire.h"

#include "proto/json.h"

static void start(struct enc_buffer *buffer, const char *type)
{
    enc_json_put_raw(buffer, "{");
    enc_json_member_text(buffer, "type", enc_bytes_of_text(type));
}

static void finish(struct enc_buffer *buffer)
{
    enc_json_put_raw(buffer, "}");
}

/** The code in lower case, as the one public sample has it. */
static void put_error_name(struct enc_buffer *buffer, const char *code)
{
    enc_json_member(buffer, "error");
    enc_json_put_raw(buffer, "\"");
    for (; *code; code++) {
        uint8_t *at = enc_buffer_extend(buffer, 1);
        if (at)
            *at = (uint8_t)(*code >= 'A' && *code <= 'Z' ? *code - 'A' + 'a' : *code);
    }
    enc_json_put_raw(buffer, "\"");
}

static void put_receipt(struct enc_buffer *buffer, const struct enc_event *event)
{
    enc_json_member(buffer, "receipt");
    enc_receipt_put_json(buffer, event);
}

static void put_number(struct enc_buffer *buffer, const char *name, uint64_t value)
{
    if (value)
        enc_json_member_u64(buffer, name, value);
}

static void put32(struct enc_buffer *buffer, const char *name, const uint8_t *bytes32)
{
    if (bytes32)
        enc_json_member_hex(buffer, name, enc_bytes_of(bytes32, 32));
}

void enc_wire_put_error(struct enc_buffer *buffer, const struct enc_refusal *refusal)
{
    ENC_CHECK(refusal->verdict.err != ENC_ERR_OK);
    const struct enc_err_row *row = enc_err_row(refusal->verdict.err);
    start(buffer, "Error");
    enc_json_member_text(buffer, "code", enc_bytes_of_text(row->code));
    enc_json_member_text(buffer, "message",
                         refusal->message.len ? refusal->message : enc_bytes_of_text(row->message));
    put_error_name(buffer, row->code);
    put_number(buffer, "step", refusal->verdict.step);
    put_number(buffer, "retry_after", refusal->retry_s ? refusal->retry_s : row->retry_s);
    if (refusal->receipt)
        put_receipt(buffer, refusal->receipt);
    put32(buffer, "new_sequencer", refusal->new_sequencer32);
    put32(buffer, "hash", refusal->hash32);
    if (refusal->sub_id.len)
        enc_json_member_text(buffer, "sub_id", refusal->sub_id);
    finish(buffer);
}

void enc_wire_put_response_lead(struct enc_buffer *buffer)
{
    start(buffer, "Response");
    enc_json_member(buffer, "content");
    enc_json_put_raw(buffer, "{");
}

void enc_wire_put_response_rest(struct enc_buffer *buffer)
{
    enc_json_put_raw(buffer, "}");
    finish(buffer);
}

void enc_wire_put_response(struct enc_buffer *buffer, struct enc_bytes members)
{
    enc_wire_put_response_lead(buffer);
    enc_buffer_add(buffer, members);
    enc_wire_put_response_rest(buffer);
}

static void start_sub(struct enc_buffer *buffer, const char *type, struct enc_bytes sub_id)
{
    start(buffer, type);
    enc_json_member_text(buffer, "sub_id", sub_id);
}

void enc_wire_put_event_lead(struct enc_buffer *buffer, struct enc_bytes sub_id)
{
    start_sub(buffer, "Event", sub_id);
    enc_json_put_raw(buffer, ",");
}

void enc_wire_put_event_rest(struct enc_buffer *buffer, struct enc_bytes members)
{
    enc_buffer_add(buffer, members);
    finish(buffer);
}

void enc_wire_put_event(struct enc_buffer *buffer, struct enc_bytes sub_id,
                        struct enc_bytes members)
{
    enc_wire_put_event_lead(buffer, sub_id);
    enc_wire_put_event_rest(buffer, members);
}

void enc_wire_put_eose(struct enc_buffer *buffer, struct enc_bytes sub_id)
{
    start_sub(buffer, "EOSE", sub_id);
    finish(buffer);
}

void enc_wire_put_closed(struct enc_buffer *buffer, struct enc_bytes sub_id, enum enc_closed reason)
{
    static const char *const REASONS[ENC_CLOSED_COUNT] = {
        [ENC_CLOSED_CLIENT_CLOSE] = "client_close",
        [ENC_CLOSED_COMPLETE] = "complete",
        [ENC_CLOSED_SESSION_EXPIRED] = "session_expired",
        [ENC_CLOSED_ACCESS_REVOKED] = "access_revoked",
        [ENC_CLOSED_ENCLAVE_TERMINATED] = "enclave_terminated",
        [ENC_CLOSED_ENCLAVE_MIGRATED] = "enclave_migrated",
        [ENC_CLOSED_SLOW_CONSUMER] = "slow_consumer",
        [ENC_CLOSED_REPLACED] = "replaced",
        [ENC_CLOSED_SHUTDOWN] = "shutdown",
    };
    ENC_CHECK((unsigned)reason < ENC_CLOSED_COUNT);
    start_sub(buffer, "Closed", sub_id);
    enc_json_member_text(buffer, "reason", enc_bytes_of_text(REASONS[reason]));
    finish(buffer);
}

void enc_wire_put_notice(struct enc_buffer *buffer, const char *message)
{
    start(buffer, "Notice");
    enc_json_member_text(buffer, "message", enc_bytes_of_text(message));
    finish(buffer);
}

void enc_wire_events_start(struct enc_wire_events *events, struct enc_buffer *buffer)
{
    *events = (struct enc_wire_events){.buffer = buffer};
    enc_json_member(buffer, "events");
    enc_json_put_raw(buffer, "[");
}

void enc_wire_events_add(struct enc_wire_events *events, const struct enc_element *element)
{
    enc_json_comma(events->buffer);
    enc_json_put_raw(events->buffer, "{");
    enc_element_put(events->buffer, element);
    enc_json_put_raw(events->buffer, "}");
    events->count++;
}

void enc_wire_events_end(struct enc_wire_events *events, const uint64_t *next)
{
    enc_json_put_raw(events->buffer, "]");
    if (next)
        enc_json_member_u64(events->buffer, "next", *next);
    else
        enc_json_member_raw(events->buffer, "next", ENC_LIT("null"));
}
