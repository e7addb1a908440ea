/**
 * Deterministic CBOR (RFC 8949 4.2, shortest form) of the pre-images of H, and H of the shapes that
 * the Merkle trees use. Only what protocol.md 1.2 names exists: unsigned integers, byte strings,
 * text strings, definite arrays. Pure; any thread.
 */
#pragma once

#include "proto/base/arena.h"

/** Bound of the value of an SMT leaf. */
enum { ENC_SMT_VALUE_LEN_MAX = 255 };

/** Head of an array of count items; the items follow, appended by the caller. */
void enc_cbor_array(struct enc_buffer *buffer, uint64_t count);

/** An unsigned integer in its shortest form. */
void enc_cbor_uint(struct enc_buffer *buffer, uint64_t value);

/** A byte string. */
void enc_cbor_bytes(struct enc_buffer *buffer, struct enc_bytes bytes);

/** A text string; utf8 is valid UTF-8, written as it is. */
void enc_cbor_text(struct enc_buffer *buffer, struct enc_bytes utf8);

/**
 * H(prefix, left, right): one hash, nothing allocated. prefix is 0x00 (CT leaf: events_root,
 * state_hash), 0x01 (node of bundle and CT tree), 0x21 (SMT node) or any other; out32 may be left32
 * or right32.
 * Source: protocol.md 1.2, 1.3
 */
/*@ requires \valid(out32 + (0 .. 31));
    requires \valid_read(left32 + (0 .. 31)) && \valid_read(right32 + (0 .. 31));
    assigns out32[0 .. 31]; */
void enc_h_pair(uint8_t out32[32], uint8_t prefix, const uint8_t left32[32],
                const uint8_t right32[32]);

/**
 * H(0x20, key, value), the hash of an SMT leaf; value.len <= ENC_SMT_VALUE_LEN_MAX (checked).
 * Source: protocol.md 6
 */
/*@ requires \valid(out32 + (0 .. 31)) && \valid_read(key21 + (0 .. 20));
    requires value.len <= ENC_SMT_VALUE_LEN_MAX && \valid_read(value.data + (0 .. value.len - 1));
    assigns out32[0 .. 31]; */
void enc_h_smt_leaf(uint8_t out32[32], const uint8_t key21[21], struct enc_bytes value);
