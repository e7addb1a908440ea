/**
 * What other nodes pushed into a DataView, as it is kept: the inbox, which is the second half of
 * what the DataView is folded from, and how far each enclave's pushes have come. Both are input
 * and survive a rebuild (protocol.md 11.7).
 *
 *     view 1   be64 own_seq, be64 arrival -> be64 arrival_ms, enclave(32), be64 seq, record
 *     view 2   enclave(32), sequencer(32) -> be64 last, be64 skipped, be32 tries
 */
#pragma once

#include "services/dataview.h"

/** One event of the inbox. */
struct enc_inbox_row {
    uint64_t own_seq; /* next seq of the own log when it came: it stands before that event */
    uint64_t arrival; /* counts up from 1 */
    uint64_t arrival_ms;
    uint8_t enclave32[32];
    uint64_t seq;
    struct enc_bytes record; /* proto/record.h; empty: its content was erased before it came */
};

/** Store it. Errors: TOO_LARGE (arena) */
ENC_MUST_USE enum enc_err enc_inbox_put(struct enc_rows *rows, const struct enc_inbox_row *row);

/** Read one; record views value. False: it is damaged. */
ENC_MUST_USE bool enc_inbox_take(struct enc_inbox_row *row, struct enc_bytes key,
                                 struct enc_bytes value);

/** The arrival of the newest durable row; 0 when there is none. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_inbox_last(struct enc_snap *snap, uint64_t *arrival, uint64_t ord);

/** A DataView at work: where its rows are and what it folds with. */
struct enc_folding {
    const struct enc_dataview *view;
    struct enc_rows *rows;
    struct enc_arena *arena; /* scratch */
    const struct enc_curve *curve;
    const uint8_t *own32;
};

/** An own event becomes rows. Errors: as enc_map_fn */
ENC_MUST_USE enum enc_err enc_fold_own(const struct enc_folding *folding,
                                       const struct enc_event *event);

/**
 * A row of the inbox becomes rows, and sync_state follows it: when it arrives and at every rebuild.
 * Errors: as enc_map_fn
 */
ENC_MUST_USE enum enc_err enc_fold_pushed(const struct enc_folding *folding,
                                          const struct enc_inbox_row *row);

/** How far the pushes of one enclave by one sequencer have come: the next one counts anew. */
struct enc_push_mark {
    uint64_t last;    /* push_seq of the newest payload taken in */
    uint64_t skipped; /* those up to here that did not come are given up */
    uint32_t tries;   /* how often it was tried in vain to fetch what is missing */
};

/** All zero when nothing has come. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_push_mark_get(const struct enc_rows *rows,
                                            const uint8_t enclave32[32],
                                            const uint8_t sequencer32[32],
                                            struct enc_push_mark *mark);
/** Errors: TOO_LARGE (arena) */
ENC_MUST_USE enum enc_err enc_push_mark_put(struct enc_rows *rows, const uint8_t enclave32[32],
                                            const uint8_t sequencer32[32],
                                            const struct enc_push_mark *mark);
