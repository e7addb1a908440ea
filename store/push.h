/**
 * Push: who wants it where, what waits, what was sent (tables endpoint, push_pending, push_seq,
 * push_delivered).
 * Source: protocol.md 8.5, 10.1-10.3
 */
#pragma once

#include "store/scan.h"
#include "store/writeset.h"

/** An endpoint's key: url16 = first 16 bytes of SHA-256 of the url, computed by the caller. */
struct enc_endpoint_key {
    uint64_t ord;
    const uint8_t *identity32;
    const uint8_t *url16;
};

/**
 * A queue's key: queue16 = first 16 bytes of SHA-256 of the queue_key of protocol.md 10.2, computed
 * by the caller.
 */
struct enc_queue_key {
    uint64_t ord;
    const uint8_t *queue16;
};

/** One event that waits in a queue. */
struct enc_pending_row {
    uint64_t row_id; /* order within the queue */
    uint64_t event_seq;
    uint8_t form; /* the services' own number: whole event or notification */
};

/** Where a queue stands; all zero before its first payload. */
struct enc_push_seq_row {
    uint64_t seq; /* last assigned push_seq */
    uint64_t next_ms;
    uint32_t attempt;
};

/** A payload that was or shall be sent. */
struct enc_delivered_row {
    uint64_t push_seq;
    uint64_t delivered_ms; /* 0 = not yet */
    struct enc_bytes payload;
};

/** url not empty. */
void enc_put_endpoint(struct enc_writeset *set, const struct enc_endpoint_key *key,
                      struct enc_bytes url);
void enc_del_endpoint(struct enc_writeset *set, const struct enc_endpoint_key *key);

void enc_put_pending(struct enc_writeset *set, const struct enc_queue_key *queue,
                     const struct enc_pending_row *row);
void enc_del_pending(struct enc_writeset *set, const struct enc_queue_key *queue, uint64_t row_id);

void enc_put_push_seq(struct enc_writeset *set, const struct enc_queue_key *queue,
                      const struct enc_push_seq_row *row);

/** The payload is copied into the set's arena. */
void enc_put_delivered(struct enc_writeset *set, const struct enc_queue_key *queue,
                       const struct enc_delivered_row *row);
void enc_del_delivered(struct enc_writeset *set, const struct enc_queue_key *queue,
                       uint64_t push_seq);

/** Errors: ENDPOINT_NOT_FOUND, INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_endpoint(struct enc_snap *snap, struct enc_bytes *url,
                                            const struct enc_endpoint_key *key);

/** All zero when the queue has no row. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_push_seq(struct enc_snap *snap, struct enc_push_seq_row *out,
                                            const struct enc_queue_key *queue);

struct enc_endpoint_found {
    const uint8_t *identity32;
    const uint8_t *url16;
    struct enc_bytes url;
};

/**
 * Walk over the endpoints of an enclave by identity, or of one identity of it; identity32 NULL =
 * all.
 */
void enc_scan_endpoints(struct enc_scan *scan, struct enc_snap *snap, uint64_t ord,
                        const uint8_t *identity32);
bool enc_scan_endpoint(struct enc_scan *scan, struct enc_endpoint_found *out);

struct enc_pending_found {
    const uint8_t *queue16;
    struct enc_pending_row row;
};

/**
 * Walk over what waits in one queue by row_id; queue16 NULL = all queues of the enclave, one after
 * the other.
 */
void enc_scan_pendings(struct enc_scan *scan, struct enc_snap *snap,
                       const struct enc_queue_key *queue);
bool enc_scan_pending(struct enc_scan *scan, struct enc_pending_found *out);

/** Walk over the payloads of a queue by push_seq. */
void enc_scan_delivereds(struct enc_scan *scan, struct enc_snap *snap,
                         const struct enc_queue_key *queue, struct enc_range push_seqs);
bool enc_scan_delivered(struct enc_scan *scan, struct enc_delivered_row *out);

struct enc_payload_found {
    const uint8_t *queue16;
    struct enc_delivered_row row;
};

/** Walk over the payloads of all queues of an enclave. */
void enc_scan_payloads(struct enc_scan *scan, struct enc_snap *snap, uint64_t ord);
bool enc_scan_payload(struct enc_scan *scan, struct enc_payload_found *out);
