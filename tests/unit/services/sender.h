/** Another node that pushes into a rig: its key, one enclave of it, and the payloads it has made,
 * signed with the functions of proto. */
#pragma once

#include "host_fixture.h"
#include "proto/parcel.h"

enum { SENDER_PAYLOADS_MAX = 256, SENDER_EVENTS_MAX = 8 };

struct sender {
    struct rig *rig;
    struct enc_key key; /* the node's */
    struct enc_event manifest;
    const uint8_t *enclave32;
    const char *url; /* that it pushes to */
    uint64_t next_seq;
    uint64_t next_push_seq;
    struct enc_bytes payloads[SENDER_PAYLOADS_MAX]; /* by push_seq */
    uint64_t gone_to;                               /* payloads up to here are no longer kept */
    size_t asked_count;                             /* Pulls answered */
    int status;      /* of its answers to Pulls; 0 = it is not there */
    uint64_t spoilt; /* this payload is answered with a broken signature */
};

/** An enclave of OWNER whose sequencer is the key named so. */
void sender_init(struct sender *sender, struct rig *rig, const char *name);

/** Follow it from the timeline own32; uri may be NULL. */
void sender_follow(struct sender *sender, const uint8_t *own32, const char *uri);
struct enc_bytes sender_follow_body(struct sender *sender, const uint8_t *own32, const char *uri);

/** The next event of its log. target32 may be NULL. */
struct enc_event sender_event(struct sender *sender, enum who who, const char *type,
                              const char *content, const uint8_t *target32);
struct enc_event sender_post(struct sender *sender, const char *text);

/** The body of a payload. */
const char *sender_body(struct sender *sender, uint64_t push_seq, const struct enc_event *events,
                        size_t count);

/** A signed parcel to the rig's node around a body; sealed unless is_clear. */
struct enc_parcel sender_parcel(struct sender *sender, uint64_t push_seq, const char *body,
                                bool is_clear);
struct enc_bytes sender_json(struct sender *sender, const struct enc_parcel *parcel);

/** The next payload: kept, and its JSON. */
struct enc_bytes sender_pack(struct sender *sender, const struct enc_event *events, size_t count);

/** One Post in a payload of its own. */
struct enc_bytes sender_pack_post(struct sender *sender, const char *text);

/** Answer the Pull in fetch as its node would: a callback of the rig calls this. */
int sender_answer(struct sender *sender, const struct enc_fetch *fetch, struct enc_bytes *answer);
