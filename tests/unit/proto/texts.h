/** Texts by the thousand for the tests of the search: seeded, so that a failure repeats. */
#pragma once

#include "proto/base/bytes.h"

/** A number below bound, from a generator that starts anew in every test. */
uint32_t random_below(uint32_t bound);

/** The UTF-8 of a code point; its length. */
size_t put_utf8(uint8_t out4[4], uint32_t point);

/**
 * count code points of a small alphabet of one to four bytes each, both cases, into out; their
 * length. Letters repeat often, so that texts share parts.
 */
size_t random_text(uint8_t *out, size_t count);
