/** One engine environment: opening it, telling it what it is, raising its fence. */
#pragma once

#include "store/engine.h"

/** What a shard must be. */
struct enc_shard_spec {
    const char *dir; /* of the whole data directory */
    const uint8_t *node_pub32;
    uint64_t map_len;
    uint32_t index;
    uint32_t count;
    uint32_t reader_max;
    bool sync;
    bool fresh; /* the directory is being made: a missing shard is made too */
};

/**
 * Open the shard into store, which is the caller's memory. What failed is closed again.
 *
 * Errors: FORMAT, NODE, DAMAGED, ENGINE
 */
ENC_MUST_USE enum enc_store_fault enc_shard_open(struct enc_store *store,
                                                 struct enc_store_note *note,
                                                 const struct enc_shard_spec *spec);

/** What an engine code at opening means. */
enum enc_store_fault enc_engine_fault(int rc);

/** The identity row: format u32, index u32, count u32, node_pub32. */
enum { ENC_IDENTITY_NODE_AT = 12, ENC_IDENTITY_LEN = ENC_IDENTITY_NODE_AT + 32 };

/** Flush and close. No snapshot may be open (checked). */
void enc_shard_close(struct enc_store *store);
