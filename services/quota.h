/**
 * How often a public key and an enclave may ask (limits.rate). Buckets are bounded tables; what is
 * not configured costs a branch. Any thread.
 */
#pragma once

#include "services/exchange.h"

/** Make the tables that the limits ask for. Errors: INTERNAL (memory). At start. */
ENC_MUST_USE enum enc_err enc_quota_open(struct enc_host *host);
void enc_quota_close(struct enc_host *host);

/**
 * Count a request of this key, which must be known for its own: a bucket that anybody could empty
 * would be a weapon. Once per exchange; the node's own are not counted. Errors: RATE_LIMITED
 */
ENC_MUST_USE enum enc_err enc_quota_take_key(struct enc_exchange *exchange,
                                             const uint8_t pub32[32]);

/** Count a request on its way into its enclave's mailbox. Errors: RATE_LIMITED */
ENC_MUST_USE enum enc_err enc_quota_take_enclave(struct enc_exchange *exchange);
