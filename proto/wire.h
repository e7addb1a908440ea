/**
 * What a node says: answers of HTTP and frames of WebSocket as JSON (protocol.md 8, 9). Pure; any
 * thread. Writers append to a buffer, which remembers a failure.
 *
 * "members" are serialised members of an object without its braces, as the _put functions of this
 * room leave them: made once, they are shared by all frames and answers that carry them.
 */
#pragma once

#include "proto/event.h"
#include "proto/session.h"

/** An error answer. Zero or NULL members are left out. */
struct enc_refusal {
    struct enc_verdict verdict;      /* step 0: outside the pipeline, no `step` */
    struct enc_bytes message;        /* empty: the text of the catalogue */
    const struct enc_event *receipt; /* DUPLICATE: the stored event */
    const uint8_t *new_sequencer32;  /* ENCLAVE_MIGRATED */
    uint32_t retry_s;                /* 0: the catalogue's */
    struct enc_bytes sub_id;         /* frames about a Query */
    const uint8_t *hash32;           /* frames about a Commit */
};

/**
 * Append {"type":"Error","code","message","error",...}. Aborts on ENC_ERR_OK.
 * Source: protocol.md 8.7, 9.2
 */
void enc_wire_put_error(struct enc_buffer *buffer, const struct enc_refusal *refusal);

/** Append {"type":"Response","content":{members}}. */
void enc_wire_put_response(struct enc_buffer *buffer, struct enc_bytes members);

/** The same in two: what stands before the members, which the caller appends, and behind them. */
void enc_wire_put_response_lead(struct enc_buffer *buffer);
void enc_wire_put_response_rest(struct enc_buffer *buffer);

/** Append {"type":"Event","sub_id":"...", : what Event frames of two subscriptions differ in. */
void enc_wire_put_event_lead(struct enc_buffer *buffer, struct enc_bytes sub_id);

/** Append members}: what follows the lead; members from enc_element_put. */
void enc_wire_put_event_rest(struct enc_buffer *buffer, struct enc_bytes members);

/** Append both. */
void enc_wire_put_event(struct enc_buffer *buffer, struct enc_bytes sub_id,
                        struct enc_bytes members);

/** Append {"type":"EOSE","sub_id":"..."}. */
void enc_wire_put_eose(struct enc_buffer *buffer, struct enc_bytes sub_id);

/** Why a subscription ends (protocol.md 9.4). */
enum enc_closed {
    ENC_CLOSED_CLIENT_CLOSE,
    ENC_CLOSED_COMPLETE,
    ENC_CLOSED_SESSION_EXPIRED,
    ENC_CLOSED_ACCESS_REVOKED,
    ENC_CLOSED_ENCLAVE_TERMINATED,
    ENC_CLOSED_ENCLAVE_MIGRATED,
    ENC_CLOSED_SLOW_CONSUMER,
    ENC_CLOSED_REPLACED,
    ENC_CLOSED_SHUTDOWN,
    ENC_CLOSED_COUNT
};

/** Append {"type":"Closed","sub_id":"...","reason":"..."}. */
void enc_wire_put_closed(struct enc_buffer *buffer, struct enc_bytes sub_id,
                         enum enc_closed reason);

/** Append {"type":"Notice","message":"..."}. */
void enc_wire_put_notice(struct enc_buffer *buffer, const char *message);

/** Keys and fresh randomness for one sealed answer. */
struct enc_sealing {
    struct enc_arena *arena;           /* for the sealed text */
    const struct enc_channel *channel; /* sealed with key_response32 */
    const uint8_t *nonce24;            /* used once */
};

/** Append {"type":"Response","content":"<seal of {members}>"}. Errors: TOO_LARGE (arena) */
ENC_MUST_USE enum enc_err enc_wire_put_sealed_response(struct enc_buffer *buffer,
                                                       const struct enc_sealing *sealing,
                                                       struct enc_bytes members);

/**
 * Append {"type":"Event","sub_id":"...","content":"<seal of {members}>"}.
 * Errors: TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_wire_put_sealed_event(struct enc_buffer *buffer,
                                                    const struct enc_sealing *sealing,
                                                    struct enc_bytes sub_id,
                                                    struct enc_bytes members);

/** How a Receipt travels back to whoever sealed the commit. */
enum enc_receipt_form {
    ENC_RECEIPT_RESPONSE, /* HTTP: {"type":"Response","content":"<seal>"} */
    ENC_RECEIPT_FRAME,    /* WebSocket: {"type":"Receipt","content":"<seal>","hash":"..."}, 16.59 */
};

/** Append a sealed Receipt. Errors: TOO_LARGE (arena) */
ENC_MUST_USE enum enc_err enc_wire_put_sealed_receipt(struct enc_buffer *buffer,
                                                      const struct enc_sealing *sealing,
                                                      const struct enc_event *event,
                                                      enum enc_receipt_form form);

/** `"events":[...],"next":17|null` of a Response, written piece by piece. */
struct enc_wire_events {
    struct enc_buffer *buffer;
    size_t count;
};

/** Begin the list. */
void enc_wire_events_start(struct enc_wire_events *events, struct enc_buffer *buffer);

/** One element more. */
void enc_wire_events_add(struct enc_wire_events *events, const struct enc_element *element);

/** End the list; next is NULL when no further readable match exists (16.52). */
void enc_wire_events_end(struct enc_wire_events *events, const uint64_t *next);
