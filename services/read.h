/**
 * A read request at work: jobs on any worker over a snapshot of the store, which shows durable data
 * only. They never enter the mailbox, so they do not wait behind writes; who holds a receipt sees
 * its event.
 */
#pragma once

#include "proto/rbac.h"
#include "services/exchange.h"
#include "services/manifests.h"
#include "services/state.h"
#include "services/tree.h"

/** Everything a read needs of its enclave. Lives on the stack of the job; memory in the arena of
 * the exchange that first asked for the enclave: one of those that are done together. */
struct enc_read {
    struct enc_exchange *exchange;
    const struct enc_host *host;
    struct enc_store *store; /* of snap */
    struct enc_snap *snap;
    uint64_t now_ms;
    unsigned service; /* of the enclave */
    struct enc_state state;
    struct enc_held_manifest *held;      /* NULL: no enclave is loaded */
    const struct enc_manifest *manifest; /* what is held */
    struct enc_tree_source source;       /* of the state tree, over snap */
    struct enc_smt tree;
    struct enc_roles roles; /* of exchange->reader; none for Public */
    size_t len_max;         /* of the answer's buffer; a page that reaches it ends early */
    bool is_on_loop;        /* nothing may take long, */
    bool is_long;           /* and this would: it is left to a worker */
};

/*
 * An enc_read_fn appends members of an object (no braces) to out, where the beginning of the answer
 * may stand already. content is the opened request; NULL on a GET.
 */

/**
 * Open a snapshot and load the enclave of the exchange: state, manifest, tree, the reader's roles.
 * On success the caller ends it with enc_read_fini. Errors: ENCLAVE_NOT_FOUND (also: sequenced by
 * another service, 16.55), BUSY, INTERNAL, TOO_LARGE
 */
ENC_MUST_USE enum enc_err enc_read_init(struct enc_read *read, struct enc_exchange *exchange);
void enc_read_fini(struct enc_read *read);

/**
 * Before what is not done in microseconds. False: this is a loop; return any error, and a worker
 * reads from the beginning.
 */
ENC_MUST_USE bool enc_read_may_take_long(struct enc_read *read);

/** The Manifest event of the enclave, in the exchange's arena. Errors: INTERNAL, TOO_LARGE */
ENC_MUST_USE enum enc_err enc_read_first_event(const struct enc_read *read, struct enc_event *out);

/** The stored roles of an identity in an SMT; none when it has no leaf. Errors: as enc_smt_get */
ENC_MUST_USE enum enc_err enc_roles_of(struct enc_smt *tree, struct enc_roles *out,
                                       const uint8_t identity32[32]);

/** A routed request whose row names a read: to a worker, which answers. Takes the exchange over.
 * Loop thread. */
void enc_read_route(struct enc_exchange *exchange);

/** The functions behind the routes; each in the file of its subject. */
enc_read_fn enc_read_query;     /* protocol.md 8.4 */
enc_read_fn enc_read_pull;      /* 8.5 */
enc_read_fn enc_read_inclusion; /* 8.6 */
enc_read_fn enc_read_bundle;
enc_read_fn enc_read_state;
enc_read_fn enc_read_consistency; /* GET: content is NULL, parameters in exchange->query */
enc_read_fn enc_read_sth;
enc_read_fn enc_read_manifest;
enc_read_fn enc_read_enclave;
