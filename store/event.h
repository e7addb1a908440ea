/**
 * Events, the three indexes over them, and their status (tables event, event_id, event_hash,
 * event_type, status).
 */
#pragma once

#include "store/scan.h"
#include "store/writeset.h"

enum { ENC_EVENT_TYPE_LEN_MAX = 255 };

/**
 * An event as the store sees it: where it stands, how it is found, and a record it does not look
 * into.
 */
struct enc_event_row {
    uint64_t ord;
    uint64_t seq;
    uint64_t type_seq;
    const uint8_t *id32;
    const uint8_t *hash32;   /* of the commit */
    uint64_t exp_ms;         /* of the commit: part of the name it is found by */
    struct enc_bytes type;   /* 1..255 bytes */
    struct enc_bytes record; /* not empty */
    uint8_t id_at;           /* where the id stands in the record; 0: nowhere, it is kept beside */
};

/** Where an event stands. */
struct enc_event_place {
    uint64_t ord;
    uint64_t seq;
};

/** Kept outside the event; 0 is the status of an event that has no row. */
struct enc_status_row {
    uint8_t status;   /* the services' own numbers; 0 = active */
    uint8_t by32[32]; /* id of the event that set it */
};

/**
 * A new event with all its index rows. Once per (ord, seq) and per hash. That ids differ is the
 * caller's to know: they are hashes over the seq.
 */
void enc_put_event(struct enc_writeset *set, const struct enc_event_row *row);

/** The status of the event at place, replaced whole. */
void enc_put_status(struct enc_writeset *set, struct enc_event_place place,
                    const struct enc_status_row *row);

/** The record. Errors: EVENT_NOT_FOUND, INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_event(struct enc_snap *snap, struct enc_bytes *record,
                                         struct enc_event_place place);

/** Errors: EVENT_NOT_FOUND when the enclave has no event of this id, INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_seq_by_id(struct enc_snap *snap, uint64_t *seq, uint64_t ord,
                                             const uint8_t id32[32]);

/**
 * Where the event made from this commit stands. Errors: EVENT_NOT_FOUND (not a duplicate), INTERNAL
 */
ENC_MUST_USE enum enc_err enc_snap_place_by_hash(struct enc_snap *snap, struct enc_event_place *out,
                                                 uint64_t exp_ms, const uint8_t hash32[32]);

/** All zero when there is no row. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_status(struct enc_snap *snap, struct enc_status_row *out,
                                          struct enc_event_place place);

struct enc_event_found {
    uint64_t seq;
    struct enc_bytes record;
};

/** Walk over the events of an enclave by seq. */
void enc_scan_events(struct enc_scan *scan, struct enc_snap *snap, uint64_t ord,
                     struct enc_range seqs);
bool enc_scan_event(struct enc_scan *scan, struct enc_event_found *out);

struct enc_typed_found {
    uint64_t seq;
    uint64_t type_seq;
};

/** The id that the value of an event's row has, NULL when it is damaged. For verify. */
const uint8_t *enc_event_value_id(struct enc_bytes value);

/** Walk over the events of one type by seq; the record is one enc_snap_event away. */
void enc_scan_type(struct enc_scan *scan, struct enc_snap *snap, uint64_t ord,
                   struct enc_bytes type, struct enc_range seqs);
bool enc_scan_typed(struct enc_scan *scan, struct enc_typed_found *out);
