/** SHA-256 and CBOR written apart from ours, from FIPS 180-4 and RFC 8949, for comparison only. */
#pragma once

#include "proto/base/bytes.h"

void naive_sha256(uint8_t out32[32], struct enc_bytes message);

/** Bytes that grow up to a bound that no input reaches (checked). */
struct naive_cbor {
    size_t len;
    uint8_t data[65536];
};

enum naive_major { NAIVE_UINT = 0, NAIVE_BYTES = 2, NAIVE_TEXT = 3, NAIVE_ARRAY = 4 };

/** The head of an item: its major type and its number, in the fewest bytes. */
void naive_cbor_head(struct naive_cbor *out, enum naive_major major, uint64_t number);

/** A byte or text string. */
void naive_cbor_string(struct naive_cbor *out, enum naive_major major, const void *data,
                       size_t len);
