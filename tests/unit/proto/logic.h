/** What the tests of the protocol's logic share, beside support.h: JSON, commits, an arena. */
#pragma once

#include "proto/event.h"
#include "proto/manifest.h"
#include "support.h"

/** One arena for the whole test; never emptied. */
struct enc_arena *arena(void);

/** A buffer in arena() of at most 1 MiB. */
struct enc_buffer buffer(void);

/** A JSON value in arena(); fails the test when text is no JSON. Single quotes stand for double. */
const struct enc_json *json(const char *text);

/** The same without the quotes' exchange. source must outlive the value. */
const struct enc_json *json_exact(struct enc_bytes source);

/** The same of the oracle's value, which stays the caller's. */
const struct enc_json *json_of(json_t *value);

/** Bytes of a printf format, in arena(); single quotes stand for double. */
struct enc_bytes text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** What was written, as a string; fails the test when an append failed. */
const char *written(const struct enc_buffer *buffer);

/** Fails the test unless the written JSON equals expected (single quotes stand for double). */
void expect_json(const struct enc_buffer *buffer, const char *expected);

/** Lowercase hex of 32 bytes, in arena(). */
const char *hex32(const uint8_t bytes32[32]);

/** Tags from JSON such as [['r','..']]. */
struct enc_tags tags_of(const char *json_text);

/** A signed commit of a key of the vectors, exp 1750000060000, for the vectors' enclave. */
struct enc_commit commit_by(const char *who, const char *type, struct enc_bytes content,
                            const char *tags);

/** Event number index of the vectors, read from its JSON members. */
struct enc_event vector_event(unsigned index);

/** A Manifest that must parse. */
struct enc_manifest manifest_of(struct enc_bytes content);

/** A Manifest with these roles and rows (JSON arrays), owned by the owner of the vectors. */
struct enc_manifest manifest_with(const char *roles, const char *rows);

/** The mask of the bits, ended by -1. */
struct enc_roles roles_of(int bit, ...);

/** An arena of len bytes: for what happens when memory ends. */
struct enc_arena small_arena(size_t len);

#define EXPECT_ERR(call, symbol)                                                                   \
    do {                                                                                           \
        enum enc_err got_err = (call);                                                             \
        cr_assert_eq(got_err, ENC_ERR_##symbol, "%s: %s instead of %s", #call,                     \
                     enc_err_row(got_err)->code, #symbol);                                         \
    } while (0)

#define EXPECT_OK(call) EXPECT_ERR(call, OK)
