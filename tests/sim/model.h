/**
 * What a node must answer, foretold by the plainest means: arrays, loops, everything recomputed
 * from the log. Written from the protocol alone; of the house it uses SHA-256, Schnorr and nothing
 * that knows a rule. One thread.
 */
#pragma once

#include "proto/schnorr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum who { OWNER, MEMBER, STRANGER, GUEST, BELL, SINK, NODE, WHO_COUNT };
enum { NOBODY = -1 }; /* the Public reader; an author that is no key of ours */
enum { HOLDS_OWNER = -1, HOLDS_SELF = -2, HOLDS_ANY = -3, HOLDS_PUBLIC = -4 };
enum { NO_ROLE = -1, UNKNOWN_ROLE = 99 };

enum {
    M_ROLES_MAX = 8,
    M_RULES_MAX = 64,
    M_LOG_MAX = 512,
    M_OPS_MAX = 3,
    M_GATES_MAX = 4,
};

enum m_status { M_ACTIVE, M_PAUSED, M_TERMINATED, M_MIGRATED };

/** One row of a schema. role: an index into roles, or HOLDS_*. */
struct m_rule {
    const char *event; /* "*": all */
    int role;
    const char *grants; /* letters of CRUDPN */
    const char *denies;
    uint32_t targets; /* bits of roles; 0: all of them */
};

/** What an AC event asks for, as its author meant it. */
struct m_op {
    const char *type;
    enum who who;
    int role; /* from, for a Move */
    int to;
    bool has_endpoint;
    const char *event; /* of a Gate */
    bool open;
};

struct m_commit {
    int enclave; /* of the model; -1: unknown to everybody */
    uint8_t enclave32[32], hash32[32], from32[32], sig64[64];
    int from;
    char type[72];
    char *content;
    uint64_t exp_ms;
    bool has_target;
    uint8_t target32[32];
    struct m_op ops[M_OPS_MAX];
    int op_count;
    bool is_junk; /* its content is none for its type */
    bool is_manifest_of_it;
    uint64_t prev_seq; /* of a Migrate */
    uint8_t ct_root32[32];
    bool is_accepted; /* then what follows is known */
    uint64_t seq, type_seq, timestamp_ms;
    uint8_t id32[32], seq_sig64[64];
};

/** A commit on its way: the same one may be under way several times. */
struct m_sending {
    struct m_sending *next; /* of the enclave, in order of arrival */
    struct m_commit *commit;
    void *asker;
    uint64_t arrival;
    uint64_t clock_low_ms, clock_high_ms; /* the clock since it arrived */
    uint64_t faults, doubts;              /* of the disk, when it arrived */
    bool is_in_doubt;                     /* answered 500 by a node that does not know itself */
};

/** What is true after an event. */
struct m_state {
    uint64_t roles[WHO_COUNT]; /* bit 1 Owner, 32 + i the i-th role */
    const char *shut[M_GATES_MAX];
    enum m_status status;
};

struct m_entry {
    struct m_commit *commit;
    struct m_state after;
    uint64_t arrival; /* of the sending that became it */
};

struct m_leaf {
    int first, count;
    uint8_t events_root32[32], state32[32], leaf32[32];
};

struct m_enclave {
    uint8_t id32[32];
    unsigned service;
    const char *roles[M_ROLES_MAX];
    int role_count;
    struct m_rule rules[M_RULES_MAX];
    int rule_count;
    uint64_t initial[WHO_COUNT];
    uint64_t bundle_size, timeout_ms;
    struct m_entry log[M_LOG_MAX];
    int count;
    struct m_sending *queue;
    uint64_t clock_high_ms;              /* the latest the clock was since the last event */
    const uint8_t (*pubs32)[32];         /* WHO_COUNT */
    struct m_leaf leaves[M_LOG_MAX + 1]; /* by where they end; computed when they are asked for */
    bool has_root[M_LOG_MAX + 1];
    uint8_t roots32[M_LOG_MAX + 1][32];
};

/** A whole node's worth. */
struct model {
    const struct enc_curve *curve;
    const struct enc_key *keys; /* WHO_COUNT */
    struct m_enclave *enclaves[8];
    int enclave_count;
};

/* ---- hashes (model_hash.c) ---- */

void m_commit_hash(uint8_t out32[32], const struct m_commit *c);
void m_enclave_id(uint8_t out32[32], const struct m_commit *c);
void m_event_hash(uint8_t out32[32], const struct m_commit *c, const uint8_t sequencer32[32]);
void m_sth_hash(uint8_t out32[32], uint64_t t_ms, uint64_t ts, const uint8_t root32[32]);

/** Root of the tree of roles and event statuses after count events. */
void m_state_root(uint8_t out32[32], struct m_enclave *e, int count);
void m_state_key(uint8_t out21[21], uint8_t space, const uint8_t raw32[32]);
/** What a proof leads to. value_len 0: not there. */
void m_state_fold(uint8_t root32[32], const uint8_t key21[21], const uint8_t *value,
                  size_t value_len, const char *bitmap42_hex, const char *const *siblings);

/** RFC 9162: the root over count leaves. */
void m_tree_root(uint8_t out32[32], const uint8_t (*leaves32)[32], int count);
/** RFC 9162: where a path of an inclusion proof leads; false: it has the wrong length. */
bool m_path_fold(uint8_t hash32[32], uint64_t index, uint64_t size, const char *const *path,
                 size_t path_len);

/** The bundles closed by the first count events, and the open one as well if with_tail. */
int m_leaves(struct m_leaf *out, struct m_enclave *e, int count, bool with_tail);
int m_leaf_count(const struct m_enclave *e, int count);
void m_log_root(uint8_t out32[32], const struct m_leaf *leaves, int count);
/** When the bundle left open by count events closes by itself; 0: never. */
uint64_t m_tail_due_ms(const struct m_enclave *e, int count);

/* ---- rules (model.c) ---- */

bool m_permits(const struct m_enclave *e, uint64_t roles, const char *type, char op, bool self,
               bool known);

/** The code that the commit must be answered with, NULL for a receipt. Where only the clock or the
 * bundle timer decides, said is believed if it is among what could be. */
const char *m_judge(const struct model *m, const struct m_enclave *e, const struct m_sending *s,
                    const char *said);

/** Whether it is refused for its shape alone, at once and whatever stands before it. */
const char *m_judge_shape(const struct m_commit *c);

/** It was accepted with this timestamp: fill in what follows from that and append it. */
const char *m_accept(const struct model *m, struct m_enclave *e, const struct m_sending *s,
                     uint64_t timestamp_ms);

struct m_entry *m_find(const struct m_enclave *e, const uint8_t id32[32], int count);
int m_status_of(const struct m_enclave *e, int seq, int count, const struct m_commit **by);
bool m_is_content(const char *type);
/** 'P', 'N' or 0: how an event leaves for this identity. */
char m_delivery(const struct m_enclave *e, int seq, enum who who);
/** Whether the reader may see the event, with the roles after count events. */
bool m_is_visible(const struct m_enclave *e, int seq, int count, int reader);
bool m_reads_any(const struct m_enclave *e, int count, int reader);
