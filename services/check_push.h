/** The part of the check that looks at what is to be sent and when to wake: push queues, alarms. */
#pragma once

#include "proto/replay.h"
#include "services/state.h"
#include "store/store.h"

struct enc_check_rest {
    struct enc_snap *snap;
    const struct enc_curve *curve;
    const struct enc_chunk_source *chunks;
    const uint8_t *node_pub32;
    const struct enc_state *state;
    struct enc_replay *replay; /* of the whole log */
};

/**
 * Endpoints are of those who are to get something, what waits is an event in order and in a queue
 * of an endpoint, every kept payload is signed and stands in its own queue. Not told: when a
 * payload was delivered, how often it was tried, when it is next; of what waits, whether it is all.
 *
 * Returns: *flaw NULL or what is wrong first
 * Errors:  INTERNAL, TOO_LARGE
 */
ENC_MUST_USE enum enc_err enc_check_push(const char **flaw, const struct enc_check_rest *check);

/**
 * A bundle that is to close wakes the enclave in time, and whatever is to be sent wakes it at all.
 * Returns and errors as enc_check_push.
 */
ENC_MUST_USE enum enc_err enc_check_alarms(const char **flaw, const struct enc_check_rest *check);
