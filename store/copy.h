/**
 * Copies of shards without their free pages: for backups, beside the node that has the directory
 * open, and for compaction, where nobody has. A copy is one moment of its shard; since an enclave
 * lies in one shard, it is one moment of each of its enclaves. Copies of two shards are of two
 * moments.
 */
#pragma once

#include "store/data.h"

/** What a directory says of itself. */
struct enc_data_facts {
    uint32_t format;
    uint32_t shard_count;
    uint8_t node_pub32[32]; /* of the node that it belongs to */
};

/**
 * Look at a data directory without locking or changing it; another process may have it open.
 *
 * Errors: DIRECTORY, ACCESS, FORMAT, DAMAGED (no data directory either), ENGINE
 */
ENC_MUST_USE enum enc_store_fault enc_data_look(struct enc_data_facts *out,
                                                struct enc_store_note *note, const char *dir);

/** Which shard to copy and where to. */
struct enc_copy {
    const char *dir;
    uint32_t index;
    int fd; /* open for writing, empty; neither synced nor closed */
};

/** Numbers about a copy. */
struct enc_copy_facts {
    uint64_t txn_id;     /* the copy shows at least this transaction */
    uint64_t source_len; /* bytes of the pages there were, free ones among them */
    uint64_t copy_len;
};

/**
 * Copy one shard as it is at this moment. Takes one of the places that every shard keeps for
 * readers outside of its process; while it runs the pages of that moment cannot be reused, so the
 * file of a busy shard grows. Blocks, for long.
 *
 * Errors: DAMAGED, ENGINE (also: no place, the disk behind fd is full)
 */
ENC_MUST_USE enum enc_store_fault enc_shard_copy(struct enc_copy_facts *facts,
                                                 struct enc_store_note *note,
                                                 const struct enc_copy *copy);

/** Told of each shard that is in its place. */
typedef void enc_compacted(void *opaque, uint32_t index, const struct enc_copy_facts *facts);

/**
 * Replace every shard's file by a copy of itself; locks the directory. A crash leaves each shard
 * either as it was or compacted.
 *
 * Errors: DIRECTORY, ACCESS, LOCKED, FORMAT, DAMAGED, ENGINE
 */
ENC_MUST_USE enum enc_store_fault enc_data_compact(struct enc_store_note *note, const char *dir,
                                                   enc_compacted *tell, void *opaque);
