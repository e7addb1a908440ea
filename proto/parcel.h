/**
 * The signed payload of a push (protocol.md 10.4): made by a sequencer, read by the node whose
 * DataView it is for. Pure; any thread.
 *
 *     enc_parcel_take, enc_parcel_verify, enc_parcel_open, enc_parcel_body_take
 */
#pragma once

#include "proto/event.h"
#include "proto/session.h"

struct enc_parcel {
    uint8_t from32[32]; /* the sequencer */
    uint8_t to32[32];
    uint8_t enclave32[32];
    uint8_t sig64[64];
    uint64_t push_seq;
    struct enc_bytes url;
    struct enc_bytes content; /* the body: sealed, as base64, or its JSON text */
    bool is_clear;            /* "enc":"none": content is the JSON text */
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

/**
 * Read a payload's JSON object. Strict about its members, ignores others; push_seq is at least 1.
 * Views point into the JSON. Checks no signature. Errors: INVALID_PUSH
 */
ENC_MUST_USE enum enc_err enc_parcel_take(struct enc_parcel *out, const struct enc_json *object);

/**
 * The body's JSON text. own is the key that the payload is addressed to; plain lives in arena or is
 * the parcel's content. Errors: INVALID_PUSH (it does not open), TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_parcel_open(struct enc_bytes *plain, struct enc_arena *arena,
                                          const struct enc_curve *curve,
                                          const struct enc_parcel *parcel,
                                          const struct enc_key *own);

/** What a payload holds. */
struct enc_parcel_body {
    struct enc_event *events; /* in ascending order of seq, all of the payload's enclave */
    size_t count;
    size_t notify_count;
};

/**
 * Read the body of a parcel. Both arrays must be there, push_seq and enclave must be the parcel's.
 * Events are read, not checked (enc_event_check); what they view lives as long as plain and arena.
 * Errors: INVALID_PUSH, TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_parcel_body_take(struct enc_parcel_body *out, struct enc_arena *arena,
                                               const struct enc_parcel *parcel,
                                               struct enc_bytes plain);
