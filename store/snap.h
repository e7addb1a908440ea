/**
 * Snapshots: a read scope over durable data only. What a snapshot shows never changes while it is
 * open; bytes it hands out are borrowed and live until it is closed. Pooled: opening one neither
 * allocates nor blocks once the pool is warm. An open snapshot keeps the engine from reusing pages,
 * so close it soon.
 *
 * Reads answer with the catalogue's code where it names the absence (EVENT_NOT_FOUND, ...).
 * INTERNAL anywhere means that the store is damaged.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "store/data.h"

struct enc_snap;

/**
 * Open a snapshot of everything applied so far. Any thread; used by one thread at a time.
 *
 * Errors: BUSY when reader_max are open, INTERNAL when the shard is in doubt or damaged
 */
ENC_MUST_USE enum enc_err enc_snap_open(struct enc_store *store, struct enc_snap **out);

/** Give it back; all scans over it must be finished (checked). NULL is allowed. */
void enc_snap_close(struct enc_snap *snap);

/** The last transaction it shows: sees an apply iff this is >= its txn_id. */
uint64_t enc_snap_txn_id(const struct enc_snap *snap);
