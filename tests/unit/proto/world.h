/** A world of three identities for the tests of access control: owner, member and seq. */
#pragma once

#include "logic.h"
#include "proto/ac.h"

/**
 * Roles Member 32, Pending 33, Blocked 34 and Sink 35, which alone is delivered to. The owner has
 * bit 1; a test sets the roles of the other two.
 */
struct world {
    struct enc_manifest manifest;
    struct enc_roles member, seq;
    struct enc_gates gates;
    struct enc_endpoint_policy endpoints;
    bool has_push;
    enum enc_err source_err; /* what asking for roles answers */
    struct enc_commit commit;
    struct enc_ac_plan plan;
};

/** A fresh world; the one before is gone. */
struct world *world(void);

struct input {
    struct enc_roles_source source;
    struct enc_ac_input input;
};

/** The input of both steps for the world's commit. */
void make_input(struct input *made, struct world *w);

/** The public key of an identity as hex. */
const char *pub(const char *who);

/** Content with %M %S %O replaced by the keys of member, seq and owner. */
struct enc_bytes fill(const char *content);

/** Sign an event and ask step 7. */
enum enc_err step_7(struct world *w, const char *who, const char *type, const char *content);

/** Ask step 8 for the world's commit; the plan is in w->plan. */
enum enc_err step_8(struct world *w);

/** Both steps. Fails the test when step 7 refuses. */
enum enc_err plan(struct world *w, const char *who, const char *type, const char *content);

/** Fails the test unless change number index gives who these roles. */
void expect_change(const struct world *w, size_t index, const char *who, struct enc_roles after);
