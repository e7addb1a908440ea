/** How access control events are worked out. Only for the files ac*.c. */
#pragma once

#include "proto/ac.h"
#include "proto/json.h"

/** The scratch overlay: what the operations so far would change. */
struct enc_ac_work {
    const struct enc_ac_input *input;
    struct enc_arena *arena;
    struct enc_role_change *changes; /* room for all operations */
    struct enc_endpoint *endpoints;  /* the same */
    size_t change_count;
    size_t endpoint_count;
    const struct enc_gates *gates; /* NULL = unchanged */
};

/** One operation: an event, or an entry of an AC_Bundle. */
struct enc_ac_op {
    enum enc_type type;
    const struct enc_json *json; /* its members; NULL when the content is no JSON */
};

/** Step 7 of an operation, on the overlay. Errors as enc_ac_rbac */
ENC_MUST_USE enum enc_err enc_ac_authorise(struct enc_ac_work *work, const struct enc_ac_op *op);

/** Step 8 of an operation: puts its changes into the overlay. Errors as enc_ac_plan */
ENC_MUST_USE enum enc_err enc_ac_apply(struct enc_ac_work *work, const struct enc_ac_op *op);

/** Whom an operation is about: false when the type is about nobody or the content does not say. */
bool enc_ac_is_about(const struct enc_ac_op *op, uint8_t identity32[32]);

/** Whether operations of this type are about an identity. */
bool enc_ac_has_identity(enum enc_type type);

/** Roles of an identity in the overlay. Errors: those of the source */
ENC_MUST_USE enum enc_err enc_ac_roles(const struct enc_ac_work *work, struct enc_roles *out,
                                       const uint8_t identity32[32]);

/** Give an identity new roles in the overlay. Errors: those of the source */
ENC_MUST_USE enum enc_err enc_ac_set(struct enc_ac_work *work, const uint8_t identity32[32],
                                     const struct enc_roles *roles);
