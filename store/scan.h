/**
 * Walks over a stretch of one table, in key order or against it. The families declare the typed
 * starts and steps:
 *
 *     struct enc_scan scan;
 *     enc_scan_events(&scan, snap, ord, (struct enc_range){.first = 0, .last = UINT64_MAX});
 *     while (enc_scan_event(&scan, &row))
 *         ...
 *     ENC_TRY(enc_scan_fini(&scan));
 *
 * A step is false at the end and after a failure; fini tells which. Used by the snapshot's one
 * thread; what a step hands out is borrowed from the snapshot.
 */
#pragma once

#include "store/key.h"
#include "store/snap.h"

/**
 * Numbers first..last, both inclusive; reverse walks from last down to first. Empty when first >
 * last.
 */
struct enc_range {
    uint64_t first;
    uint64_t last;
    bool reverse;
};

/** A walk. The members are the room's. */
struct enc_scan {
    struct enc_snap *snap;
    void *cursor;
    enum enc_table table;
    enum enc_err err;
    bool reverse;
    bool skip_start; /* the bound in which the walk starts is not part of it */
    bool any_shape;  /* rows of wrong shape are handed out, not reported */
    bool started;
    bool done;
    struct enc_row_key low; /* both inclusive */
    struct enc_row_key high;
};

/**
 * End the walk, wherever it is. Must follow every start, before the snapshot is closed.
 *
 * Errors: INTERNAL when a step failed or met a row of wrong shape
 */
ENC_MUST_USE enum enc_err enc_scan_fini(struct enc_scan *scan);
