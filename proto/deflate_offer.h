/**
 * What a WebSocket client offers in Sec-WebSocket-Extensions, as far as it is permessage-deflate
 * (RFC 6455 9.1, RFC 7692 7.1). Pure; any thread.
 */
#pragma once

#include "proto/base/bytes.h"

#include <stdbool.h>

/** What was agreed to beside what a server of ours always says: no context is taken over. */
struct enc_deflate_terms {
    uint8_t window_bits;  /* of what the server sends: 8 to 15 */
    bool has_window_bits; /* the client named them, so the answer has to */
};

enum { ENC_DEFLATE_ANSWER_MAX = 128 };

/**
 * The first offer in a field that can be taken. False when there is none: other extensions,
 * parameters that are unknown, given twice or out of range, and any field that breaks the grammar.
 */
bool enc_deflate_offer_take(struct enc_deflate_terms *out, struct enc_bytes field);

/** The answer's field; returns its length. */
size_t enc_deflate_offer_answer(char out[ENC_DEFLATE_ANSWER_MAX],
                                const struct enc_deflate_terms *terms);
