/**
 * Update and Delete: the two events that aim at another one (protocol.md 4.3). Pure; any thread.
 */
#pragma once

#include "proto/event.h"
#include "proto/rbac.h"

struct enc_change_input {
    const struct enc_manifest *manifest;
    const struct enc_commit *commit; /* of family ENC_FAMILY_CHANGE */
    const struct enc_roles *roles;   /* the actor's */
    const struct enc_commit *target; /* NULL: the `r` tag names no event of this enclave */
    enum enc_event_status target_status;
};

/**
 * Step 7: U or D on the target's type, Self when the actor wrote the target. Passes when there is
 * no target or a predefined one: those are refused in step 8, which comes first in 16.13.
 * Errors: UNAUTHORIZED
 */
ENC_MUST_USE enum enc_err enc_change_rbac(const struct enc_change_input *input);

/**
 * Step 8, after step 7 has passed.
 * Errors: EVENT_NOT_FOUND, INVALID_CONTENT (predefined target; content of a Delete),
 *         ALREADY_DELETED, TOO_LARGE (arena)
 * Source: protocol.md 4.3, 16.12, 16.13
 */
ENC_MUST_USE enum enc_err enc_change_check(struct enc_arena *arena,
                                           const struct enc_change_input *input);

/** The status that the target gets. */
enum enc_event_status enc_change_status(enum enc_type type);
