/** P and N delivery (protocol.md 10): queues in the store, one payload in flight per queue. All on
 * the enclave's turn. */
#pragma once

#include "services/node.h"
#include "services/run.h"

enum { ENC_PUSH_RETRY_MAX_MS = 300000 }; /* the longest pause of protocol.md 10.3 */

/** The keys of protocol.md 10.1 and 10.2 in the store's short form: the first half of a SHA-256. */
void enc_push_url_key(uint8_t url16[16], struct enc_bytes url);
void enc_push_queue_key(uint8_t queue16[16], const uint8_t enclave32[32],
                        const uint8_t identity32[32], struct enc_bytes url);

/** Load what an activated enclave must deliver. Errors: BUSY, INTERNAL */
ENC_MUST_USE enum enc_err enc_push_load(struct enc_node *node, struct enc_snap *snap);

/**
 * Part of step 12: rows for the event's endpoints (as they are after its effect, 16.67) and for
 * endpoints that it registers or removes go into the run's write set. Errors: INTERNAL, TOO_LARGE
 * (arena)
 */
ENC_MUST_USE enum enc_err enc_push_enqueue(struct enc_run *run, struct enc_staged *staged);

/** Whether the queues have something to write: open a run for it when no commit does. */
bool enc_push_is_due(const struct enc_node *node);

/**
 * Let the queues write into the run, after its commits: results of POSTs, new payloads, the alarm.
 * Errors: INTERNAL, TOO_LARGE (arena): the run is then broken
 */
ENC_MUST_USE enum enc_err enc_push_stage(struct enc_run *run);

/** Step 14: the run is durable; start what waits. */
void enc_push_wake(struct enc_node *node);

/** The run had nothing to write: who found no slot comes back by the timer. */
void enc_push_rest(struct enc_node *node);

/** The run was dropped: forget what it staged here. */
void enc_push_forget(struct enc_node *node);

/** A timer of kind ENC_TIMER_PUSH: retries that are due. */
void enc_push_timer(struct enc_node *node, uint64_t now_ms);

/** An outbound POST has ended; takes the mail over. */
void enc_push_fetched(struct enc_node *node, struct enc_mail *mail);

/** Free such a mail unseen: its enclave could not be brought into memory; the stored alarm tries
 * again. */
void enc_push_mail_free(struct enc_mail *mail);

/** Whether a POST is under way or about to be. The enclave must not retire. */
bool enc_push_is_busy(const struct enc_pushes *pushes);

void enc_push_free(struct enc_node *node);
