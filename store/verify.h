/**
 * Checks the shape of a shard: every key and value against table.def, every index row against the
 * event it points to, every event against its index rows by number, gaps in numberings. What the
 * records mean is the services' to check.
 */
#pragma once

#include "store/snap.h"
#include "store/table.h"

/** One thing that is wrong. Borrowed for the length of the call. */
struct enc_store_flaw {
    enum enc_table table;
    const char *what;     /* a sentence's end, such as "points to no event" */
    struct enc_bytes key; /* of the row, empty when the table as a whole is meant */
};

typedef void enc_flaw_found(void *opaque, const struct enc_store_flaw *flaw);

/**
 * Walk over every table of the snapshot and report each flaw.
 *
 * Returns: number of flaws in *flaw_count
 * Errors:  INTERNAL when the engine itself cannot read on
 */
ENC_MUST_USE enum enc_err enc_store_verify(struct enc_snap *snap, uint64_t *flaw_count,
                                           enc_flaw_found *found, void *opaque);
