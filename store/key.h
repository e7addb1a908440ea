/**
 * Composed keys: fixed parts one after the other, integers big-endian, so that the engine's byte
 * order is the order of the numbers. Pure; any thread. Only the room itself composes keys;
 * outsiders meet the struct inside a scan.
 */
#pragma once

#include "proto/base/bytes.h"
#include "store/table.h"

struct enc_row_key {
    uint16_t len;
    uint8_t data[ENC_ROW_KEY_LEN_MAX];
};

/** Start an empty key. */
void enc_row_key_init(struct enc_row_key *key);

/** Append one part. Aborts when the key would be longer than ENC_ROW_KEY_LEN_MAX. */
void enc_row_key_u8(struct enc_row_key *key, uint8_t value);
void enc_row_key_u32(struct enc_row_key *key, uint32_t value);
void enc_row_key_u64(struct enc_row_key *key, uint64_t value);
void enc_row_key_bytes(struct enc_row_key *key, struct enc_bytes part);

/** Fill with 0xff up to the longest key: no key with the parts so far sorts behind it. */
void enc_row_key_top(struct enc_row_key *key);

/** The composed bytes; valid while key is unchanged. */
struct enc_bytes enc_row_key_view(const struct enc_row_key *key);

/**
 * The engine's order: bytewise, the shorter of two equal beginnings first. Negative, 0 or positive.
 */
int enc_row_key_compare(struct enc_bytes a, struct enc_bytes b);

/** The two shapes that many tables share: ord | number, and ord | queue16 | number. */
void enc_row_key_numbered(struct enc_row_key *key, uint64_t ord, uint64_t number);
void enc_row_key_queued(struct enc_row_key *key, uint64_t ord, const uint8_t queue16[16],
                        uint64_t number);
