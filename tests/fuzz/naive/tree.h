/** JSON as jansson reads it: the second opinion, and the tree that the naive judges look at. */
#pragma once

#include "proto/base/bytes.h"

#include <jansson.h>

/**
 * Parse; duplicates are refused, any value may stand alone. Lives until the next call. NULL: it is
 * no JSON for jansson, error (unless NULL) says why.
 */
json_t *tree_of(struct enc_bytes text, json_error_t *error);

/**
 * Whether jansson's verdict on this text means anything to us: it passes over a NUL byte, and
 * takes "-0" for the integer 0.
 */
bool tree_is_fair(struct enc_bytes text);

/** Levels of containers, 0 for a value that is none. */
size_t tree_depth(const json_t *tree);

/* ---- questions about one value; NULL is no value and answers false ---- */

struct enc_bytes tree_text(const json_t *value);
bool tree_is(const json_t *value, const char *text);

/** A string of exactly 2*len hex digits; out may be NULL. */
bool tree_hex(const json_t *value, uint8_t *out, size_t len);

/** An integer within the bounds, both inclusive. */
bool tree_int(const json_t *value, uint64_t *out, uint64_t min, uint64_t max);

/** A string that is the name of an event type: [A-Za-z][A-Za-z0-9_.:-]*, 1 to 64 bytes. */
bool tree_type(const json_t *value);
