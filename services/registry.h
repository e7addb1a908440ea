/**
 * The registry: who has which node, enclave and identity (protocol.md 11.3). Its rows, as its own
 * files and their tests see them, and the lookup that other files need.
 *
 * registry.c is the service, registry_content.c reads and bounds contents, registry_rows.c turns
 * events into rows, registry_reads.c answers.
 */
#pragma once

#include "proto/manifest.h"
#include "services/dataview.h"
#include "services/enclave.h"
#include "services/text.h"

/* ---- contents ---- */

/** Bounds of what is registered, beside those of texts. Lengths of what is ASCII in bytes. */
enum {
    ENC_REG_ENDPOINTS_MAX = 16,
    ENC_REG_PRIORITY_MAX = 65535, /* 0 is tried first */
    ENC_REG_PROTOCOLS_MAX = 16,
    ENC_REG_PROTOCOL_LEN_MAX = 32, /* of letters, digits, '+', '-', '.' */
    ENC_REG_ENC_V_MAX = 65535,
    ENC_REG_MAP_MAX = 64,         /* enclaves that an identity names */
    ENC_REG_MAP_KEY_LEN_MAX = 64, /* of letters, digits, '_', '-', '.' */
};

struct enc_reg_node {
    uint8_t seq_pub32[32];
    const struct enc_json *endpoints; /* 1-16 of {"uri","priority"} */
    const struct enc_json *protocols; /* 1-16 names */
    uint64_t enc_v;
};

struct enc_reg_enclave {
    uint8_t node_pub32[32];
    struct enc_event event; /* the Manifest's */
    struct enc_manifest manifest;
    struct enc_text app;
};

struct enc_reg_identity {
    struct enc_persona persona;
    const struct enc_json *enclaves; /* name -> hex64; NULL: left out */
};

/**
 * Read a content as parsed; members that are not known are ignored. Whether the Manifest is true is
 * not asked here. Errors: INVALID_CONTENT, TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_reg_node_take(struct enc_reg_node *out,
                                            const struct enc_json *content);
ENC_MUST_USE enum enc_err enc_reg_enclave_take(struct enc_reg_enclave *out, struct enc_arena *arena,
                                               const struct enc_json *content);
ENC_MUST_USE enum enc_err enc_reg_identity_take(struct enc_reg_identity *out,
                                                const struct enc_json *content);

/** What the three types ask of content and author. */
enc_rule_fn enc_reg_node_rule;
enc_rule_fn enc_reg_enclave_rule;
enc_rule_fn enc_reg_identity_rule;

/* ---- rows ---- */

enum enc_reg_table { ENC_REG_NODES, ENC_REG_ENCLAVES, ENC_REG_IDENTITIES, ENC_REG_TABLE_COUNT };

/** Views of the registry. */
enum enc_reg_view {
    ENC_REG_VIEW_TABLES = ENC_VIEW_OWN,               /* + enc_reg_table: key32 -> row */
    ENC_REG_VIEW_NODES_BY_TIME = ENC_VIEW_OWN + 3,    /* registered_at, seq_pub -> nothing */
    ENC_REG_VIEW_ENCLAVES_BY_FROM = ENC_VIEW_OWN + 4, /* from, registered_at, id -> nothing */
    ENC_REG_VIEW_EVENTS = ENC_VIEW_OWN + 5, /* enclave32, event32 -> table (1 byte), key32 */
    ENC_REG_VIEW_COUNTS = ENC_VIEW_OWN + 6, /* table (1 byte), from of an enclave -> u64 */
};

/** A row: what the room needs to know of it, and what is answered. */
struct enc_reg_row {
    uint8_t from32[32];
    uint8_t event32[32];   /* the event that registered it ... */
    uint8_t enclave32[32]; /* ... and the log that it is from */
    uint8_t node32[32];    /* of an enclave: its sequencer */
    uint64_t registered_ms;
    struct enc_bytes members; /* JSON members of the columns, without braces */
    struct enc_bytes more; /* a node: where it takes requests; an identity: elements of enclaves */
};

enum { ENC_REG_INDEX_LEN_MAX = 32 + 8 + 32, ENC_REG_COUNT_KEY_LEN_MAX = 1 + 32 };

/** The row of that key in a snapshot; its bytes are borrowed. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_reg_row_find(struct enc_snap *snap, bool *found,
                                           struct enc_reg_row *row, struct enc_view view,
                                           const uint8_t key32[32]);

/** The bytes of a stored row. False: it is damaged. */
ENC_MUST_USE bool enc_reg_row_take(struct enc_reg_row *row, struct enc_bytes value);

/** The key of a count: all nodes, or the enclaves that from32 registered. */
struct enc_bytes enc_reg_count_key(uint8_t out[ENC_REG_COUNT_KEY_LEN_MAX], enum enc_reg_table table,
                                   const uint8_t from32[32]);

enc_map_fn enc_reg_node_map;
enc_map_fn enc_reg_enclave_map;
enc_map_fn enc_reg_identity_map;

/** A Delete by the author of the newest registering event takes its row away; what it had replaced
 * does not come back (protocol.md 16.74). */
enc_map_fn enc_reg_remove;

/* ---- reads ---- */

enc_read_fn enc_registry_read_nodes;
enc_read_fn enc_registry_read_node;
enc_read_fn enc_registry_read_enclave;
enc_read_fn enc_registry_read_resolve;
enc_read_fn enc_registry_read_identity;

/**
 * Where the node of an enclave takes requests: its http(s) endpoint of the smallest priority, the
 * first of equals. uri is empty when the enclave, its node or such an endpoint is not registered,
 * else it lives in arena. registry_ord is that of the registry's enclave.
 * Errors: INTERNAL, TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_registry_resolve(struct enc_bytes *uri, struct enc_arena *arena,
                                               struct enc_snap *snap, uint64_t registry_ord,
                                               const uint8_t enclave32[32]);
