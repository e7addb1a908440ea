/** One subscription and the frames it is sent (protocol.md 9.2). On the enclave's turn. */
#pragma once

#include "services/exchange.h"
#include "services/shown.h"

enum enc_sub_phase {
    ENC_SUB_STORED, /* stored events leave, in pieces the socket can take */
    ENC_SUB_MISSED, /* EOSE has left; what became durable meanwhile follows */
    ENC_SUB_LIVE
};

/** Lies in the arena of its exchange, which holds reader, keys, sub_id and filter. */
struct enc_sub {
    struct enc_sub *next;
    struct enc_exchange *exchange;
    uint64_t stream;
    enum enc_sub_phase phase;
    struct enc_filter stored; /* what is left of the stored part */
    uint64_t stored_last;     /* newest seq that counts as stored */
    uint32_t left;            /* stored events still allowed */
    bool owes_eose;           /* it resumes: EOSE leaves once it is live */
    struct enc_filter missed; /* bounds of the part between stored_last and live */
    struct enc_roles roles;   /* the reader's, after the last event */
    bool had_access;          /* R on some type */
    bool is_revoked;          /* lost it with this event */
    size_t ids_served;        /* of the filter's ids */
};

/** Note that seq was handed out, so that the stored part goes on behind it. */
void enc_sub_passed(struct enc_sub *sub, uint64_t seq);

/** Whether what it is sent could be asked for by anybody and is no ciphertext, so that its length
 * may follow its contents (net compresses it). */
bool enc_sub_is_public(const struct enc_sub *sub);

/** Send an Event frame, sealed when the Query was. Returns its length. */
size_t enc_sub_send_element(struct enc_sub *sub, const struct enc_element *element);

void enc_sub_send_eose(struct enc_sub *sub);

/** Send Closed: the stream's last frame. */
void enc_sub_send_closed(struct enc_sub *sub, enum enc_closed reason);

/** Have the loop tell when everything sent so far has left. */
void enc_sub_ask_written(struct enc_sub *sub);
