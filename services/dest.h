/** One push queue in memory: an identity's endpoint of one enclave, and where its delivery stands
 * (10.2, 10.3). */
#pragma once

#include "services/push.h"

enum enc_dest_phase {
    ENC_DEST_IDLE,    /* nothing under way; has_pending tells whether something waits */
    ENC_DEST_STAGED,  /* a payload is in the run that is being made or written */
    ENC_DEST_FLYING,  /* the POST is under way */
    ENC_DEST_LANDED,  /* its result is known and waits to be recorded */
    ENC_DEST_WAITING, /* failed; to be tried again at next_ms */
};

struct enc_dest {
    struct enc_dest *next;
    enum enc_dest_phase phase;
    bool is_new;      /* staged by the run at the writer */
    bool is_leaving;  /* its removal is staged by the run at the writer */
    bool is_recorded; /* the result is staged by the run at the writer */
    bool has_pending; /* rows wait in the store */
    bool has_staged;  /* rows are staged by the run at the writer */
    bool has_landed_ok;
    struct enc_push_seq_row row; /* as stored: last push_seq, failures so far, when to try again */
    struct enc_push_seq_row staged; /* what row becomes when the run is durable */
    struct enc_shipment *shipment;  /* STAGED, until it flies */
    uint64_t flight;                /* FLYING: which; results of others are not for us */
    uint8_t identity32[32];
    uint8_t url16[16];
    uint8_t queue16[16];
    struct enc_request_id request_id; /* of the newest event; empty: not known any more */
    size_t url_len;
    char url[]; /* NUL-terminated */
};

struct enc_pushes {
    struct enc_dest *first;
    uint64_t alarm_ms; /* as stored; 0 = none */
    uint64_t staged_alarm_ms;
    bool is_due;     /* something is to be staged by the next run */
    bool is_stalled; /* the last run failed: wait for the timer instead of spinning */
};

/** One payload on its way. Own memory; travels as mail once the POST has ended. */
struct enc_shipment {
    struct enc_mail mail; /* first */
    struct enc_fetch fetch;
    struct enc_host *host;
    uint8_t enclave32[32];
    uint8_t queue16[16];
    uint64_t flight;
    size_t url_len;
    uint8_t bytes[]; /* url, NUL, payload */
};

/** Go to another phase. */
void enc_dest_enter(const struct enc_host *host, struct enc_dest *dest, enum enc_dest_phase phase);

/** Free it with what it has staged. */
void enc_dest_free(const struct enc_host *host, struct enc_dest *dest);

/** One of the host's push_in_flight_max places for an outbound POST. False: all are taken. */
ENC_MUST_USE bool enc_push_take_slot(struct enc_host *host);
void enc_push_give_slot(struct enc_host *host);

/**
 * A new one with a copy of url and payload; NULL when memory is short. Comes to own a slot that the
 * caller took.
 */
ENC_MUST_USE struct enc_shipment *enc_shipment_new(const struct enc_node *node,
                                                   const struct enc_dest *dest,
                                                   struct enc_bytes payload);

/** Free one that was not launched, with its slot. NULL is ignored. */
void enc_shipment_drop(struct enc_shipment *shipment);

/** Start its POST; from here on it is the runtime's, then the mail's. */
void enc_shipment_launch(struct enc_shipment *shipment);

/** Rows that go into one payload. */
struct enc_pending_list {
    struct enc_pending_row *rows;
    size_t count;
};

/**
 * Build the payload push_seq of dest out of the first of the rows that fit, and tell how many did
 * (count is lowered). All memory is the run's. Errors: INTERNAL, TOO_LARGE
 */
ENC_MUST_USE enum enc_err enc_push_payload(struct enc_run *run, struct enc_bytes *payload,
                                           struct enc_pending_list *list,
                                           const struct enc_dest *dest, uint64_t push_seq);
