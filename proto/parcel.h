/** The signed payload of a push (protocol.md 10.4). Pure; any thread. */
#pragma once

#include "proto/json.h"
#include "proto/schnorr.h"

struct enc_parcel {
    uint8_t from32[32]; /* the sequencer */
    uint8_t to32[32];
    uint8_t enclave32[32];
    uint8_t sig64[64];
    uint64_t push_seq;
    struct enc_bytes url;
    struct enc_bytes content; /* sealed body as base64 */
};

/** What is signed: SHA256("enc:push:" || enclave || to || be64(push_seq) || SHA256(content)). */
void enc_parcel_message(uint8_t message32[32], const struct enc_parcel *parcel);

/** Fill from32 and sig64. */
void enc_parcel_sign(const struct enc_curve *curve, struct enc_parcel *parcel,
                     const struct enc_key *sequencer);

/** Whether sig64 is from32's. */
ENC_MUST_USE bool enc_parcel_verify(const struct enc_curve *curve, const struct enc_parcel *parcel);

/** Append the payload's JSON object. */
void enc_parcel_put_json(struct enc_buffer *buffer, const struct enc_parcel *parcel);
