#include "proto/parcel.h"

#include "proto/sha256.h"

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
    enc_json_member_text(buffer, "content", parcel->content);
    enc_json_member_hex(buffer, "sig", enc_bytes_of(parcel->sig64, 64));
    enc_json_put_raw(buffer, "}");
}
