/**
 * The timeline's rows (protocol.md 11.5): which views there are, what their keys and values hold.
 * Every read is a seek and the rows that it answers; what an enclave counts is counted when it is
 * written. Integers are big-endian, so keys are in the order of their numbers. Pure; any thread.
 */
#pragma once

#include "services/dataview.h"
#include "services/search.h"
#include "services/text.h"

enum enc_timeline_view {
    ENC_TIMELINE_POST = ENC_VIEW_OWN, /* enclave32, seq -> enc_post_put */
    ENC_TIMELINE_AUTHOR,              /* enclave32, from32, seq of a Post -> nothing */
    ENC_TIMELINE_FEED,                /* timestamp, id32 of a Post -> enclave32, seq */
    ENC_TIMELINE_LIKE,                /* ref32, enclave32, seq -> from32, id32 */
    ENC_TIMELINE_LIKE_OF,             /* ref32, from32 -> enclave32, seq */
    ENC_TIMELINE_LIKE_COUNT,          /* ref32 -> number */
    ENC_TIMELINE_PROFILE,             /* from32 -> enc_profile_put */
    ENC_TIMELINE_FOLLOW,              /* enclave32 -> pub32, uri */
    ENC_TIMELINE_ORIGIN,              /* id32 of what made a row -> enc_origin_put */
    ENC_TIMELINE_COUNT,               /* ENC_TIMELINE_COUNT_POSTS -> number */
    ENC_TIMELINE_FIND_POST,           /* search.h, of posts */
    ENC_TIMELINE_FIND_PROFILE = ENC_TIMELINE_FIND_POST + ENC_SEARCH_VIEWS,
};

enum { ENC_TIMELINE_PLACE_LEN = 40 /* enclave32, seq */ };

#define ENC_TIMELINE_COUNT_POSTS ENC_LIT("posts") /* the key of a count */

/** Where an event stands: the key of a post. */
struct enc_place {
    uint8_t key40[ENC_TIMELINE_PLACE_LEN];
};
struct enc_place enc_place_of(const uint8_t enclave32[32], uint64_t seq);
uint64_t enc_place_seq(const struct enc_place *place);

struct enc_post {
    uint8_t id32[32];
    uint8_t from32[32];
    uint64_t timestamp_ms;
    uint64_t document; /* its number in the search */
    struct enc_bytes text;
};

struct enc_profile {
    uint8_t id32[32]; /* of the Profile that it is from */
    uint64_t document;
    struct enc_persona persona;
};

struct enc_followed {
    uint8_t pub32[32];    /* its sequencer (protocol.md 16.69) */
    struct enc_bytes uri; /* where its node is; empty: not told */
};

enum enc_origin_kind { ENC_ORIGIN_POST, ENC_ORIGIN_LIKE, ENC_ORIGIN_PROFILE };

/** What an event has made, so that an Update or Delete of it finds that. */
struct enc_origin {
    enum enc_origin_kind kind;
    struct enc_place place; /* of the event */
    uint8_t from32[32];
    uint8_t ref32[32]; /* of a Like */
};

/** Values of rows. A put appends to the buffer; a take is false when the row is damaged, and what
 * it hands out are views into the value. */
void enc_post_put(struct enc_buffer *out, const struct enc_post *post);
ENC_MUST_USE bool enc_post_take(struct enc_post *out, struct enc_bytes value);
void enc_profile_put(struct enc_buffer *out, const struct enc_profile *profile);
ENC_MUST_USE bool enc_profile_take(struct enc_profile *out, struct enc_bytes value);
void enc_origin_put(struct enc_buffer *out, const struct enc_origin *origin);
ENC_MUST_USE bool enc_origin_take(struct enc_origin *out, struct enc_bytes value);

/**
 * The active Follow of an enclave by the owner; *found false: there is none. uri lives as long as
 * the rows. Errors: INTERNAL
 */
ENC_MUST_USE enum enc_err enc_timeline_followed(const struct enc_rows *rows, bool *found,
                                                struct enc_followed *out,
                                                const uint8_t enclave32[32]);

/** The table of mappers and what stands beside it. */
extern const struct enc_dataview ENC_TIMELINE_VIEW;
