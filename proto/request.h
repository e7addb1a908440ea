/**
 * Requests: what a body is, its envelope in clear and sealed form, and the members of proof and
 * Pull requests (protocol.md 8.3, 8.5, 8.6, 9.1). Pure; any thread.
 *
 *     commit                     enc_commit_decode(body)
 *     sealed commit              envelope_parse, open, enc_commit_decode(content), commit_check
 *     query, pull, proof         envelope_parse, open when sealed, reader_check, then the members
 *                                of content
 */
#pragma once

#include "proto/commit.h"
#include "proto/session.h"
#include "proto/span.h"

enum { ENC_SUB_ID_LEN_MAX = 64 };

enum enc_body_kind {
    ENC_BODY_UNKNOWN, /* INVALID_REQUEST */
    ENC_BODY_COMMIT,  /* has the key exp, whatever its value */
    ENC_BODY_QUERY,
    ENC_BODY_PULL,
    ENC_BODY_SEALED_COMMIT, /* "type":"Commit" without exp */
    ENC_BODY_CLOSE,         /* WebSocket only */
};

/** What a body or frame is. Anything but an object is unknown. protocol.md 8.3, 16.6 */
enum enc_body_kind enc_body_kind(const struct enc_json *body);

/** The envelope around a Query, a Pull, a proof request or a sealed Commit. */
struct enc_envelope {
    bool is_sealed;
    bool has_enclave;
    bool has_from; /* sealed: always */
    uint8_t enclave32[32];
    uint8_t from32[32];
    uint8_t signer32[32];           /* sealed */
    struct enc_bytes sealed_base64; /* sealed */
    const struct enc_json *content; /* an object; sealed: NULL until opened */
};

/**
 * Read an envelope. Views point into body. A Commit envelope must be sealed.
 *
 * Errors: INVALID_QUERY (a malformed member; a `type` that is not kind's; sealed without from or
 *         signer). body must be an object, else INVALID_REQUEST
 * Source: protocol.md 8.3, 16.48, 16.90, 16.91
 */
ENC_MUST_USE enum enc_err enc_envelope_parse(struct enc_envelope *out, const struct enc_json *body,
                                             enum enc_body_kind kind);

/** What opening a sealed envelope yields beside its content. Wipe the channel. */
struct enc_sealed {
    struct enc_channel channel;
    struct enc_opened opened;
};

/** The node that answers. */
struct enc_node_side {
    const struct enc_curve *curve;
    const struct enc_key *key; /* the node's */
    struct enc_scope scope;    /* its public key and the enclave */
    uint64_t now_ms;
    bool is_encrypted; /* the service refuses sessions in the clear */
};

/**
 * Open a sealed envelope: fills out and envelope->content, which lives in arena.
 *
 * Errors: INVALID_SESSION (signer does not lift), DECRYPT_FAILED, INVALID_REQUEST (what was sealed
 *         is not JSON as bodies must be), INVALID_QUERY (it is no object), TOO_LARGE (arena). The
 *         channel is wiped on failure.
 * Source: protocol.md 8.3, 16.48, 16.88
 */
ENC_MUST_USE enum enc_err enc_envelope_open(struct enc_envelope *envelope, struct enc_sealed *out,
                                            struct enc_arena *arena,
                                            const struct enc_node_side *node);

/**
 * Who asks. Clear form: from, session, at and proof all present and valid, or all absent (Public;
 * out is zeroed). Sealed form: the session inside, checked against from and signer. sealed is NULL
 * for the clear form. node->scope.enclave32 is the enclave asked for.
 *
 * Errors: INVALID_SESSION, SESSION_EXPIRED
 * Source: protocol.md 1.5, 8.3, 16.46, 16.47, 16.50, 16.90, 16.91
 */
ENC_MUST_USE enum enc_err enc_envelope_reader(struct enc_reader *out,
                                              const struct enc_envelope *envelope,
                                              const struct enc_sealed *sealed,
                                              const struct enc_node_side *node);

/**
 * That a Commit envelope and the commit inside name the same enclave and author.
 * Errors: INVALID_REQUEST. Source: protocol.md 16.49
 */
ENC_MUST_USE enum enc_err enc_envelope_commit_check(const struct enc_envelope *envelope,
                                                    const struct enc_commit *inner);

/**
 * The sub_id of a Query or Close frame: 1-64 characters (code points).
 * Errors: INVALID_REQUEST (absent, no string, length)
 */
ENC_MUST_USE enum enc_err enc_sub_id_take(struct enc_bytes *out, const struct enc_json *frame);

/* ---- members of content ---- */

/** POST /inclusion. */
struct enc_inclusion_request {
    bool by_event; /* event_id32, else leaf_index */
    bool has_tree_size;
    uint64_t leaf_index;
    uint64_t tree_size;
    uint8_t event_id32[32];
};

/** Errors: INVALID_REQUEST. Source: protocol.md 8.6, 16.37, 16.38, 16.96 */
ENC_MUST_USE enum enc_err enc_inclusion_request_take(struct enc_inclusion_request *out,
                                                     const struct enc_json *content);

/**
 * The tree to prove in, given the current number of leaves, and that the leaf is in it.
 * Errors: INVALID_RANGE (tree_size > size), LEAF_NOT_FOUND. Source: protocol.md 16.36
 */
ENC_MUST_USE enum enc_err enc_inclusion_bounds(uint64_t *tree_size,
                                               const struct enc_inclusion_request *request,
                                               uint64_t leaf_index, uint64_t size);

/** POST /bundle: its event_id. Errors: INVALID_REQUEST */
ENC_MUST_USE enum enc_err enc_bundle_request_take(uint8_t event_id32[32],
                                                  const struct enc_json *content);

/** POST /state. */
struct enc_state_request {
    uint8_t space; /* enum enc_smt_namespace */
    uint8_t key32[32];
};

/** Errors: INVALID_REQUEST */
ENC_MUST_USE enum enc_err enc_state_request_take(struct enc_state_request *out,
                                                 const struct enc_json *content);

/** GET /consistency. */
struct enc_consistency_request {
    uint64_t from;
    uint64_t to;
    bool is_fixed; /* both were given: the answer never changes */
};

/**
 * Read `from=1&to=2`; to defaults to size, the current number of leaves; other parameters are
 * ignored.
 * Errors: INVALID_RANGE (absent, doubled or malformed number, from > to, to > size)
 * Source: protocol.md 8.6, 16.38
 */
ENC_MUST_USE enum enc_err enc_consistency_request_take(struct enc_consistency_request *out,
                                                       struct enc_bytes query, uint64_t size);

/** A Pull. */
struct enc_pull_request {
    struct enc_bytes url;
    struct enc_span push_seq; /* 0..UINT64_MAX when absent */
    uint32_t limit;
};

/**
 * Errors: INVALID_QUERY (url, limit), INVALID_RANGE (push_seq malformed or inverted)
 * Source: protocol.md 8.5
 */
ENC_MUST_USE enum enc_err enc_pull_request_take(struct enc_pull_request *out,
                                                const struct enc_json *content);
