/** Numbers about a shard, for metrics and for the readiness of the process. */
#pragma once

#include "store/snap.h"
#include "store/table.h"

struct enc_store_counts {
    uint64_t map_len;  /* bytes the shard may grow to */
    uint64_t used_len; /* bytes of pages ever used; the file has room behind them */
    uint64_t file_len; /* with that room */
    uint64_t txn_id;   /* last applied */
    uint32_t page_len;
    uint32_t reader_max;
    uint32_t reader_count;          /* snapshots open now */
    uint64_t rows[ENC_TABLE_COUNT]; /* of tables with one home: of all of them, under the home */
};

/** Fill out. Any thread; takes a snapshot. Errors: BUSY, INTERNAL */
ENC_MUST_USE enum enc_err enc_store_counts(struct enc_store *store, struct enc_store_counts *out);
