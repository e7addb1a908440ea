/**
 * A request that waits for its answer. It has two owners: h2o's request, which may die at any
 * time, and whoever answers it, exactly once, from any thread. It is freed on its loop when both
 * have let go; the body of the answer is released then and not before, because h2o reads it until
 * the request ends.
 */
#pragma once

#include "net/peer.h"

/** A call for req, to be answered through enc_call_reply. Loop thread. */
struct enc_call *enc_call_open(h2o_req_t *req, struct enc_peer *peer);

/** Answer the call; ends the caller's hold on it. Any thread. */
void enc_call_reply(struct enc_call *call, const struct enc_reply *reply);

/** When it was opened, by enc_process_now_ns. */
uint64_t enc_call_arrived_ns(const struct enc_call *call);

/** End the call without an answer of the services: net gave the one with this status, which may be
 * 101. Loop thread. */
void enc_call_withdraw(struct enc_call *call, uint16_t status, const struct enc_ws_place *place);
