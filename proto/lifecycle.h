/**
 * The life of an enclave (protocol.md 4.1): which commits a status admits, and what the lifecycle
 * events do. Pure; any thread.
 */
#pragma once

#include "proto/commit.h"

/** The numbers are stored. */
enum enc_status {
    ENC_STATUS_ACTIVE = 0,
    ENC_STATUS_PAUSED = 1,
    ENC_STATUS_TERMINATED = 2,
    ENC_STATUS_MIGRATED = 3,
    ENC_STATUS_COUNT
};

/** "active" ...; static text. Aborts on a value outside the list. */
const char *enc_status_name(enum enc_status status);

/** Whether the status is final: terminated or migrated. */
bool enc_status_is_final(enum enc_status status);

/**
 * Step 6 for an existing enclave and any commit but a Manifest: paused admits Resume, Terminate and
 * Migrate, the final ones nothing.
 * Errors: ENCLAVE_PAUSED, ENCLAVE_TERMINATED, ENCLAVE_MIGRATED
 */
ENC_MUST_USE enum enc_err enc_lifecycle_check(enum enc_status status, enum enc_type type);

/** The status after an admitted event of this type; types that are no lifecycle events keep it. */
enum enc_status enc_lifecycle_next(enum enc_status status, enum enc_type type);

/** Whether the event closes the open bundle at once (protocol.md 7.1). */
bool enc_lifecycle_closes_bundle(enum enc_type type);

/** What a Migrate must agree with: the enclave as it is before the event. */
struct enc_log_position {
    uint64_t last_seq;
    uint8_t ct_root32[32]; /* over the bundles closed so far */
};

/** Content of a Migrate. */
struct enc_migrate {
    uint8_t new_sequencer32[32];
    uint64_t prev_seq;
    uint8_t ct_root32[32];
};

/**
 * Read the content of a Migrate; members it does not know are ignored.
 * Errors: INVALID_CONTENT, TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_migrate_parse(struct enc_migrate *out, struct enc_arena *arena,
                                            struct enc_bytes content);

/** A lifecycle event and the enclave it is for. */
struct enc_lifecycle_input {
    const struct enc_commit *commit; /* of family ENC_FAMILY_LIFECYCLE */
    enum enc_status status;
    struct enc_log_position position; /* read for a Migrate only */
};

/**
 * Step 8 of a lifecycle event, after RBAC (16.79): content, then state. Resume on an active enclave
 * is refused here and not in step 6, so that a stranger learns nothing else than UNAUTHORIZED.
 * Errors: INVALID_CONTENT (content, prev_seq, ct_root), INVALID_COMMIT (Resume while active),
 *         TOO_LARGE (arena)
 * Source: protocol.md 4.3, 16.14-16.17, 16.79
 */
ENC_MUST_USE enum enc_err enc_lifecycle_judge(struct enc_arena *arena,
                                              const struct enc_lifecycle_input *input);
