/** What the tests of proto share: vectors, hex, memory. Every test runs in a process of its own. */
#pragma once

#include "proto/base/arena.h"
#include "proto/schnorr.h"

#include <jansson.h>

/**
 * The value at a dotted path of tests/vectors/protocol.json, "session.proof.at"; an array element
 * by its number, "events.2.sig". Fails the test when it is absent.
 */
json_t *vector_at(const char *path);

/** A string of the vectors. */
struct enc_bytes vector_text(const char *path);

/** A hex string of the vectors, decoded; it must have exactly 2*len digits. */
void vector_hex(uint8_t *out, size_t len, const char *path);

uint64_t vector_u64(const char *path);

/** Decode hex; fails the test when it is none of 2*len digits. */
void unhex(uint8_t *out, size_t len, const char *hex);

/** Fails the test unless bytes are those that hex spells. */
void expect_hex(struct enc_bytes bytes, const char *hex);

/** Fails the test unless bytes are those of a hex string of the vectors. */
void expect_vector(struct enc_bytes bytes, const char *path);

/** An arena over max_len bytes of static memory, empty at every call. */
struct enc_arena *fresh_arena(size_t max_len);

/** A curve of this process. */
const struct enc_curve *test_curve(void);

/** A key of the vectors: "owner", "member" or "seq". */
struct enc_key vector_key(const char *name);

/** The key of any private scalar, as 64 hex digits. */
struct enc_key key_of_hex(const char *priv);
