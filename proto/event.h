/**
 * Events: commits that a sequencer has put in order (protocol.md 3), their JSON forms, and what
 * clients check. Pure; any thread. JSON writers append to a buffer, which remembers a failure.
 */
#pragma once

#include "proto/commit.h"

struct enc_event {
    struct enc_commit commit; /* hash32 valid; content_hash32 valid only after enc_event_check */
    uint8_t id32[32];
    uint8_t sequencer32[32];
    uint8_t seq_sig64[64];
    uint64_t seq;
    uint64_t type_seq; /* first of its type = 1 */
    uint64_t timestamp_ms;
    uint64_t bundle; /* index of its bundle; not part of the event's JSON */
    bool is_erased;  /* content is gone (deleted); its hash and signatures remain */
};

/** What became of an event; kept outside of it (protocol.md 3). The numbers are stored. */
enum enc_event_status {
    ENC_EVENT_ACTIVE = 0,
    ENC_EVENT_UPDATED = 1,
    ENC_EVENT_DELETED = 2,
    ENC_EVENT_STATUS_COUNT
};

/** An event as a reader gets it. */
struct enc_element {
    const struct enc_event *event;
    enum enc_event_status status;
    uint8_t by32[32];   /* id of the Update or Delete; unused when active */
    bool hides_content; /* "content":null: a deleted event, an Update of a deleted target (16.40) */
};

/** H(0x11, timestamp, seq, sequencer, sig). protocol.md 3 */
void enc_event_hash(uint8_t out32[32], const struct enc_event *event);

/**
 * Step 9: sign and name the event. commit, seq, type_seq, timestamp_ms are given; fills
 * sequencer32, seq_sig64 and id32.
 */
void enc_event_finalise(struct enc_event *event, const struct enc_curve *curve,
                        const struct enc_key *sequencer);

/** What is wrong with an event, in the order in which it is checked. */
enum enc_event_fault {
    ENC_EVENT_SOUND,
    ENC_EVENT_FAULT_HASH,      /* hash is not the commit's; not checked when content is erased */
    ENC_EVENT_FAULT_SIG,       /* sig does not verify under from */
    ENC_EVENT_FAULT_SEQUENCER, /* another sequencer than expected */
    ENC_EVENT_FAULT_SEQ_SIG,   /* seq_sig does not verify under the sequencer */
    ENC_EVENT_FAULT_ID,        /* id is not SHA256(seq_sig) */
    ENC_EVENT_FAULT_COUNT
};

/** A sentence's end for people, such as "hash is not the hash of the commit"; static text. */
const char *enc_event_fault_text(enum enc_event_fault fault);

/**
 * Client side: everything about the event that can be checked without its neighbours. Fills
 * commit.content_hash32. sequencer32 NULL: whichever the event names.
 */
ENC_MUST_USE enum enc_event_fault
enc_event_check(struct enc_event *event, const struct enc_curve *curve, const uint8_t *sequencer32);

/**
 * Client side: a receipt for a commit that the client has. Checks that hash, enclave and sig are
 * the commit's, then as enc_event_check. commit's hash32 must be valid.
 */
ENC_MUST_USE enum enc_event_fault enc_receipt_check(const struct enc_event *receipt,
                                                    const struct enc_curve *curve,
                                                    const struct enc_commit *commit,
                                                    const uint8_t *sequencer32);

/** Append the event's JSON object; "content" is null when hides_content or erased. */
void enc_event_put_json(struct enc_buffer *buffer, const struct enc_event *event,
                        bool hides_content);

/** Append the Receipt's JSON object. protocol.md 3 */
void enc_receipt_put_json(struct enc_buffer *buffer, const struct enc_event *event);

/** Append {"id","seq","type","type_seq","timestamp"}, the lightweight form. protocol.md 10.4 */
void enc_notify_put_json(struct enc_buffer *buffer, const struct enc_event *event);

/**
 * Append `"event":{...},"status":"updated","updated_by":"<id>"` without braces: the members of a
 * Response element and of an Event frame. protocol.md 8.4, 9.2
 */
void enc_element_put(struct enc_buffer *buffer, const struct enc_element *element);

/**
 * Read an event's JSON object. Strict about its members, ignores others; content may be null
 * (is_erased). Strings point into the JSON, tag arrays live in arena. Checks nothing: see
 * enc_event_check.
 * Errors: INVALID_REQUEST (callers may have a better name for it), TOO_LARGE
 */
ENC_MUST_USE enum enc_err enc_event_take(struct enc_event *out, struct enc_arena *arena,
                                         const struct enc_json *object);

/**
 * Read a Receipt's JSON object. Fills of the commit only hash32, enclave32 and sig64.
 * Errors: INVALID_REQUEST
 */
ENC_MUST_USE enum enc_err enc_receipt_take(struct enc_event *out, const struct enc_json *object);
