/**
 * One enclave per owner: what _bootstrap of a service with a DataView gives to somebody who has one
 * already (protocol.md 11.6). The rows are written by the service's mappers (ENC_SHARED_OWNER).
 */
#pragma once

#include "services/exchange.h"

/** Whether the service gives every owner one enclave only. */
bool enc_owner_has_one(const struct enc_service *service);

/**
 * The enclave of the exchange's service of which the key is an Owner now and which is its own: its
 * Manifest was signed by the key, or nobody else is Owner. Of several one that was made for the key
 * is given before any that was handed over to it, and then the oldest. Then *found, the exchange is
 * aimed at it, and manifest is its Manifest event, in the exchange's arena. Looks at durable state
 * only. On a worker. Errors: BUSY, INTERNAL, TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_owner_find(struct enc_exchange *exchange, bool *found,
                                         struct enc_event *manifest, const uint8_t owner32[32]);
