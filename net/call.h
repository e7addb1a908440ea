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

/** End the call without an answer, because the request became a WebSocket. Loop thread. */
void enc_call_withdraw(struct enc_call *call);
