/**
 * Parameters of a query string: "limit=50&from=<hex64>". A parameter that nobody asks for is
 * ignored; one that is asked for and comes twice is malformed. Pure; any thread.
 */
#pragma once

#include "proto/base/arena.h"

struct enc_param_range {
    uint64_t min, max;
};

/**
 * A decimal number. value is left alone unless *given. Errors: INVALID_QUERY (no number, out of
 * range, twice; protocol.md 16.78, 16.100)
 */
ENC_MUST_USE enum enc_err enc_param_u64(struct enc_bytes query, const char *name,
                                        const struct enc_param_range *range, bool *given,
                                        uint64_t *value);

/** 64 hex digits of either case. Errors: INVALID_QUERY */
ENC_MUST_USE enum enc_err enc_param_hex32(struct enc_bytes query, const char *name, bool *given,
                                          uint8_t out32[32]);

/**
 * Percent-decoded UTF-8; '+' is a space. The text lives in the arena, empty when not given.
 * Errors: INVALID_QUERY (a broken escape, not UTF-8, U+0000), TOO_LARGE
 */
ENC_MUST_USE enum enc_err enc_param_text(struct enc_bytes query, const char *name,
                                         struct enc_arena *arena, bool *given,
                                         struct enc_bytes *text);
