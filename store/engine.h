/** The engine under the room: the one header that sees LMDB. Not for outsiders. */
#pragma once

#include "store/data.h"
#include "store/scan.h"
#include "store/tile.h"

#include <lmdb.h>
#include <stdatomic.h>

/** The last tile of a band that was asked for: whoever reads a path asks for it again. */
struct enc_tile_seen {
    uint64_t ord;
    uint64_t tile;
    struct enc_bytes row; /* of this snapshot; data is NULL when there is none */
};

/** A place in the shard's pool of snapshots. Whoever flips taken owns the rest. */
struct enc_snap {
    struct enc_store *store;
    MDB_txn *txn;                      /* NULL before the first use, reset while not taken */
    MDB_cursor *idle[ENC_TABLE_COUNT]; /* a cursor per table, kept for the next scan */
    struct enc_tile_seen tiles[ENC_TILE_BANDS];
    uint32_t scan_count;
    atomic_bool taken;
};

struct enc_store {
    MDB_env *env;
    MDB_dbi tables[ENC_TABLE_COUNT];
    struct enc_snap *snaps;
    uint32_t snap_max;
    uint64_t epoch; /* of our fence; constant while open, as are the next three */
    uint64_t map_len;
    uint32_t page_len;
    bool sync;
    uint64_t file_len;             /* at the least; the writer's */
    uint64_t (*clock)(void *self); /* NULL = nobody asks */
    void *clock_self;
    atomic_uint_fast64_t next_ord;
    atomic_bool writable;
};

static inline MDB_val enc_val_of(struct enc_bytes bytes)
{
    return (MDB_val){.mv_size = bytes.len, .mv_data = (void *)(uintptr_t)bytes.data};
}

static inline struct enc_bytes enc_val_view(MDB_val value)
{
    return enc_bytes_of(value.mv_data, value.mv_size);
}

/** One fact of the table meta within txn; view borrowed from it. Returns an engine code. */
ENC_MUST_USE int enc_meta_get(const struct enc_store *store, struct enc_bytes *value, MDB_txn *txn,
                              struct enc_bytes name);
ENC_MUST_USE int enc_meta_put(const struct enc_store *store, MDB_txn *txn, struct enc_bytes name,
                              struct enc_bytes value);

/** The shard's own names in the table meta. */
#define ENC_META_IDENTITY ENC_LIT("identity")
#define ENC_META_EPOCH ENC_LIT("epoch")
