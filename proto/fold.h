/** Text as a search sees it: without case. Pure; any thread. */
#pragma once

#include "proto/base/arena.h"

/** A folded text is at most this many times as long as the text (U+0390 and U+03B0 are). */
enum { ENC_FOLD_GROWTH_MAX = 3 };

/** The number of Unicode code points of valid UTF-8. */
size_t enc_text_count(struct enc_bytes utf8);

/**
 * The full case folding of Unicode, code point by code point: Straße and STRASSE become strasse.
 * Nothing is composed or decomposed. What is a part of a text is, folded, a part of the folded
 * text. out lives in arena.
 *
 * Errors: INVALID_REQUEST (not UTF-8), TOO_LARGE (arena)
 * Source: protocol.md 11.5
 */
ENC_MUST_USE enum enc_err enc_fold(struct enc_bytes *out, struct enc_arena *arena,
                                   struct enc_bytes utf8);

/** Whether the folded query is somewhere in the folded text; the empty one is in every text. */
bool enc_fold_contains(struct enc_bytes folded_text, struct enc_bytes folded_query);
