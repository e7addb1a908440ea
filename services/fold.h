/**
 * A DataView made again (protocol.md 11.1): all rows from ENC_VIEW_SYNC on are a fold over the
 * enclave's own log and its inbox, merged in order of arrival, and come out byte for byte the same.
 * Offline: nobody else writes the store. Blocks; transactions of bounded size.
 */
#pragma once

#include "services/inbox.h"

struct enc_fold_config {
    const struct enc_curve *curve;
    const struct enc_chunk_source *chunks;
    const struct enc_dataview *view;
    const uint8_t *own32; /* the enclave */
    uint64_t ord;
    size_t batch_len; /* memory of a transaction after which it is written; 0: 16 MiB */
};

/** What was folded. */
struct enc_fold_report {
    uint64_t own_count; /* events of the own log */
    uint64_t pushed_count;
    uint64_t transactions;
};

/**
 * Fold log and inbox of source into target, which has no such rows yet: another store, or the same
 * one after enc_fold_drop. Errors: INTERNAL (the source is damaged, the target cannot be written),
 * BUSY, TOO_LARGE (an event's rows do not fit into a transaction)
 */
ENC_MUST_USE enum enc_err enc_fold_into(struct enc_store *target, struct enc_fold_report *report,
                                        struct enc_snap *source,
                                        const struct enc_fold_config *config);

/** Delete the rows that enc_fold_into makes. Errors: INTERNAL, BUSY */
ENC_MUST_USE enum enc_err enc_fold_drop(struct enc_store *store,
                                        const struct enc_fold_config *config);

/** A digest of those rows, which does not depend on ord; *row_count tells how many there are.
 * Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_fold_digest(uint8_t out32[32], uint64_t *row_count,
                                          struct enc_snap *snap, uint64_t ord);
