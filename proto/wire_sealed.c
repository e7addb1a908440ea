#include "proto/wire.h"

#include "proto/json.h"

static void put_text(struct enc_buffer *buffer, const char *name, struct enc_bytes text)
{
    enc_json_member_text(buffer, name, text);
}

static enum enc_err seal(struct enc_bytes *base64, const struct enc_sealing *sealing,
                         struct enc_bytes plain)
{
    return enc_seal_close(base64, sealing->arena, sealing->channel->key_response32,
                          sealing->nonce24, plain);
}

/** Seal members with the braces of their object around them. */
static enum enc_err seal_object(struct enc_bytes *base64, const struct enc_sealing *sealing,
                                struct enc_bytes members)
{
    struct enc_buffer object;
    struct enc_bytes plain;
    enc_buffer_init(&object, sealing->arena, members.len + 2);
    enc_json_put_raw(&object, "{");
    enc_buffer_add(&object, members);
    enc_json_put_raw(&object, "}");
    ENC_TRY(enc_buffer_bytes(&object, &plain));
    return seal(base64, sealing, plain);
}

enum enc_err enc_wire_put_sealed_response(struct enc_buffer *buffer,
                                          const struct enc_sealing *sealing,
                                          struct enc_bytes members)
{
    struct enc_bytes base64;
    ENC_TRY(seal_object(&base64, sealing, members));
    enc_json_put_raw(buffer, "{");
    put_text(buffer, "type", ENC_LIT("Response"));
    put_text(buffer, "content", base64);
    enc_json_put_raw(buffer, "}");
    return ENC_ERR_OK;
}

enum enc_err enc_wire_put_sealed_event(struct enc_buffer *buffer, const struct enc_sealing *sealing,
                                       struct enc_bytes sub_id, struct enc_bytes members)
{
    struct enc_bytes base64;
    ENC_TRY(seal_object(&base64, sealing, members));
    enc_json_put_raw(buffer, "{");
    put_text(buffer, "type", ENC_LIT("Event"));
    put_text(buffer, "sub_id", sub_id);
    put_text(buffer, "content", base64);
    enc_json_put_raw(buffer, "}");
    return ENC_ERR_OK;
}

/** Longer than any Receipt: five hashes, two signatures, three numbers and their names. */
enum { RECEIPT_LEN_MAX = 1024 };

static enum enc_err seal_receipt(struct enc_bytes *base64, const struct enc_sealing *sealing,
                                 const struct enc_event *event)
{
    struct enc_buffer receipt;
    struct enc_bytes plain;
    enc_buffer_init(&receipt, sealing->arena, RECEIPT_LEN_MAX);
    enc_receipt_put_json(&receipt, event);
    ENC_TRY(enc_buffer_bytes(&receipt, &plain));
    return seal(base64, sealing, plain);
}

enum enc_err enc_wire_put_sealed_receipt(struct enc_buffer *buffer,
                                         const struct enc_sealing *sealing,
                                         const struct enc_event *event, enum enc_receipt_form form)
{
    bool is_frame = form == ENC_RECEIPT_FRAME;
    struct enc_bytes base64;
    ENC_TRY(seal_receipt(&base64, sealing, event));
    enc_json_put_raw(buffer, "{");
    put_text(buffer, "type", is_frame ? ENC_LIT("Receipt") : ENC_LIT("Response"));
    put_text(buffer, "content", base64);
    if (is_frame)
        enc_json_member_hex(buffer, "hash", enc_bytes_of(event->commit.hash32, 32));
    enc_json_put_raw(buffer, "}");
    return ENC_ERR_OK;
}
