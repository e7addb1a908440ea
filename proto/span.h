/** Ranges of numbers as filters and Pulls write them (protocol.md 8.4). Pure; any thread. */
#pragma once

#include "proto/json.h"

/** Numbers first..last, both inclusive; nothing when first > last. No bound above: UINT64_MAX. */
struct enc_span {
    uint64_t first;
    uint64_t last;
};

#define ENC_SPAN_ALL ((struct enc_span){.first = 0, .last = UINT64_MAX})

static inline bool enc_span_has(const struct enc_span *span, uint64_t value)
{
    return value >= span->first && value <= span->last;
}

static inline bool enc_span_is_empty(const struct enc_span *span)
{
    return span->first > span->last;
}

/**
 * Read { "start_at"|"start_after", "end_at"|"end_before" }, any subset. False: no object, another
 * member, both of a pair, no number, or the lower number above the upper one. A range that is
 * merely empty (start_after 5, end_at 5) is good: paging makes it.
 */
ENC_MUST_USE bool enc_span_take(struct enc_span *out, const struct enc_json *json);
