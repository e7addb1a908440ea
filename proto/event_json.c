#include "proto/event.h"

static void put32(struct enc_buffer *buffer, const char *name, const uint8_t bytes32[32])
{
    enc_json_member_hex(buffer, name, enc_bytes_of(bytes32, 32));
}

static void put64(struct enc_buffer *buffer, const char *name, const uint8_t bytes64[64])
{
    enc_json_member_hex(buffer, name, enc_bytes_of(bytes64, 64));
}

static void put_content(struct enc_buffer *buffer, const struct enc_event *event,
                        bool hides_content)
{
    if (hides_content || event->is_erased)
        enc_json_member_raw(buffer, "content", ENC_LIT("null"));
    else
        enc_json_member_text(buffer, "content", event->commit.content);
}

void enc_event_put_json(struct enc_buffer *buffer, const struct enc_event *event,
                        bool hides_content)
{
    const struct enc_commit *commit = &event->commit;
    enc_json_put_raw(buffer, "{");
    put32(buffer, "id", event->id32);
    put32(buffer, "hash", commit->hash32);
    put32(buffer, "enclave", commit->enclave32);
    put32(buffer, "from", commit->from32);
    enc_json_member_text(buffer, "type", commit->type);
    put_content(buffer, event, hides_content);
    enc_json_member_u64(buffer, "exp", commit->exp_ms);
    enc_json_member(buffer, "tags");
    enc_tags_put(buffer, &commit->tags);
    enc_json_member_u64(buffer, "timestamp", event->timestamp_ms);
    put32(buffer, "sequencer", event->sequencer32);
    enc_json_member_u64(buffer, "seq", event->seq);
    enc_json_member_u64(buffer, "type_seq", event->type_seq);
    put64(buffer, "sig", commit->sig64);
    put64(buffer, "seq_sig", event->seq_sig64);
    enc_json_put_raw(buffer, "}");
}

void enc_receipt_put_json(struct enc_buffer *buffer, const struct enc_event *event)
{
    enc_json_put_raw(buffer, "{");
    enc_json_member_text(buffer, "type", ENC_LIT("Receipt"));
    put32(buffer, "id", event->id32);
    put32(buffer, "hash", event->commit.hash32);
    put32(buffer, "enclave", event->commit.enclave32);
    enc_json_member_u64(buffer, "timestamp", event->timestamp_ms);
    put32(buffer, "sequencer", event->sequencer32);
    enc_json_member_u64(buffer, "seq", event->seq);
    enc_json_member_u64(buffer, "type_seq", event->type_seq);
    put64(buffer, "sig", event->commit.sig64);
    put64(buffer, "seq_sig", event->seq_sig64);
    enc_json_put_raw(buffer, "}");
}

void enc_notify_put_json(struct enc_buffer *buffer, const struct enc_event *event)
{
    enc_json_put_raw(buffer, "{");
    put32(buffer, "id", event->id32);
    enc_json_member_u64(buffer, "seq", event->seq);
    enc_json_member_text(buffer, "type", event->commit.type);
    enc_json_member_u64(buffer, "type_seq", event->type_seq);
    enc_json_member_u64(buffer, "timestamp", event->timestamp_ms);
    enc_json_put_raw(buffer, "}");
}

void enc_element_put(struct enc_buffer *buffer, const struct enc_element *element)
{
    static const struct {
        const char *name;
        const char *by;
    } STATUSES[ENC_EVENT_STATUS_COUNT] = {
        [ENC_EVENT_ACTIVE] = {"active", NULL},
        [ENC_EVENT_UPDATED] = {"updated", "updated_by"},
        [ENC_EVENT_DELETED] = {"deleted", "deleted_by"},
    };
    ENC_CHECK((unsigned)element->status < ENC_EVENT_STATUS_COUNT);
    enc_json_member(buffer, "event");
    enc_event_put_json(buffer, element->event, element->hides_content);
    enc_json_member_text(buffer, "status", enc_bytes_of_text(STATUSES[element->status].name));
    if (STATUSES[element->status].by)
        put32(buffer, STATUSES[element->status].by, element->by32);
}

static bool take32(uint8_t out32[32], const struct enc_json *object, const char *name)
{
    return enc_json_hex(enc_json_get(object, name), out32, 32);
}

static bool take64(uint8_t out64[64], const struct enc_json *object, const char *name)
{
    return enc_json_hex(enc_json_get(object, name), out64, 64);
}

static bool take_u64(uint64_t *out, const struct enc_json *object, const char *name)
{
    return enc_json_u64(enc_json_get(object, name), out);
}

/** What a Receipt and an event have in common. */
static bool take_order(struct enc_event *out, const struct enc_json *object)
{
    return take32(out->id32, object, "id") && take32(out->commit.hash32, object, "hash") &&
           take32(out->commit.enclave32, object, "enclave") &&
           take_u64(&out->timestamp_ms, object, "timestamp") &&
           take32(out->sequencer32, object, "sequencer") && take_u64(&out->seq, object, "seq") &&
           take_u64(&out->type_seq, object, "type_seq") &&
           take64(out->commit.sig64, object, "sig") && take64(out->seq_sig64, object, "seq_sig");
}

static bool take_content(struct enc_event *out, const struct enc_json *json)
{
    out->is_erased = json && json->kind == ENC_JSON_NULL;
    return out->is_erased || (enc_json_text(json, &out->commit.content) &&
                              out->commit.content.len <= ENC_CONTENT_LEN_MAX);
}

static bool take_commit(struct enc_event *out, const struct enc_json *object)
{
    struct enc_commit *commit = &out->commit;
    return take32(commit->from32, object, "from") &&
           enc_json_text(enc_json_get(object, "type"), &commit->type) &&
           enc_type_is_well_formed(commit->type) &&
           take_content(out, enc_json_get(object, "content")) &&
           take_u64(&commit->exp_ms, object, "exp");
}

enum enc_err enc_event_take(struct enc_event *out, struct enc_arena *arena,
                            const struct enc_json *object)
{
    *out = (struct enc_event){.commit.has_hash = true};
    if (!take_order(out, object) || !take_commit(out, object))
        return ENC_ERR_INVALID_REQUEST;
    enum enc_err err = enc_tags_take(&out->commit.tags, arena, enc_json_get(object, "tags"));
    return err == ENC_ERR_INVALID_COMMIT ? ENC_ERR_INVALID_REQUEST : err;
}

enum enc_err enc_receipt_take(struct enc_event *out, const struct enc_json *object)
{
    struct enc_bytes type;
    *out = (struct enc_event){.commit.has_hash = true};
    bool is_good = enc_json_text(enc_json_get(object, "type"), &type) &&
                   enc_bytes_is(type, "Receipt") && take_order(out, object);
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_REQUEST;
}
