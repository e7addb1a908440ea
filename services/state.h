/**
 * What an enclave is between two runs: everything its next commit depends on, as far as it is not
 * found by a read of the store. A value: a run works on a copy, which replaces the original once it
 * is durable (protocol.md 3, 4, 7).
 */
#pragma once

#include "proto/ct.h"
#include "proto/frontier.h"
#include "proto/gates.h"
#include "proto/lifecycle.h"
#include "proto/smt.h"
#include "store/enclave.h"

struct enc_state {
    bool exists;
    uint8_t service;
    uint8_t enclave32[32];
    uint64_t ord;
    enum enc_status status;
    uint8_t new_sequencer32[32]; /* meaningful when migrated */
    uint64_t next_seq;
    uint64_t last_ms;    /* no later event is older */
    uint64_t created_ms; /* timestamp of the Manifest */
    uint32_t owner_count;
    uint64_t smt_version; /* of the last seal */
    struct enc_smt_root smt;
    struct enc_frontier ct;
    struct enc_frontier bundle; /* ids of the open bundle */
    uint64_t bundle_first_seq;
    uint64_t bundle_first_ms;
    uint8_t leaf_state_hash32[32]; /* state_hash of the newest CT leaf */
    uint64_t pending_row_id;       /* last row id given out in a push queue */
    struct enc_sth sth;            /* signed when the newest bundle closed */
    struct enc_gates gates;        /* lives in the memory the state was decoded into */
};

/** The state of an enclave that nobody has created. */
void enc_state_init(struct enc_state *state, const uint8_t enclave32[32]);

/** The store's head record. Appends to buffer; check the buffer afterwards. */
void enc_state_encode(struct enc_buffer *buffer, const struct enc_state *state);

/** Read a head record; gates live in arena. Errors: INTERNAL when it is not one */
ENC_MUST_USE enum enc_err enc_state_decode(struct enc_state *state, struct enc_arena *arena,
                                           struct enc_bytes record);

/** Whether a head record that was read is that of this enclave: else it is damaged, and its numbers
 * name somebody else's rows. */
bool enc_state_is_of(const struct enc_state *state, const uint8_t enclave32[32],
                     const struct enc_enclave_row *row);
