/**
 * Access control events: what a Grant, Move, AC_Bundle ... would change, computed without changing
 * anything (protocol.md 5.5). Pure; any thread.
 *
 *     enc_ac_rbac   step 7: may the actor create this event at all
 *     enc_ac_plan   step 8: is it valid here, and what does it change
 */
#pragma once

#include "proto/commit.h"
#include "proto/endpoint.h"
#include "proto/rbac.h"

enum { ENC_AC_BUNDLE_MAX = 256 };

/** The stored roles of identities, as they are before the event. */
struct enc_roles_source {
    enum enc_err (*get)(void *self, struct enc_roles *out, const uint8_t identity32[32]);
    void *self;
};

struct enc_ac_input {
    const struct enc_manifest *manifest;
    const struct enc_commit *commit; /* of family ENC_FAMILY_AC */
    const struct enc_gates *gates;
    const struct enc_roles_source *roles;
    struct enc_endpoint_policy endpoints;
    bool has_push; /* of the service */
};

/** One identity whose roles change; after differs from before. */
struct enc_role_change {
    uint8_t identity32[32];
    struct enc_roles before;
    struct enc_roles after;
};

/** A push endpoint to register; idempotent. */
struct enc_endpoint {
    uint8_t identity32[32];
    struct enc_bytes url; /* points into commit's content or arena */
};

/** Everything the event does. Each identity is in changes at most once. */
struct enc_ac_plan {
    const struct enc_role_change *changes;
    size_t change_count;
    const struct enc_endpoint *endpoints;
    size_t endpoint_count;
    const struct enc_gates *gates; /* the new list; NULL = unchanged */
};

/**
 * Step 7. C on the event's own type, Self as far as the content says whom the event is about. When
 * the content cannot be read and the answer hangs on Self, step 7 lets it pass and step 8 refuses.
 *
 * Errors: PUSH_UNSUPPORTED (first of all), UNAUTHORIZED, TOO_LARGE (arena), those of roles
 * Source: protocol.md 5.4, 16.20, 16.32, 16.79, 16.80
 */
ENC_MUST_USE enum enc_err enc_ac_rbac(struct enc_arena *arena, const struct enc_ac_input *input);

/**
 * Step 8, after step 7 has passed. An AC_Bundle is worked through in order, each entry with both
 * steps on what the entries before it left; it fails with the code of its first failing entry.
 * Role Owner is never among the targets; it moves by Transfer_Owner only, so no event can leave an
 * enclave without an Owner and LAST_OWNER never occurs.
 *
 * Errors: INVALID_CONTENT, UNAUTHORIZED, TARGET_LACKS_ROLE, PUSH_UNSUPPORTED, TOO_LARGE (gates,
 *         arena), those of roles; out is then unspecified
 * Source: protocol.md 5.5, 10.1, 16.20-16.27, 16.32, 16.33, 16.81, 16.95
 */
ENC_MUST_USE enum enc_err enc_ac_plan(struct enc_ac_plan *out, struct enc_arena *arena,
                                      const struct enc_ac_input *input);
