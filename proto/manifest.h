/**
 * Manifests: the content that creates an enclave and fixes its rules for ever (protocol.md 4.2).
 * Pure; any thread. Only enc_v 1 is accepted; the later format is refused as INVALID_MANIFEST.
 */
#pragma once

#include "proto/event.h"
#include "proto/roles.h"

enum {
    ENC_MANIFEST_ROWS_MAX = 4096,
    ENC_MANIFEST_INITIAL_MAX = 4096, /* identities, counted once each */
    ENC_BUNDLE_SIZE_MAX = 65536,
    ENC_BUNDLE_SIZE_DEFAULT = 256,
    ENC_BUNDLE_TIMEOUT_MAX_MS = 86400000,
    ENC_BUNDLE_TIMEOUT_DEFAULT_MS = 5000,
};

/** The six operations; masks are 1 << op. */
enum enc_op {
    ENC_OP_CREATE,
    ENC_OP_READ,
    ENC_OP_UPDATE,
    ENC_OP_DELETE,
    ENC_OP_PUSH,
    ENC_OP_NOTIFY,
    ENC_OP_COUNT
};

/** Who holds a schema row. */
enum enc_holder {
    ENC_HOLDER_NOBODY, /* OUTSIDER, "*": reserved names without a meaning in this format */
    ENC_HOLDER_ROLE,   /* whoever has the bit */
    ENC_HOLDER_SELF,   /* Self, Sender */
    ENC_HOLDER_ANY,    /* whoever proved an identity */
    ENC_HOLDER_PUBLIC,
};

struct enc_schema_row {
    struct enc_bytes event;   /* empty when is_wildcard */
    bool is_wildcard;         /* "*" */
    uint8_t holder;           /* enum enc_holder */
    uint8_t bit;              /* of ENC_HOLDER_ROLE */
    uint8_t ops;              /* granted, mask */
    uint8_t denies;           /* mask */
    struct enc_roles targets; /* custom roles only; all of them when the row names none */
};

/** An identity with the roles it starts with. */
struct enc_member {
    uint8_t identity32[32];
    struct enc_roles roles;
};

struct enc_manifest {
    const struct enc_bytes *roles; /* names; role i has bit ENC_ROLE_CUSTOM + i */
    const struct enc_schema_row *rows;
    const struct enc_member *initial; /* ascending by identity, each once, at least one Owner */
    uint32_t role_count;
    uint32_t row_count;
    uint32_t initial_count;
    uint32_t bundle_size;
    uint32_t bundle_timeout_ms; /* 0 = no timer */
    bool has_sequencer;
    uint8_t sequencer32[32];
};

/**
 * Read and validate the content of a Manifest. All that out points to lives in arena; the JSON tree
 * lives in scratch, which may be the same arena.
 *
 * *rbac, unless NULL, is the member RBAC as parsed, for enc_manifest_matches_schema; lives in
 * scratch and content.
 *
 * Errors: INVALID_MANIFEST (no JSON, enc_v other than 1, any rule of 4.2), TOO_LARGE (arena)
 * Source: protocol.md 4.2, 16.29
 */
ENC_MUST_USE enum enc_err enc_manifest_parse(struct enc_manifest *out, struct enc_arena *arena,
                                             struct enc_arena *scratch, struct enc_bytes content,
                                             const struct enc_json **rbac);

/**
 * What a Manifest commit owes beyond its content: enclave is the derived id, and a sequencer named
 * in it is this node. content_hash32 must be valid.
 * Errors: INVALID_MANIFEST
 * Source: protocol.md 4.2, 16.3
 */
ENC_MUST_USE enum enc_err enc_manifest_check(const struct enc_manifest *manifest,
                                             const struct enc_commit *commit,
                                             const uint8_t seq_pub32[32]);

/**
 * Whether RBAC.roles and RBAC.schema equal those of a fixed schema, as parsed JSON: arrays in the
 * same order, members of objects in any. schema_json is an object with roles and schema (aborts on
 * anything else: it is ours).
 * Errors: SCHEMA_MISMATCH, TOO_LARGE (scratch)
 * Source: protocol.md 4.2, Appendix A
 */
ENC_MUST_USE enum enc_err enc_manifest_matches_schema(const struct enc_json *rbac,
                                                      struct enc_arena *scratch,
                                                      struct enc_bytes schema_json);

/** Whether initial_state names the key as an Owner. */
bool enc_manifest_names_owner(const struct enc_manifest *manifest, const uint8_t key32[32]);

/**
 * Whether the key may register the enclave with this Manifest event: as its author, a first Owner
 * or its sequencer.
 * Source: protocol.md 11.3
 */
bool enc_manifest_may_register(const struct enc_manifest *manifest, const struct enc_event *event,
                               const uint8_t key32[32]);

/** The bit of "Owner" or of a declared role; -1 for any other name. */
int enc_manifest_role_bit(const struct enc_manifest *manifest, struct enc_bytes name);

/** The name of a stored bit: "Owner" or a declared role; empty for any other bit. */
struct enc_bytes enc_manifest_role_name(const struct enc_manifest *manifest, unsigned bit);
