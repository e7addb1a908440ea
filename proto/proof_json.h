/**
 * Proofs and tree heads as JSON, both ways (protocol.md 6.1, 7.3, 7.4, 8.6). Pure; any thread.
 *
 * enc_*_put writes the members without the braces around them, because most answers carry more
 * members beside them; it may follow '{' or other members. A failure to append is kept in the
 * buffer. enc_*_take reads the members from an object and ignores others; it is for clients, and
 * strict: all members present, lowercase or uppercase hex of the exact length, integers up to 2^53
 * - 1, no more siblings than a proof can have. It does not verify anything.
 *
 * Errors of every enc_*_take: INVALID_REQUEST; out is then undefined
 */
#pragma once

#include "proto/ct.h"
#include "proto/json.h"
#include "proto/smt.h"

/** k, v, b, s */
void enc_smt_proof_put(struct enc_buffer *buffer, const struct enc_smt_proof *proof);
ENC_MUST_USE enum enc_err enc_smt_proof_take(struct enc_smt_proof *out,
                                             const struct enc_json *object);

/** event_id, bundle_index, bundle_size, siblings */
void enc_bundle_proof_put(struct enc_buffer *buffer, const struct enc_bundle_proof *proof);
ENC_MUST_USE enum enc_err enc_bundle_proof_take(struct enc_bundle_proof *out,
                                                const struct enc_json *object);

/** ts, li, p, events_root, state_hash */
void enc_inclusion_put(struct enc_buffer *buffer, const struct enc_inclusion *proof);
ENC_MUST_USE enum enc_err enc_inclusion_take(struct enc_inclusion *out,
                                             const struct enc_json *object);

/** ts1, ts2, p */
void enc_consistency_put(struct enc_buffer *buffer, const struct enc_consistency *proof);
ENC_MUST_USE enum enc_err enc_consistency_take(struct enc_consistency *out,
                                               const struct enc_json *object);

/** t, ts, r, sig */
void enc_sth_put(struct enc_buffer *buffer, const struct enc_sth *sth);
ENC_MUST_USE enum enc_err enc_sth_take(struct enc_sth *out, const struct enc_json *object);
