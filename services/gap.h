/**
 * Closing gaps (protocol.md 10.4, 11.7). A payload whose push_seq is not the next one tells that
 * others are missing. It is refused as busy, so that its sender comes again, and the missing ones
 * are asked for with a Pull; each goes the way of a pushed one, in order. What its sender no longer
 * has, or could not be asked for often enough, is given up: the mark says so, and the next payload
 * passes. One Pull at a time per pushing enclave, PULLS_MAX per node.
 */
#pragma once

#include "services/inbox.h"
#include "services/receive.h"

struct enc_pull;

/** Whether payloads before this one are missing and not given up. */
bool enc_gap_is_before(const struct enc_push_mark *mark, uint64_t push_seq);

/**
 * Where the node of the payload's sequencer takes requests, as the DataView itself knows it or else
 * the node's own registry; *uri is empty when neither does. On a worker; ord is the DataView's.
 * Errors: BUSY, INTERNAL, TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_gap_locate(struct enc_exchange *exchange, struct enc_snap *snap,
                                         uint64_t ord, struct enc_bytes *uri);

/** Ask for what is missing before the arrival, unless that is under way. On the enclave's turn. */
void enc_gap_open(struct enc_node *node, const struct enc_arrival *arrival,
                  const struct enc_push_mark *mark);

/** The payloads before this one are given up for good. For the figures. */
void enc_gap_count_given_up(struct enc_host *host);

/**
 * A Pull has ended, what it brought is in the run: go on with it, note that it was in vain, or give
 * up what is missing. Takes the mail over. On the enclave's turn.
 * Errors: INTERNAL, TOO_LARGE (arena): the run is then broken
 */
ENC_MUST_USE enum enc_err enc_gap_settle(struct enc_run *run, struct enc_mail *mail);

/** Free such a mail unseen; a later payload asks again. */
void enc_gap_mail_free(struct enc_mail *mail);

/** Forget which Pulls are under way: the enclave leaves memory. */
void enc_gap_free(struct enc_node *node);
