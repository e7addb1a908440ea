/**
 * Whether what the store keeps of an enclave is what its events make of it: the events themselves,
 * status rows, bundles, the log's nodes, the state tree and the head record. Everything is rebuilt
 * from the events (proto/replay) and compared; nothing is written.
 */
#pragma once

#include "proto/replay.h"
#include "store/store.h"

struct enc_check_config {
    const struct enc_curve *curve;
    const struct enc_chunk_source *chunks;
    size_t memory_max;
    const uint8_t *node_pub32; /* the sequencer of every enclave of this store */
};

/** What was found. */
struct enc_check_report {
    const char *flaw; /* what is wrong first; NULL: nothing. Static text */
    bool has_at;
    uint64_t at;                       /* seq, leaf or index that it was found at */
    struct enc_replay_verdict verdict; /* when the events themselves are not sound */
    uint8_t enclave32[32];
    uint64_t event_count; /* replayed */
    uint64_t leaf_count;  /* of the log */
};

/**
 * Check the enclave of this ordinal. Blocks; any thread, with a snapshot of its own.
 *
 * Errors: INTERNAL when the store cannot read on, which is damage below what this check sees
 * Source: protocol.md 11.1, last sentence
 */
ENC_MUST_USE enum enc_err enc_enclave_check(struct enc_check_report *report, struct enc_snap *snap,
                                            uint64_t ord, const struct enc_check_config *config);
