/**
 * Replay: everything that an enclave is, recomputed from its events alone, and everything that the
 * events claim, checked on the way (protocol.md 3-7). What a client verifies and what a store's
 * check compares with come from here. Pure; one owner at a time.
 *
 *     enc_replay_init, [enc_replay_expect], enc_replay_feed ..., enc_replay_finish, enc_replay_fini
 *
 * Not checked, because the log does not say it: whether a commit had expired when it arrived, which
 * push endpoints the node's configuration allowed, and the type, tags and exp of an event whose
 * content was erased (its hash, signatures and place are).
 */
#pragma once

#include "proto/ac.h"
#include "proto/ct.h"
#include "proto/event.h"
#include "proto/lifecycle.h"
#include "proto/lookup.h"
#include "proto/smt.h"

enum enc_replay_fault {
    ENC_REPLAY_SOUND,
    ENC_REPLAY_FAULT_MANIFEST, /* seq 0 is no Manifest, or a later event is one */
    ENC_REPLAY_FAULT_ENCLAVE,  /* of another enclave */
    ENC_REPLAY_FAULT_SEQ,      /* a gap, or out of order */
    ENC_REPLAY_FAULT_HASH,     /* these five as in enum enc_event_fault */
    ENC_REPLAY_FAULT_SIG,
    ENC_REPLAY_FAULT_SEQUENCER,
    ENC_REPLAY_FAULT_SEQ_SIG,
    ENC_REPLAY_FAULT_ID,
    ENC_REPLAY_FAULT_TIMESTAMP, /* older than the event before */
    ENC_REPLAY_FAULT_TYPE_SEQ,
    ENC_REPLAY_FAULT_DUPLICATE, /* its commit is in the log already */
    ENC_REPLAY_FAULT_REFUSED,   /* no honest node accepts it here: see refusal */
    ENC_REPLAY_FAULT_ERASED,    /* content is missing, and no Delete explains it */
    ENC_REPLAY_FAULT_BUNDLE,    /* it belongs to another bundle */
    ENC_REPLAY_FAULT_LEAF,      /* the observer of leaves does not agree */
    ENC_REPLAY_FAULT_HEAD_SIG,  /* a tree head that the sequencer did not sign */
    ENC_REPLAY_FAULT_HEAD_SIZE, /* a tree head over more bundles than there are */
    ENC_REPLAY_FAULT_HEAD_ROOT, /* a tree head over another log */
    ENC_REPLAY_FAULT_MEMORY,    /* the bound of memory was reached: nothing is known */
    ENC_REPLAY_FAULT_COUNT
};

/** What is wrong, and where. */
struct enc_replay_verdict {
    enum enc_replay_fault fault;
    uint64_t seq;  /* the event it was found at; of a head: its ts */
    uint64_t want; /* SEQ, TYPE_SEQ, TIMESTAMP (at least), BUNDLE, HEAD_SIZE */
    uint64_t got;
    struct enc_verdict refusal; /* REFUSED: the pipeline's outcome and step */
};

/** The word for a fault, such as "seq_sig"; static text. */
const char *enc_replay_fault_name(enum enc_replay_fault fault);

/** Append a sentence for people, such as "seq 5: the events in between are missing ...". */
void enc_replay_describe(struct enc_buffer *buffer, const struct enc_replay_verdict *verdict);

/** An event that was fed; lives as long as the replay. */
struct enc_replay_event {
    struct enc_replay_event *next; /* by seq */
    uint64_t seq;
    uint8_t id32[32];
    uint8_t hash32[32];
    uint8_t from32[32];
    struct enc_bytes type;
    enum enc_event_status status;          /* at the end of what was fed */
    const struct enc_replay_event *by;     /* the Update or Delete that set it */
    const struct enc_replay_event *target; /* of an Update or Delete */
    bool is_erased;
};

/** A bundle that was closed. */
struct enc_replay_leaf {
    uint64_t index;
    uint8_t events_root32[32];
    uint8_t state_hash32[32];
    uint64_t first_seq;
    uint64_t count;
    uint64_t closed_min_ms; /* it can have been closed from here ... */
    uint64_t closed_max_ms; /* ... to here */
};

struct enc_replay;

/** Told of every leaf once it is in the tree. False: FAULT_LEAF; the observer knows why. */
typedef bool enc_replay_observe(void *opaque, const struct enc_replay *replay,
                                const struct enc_replay_leaf *leaf);

/** Told of every AC event's plan once it has been applied. */
typedef void enc_replay_planned(void *opaque, const struct enc_ac_plan *plan);

struct enc_replay_config {
    const struct enc_curve *curve;
    const struct enc_chunk_source *chunks;
    size_t memory_max;
    const uint8_t *enclave32;   /* NULL: the one that the Manifest makes */
    const uint8_t *sequencer32; /* in charge at the end, or named by a Migrate that is the end;
                                   NULL: whoever it is */
    bool has_push;              /* of the service */
    bool is_stored; /* events come from records: bundle and the hash of erased content are known */
    enc_replay_observe *observe; /* NULL: nobody */
    enc_replay_planned *planned; /* NULL: nobody */
    void *opaque;
    const struct enc_subtree_sink *subtrees; /* of the log; NULL: nobody wants them */
};

/** Read the members, but do not write them. */
struct enc_replay {
    struct enc_replay_config config;
    struct enc_arena arena;   /* what stays */
    struct enc_arena scratch; /* of one event */
    struct enc_manifest manifest;
    uint8_t enclave32[32];
    uint8_t sequencer32[32]; /* in charge now */
    uint64_t since_seq;      /* its first event, or where that will be */
    struct enc_smt tree;
    struct enc_gates gates;
    enum enc_status status;
    enum enc_status status_before; /* a Migrate: what it is again once it has moved */
    uint8_t new_sequencer32[32];   /* when migrated; else zero */
    struct enc_frontier ct;
    struct enc_frontier bundle; /* the open one */
    uint64_t bundle_first_seq;
    uint64_t bundle_first_ms;
    uint8_t leaf_state_hash32[32]; /* of the newest leaf */
    uint64_t next_seq;             /* number of events fed */
    uint64_t created_ms;
    uint64_t last_ms;
    uint32_t owner_count;
    struct enc_replay_event *first;
    struct enc_replay_event *last;
    struct enc_lookup ids;
    struct enc_lookup hashes;
    struct enc_lookup types;
    const struct enc_sth *heads; /* expected */
    size_t head_count;
    size_t head_at;
    struct enc_replay_verdict verdict; /* the first fault; feeding ends with it */
};

/** Begin. What config points to must outlive the replay. */
void enc_replay_init(struct enc_replay *replay, const struct enc_replay_config *config);

/** Give the memory back. */
void enc_replay_fini(struct enc_replay *replay);

/**
 * Heads that were signed over this log at some time, ascending by ts; borrowed until finish. Before
 * the first feed. Each is compared when the log has its size.
 */
void enc_replay_expect(struct enc_replay *replay, const struct enc_sth *heads, size_t count);

/**
 * The next event. Nothing of it is borrowed; its content_hash32 is filled.
 *
 * Returns: whether it is sound; if not, replay->verdict says why, for ever
 * Source:  protocol.md 3, 4, 5, 6, 7.1
 */
ENC_MUST_USE bool enc_replay_feed(struct enc_replay *replay, struct enc_event *event);

/**
 * Close the open bundle at close_ms, as the timer does (7.1.3). Returns as feed; does nothing when
 * there is none, or its time had not come.
 */
ENC_MUST_USE bool enc_replay_close_bundle(struct enc_replay *replay, uint64_t close_ms);

/**
 * The sequencer that the last event, a Migrate, names takes over, as it does by itself when its
 * first event is fed: the enclave is again what it was before the Migrate. False, and nothing
 * changed, when the enclave is not on its way, or to the node that it is on.
 *
 * Source: protocol.md 12
 */
ENC_MUST_USE bool enc_replay_take_over(struct enc_replay *replay);

/**
 * There are no more events: erased content must be explained, and every head met. A head over one
 * bundle more is met when the timer had closed the open bundle by the time of the head; that bundle
 * is then closed here too. Returns as feed.
 */
ENC_MUST_USE bool enc_replay_finish(struct enc_replay *replay);

/** state_hash now. */
void enc_replay_state_hash(struct enc_replay *replay, uint8_t hash32[32]);

/** The event of that id; NULL when there is none. */
const struct enc_replay_event *enc_replay_find(const struct enc_replay *replay,
                                               const uint8_t id32[32]);

/** The stored roles of an identity. Errors: INTERNAL, as enc_smt_get */
ENC_MUST_USE enum enc_err enc_replay_roles(struct enc_replay *replay, struct enc_roles *out,
                                           const uint8_t identity32[32]);
