/**
 * Who may do what: the one function of protocol.md 5.4 and the questions that are asked through it.
 * Pure; any thread.
 */
#pragma once

#include "proto/gates.h"
#include "proto/manifest.h"
#include "proto/session.h"

/** Contexts are evaluated per question, never stored (protocol.md 5.3). */
struct enc_context {
    bool self;          /* Self and Sender */
    bool authenticated; /* Any */
};

/** 5.4 word for word. type is the event type the op is about: for U and D the target's. */
bool enc_rbac_permits(const struct enc_manifest *manifest, const struct enc_roles *roles,
                      struct enc_bytes type, enum enc_op op, struct enc_context context);

/**
 * enc_rbac_permits for C, and the union of the target_roles of the rows that grant it (none when
 * it is not permitted). Source: protocol.md 5.5
 */
bool enc_rbac_targets(struct enc_roles *targets, const struct enc_manifest *manifest,
                      const struct enc_roles *roles, struct enc_bytes type,
                      struct enc_context context);

/**
 * Step 7 of a content event, and of a lifecycle event (which no gate can name): C, then the gate,
 * which stops everyone but an Owner. The actor is authenticated and never Self.
 * Errors: UNAUTHORIZED, GATE_CLOSED
 * Source: protocol.md 5.4, 5.5, 16.28
 */
ENC_MUST_USE enum enc_err enc_rbac_create(const struct enc_manifest *manifest,
                                          const struct enc_gates *gates,
                                          const struct enc_roles *roles, struct enc_bytes type);

/** What a reader wants to see. */
struct enc_sight {
    struct enc_bytes type;
    const uint8_t *from32;
    struct enc_bytes target_type; /* of an Update or Delete: its target's */
    const uint8_t *target_from32; /* NULL when there is no target */
};

/** The sight of an event; target is that of an Update or Delete, else NULL. */
static inline struct enc_sight enc_sight_of(const struct enc_commit *commit,
                                            const struct enc_commit *target)
{
    struct enc_sight sight = {.type = commit->type, .from32 = commit->from32};
    if (target) {
        sight.target_type = target->type;
        sight.target_from32 = target->from32;
    }
    return sight;
}

/**
 * Whether the reader sees the event: R on its own type (Self: the reader wrote it) or, with a
 * target, on the target's type (Self: the reader wrote the target). roles are the reader's; ignored
 * for the Public reader.
 * Source: protocol.md 5.6, 16.31, 16.84
 */
bool enc_rbac_can_read(const struct enc_manifest *manifest, const struct enc_roles *roles,
                       const struct enc_reader *reader, const struct enc_sight *sight);

/**
 * Whether R is permitted on at least one event type. For proofs context.self is false (16.30); for
 * deciding whether a subscription has lost all access it is true (16.85).
 */
bool enc_rbac_reads_any(const struct enc_manifest *manifest, const struct enc_roles *roles,
                        struct enc_context context);

/** How an event is delivered to an endpoint of an identity. */
enum enc_delivery { ENC_DELIVERY_NONE, ENC_DELIVERY_NOTIFY, ENC_DELIVERY_PUSH };

/**
 * P before N, by the identity's bits: nobody asks here, so Self and Any are false (Public holds).
 * Source: protocol.md 10.1
 */
enum enc_delivery enc_rbac_delivery(const struct enc_manifest *manifest,
                                    const struct enc_roles *roles, struct enc_bytes type);

/**
 * Whether one of the roles carries a row that grants P or N. False = its endpoints are removed, or
 * may not be registered. Source: protocol.md 10.1, 16.33
 */
bool enc_rbac_delivers(const struct enc_manifest *manifest, const struct enc_roles *roles);
