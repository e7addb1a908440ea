/**
 * Commits: what a client signs (protocol.md 2). Steps 1-4 of the pipeline are four functions, in
 * this order:
 *
 *     enc_commit_decode, enc_commit_check    1 structure
 *     enc_commit_expiry                      2 expiration
 *     enc_commit_hash_check                  3 hash
 *     enc_commit_signature                   4 signature
 *
 * Pure; any thread. Every struct enc_commit that this room hands out keeps the bounds below, so
 * hashing cannot fail.
 */
#pragma once

#include "proto/json.h"
#include "proto/schnorr.h"
#include "proto/type.h"

enum {
    ENC_CONTENT_LEN_MAX = 256 * 1024,
    ENC_TAG_COUNT_MAX = 64,
    ENC_TAG_MEMBER_COUNT_MAX = 8,
    ENC_TAG_MEMBER_LEN_MAX = 1024,
    ENC_TAGS_LEN_MAX = 8 * 1024, /* all members of all tags together */
    ENC_EXP_PAST_MS = 60 * 1000,
    ENC_EXP_AHEAD_MS = 3600 * 1000,
};

/** One tag: 1-8 strings, the first is its key. */
struct enc_tag {
    const struct enc_bytes *members;
    size_t count;
};

struct enc_tags {
    const struct enc_tag *items;
    size_t count;
};

struct enc_commit {
    uint8_t hash32[32];         /* valid once checked or filled */
    uint8_t content_hash32[32]; /* SHA256(content); valid once checked or filled */
    uint8_t enclave32[32];
    uint8_t from32[32];
    uint8_t sig64[64];
    struct enc_bytes type;
    struct enc_bytes content; /* UTF-8, may hold U+0000 */
    uint64_t exp_ms;
    struct enc_tags tags;
    bool has_hash;   /* the client sent one; hash32 holds it until step 3 */
    bool has_author; /* author is from32, lifted */
    struct enc_point author;
};

/**
 * Shape of a commit: every field present with its type, inside its limit. No curve or hash work, so
 * it is fit for the loop. type and content point into the parsed JSON (they live as long as body
 * does), the tags into arena.
 *
 * Members that the protocol does not know are ignored, whatever they hold. content_len_max lowers
 * ENC_CONTENT_LEN_MAX; larger values do not raise it.
 *
 * Errors: INVALID_COMMIT (body is no object; a member absent, null or of another type; 9 strings in
 *         a tag; type too long; exp out of range; lone surrogates), TOO_LARGE (content, number of
 *         tags, tag member, tags together; arena), UNSUPPORTED_ALG (alg present and not "schnorr")
 * Source: protocol.md 2.1, 16.4-6, 16.93
 */
ENC_MUST_USE enum enc_err enc_commit_decode(struct enc_commit *out, struct enc_arena *arena,
                                            const struct enc_json *body, size_t content_len_max);

/** The same where a commit may leave its enclave out: it is then default32, unless that is NULL
 * (protocol.md 8.1, singletons). */
ENC_MUST_USE enum enc_err enc_commit_decode_for(struct enc_commit *out, struct enc_arena *arena,
                                                const struct enc_json *body,
                                                const uint8_t *default32, size_t content_len_max);

/**
 * The rest of step 1: grammar of type, no reserved type, from lifts, and the first `r` tag of an
 * Update or Delete is well-formed.
 * Errors: INVALID_COMMIT
 * Source: protocol.md 2.1, 2.4, 16.7, 16.12, 16.19
 */
ENC_MUST_USE enum enc_err enc_commit_check(const struct enc_commit *commit);

/** Step 2. Errors: EXPIRED, EXP_TOO_FAR. Source: protocol.md 2.3 */
ENC_MUST_USE enum enc_err enc_commit_expiry(const struct enc_commit *commit, uint64_t now_ms);

/**
 * Step 3: computes content_hash32 and the commit hash, compares when the client sent one, else puts
 * it in.
 * Errors: INVALID_HASH; hash32 is then unspecified
 */
ENC_MUST_USE enum enc_err enc_commit_hash_check(struct enc_commit *commit);

/** Step 4, after step 3. Errors: INVALID_SIGNATURE */
ENC_MUST_USE enum enc_err enc_commit_signature(const struct enc_curve *curve,
                                               const struct enc_commit *commit);

/**
 * Fill author, if from lifts. Steps 1 and 4 need that point; who calls this first pays for it once.
 */
void enc_commit_lift(struct enc_commit *commit);

/** Compute content_hash32 and hash32, whatever they held. */
void enc_commit_hash_fill(struct enc_commit *commit);

/**
 * H(0x10, enclave, from, type, content_hash, exp, tags) from the members; content_hash32 must be
 * valid. Source: protocol.md 2.2
 */
void enc_commit_hash(uint8_t out32[32], const struct enc_commit *commit);

/**
 * The id of the enclave that this Manifest creates: H(0x12, from, "Manifest", content_hash, tags).
 * content_hash32 must be valid. Source: protocol.md 4.2
 */
void enc_enclave_id(uint8_t out32[32], const struct enc_commit *commit);

/**
 * The event id in the first `r` tag. False: there is none, or it is not hex64; out32 is then
 * unspecified. Source: protocol.md 2.4
 */
ENC_MUST_USE bool enc_commit_target(const struct enc_commit *commit, uint8_t out32[32]);

/** Whether tags are within the bounds of a commit. */
bool enc_tags_are_bounded(const struct enc_tags *tags);

/** Append `[["key","value"],...]`. */
void enc_tags_put(struct enc_buffer *buffer, const struct enc_tags *tags);

/**
 * Read tags from a JSON array; NULL reads as none. Strings point into the JSON, arrays live in
 * arena. Errors: INVALID_COMMIT, TOO_LARGE
 */
ENC_MUST_USE enum enc_err enc_tags_take(struct enc_tags *out, struct enc_arena *arena,
                                        const struct enc_json *json);

/* ---- client side ---- */

/**
 * Fill from32, content_hash32, hash32 and sig64 from key and the other members. For a Manifest also
 * enclave32, which is derived.
 * Errors: INVALID_COMMIT (type, reserved type, `r`), TOO_LARGE (content, tags)
 */
ENC_MUST_USE enum enc_err enc_commit_sign(const struct enc_curve *curve, struct enc_commit *commit,
                                          const struct enc_key *key);

/** Append the whole commit as a JSON object, as POST / wants it. */
void enc_commit_put_json(struct enc_buffer *buffer, const struct enc_commit *commit);
