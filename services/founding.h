/** Enclaves that the node makes itself: it writes the fixed-schema Manifest and signs it with its
 * own key (protocol.md 11.3, 11.6). */
#pragma once

#include "services/exchange.h"

enum { ENC_FOUNDING_LEN_MAX = 256 << 10 }; /* of the Manifest's content */

/** Who is to be what in the new enclave. */
struct enc_founding {
    uint8_t owner32[32];
    const uint8_t *members32; /* creator first, each once; NULL: no roles but Owner */
    size_t member_count;
    struct enc_bytes meta; /* a JSON object without a nonce */
};

/**
 * Fill the exchange's commit with the signed Manifest of its service, and aim the exchange at the
 * enclave it makes. Any thread. Errors: TOO_LARGE
 */
ENC_MUST_USE enum enc_err enc_founding_sign(struct enc_exchange *exchange,
                                            const struct enc_founding *founding);

/** The exchange is about to be answered: those who wait for it are tried again. Any thread. */
void enc_founding_leave(struct enc_exchange *exchange);

/**
 * Find the enclave of every singleton that is served, or make and write it. While the host starts,
 * before anything else writes. Errors: INTERNAL, BUSY
 */
ENC_MUST_USE enum enc_err enc_found_singletons(struct enc_host *host);
