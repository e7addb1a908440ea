#include "proto/parcel.h"

#include "proto/sha256.h"

#include <string.h>

void enc_parcel_message(uint8_t message32[32], const struct enc_parcel *parcel)
{
    uint8_t content32[32];
    uint8_t push_seq8[8];
    enc_sha256(content32, parcel->content);
    enc_be64_put(push_seq8, parcel->push_seq);
    const struct enc_bytes parts[] = {
        ENC_LIT("enc:push:"),           enc_bytes_of(parcel->enclave32, 32),
        enc_bytes_of(parcel->to32, 32), enc_bytes_of(push_seq8, 8),
        enc_bytes_of(content32, 32),
    };
    enc_sha256_parts(message32, parts, sizeof parts / sizeof parts[0]);
}

void enc_parcel_sign(const struct enc_curve *curve, struct enc_parcel *parcel,
                     const struct enc_key *sequencer)
{
    uint8_t message32[32];
    memcpy(parcel->from32, sequencer->pub32, 32);
    enc_parcel_message(message32, parcel);
    enc_schnorr_sign(curve, parcel->sig64, sequencer, message32);
}

bool enc_parcel_verify(const struct enc_curve *curve, const struct enc_parcel *parcel)
{
    uint8_t message32[32];
    enc_parcel_message(message32, parcel);
    return enc_schnorr_verify(curve, parcel->sig64, message32, parcel->from32);
}

void enc_parcel_put_json(struct enc_buffer *buffer, const struct enc_parcel *parcel)
{
    enc_json_put_raw(buffer, "{");
    enc_json_member_text(buffer, "type", ENC_LIT("Push"));
    enc_json_member_hex(buffer, "from", enc_bytes_of(parcel->from32, 32));
    enc_json_member_hex(buffer, "to", enc_bytes_of(parcel->to32, 32));
    enc_json_member_text(buffer, "url", parcel->url);
    enc_json_member_hex(buffer, "enclave", enc_bytes_of(parcel->enclave32, 32));
    enc_json_member_u64(buffer, "push_seq", parcel->push_seq);
    if (parcel->is_clear)
        enc_json_member_text(buffer, "enc", ENC_LIT("none"));
    enc_json_member_text(buffer, "content", parcel->content);
    enc_json_member_hex(buffer, "sig", enc_bytes_of(parcel->sig64, 64));
    enc_json_put_raw(buffer, "}");
}

/* ---- the receiver's side ---- */

static bool take_hex(uint8_t *out, size_t len, const struct enc_json *object, const char *name)
{
    return enc_json_hex(enc_json_get(object, name), out, len);
}

static bool take_text(struct enc_bytes *out, const struct enc_json *object, const char *name)
{
    return enc_json_text(enc_json_get(object, name), out);
}

static bool is_text(const struct enc_json *object, const char *name, const char *wanted)
{
    struct enc_bytes text;
    return take_text(&text, object, name) && enc_bytes_is(text, wanted);
}

static bool take_form(struct enc_parcel *out, const struct enc_json *object)
{
    out->is_clear = enc_json_get(object, "enc") != NULL;
    return !out->is_clear || is_text(object, "enc", "none");
}

static bool take_keys(struct enc_parcel *out, const struct enc_json *object)
{
    return take_hex(out->from32, 32, object, "from") && take_hex(out->to32, 32, object, "to") &&
           take_hex(out->enclave32, 32, object, "enclave") &&
           take_hex(out->sig64, 64, object, "sig");
}

enum enc_err enc_parcel_take(struct enc_parcel *out, const struct enc_json *object)
{
    *out = (struct enc_parcel){.push_seq = 0};
    bool is_good = is_text(object, "type", "Push") && take_form(out, object) &&
                   take_keys(out, object) && take_text(&out->url, object, "url") &&
                   enc_json_u64(enc_json_get(object, "push_seq"), &out->push_seq) &&
                   out->push_seq > 0 && take_text(&out->content, object, "content");
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_PUSH;
}

static enum enc_err as_push(enum enc_err err)
{
    return err == ENC_ERR_OK || err == ENC_ERR_TOO_LARGE ? err : ENC_ERR_INVALID_PUSH;
}

enum enc_err enc_parcel_open(struct enc_bytes *plain, struct enc_arena *arena,
                             const struct enc_curve *curve, const struct enc_parcel *parcel,
                             const struct enc_key *own)
{
    uint8_t key32[32];
    *plain = parcel->content;
    if (parcel->is_clear)
        return ENC_ERR_OK;
    if (!enc_push_key(curve, key32, own, parcel->from32))
        return ENC_ERR_INVALID_PUSH;
    enum enc_err err = enc_seal_open(plain, arena, key32, parcel->content);
    explicit_bzero(key32, sizeof key32);
    return as_push(err);
}

static bool is_array(const struct enc_json *json)
{
    return json && json->kind == ENC_JSON_ARRAY;
}

static bool is_of(const struct enc_parcel *parcel, const struct enc_json *body)
{
    uint8_t enclave32[32];
    uint64_t push_seq = 0;
    return enc_json_u64(enc_json_get(body, "push_seq"), &push_seq) &&
           push_seq == parcel->push_seq && take_hex(enclave32, 32, body, "enclave") &&
           memcmp(enclave32, parcel->enclave32, 32) == 0 && is_array(enc_json_get(body, "push")) &&
           is_array(enc_json_get(body, "notify"));
}

static bool is_notice(const struct enc_json *json)
{
    uint8_t id32[32];
    uint64_t number = 0;
    struct enc_bytes type;
    return take_hex(id32, 32, json, "id") && take_text(&type, json, "type") &&
           enc_json_u64(enc_json_get(json, "seq"), &number) &&
           enc_json_u64(enc_json_get(json, "type_seq"), &number) &&
           enc_json_u64(enc_json_get(json, "timestamp"), &number);
}

static enum enc_err check_notices(const struct enc_json *list)
{
    for (const struct enc_json *at = list->child; at; at = at->next)
        if (!is_notice(at))
            return ENC_ERR_INVALID_PUSH;
    return ENC_ERR_OK;
}

static enum enc_err take_event(struct enc_parcel_body *out, struct enc_arena *arena,
                               const struct enc_parcel *parcel, const struct enc_json *json)
{
    struct enc_event *event = &out->events[out->count];
    ENC_TRY(as_push(enc_event_take(event, arena, json)));
    bool is_ascending = out->count == 0 || event->seq > out->events[out->count - 1].seq;
    if (!is_ascending || memcmp(event->commit.enclave32, parcel->enclave32, 32) != 0)
        return ENC_ERR_INVALID_PUSH;
    out->count++;
    return ENC_ERR_OK;
}

static enum enc_err take_events(struct enc_parcel_body *out, struct enc_arena *arena,
                                const struct enc_parcel *parcel, const struct enc_json *list)
{
    out->events = ENC_ARENA_NEW(arena, struct enc_event, list->count);
    if (!out->events)
        return ENC_ERR_TOO_LARGE;
    for (const struct enc_json *at = list->child; at; at = at->next)
        ENC_TRY(take_event(out, arena, parcel, at));
    return ENC_ERR_OK;
}

enum enc_err enc_parcel_body_take(struct enc_parcel_body *out, struct enc_arena *arena,
                                  const struct enc_parcel *parcel, struct enc_bytes plain)
{
    struct enc_json *body = NULL;
    struct enc_json_facts facts;
    *out = (struct enc_parcel_body){NULL, 0, 0};
    ENC_TRY(as_push(enc_json_parse(&body, arena, plain, &facts)));
    if (!is_of(parcel, body))
        return ENC_ERR_INVALID_PUSH;
    const struct enc_json *notices = enc_json_get(body, "notify");
    out->notify_count = notices->count;
    ENC_TRY(check_notices(notices));
    return take_events(out, arena, parcel, enc_json_get(body, "push"));
}
