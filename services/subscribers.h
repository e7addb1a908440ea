/** Subscriptions of one enclave (protocol.md 9.3-9.5). All on the enclave's turn. */
#pragma once

#include "proto/filter.h"
#include "services/node.h"
#include "services/run.h"

/** A Query frame arrived: exchange is prepared (reader, filter in its json). Takes the exchange
 * over: the subscription lives, or an Error frame has left. Stored events, EOSE, then live, without
 * gap or duplicate. */
void enc_subs_add(struct enc_node *node, struct enc_exchange *exchange);

/** Forget a stream; unknown ones are ignored. */
void enc_subs_remove(struct enc_node *node, uint64_t stream);

/** What was queued for a stream has left: go on with its stored events. */
void enc_subs_written(struct enc_node *node, uint64_t stream);

/** Step 13: the accepted ones of a durable run, oldest first. node->state is the state after it. */
void enc_subs_broadcast(struct enc_node *node, const struct enc_staged *first);

/** A timer of kind ENC_TIMER_SUBS: sessions that expired, bounds that passed. */
void enc_subs_timer(struct enc_node *node, uint64_t now_ms);

/** Whether nobody is subscribed. */
bool enc_subs_is_empty(const struct enc_subs *subs);

/** Free without a word to anybody (retirement, stop). */
void enc_subs_free(struct enc_node *node);
