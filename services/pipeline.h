/**
 * The commit pipeline: all 14 steps of the seed in one file, in its order. Steps 1-8 judge a const
 * case, so a refusal cannot change anything; steps 9-12 build the staged state and its write set;
 * 13-14 follow durability.
 */
#pragma once

#include "proto/change.h"
#include "services/dataview.h"
#include "services/run.h"

/** What a commit is judged by. Steps 1-4 see only the first four members; they need no enclave. */
struct enc_case {
    const struct enc_commit *commit; /* hashed */
    const uint8_t *claimed_hash32;   /* what the client says the hash is; NULL = nothing */
    const struct enc_curve *curve;
    uint64_t now_ms;
    const struct enc_host *host;
    unsigned service;              /* that the commit came to */
    const struct enc_state *state; /* staged: after the commits before this one */
    const struct enc_manifest
        *manifest;                   /* of the enclave; for a Manifest commit the one it brings */
    enum enc_err manifest_err;       /* why that one is not acceptable */
    const struct enc_event *earlier; /* the event already made from this very commit, or NULL */
    const struct enc_event *target;  /* of an Update or Delete; NULL = no such event */
    enum enc_event_status target_status;
    const struct enc_rows *rows; /* of the DataView */
    struct enc_roles roles;      /* the author's */
    const struct enc_roles_source *roles_source;
    struct enc_arena *arena; /* scratch */
    enum enc_type type;
};

/** Steps 1-4. Pure but for time. Any thread. */
ENC_MUST_USE struct enc_verdict enc_pipeline_prepare(const struct enc_case *c);

/** Steps 5-8. On the enclave's turn. */
ENC_MUST_USE struct enc_verdict enc_pipeline_judge(const struct enc_case *c);

/** Steps 9-12 for a commit that passed: fills staged and the run's staged state and write set.
 * Errors: INTERNAL, TOO_LARGE (arena): the whole run is then broken */
ENC_MUST_USE enum enc_err enc_pipeline_build(const struct enc_case *c, struct enc_run *run,
                                             struct enc_staged *staged);

/** Step 11's second way in: close the open bundle of a run at close_ms. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_bundle_close(struct enc_run *run, uint64_t close_ms);

/** Steps 13-14 of a durable run whose state is swapped in. Receipts follow. */
void enc_pipeline_publish(struct enc_run *run);
