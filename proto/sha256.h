/** SHA-256 and HKDF-SHA256. Pure; any thread. */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

/** FIPS 180-4 of one run of bytes; the fast form (one call, hardware instructions). */
/*@ requires \valid(out32 + (0 .. 31)) && \valid_read(bytes.data + (0 .. bytes.len - 1));
    assigns out32[0 .. 31]; */
void enc_sha256(uint8_t out32[32], struct enc_bytes bytes);

/** The hash of count parts, one after the other without separators. */
void enc_sha256_parts(uint8_t out32[32], const struct enc_bytes *parts, size_t count);

/**
 * HKDF-SHA256 (RFC 5869) without salt; info may be empty, out_len <= 8160 (checked). The caller
 * wipes out.
 */
void enc_hkdf(uint8_t *out, size_t out_len, struct enc_bytes ikm, struct enc_bytes info);

/**
 * 32 bytes of enc_hkdf from a shared secret, with the ASCII label as info. The caller wipes out32.
 * Source: protocol.md 1.4
 */
void enc_hkdf32(uint8_t out32[32], const uint8_t ikm32[32], const char *label);
