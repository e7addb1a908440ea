/** SHA-256 and HKDF-SHA256. Pure; any thread. */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

/** FIPS 180-4 of one run of bytes; the fast form (one call, hardware instructions). */
void enc_sha256(uint8_t out32[32], struct enc_bytes bytes);

/** The hash of count parts, one after the other without separators. */
void enc_sha256_parts(uint8_t out32[32], const struct enc_bytes *parts, size_t count);

/**
 * HKDF-SHA256 with 32 zero bytes of salt, the ASCII label as info and 32 bytes of output. The
 * caller wipes out32.
 * Source: protocol.md 1.4
 */
void enc_hkdf32(uint8_t out32[32], const uint8_t ikm32[32], const char *label);
