/** verify: what its files share. Main thread. */
#pragma once

#include "net/encctl/pages.h"
#include "net/encctl/snapshot.h"
#include "proto/replay.h"

/** A leaf that the replay closed, kept for the comparison with the node's proofs. */
struct enc_verify_leaf {
    struct enc_verify_leaf *next;
    struct enc_replay_leaf leaf;
};

/** What the node said of an event's status, compared when the log is known. */
struct enc_verify_claim {
    struct enc_verify_claim *next;
    uint8_t id32[32];
    enum enc_event_status status;
    uint8_t by32[32];
};

struct enc_verify {
    struct enc_ctl *ctl;
    const struct enc_args *args;
    bool is_online;
    bool has_enclave;
    uint8_t enclave32[32];
    bool has_sequencer; /* one was demanded */
    uint8_t sequencer32[32];
    struct enc_replay replay;
    struct enc_arena page; /* of one element */
    struct enc_sth *heads; /* remembered ones and the node's, ascending by ts */
    size_t head_count;
    bool has_head;
    struct enc_sth head;            /* the node's, asked before the log */
    uint64_t info_seq;              /* of /info/enclave, asked before the log */
    bool has_more_proofs;           /* the service has /consistency and /bundle (protocol.md 8.2) */
    uint8_t info_state32[32];       /* at info_seq */
    struct enc_verify_leaf *leaves; /* newest first */
    struct enc_verify_claim *claims;
    bool has_failed;              /* the result was told */
    struct enc_snapshot_out *out; /* export: where what was verified goes; else NULL */
    struct enc_bytes service;     /* of the enclave, as the node says */
};

/** Tell a fault beyond the replay's; false. */
bool enc_verify_fail(struct enc_verify *verify, const char *name, uint64_t seq, const char *text);

/** One event, alone or as an element of a Response. False: the result was told. */
ENC_MUST_USE bool enc_verify_element(struct enc_verify *verify, const struct enc_json *element);

/** Ask the node for what it stands for: tree head, status. Before the replay begins. */
ENC_MUST_USE bool enc_verify_ask_node(struct enc_verify *verify);

/** Read the whole log from the node into the replay. */
ENC_MUST_USE bool enc_verify_read_log(struct enc_verify *verify);

/** After the replay: the end of the log, proofs of a sample, consistency. */
ENC_MUST_USE bool enc_verify_check_node(struct enc_verify *verify);

/** Whether this reader may see every event there can be. */
bool enc_verify_sees_all(struct enc_verify *verify);

/** Read the heads of this enclave from the file of --remember into heads, with the node's. */
ENC_MUST_USE bool enc_verify_recall(struct enc_verify *verify);

/** Add the node's head to that file. */
ENC_MUST_USE bool enc_verify_remember(const struct enc_verify *verify);
