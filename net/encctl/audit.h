/**
 * audit: what its files share. It watches enclaves from outside as an auditor of certificate
 * transparency does: tree heads, over time and from several places, must all be of one log. Main
 * thread.
 *
 * A target is an enclave at a URL. All targets of one enclave share a watch: what was seen of it,
 * wherever. What a node answers is bounded in length and time; memory of a target's visit dies with
 * the visit.
 */
#pragma once

#include "net/encctl/evidence.h"
#include "net/encctl/node.h"

#include <stdio.h>

enum {
    ENC_AUDIT_WHY_LEN = 256,
    ENC_AUDIT_KINDS_MAX = 16,
    ENC_AUDIT_TARGETS_MAX = 4096,
    ENC_AUDIT_OPEN_MAX = 16,
};

/** What became of a question. */
enum enc_reply {
    ENC_REPLY_NONE,    /* no answer, too long, too late, too busy */
    ENC_REPLY_HIDDEN,  /* not for this reader */
    ENC_REPLY_REFUSED, /* another answer than an honest node's */
    ENC_REPLY_GOOD,    /* the shape that was asked for; nothing of it is checked */
};

/** A tree head that was seen. text is its JSON object with sequencer and binding. */
struct enc_audit_head {
    struct enc_sth sth;
    uint8_t key32[32];
    size_t target; /* that served it; SIZE_MAX: remembered */
    char *text;
};

/** How a head stands to the log that is known. */
enum enc_standing {
    ENC_STANDING_IN,   /* of it */
    ENC_STANDING_ODD,  /* not of it, and that was told */
    ENC_STANDING_OPEN, /* nobody has shown either */
};

/** The heads of one size by one key: the earliest and the latest of them. */
struct enc_audit_slot {
    struct enc_audit_head first;
    struct enc_audit_head last;
};

/** An enclave. */
struct enc_watch {
    struct enc_watch *next;
    uint8_t enclave32[32];
    char *manifest; /* its event; NULL: not seen yet */
    uint8_t manifest_id32[32];
    uint64_t timeout_ms;                       /* of its bundles; 0: none */
    char *migrates;                            /* events, comma between; NULL: none */
    uint8_t keys32[ENC_EVIDENCE_KEYS_MAX][32]; /* in charge, one after the other */
    size_t key_count;
    struct enc_audit_slot *slots; /* of one log, ascending by size */
    size_t slot_count;
    size_t slot_room;
    struct enc_audit_head open[ENC_AUDIT_OPEN_MAX]; /* signed, and nobody has shown of which log */
    size_t open_count;
};

struct enc_target {
    char *url;
    struct enc_watch *watch;
    uint64_t seq;                      /* of its newest event */
    bool has_all_proofs;               /* its service has /consistency and /bundle */
    uint8_t told[ENC_AUDIT_KINDS_MAX]; /* enum enc_worth that was told, by kind */
    bool was_reached;
};

/** A promise that a client holds. */
struct enc_promise {
    struct enc_promise *next;
    uint8_t enclave32[32];
    uint8_t id32[32];
    uint64_t seq;
    uint64_t timestamp_ms;
    uint8_t sequencer32[32];
    char *event; /* JSON; NULL: only the Receipt is known */
    bool is_kept;
};

struct enc_audit {
    struct enc_ctl *ctl;
    const struct enc_args *args;
    struct enc_watch *watches;
    struct enc_target *targets;
    size_t target_count;
    const char *sources[ENC_WORDS_MAX]; /* URLs without an enclave */
    size_t source_count;
    struct enc_promise *promises;
    const char *state; /* directory; NULL: none */
    int record;        /* its file of heads; -1 */
    FILE *log;         /* NULL: none */
    bool is_json;
    uint64_t max_age_ms;
    uint64_t spot_count;
    uint64_t interval_s;
    bool has_sequencer;
    uint8_t sequencer32[32];
    uint64_t visit_end_ns;       /* nothing more is asked after it */
    char why[ENC_AUDIT_WHY_LEN]; /* what the newest question came to */
    bool is_unreached;           /* somebody, in this round */
    bool has_claim;
    bool has_proof;
    bool has_trouble; /* with our own files */
};

/* ---- audit_ask.c: questions to the target's node ---- */

/** A visit begins: memory of the last one dies, the clock starts. */
void enc_audit_turn_to(struct enc_audit *audit, const struct enc_target *target);

ENC_MUST_USE enum enc_reply enc_audit_get(struct enc_audit *audit, const struct enc_json **out,
                                          const struct enc_target *target, const char *action);

/** type NULL: a proof. members: of the content. */
ENC_MUST_USE enum enc_reply enc_audit_post(struct enc_audit *audit, const struct enc_json **out,
                                           const struct enc_target *target, const char *action,
                                           struct enc_buffer *members);

/** Elements by a filter. */
ENC_MUST_USE enum enc_reply enc_audit_query(struct enc_audit *audit, const struct enc_json **events,
                                            const struct enc_target *target, const char *filter);

ENC_MUST_USE enum enc_reply enc_audit_leaf(struct enc_audit *audit, struct enc_inclusion *proof,
                                           const struct enc_target *target, uint64_t leaf,
                                           uint64_t size);

/** The same by event. */
ENC_MUST_USE enum enc_reply enc_audit_event_leaf(struct enc_audit *audit,
                                                 struct enc_inclusion *proof,
                                                 const struct enc_target *target,
                                                 const uint8_t id32[32], uint64_t size);

ENC_MUST_USE enum enc_reply enc_audit_bundle(struct enc_audit *audit,
                                             struct enc_bundle_proof *proof,
                                             const struct enc_target *target,
                                             const uint8_t id32[32]);

/** That the Manifest is the first of the first bundle. */
ENC_MUST_USE enum enc_reply enc_audit_first_bundle(struct enc_audit *audit,
                                                   struct enc_bundle_proof *proof,
                                                   const struct enc_target *target,
                                                   const uint8_t events_root32[32]);

/** A copy that outlives the visit. */
char *enc_audit_keep(struct enc_bytes text);

/** The same of a buffer. */
char *enc_audit_keep_buffer(const struct enc_buffer *buffer);

/* ---- audit_keys.c: who may sign, and how a head is bound to its enclave ---- */

/**
 * Whether a key in charge has signed the head: it is put into head->key32. *is_known false: nothing
 * is known, because the node did not tell who it is.
 */
ENC_MUST_USE bool enc_audit_signer(struct enc_audit *audit, struct enc_audit_head *head,
                                   struct enc_target *target, bool *is_known);

/** Fill head->text, with a binding if there is one to be had. */
void enc_audit_bind(struct enc_audit *audit, struct enc_audit_head *head,
                    const struct enc_target *target);

/** Both are remembered only, from a node or from the record; nothing is written. */
void enc_audit_take_manifest(struct enc_watch *watch, struct enc_ctl *ctl,
                             const struct enc_event *event);
bool enc_audit_take_migrate(struct enc_watch *watch, struct enc_ctl *ctl,
                            const struct enc_json *event);

/* ---- audit_heads.c: one log? ---- */

/** Hold a signed head against all that were seen; keep it. */
void enc_audit_consider(struct enc_audit *audit, struct enc_target *target,
                        struct enc_audit_head *head);

/** Hold the heads that nobody could place so far against all again. */
void enc_audit_reconsider(struct enc_audit *audit, struct enc_target *target);

/** Keep a head for that; of too many the oldest goes. text stays the caller's. */
void enc_audit_keep_open(struct enc_watch *watch, const struct enc_audit_head *head);

/** Put a head into its place among those of one log. text stays the caller's. */
void enc_audit_insert(struct enc_watch *watch, const struct enc_audit_head *head);

/* ---- audit_spot.c: samples and promises ---- */

/** Events at random, their proofs, the state. */
void enc_audit_spot(struct enc_audit *audit, struct enc_target *target,
                    const struct enc_audit_head *head);

/** Whether what clients were promised is in the log. */
void enc_audit_promises(struct enc_audit *audit, struct enc_target *target,
                        const struct enc_audit_head *head);

/** Read the file of --receipt. False, and told why. */
ENC_MUST_USE bool enc_audit_read_promises(struct enc_audit *audit, const char *path);

/* ---- audit_find.c: targets ---- */

/** Targets of a word of the command line. False, and told why, when it is none. */
ENC_MUST_USE bool enc_audit_find(struct enc_audit *audit, const char *word);

/** Look again for enclaves where none was named: what the node's registry lists. */
void enc_audit_discover(struct enc_audit *audit);

struct enc_watch *enc_audit_watch(struct enc_audit *audit, const uint8_t enclave32[32]);

/* ---- audit_state.c: what stays, and what is told ---- */

/** Open the directory, read what it has. False, and told why. */
ENC_MUST_USE bool enc_audit_state_open(struct enc_audit *audit);

/** Append what was learnt: members of a line behind "enclave", comma first. */
void enc_audit_record(struct enc_audit *audit, const struct enc_watch *watch,
                      const struct enc_buffer *members);

void enc_audit_record_head(struct enc_audit *audit, const struct enc_target *target,
                           const struct enc_audit_head *head, enum enc_standing standing);

/** Something wrong. heads: none, one or two. */
struct enc_finding {
    const char *kind;
    const struct enc_audit_head *heads[2];
    struct enc_bytes members; /* JSON members without a comma before them; may be empty */
    const char *text;
};

/** Write evidence, tell it once, remember how the audit ends. */
void enc_audit_tell(struct enc_audit *audit, struct enc_target *target,
                    const struct enc_finding *finding);

/** Something that is not wrong: "head", "kept", "unreached", ... */
void enc_audit_note(struct enc_audit *audit, const struct enc_target *target, const char *event,
                    const char *text);

/** No answer, so nothing is known. */
void enc_audit_unreached(struct enc_audit *audit, struct enc_target *target, const char *text);
