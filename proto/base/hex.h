/** Text codecs: hex and standard base64 with padding. Pure; any thread. */
#pragma once

#include "proto/base/arena.h"

/**
 * Decode exactly 2*len hex digits of either case into out[len]. False when text has another length
 * or digit.
 */
/*@ requires len <= SIZE_MAX / 2 && \valid(out + (0 .. len - 1));
    requires \valid_read(text.data + (0 .. text.len - 1));
    requires \separated(out + (0 .. len - 1), text.data + (0 .. text.len - 1));
    assigns out[0 .. len - 1];
    ensures \result ==> text.len == 2 * len; */
ENC_MUST_USE bool enc_hex_decode(uint8_t *out, size_t len, struct enc_bytes text);

/** Write 2*bytes.len lowercase digits to out, no terminator. */
/*@ requires bytes.len <= SIZE_MAX / 2 && \valid(out + (0 .. 2 * bytes.len - 1));
    requires \valid_read(bytes.data + (0 .. bytes.len - 1));
    requires \separated(out + (0 .. 2 * bytes.len - 1), bytes.data + (0 .. bytes.len - 1));
    assigns out[0 .. 2 * bytes.len - 1]; */
void enc_hex_encode(char *out, struct enc_bytes bytes);

/** Length of the base64 text of len bytes, padding included. */
/*@ requires len <= SIZE_MAX / 2;
    assigns \nothing;
    ensures \result == (len + 2) / 3 * 4; */
size_t enc_base64_len(size_t len);

/** Write enc_base64_len(bytes.len) characters to out, no terminator (RFC 4648 section 4). */
/*@ requires bytes.len <= SIZE_MAX / 2 && \valid(out + (0 .. (bytes.len + 2) / 3 * 4 - 1));
    requires \valid_read(bytes.data + (0 .. bytes.len - 1));
    requires \separated(out + (0 .. (bytes.len + 2) / 3 * 4 - 1),
                        bytes.data + (0 .. bytes.len - 1));
    assigns out[0 .. (bytes.len + 2) / 3 * 4 - 1]; */
void enc_base64_encode(char *out, struct enc_bytes bytes);

/**
 * Decode strict base64: padding required, no blanks, unused bits zero. out lives in arena.
 * Errors: DECRYPT_FAILED for malformed text, TOO_LARGE when the arena is exhausted
 */
ENC_MUST_USE enum enc_err enc_base64_decode(struct enc_bytes *out, struct enc_arena *arena,
                                            struct enc_bytes text);
