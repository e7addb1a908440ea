/**
 * Strict JSON (RFC 8259) in and out. The reader makes a tree in an arena in one pass over the text;
 * the writer appends to a buffer. Pure; any thread.
 */
#pragma once

#include "proto/base/arena.h"

enum {
    ENC_JSON_DEPTH_MAX = 64, /* the outermost value is level 1 (protocol.md 16.9, 16.89) */
};

enum enc_json_kind {
    ENC_JSON_NULL,
    ENC_JSON_FALSE,
    ENC_JSON_TRUE,
    ENC_JSON_NUMBER,
    ENC_JSON_STRING,
    ENC_JSON_ARRAY,
    ENC_JSON_OBJECT,
};

/**
 * One value. Everything is read-only after the parse and lives as long as both the arena and the
 * parsed text, into which most views point. Elements and members are walked from child
 * along next.
 */
struct enc_json {
    enum enc_json_kind kind;
    bool is_lone;           /* a string with a lone surrogate escape; enc_json_text refuses it */
    struct enc_bytes key;   /* decoded name when the parent is an object, else empty */
    struct enc_bytes text;  /* a string: decoded bytes; anything else: the raw text of the value */
    struct enc_json *child; /* first element or member, in order of the text; NULL when none */
    struct enc_json *next;  /* next sibling, NULL at the end */
    size_t count;           /* elements or members */
};

/** What the grammar allows but a commit does not (protocol.md 2.1). */
struct enc_json_facts {
    bool has_lone_surrogate; /* somewhere, in a string or in a name */
};

/**
 * Parse one JSON value that fills text entirely (blanks around it are allowed).
 *
 * Refused: what is not RFC 8259 (also leading zeros, control characters in strings, a byte order
 * mark, trailing bytes), UTF-8 that is not well formed (overlong, surrogate, above U+10FFFF, cut
 * short) anywhere, two members of one object with the same decoded name, more than
 * ENC_JSON_DEPTH_MAX levels. U+0000 is legal. Numbers keep their text, of any size and precision. A
 * lone surrogate escape is kept as its three-byte form (which is not UTF-8, so no well-formed name
 * equals it), marked is_lone on a string and noted in facts.
 *
 * Bounds:  time O(n log n) for n bytes of text, whatever the names are; at most 32 n + 64 bytes of
 *          arena, the heads and tails of its chunks aside
 * Errors:  INVALID_REQUEST; TOO_LARGE when the arena is exhausted. *out and *facts are then
 *          unspecified
 * Source:  protocol.md 2.1, 16.8-10, 16.88-89
 */
ENC_MUST_USE enum enc_err enc_json_parse(struct enc_json **out, struct enc_arena *arena,
                                         struct enc_bytes text, struct enc_json_facts *facts);

/**
 * The member of that name; NULL when absent, or when object is NULL or no object. name is UTF-8.
 */
const struct enc_json *enc_json_get(const struct enc_json *object, const char *name);

/**
 * The decoded string, possibly with U+0000 in it. False: value is NULL, no string, or holds a lone
 * surrogate.
 */
ENC_MUST_USE bool enc_json_text(const struct enc_json *value, struct enc_bytes *out);

/**
 * A number written as digits only, at most 2^53-1. False: NULL, no number, sign, fraction,
 * exponent, larger.
 */
ENC_MUST_USE bool enc_json_u64(const struct enc_json *value, uint64_t *out);

/**
 * A string of exactly 2*len hex digits of either case. False: anything else; out is then
 * unspecified.
 */
ENC_MUST_USE bool enc_json_hex(const struct enc_json *value, uint8_t *out, size_t len);

/** true or false. False: NULL or anything else. */
ENC_MUST_USE bool enc_json_bool(const struct enc_json *value, bool *out);

/** Append JSON text as it is: punctuation, literals, a value serialised before. */
void enc_json_put_raw(struct enc_buffer *buffer, const char *json);

/**
 * Append a quoted string. utf8 is valid UTF-8; '"', '\' and U+0000-U+001F are escaped, nothing
 * else.
 */
void enc_json_put_text(struct enc_buffer *buffer, struct enc_bytes utf8);

/** Append a quoted string of lowercase hex digits. */
void enc_json_put_hex(struct enc_buffer *buffer, struct enc_bytes bytes);

/** Append a number in decimal. */
void enc_json_put_u64(struct enc_buffer *buffer, uint64_t value);

/**
 * Append the comma that separates two values; nothing at the start or directly behind '{', '[', ':'
 * or ','.
 */
void enc_json_comma(struct enc_buffer *buffer);

/**
 * Append `,"name":` (without the comma where enc_json_comma writes none); the value follows. name
 * needs no escape.
 */
void enc_json_member(struct enc_buffer *buffer, const char *name);

/** enc_json_member and the value. */
void enc_json_member_text(struct enc_buffer *buffer, const char *name, struct enc_bytes utf8);
void enc_json_member_hex(struct enc_buffer *buffer, const char *name, struct enc_bytes bytes);
void enc_json_member_u64(struct enc_buffer *buffer, const char *name, uint64_t value);

/** enc_json_member and a value that is JSON already. */
void enc_json_member_raw(struct enc_buffer *buffer, const char *name, struct enc_bytes json);
