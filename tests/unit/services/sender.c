#include "sender.h"

#include "proto/request.h"
#include "proto/seal.h"
#include "proto/sha256.h"

#include <stdio.h>

void sender_init(struct sender *sender, struct rig *rig, const char *name)
{
    uint8_t priv32[32];
    *sender = (struct sender){.rig = rig, .url = "https://here.example/push", .status = 200};
    enc_sha256(priv32, enc_bytes_of_text(name));
    cr_assert(enc_key_init(&sender->key, rig->curve, priv32));
    struct enc_commit commit =
        rig_sign_manifest(rig, rig_manifest(rig, &(struct shape){.nonce = name}));
    sender->manifest = (struct enc_event){.commit = commit, .timestamp_ms = rig_now_ms(rig)};
    sender->manifest.type_seq = 1;
    enc_event_finalise(&sender->manifest, rig->curve, &sender->key);
    sender->enclave32 = enc_arena_copy(&rig->arena, enc_bytes_of(commit.enclave32, 32)).data;
    sender->next_seq = 1;
    sender->next_push_seq = 1;
}

struct enc_bytes sender_follow_body(struct sender *sender, const uint8_t *own32, const char *uri)
{
    struct rig *rig = sender->rig;
    const char *more = uri ? rig_text(rig, ",\"uri\":\"%s\"", uri) : "";
    const char *content =
        rig_text(rig, "{\"enclave\":\"%s\",\"pub\":\"%s\"%s}", rig_hex(rig, sender->enclave32, 32),
                 rig_hex(rig, sender->key.pub32, 32), more);
    return rig_body(rig, &(struct draft){OWNER, own32, "Follow", content, NULL, 0});
}

void sender_follow(struct sender *sender, const uint8_t *own32, const char *uri)
{
    struct enc_call *call = rig_post(sender->rig, "/", sender_follow_body(sender, own32, uri));
    cr_assert_eq(call->status, 200, "%.300s", call->body);
}

struct enc_event sender_event(struct sender *sender, enum who who, const char *type,
                              const char *content, const uint8_t *target32)
{
    struct rig *rig = sender->rig;
    struct enc_event event = {.seq = sender->next_seq++, .type_seq = 1};
    event.commit =
        rig_sign(rig, &(struct draft){who, sender->enclave32, type, content, target32, 0});
    event.timestamp_ms = rig_now_ms(rig);
    enc_event_finalise(&event, rig->curve, &sender->key);
    return event;
}

struct enc_event sender_post(struct sender *sender, const char *text)
{
    return sender_event(sender, OWNER, "Post", rig_text(sender->rig, "{\"text\":\"%s\"}", text),
                        NULL);
}

static const char *text_of(const struct enc_buffer *buffer)
{
    cr_assert_not(buffer->failed);
    return (const char *)enc_arena_copy(buffer->arena, enc_bytes_of(buffer->data, buffer->len))
        .data;
}

const char *sender_body(struct sender *sender, uint64_t push_seq, const struct enc_event *events,
                        size_t count)
{
    struct enc_buffer out;
    enc_buffer_init(&out, &sender->rig->arena, SIZE_MAX / 4);
    enc_json_put_raw(&out, "{");
    enc_json_member_u64(&out, "push_seq", push_seq);
    enc_json_member_hex(&out, "enclave", enc_bytes_of(sender->enclave32, 32));
    enc_json_put_raw(&out, ",\"push\":[");
    for (size_t i = 0; i < count; i++) {
        enc_json_comma(&out);
        enc_event_put_json(&out, &events[i], false);
    }
    enc_json_put_raw(&out, "],\"notify\":[]}");
    return text_of(&out);
}

static struct enc_bytes seal(struct sender *sender, const char *plain)
{
    struct rig *rig = sender->rig;
    uint8_t key32[32], nonce24[24];
    struct enc_bytes sealed;
    rig->runtime.random(rig, nonce24, sizeof nonce24);
    cr_assert(enc_push_key(rig->curve, key32, &sender->key, rig->node.pub32));
    cr_assert_eq(enc_seal_close(&sealed, &rig->arena, key32, nonce24, enc_bytes_of_text(plain)),
                 ENC_ERR_OK);
    return sealed;
}

struct enc_parcel sender_parcel(struct sender *sender, uint64_t push_seq, const char *body,
                                bool is_clear)
{
    struct enc_parcel parcel = {.push_seq = push_seq, .is_clear = is_clear};
    parcel.url = enc_bytes_of_text(sender->url);
    parcel.content = is_clear ? enc_bytes_of_text(body) : seal(sender, body);
    memcpy(parcel.to32, sender->rig->node.pub32, 32);
    memcpy(parcel.enclave32, sender->enclave32, 32);
    enc_parcel_sign(sender->rig->curve, &parcel, &sender->key);
    return parcel;
}

struct enc_bytes sender_json(struct sender *sender, const struct enc_parcel *parcel)
{
    struct enc_buffer out;
    enc_buffer_init(&out, &sender->rig->arena, SIZE_MAX / 4);
    enc_parcel_put_json(&out, parcel);
    return enc_bytes_of_text(text_of(&out));
}

struct enc_bytes sender_pack(struct sender *sender, const struct enc_event *events, size_t count)
{
    uint64_t push_seq = sender->next_push_seq++;
    cr_assert(push_seq < SENDER_PAYLOADS_MAX);
    const char *body = sender_body(sender, push_seq, events, count);
    struct enc_parcel parcel = sender_parcel(sender, push_seq, body, push_seq % 3 == 0);
    sender->payloads[push_seq] = sender_json(sender, &parcel);
    return sender->payloads[push_seq];
}

struct enc_bytes sender_pack_post(struct sender *sender, const char *text)
{
    struct enc_event event = sender_post(sender, text);
    return sender_pack(sender, &event, 1);
}

/* ---- as the node that a Pull comes to ---- */

static const struct enc_json *open_question(struct sender *sender, struct enc_envelope *envelope,
                                            struct enc_sealed *sealed,
                                            const struct enc_node_side *side)
{
    struct rig *rig = sender->rig;
    struct enc_reader reader;
    cr_assert(envelope->is_sealed);
    cr_assert_eq(enc_envelope_open(envelope, sealed, &rig->arena, side), ENC_ERR_OK);
    cr_assert_eq(enc_envelope_reader(&reader, envelope, sealed, side), ENC_ERR_OK);
    cr_assert(reader.is_known);
    cr_assert_arr_eq(reader.pub32, rig->node.pub32, 32);
    return envelope->content;
}

static const char *payload_text(struct sender *sender, uint64_t push_seq)
{
    struct enc_bytes json = sender->payloads[push_seq];
    char *text = (char *)rig_text(sender->rig, "%.*s", (int)json.len, (const char *)json.data);
    char *sig = strstr(text, "\"sig\":\"");
    if (sender->spoilt == push_seq)
        sig[7] = sig[7] == '0' ? '1' : '0';
    return text;
}

static const char *deliveries(struct sender *sender, const struct enc_pull_request *request)
{
    struct enc_buffer out;
    uint32_t count = 0;
    uint64_t push_seq = request->push_seq.first;
    enc_buffer_init(&out, &sender->rig->arena, SIZE_MAX / 4);
    enc_json_put_raw(&out, "{\"deliveries\":[");
    push_seq = push_seq > sender->gone_to ? push_seq : sender->gone_to + 1;
    for (; push_seq < sender->next_push_seq && count < request->limit; push_seq++, count++) {
        enc_json_comma(&out);
        enc_json_put_raw(&out, rig_text(sender->rig, "{\"push_seq\":%zu,\"payload\":%s}",
                                        (size_t)push_seq, payload_text(sender, push_seq)));
    }
    enc_json_put_raw(&out, "]");
    enc_json_member_u64(&out, "last_push_seq", sender->next_push_seq - 1);
    enc_json_put_raw(&out, "}");
    return text_of(&out);
}

static struct enc_bytes seal_answer(struct sender *sender, const struct enc_channel *channel,
                                    const char *content)
{
    struct rig *rig = sender->rig;
    uint8_t nonce24[24];
    struct enc_bytes sealed;
    rig->runtime.random(rig, nonce24, sizeof nonce24);
    cr_assert_eq(enc_seal_close(&sealed, &rig->arena, channel->key_response32, nonce24,
                                enc_bytes_of_text(content)),
                 ENC_ERR_OK);
    return enc_bytes_of_text(rig_text(rig, "{\"type\":\"Response\",\"content\":\"%.*s\"}",
                                      (int)sealed.len, (const char *)sealed.data));
}

int sender_answer(struct sender *sender, const struct enc_fetch *fetch, struct enc_bytes *answer)
{
    struct rig *rig = sender->rig;
    struct enc_envelope envelope;
    struct enc_sealed sealed;
    struct enc_pull_request request;
    struct enc_node_side side = {
        .curve = rig->curve, .key = &sender->key, .now_ms = rig_now_ms(rig), .is_encrypted = true};
    memcpy(side.scope.seq_pub32, sender->key.pub32, 32);
    memcpy(side.scope.enclave32, sender->enclave32, 32);
    cr_assert(fetch->answer_len_max > 0);
    sender->asked_count++;
    if (sender->status != 200)
        return sender->status;
    const struct enc_json *body = rig_json(rig, fetch->body);
    cr_assert_eq(enc_envelope_parse(&envelope, body, ENC_BODY_PULL), ENC_ERR_OK);
    cr_assert_arr_eq(envelope.enclave32, sender->enclave32, 32);
    const struct enc_json *content = open_question(sender, &envelope, &sealed, &side);
    cr_assert_eq(enc_pull_request_take(&request, content), ENC_ERR_OK);
    cr_assert(enc_bytes_is(request.url, sender->url));
    *answer = seal_answer(sender, &sealed.channel, deliveries(sender, &request));
    return 200;
}
