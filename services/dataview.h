/**
 * What a service with a DataView adds to the pipeline (seed IV, protocol.md 11.1): per event type a
 * rule for the content, asked at the end of step 8, and a mapper from event to rows, called inside
 * step 12, so that rows become durable with their event. Events that other nodes push in go the
 * same way.
 *
 * A DataView is a fold: the enclave's own log and its inbox, merged in order of arrival, give the
 * same rows byte for byte whenever they are folded again. So a mapper reads nothing but rows and
 * the event: no clock, no configuration, no randomness.
 */
#pragma once

#include "proto/event.h"
#include "services/rows.h"

/** A commit or event in front of a rule or a mapper. */
struct enc_fact {
    const struct enc_rows *rows;
    struct enc_arena *arena; /* scratch */
    const struct enc_curve *curve;
    const uint8_t *own32; /* the enclave whose DataView this is */
    const struct enc_commit *commit;
    const struct enc_event *event;  /* NULL while a commit is judged */
    const struct enc_json *content; /* parsed; NULL: not a JSON text */
    uint8_t target32[32];           /* of an Update or Delete */
};

/**
 * Whether the content of an event of this type is as it must be, and its author may write it.
 * Changes nothing. Errors: INVALID_CONTENT, UNAUTHORIZED, INTERNAL, TOO_LARGE (arena)
 */
typedef enum enc_err enc_rule_fn(const struct enc_fact *fact);

/** Turn an accepted event into rows. Errors: INTERNAL, TOO_LARGE (arena): the run is then broken */
typedef enum enc_err enc_map_fn(struct enc_rows *rows, const struct enc_fact *fact);

/** What becomes of events of one type. */
struct enc_mapper {
    const char *type;
    enc_rule_fn *rule;  /* NULL: any content */
    bool rules_updates; /* an Update of such an event obeys the rule too (16.71) */
    enc_map_fn *map;    /* NULL: no rows */
};

/** Who may push events of an enclave in. *follows false: nobody (16.70). Errors: INTERNAL */
typedef enum enc_err enc_follow_fn(const struct enc_rows *rows, const uint8_t own32[32],
                                   const uint8_t enclave32[32], bool *follows, uint8_t pub32[32]);

/**
 * Where the node of an enclave takes requests, as rows of the DataView ord say it: the URL of its
 * mount, which lives in arena or is borrowed from snap; empty: they do not. Errors: INTERNAL,
 * TOO_LARGE (arena)
 */
typedef enum enc_err enc_locate_fn(struct enc_bytes *uri, struct enc_arena *arena,
                                   struct enc_snap *snap, uint64_t ord,
                                   const uint8_t enclave32[32]);

struct enc_dataview {
    const struct enc_mapper *mappers;
    size_t mapper_count;
    enc_map_fn *update;     /* an Update: fact->target32 says of what; NULL: no rows */
    enc_map_fn *remove;     /* a Delete */
    enc_follow_fn *follows; /* NULL: the configuration says it */
    enc_locate_fn *locate;  /* NULL: nothing of it is in the rows */
};

/**
 * End of step 8. target is the event that an Update or Delete is about, else NULL. Errors: as
 * enc_rule_fn
 */
ENC_MUST_USE enum enc_err enc_dataview_judge(const struct enc_dataview *view, struct enc_fact *fact,
                                             const struct enc_commit *target);

/**
 * Part of step 12, and of taking in a pushed event: rows of the event. A pushed event whose content
 * does not obey its rule leaves none. sync_state of an own event follows its seq. Errors: as
 * enc_map_fn
 */
ENC_MUST_USE enum enc_err enc_dataview_project(const struct enc_dataview *view,
                                               struct enc_rows *rows, struct enc_fact *fact);

/** A row of sync_state. */
struct enc_sync {
    uint64_t last_seq;
    uint64_t updated_ms;
};
ENC_MUST_USE enum enc_err enc_sync_put(struct enc_rows *rows, const uint8_t enclave32[32],
                                       const struct enc_sync *sync);
/** *found false: nothing of this enclave has come in. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_sync_get(const struct enc_rows *rows, const uint8_t enclave32[32],
                                       bool *found, struct enc_sync *sync);
/** The value of such a row, for reads. False: it is damaged. */
ENC_MUST_USE bool enc_sync_take(struct enc_sync *sync, struct enc_bytes value);
