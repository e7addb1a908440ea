/**
 * How often an address may ask (limits.rate.address), and the fields in which answers tell of every
 * quota (draft-ietf-httpapi-ratelimit-headers: RateLimit-Policy and RateLimit). Loop threads.
 */
#pragma once

#include "net/loop.h"

struct enc_config;

/** The table of addresses; NULL when they are not bounded. Main thread. */
struct enc_rates *enc_rate_open(const struct enc_config *config);

/** One request or message more from the bucket (enc_address_bucket). False: too many, as quota
 * says. Without a table everything is admitted and quota->policy is NULL. */
ENC_MUST_USE bool enc_rate_admits(const struct enc_loop *loop, struct enc_quota *quota,
                                  const uint8_t bucket16[16]);

/** Add the two fields to the answer of req; quota's policy is not NULL. */
void enc_rate_add_fields(h2o_req_t *req, const struct enc_quota *quota);
