/**
 * A circuit breaker per host that POSTs go to. A host that failed so many times in a row is left
 * alone for a while (open); then one POST tries (half open), and its result decides. Only hosts
 * that failed last are remembered, and a bounded number of them. One thread.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

#include <stdbool.h>

enum { ENC_BREAKER_HOSTS_MAX = 256 };

struct enc_breaker;

/** failures in a row open it for cooldown_ms; 0 failures: never. Aborts without memory. */
struct enc_breaker *enc_breaker_new(uint32_t failures, uint64_t cooldown_ms);
void enc_breaker_free(struct enc_breaker *breaker);

/** Whether url's host may be asked at now_ms. True obliges to note the result. */
ENC_MUST_USE bool enc_breaker_admits(struct enc_breaker *breaker, struct enc_bytes url,
                                     uint64_t now_ms);

/** What came of it. */
void enc_breaker_note(struct enc_breaker *breaker, struct enc_bytes url, bool is_good,
                      uint64_t now_ms);

/** Hosts by state. */
struct enc_breaker_counts {
    uint32_t closed; /* that failed last, but not often enough */
    uint32_t open;
    uint32_t half_open;
};
struct enc_breaker_counts enc_breaker_counts(const struct enc_breaker *breaker);
