/**
 * Payloads of other nodes on their way into a DataView (protocol.md 11.7). The mail takes its place
 * in the mailbox of the DataView's enclave, a worker checks everything that can be checked without
 * the enclave, and the turn takes the payload into its run, between the commits that came before
 * and after it. Refused payloads change nothing.
 */
#pragma once

#include "proto/parcel.h"
#include "services/run.h"

/** A payload and what came of it. Lives in its exchange's arena. */
struct enc_arrival {
    struct enc_parcel parcel;
    struct enc_parcel_body body; /* every event checked */
    uint8_t sequencer32[32];     /* whose pushes are taken in, as the store says */
    bool is_pulled;              /* it was asked for */
    struct enc_bytes node_uri;   /* where to ask for what is missing; empty: nobody says it */
    uint64_t accepted;           /* events that were new */
    uint64_t last_seq;           /* of the pushing enclave, afterwards */
};

/** Let the exchange take its place in its enclave's mailbox; its body is parsed, its enclave
 * settled. */
void enc_receive_post(struct enc_exchange *exchange);

/**
 * Take a checked payload into the run. On the enclave's turn.
 * Errors: UNAUTHORIZED (not followed any more), BUSY (payloads before it are missing and are being
 *         asked for); INTERNAL, TOO_LARGE (arena): the run is then broken
 */
ENC_MUST_USE enum enc_err enc_receive_stage(struct enc_run *run, struct enc_arrival *arrival);

/** {"ok":true,"accepted":n,"last_seq":m}; takes the exchange over. */
void enc_receive_answer(struct enc_exchange *exchange);
