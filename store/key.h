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

/*@ predicate enc_row_key_ok(struct enc_row_key *key) =
      \valid(key) && key->len <= ENC_ROW_KEY_LEN_MAX; */

/** Start an empty key. */
/*@ requires \valid(key);
    assigns key->len;
    ensures enc_row_key_ok(key) && key->len == 0; */
void enc_row_key_init(struct enc_row_key *key);

/** Append one part. Aborts when the key would be longer than ENC_ROW_KEY_LEN_MAX. */
/*@ requires enc_row_key_ok(key) && key->len + 1 <= ENC_ROW_KEY_LEN_MAX;
    assigns key->len, key->data[key->len .. key->len + 1 - 1];
    ensures enc_row_key_ok(key) && key->len == \old(key->len) + 1;
    ensures key->data[\old(key->len)] == value; */
void enc_row_key_u8(struct enc_row_key *key, uint8_t value);
/*@ requires enc_row_key_ok(key) && key->len + 4 <= ENC_ROW_KEY_LEN_MAX;
    assigns key->len, key->data[key->len .. key->len + 4 - 1];
    ensures enc_row_key_ok(key) && key->len == \old(key->len) + 4; */
void enc_row_key_u32(struct enc_row_key *key, uint32_t value);
/*@ requires enc_row_key_ok(key) && key->len + 8 <= ENC_ROW_KEY_LEN_MAX;
    assigns key->len, key->data[key->len .. key->len + 8 - 1];
    ensures enc_row_key_ok(key) && key->len == \old(key->len) + 8; */
void enc_row_key_u64(struct enc_row_key *key, uint64_t value);
/*@ requires enc_row_key_ok(key) && key->len + part.len <= ENC_ROW_KEY_LEN_MAX;
    requires \valid_read(part.data + (0 .. part.len - 1));
    requires \separated(key, part.data + (0 .. part.len - 1));
    assigns key->len, key->data[key->len .. key->len + part.len - 1];
    ensures enc_row_key_ok(key) && key->len == \old(key->len) + part.len;
    ensures \forall integer i; 0 <= i < part.len ==>
        key->data[\old(key->len) + i] == part.data[i]; */
void enc_row_key_bytes(struct enc_row_key *key, struct enc_bytes part);

/** Fill with 0xff up to the longest key: no key with the parts so far sorts behind it. */
/*@ requires enc_row_key_ok(key);
    assigns key->len, key->data[key->len .. ENC_ROW_KEY_LEN_MAX - 1];
    ensures key->len == ENC_ROW_KEY_LEN_MAX; */
void enc_row_key_top(struct enc_row_key *key);

/** The composed bytes; valid while key is unchanged. */
/*@ requires \valid_read(key);
    assigns \nothing;
    ensures \result.data == &key->data[0] && \result.len == key->len; */
struct enc_bytes enc_row_key_view(const struct enc_row_key *key);

/**
 * The engine's order: bytewise, the shorter of two equal beginnings first. Negative, 0 or positive.
 */
/*@ requires \valid_read(a.data + (0 .. a.len - 1)) && \valid_read(b.data + (0 .. b.len - 1));
    assigns \nothing;
    ensures \result == 0 <==> a.len == b.len &&
        \forall integer i; 0 <= i < a.len ==> a.data[i] == b.data[i];
    ensures a.len == 8 && b.len == 8 ==>
        (\result < 0 <==> enc_be64(a.data) < enc_be64(b.data)) &&
        (\result > 0 <==> enc_be64(a.data) > enc_be64(b.data)); */
int enc_row_key_compare(struct enc_bytes a, struct enc_bytes b);

/** The two shapes that many tables share: ord | number, and ord | queue16 | number. */
/*@ requires \valid(key);
    assigns key->len, key->data[0 .. 15];
    ensures key->len == 16; */
void enc_row_key_numbered(struct enc_row_key *key, uint64_t ord, uint64_t number);
/*@ requires \valid(key) && \valid_read(queue16 + (0 .. 15));
    requires \separated(key, queue16 + (0 .. 15));
    assigns key->len, key->data[0 .. 31];
    ensures key->len == 32; */
void enc_row_key_queued(struct enc_row_key *key, uint64_t ord, const uint8_t queue16[16],
                        uint64_t number);
