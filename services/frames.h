/**
 * One event on its way to many subscriptions: serialised once for all that asked in clear, sealed
 * for each of the others.
 */
#pragma once

#include "proto/wire.h"
#include "services/sub.h"

struct enc_cast {
    struct enc_host *host;
    struct enc_arena arena;
    const struct enc_event *event;
    struct enc_bytes members; /* of the Event frame; made at the first send */
    struct enc_frame *rest;   /* of every clear frame */
    uint32_t sent;            /* to so many */
    struct enc_frame *lead;   /* of the newest one, and whose sub_id is in it */
    struct enc_bytes sub_id;
};

void enc_cast_init(struct enc_cast *cast, struct enc_host *host, const struct enc_event *event);

/** Queue the event for one subscription. Clear frames share one copy of all but their sub_id. */
void enc_cast_send(struct enc_cast *cast, struct enc_sub *sub);

void enc_cast_fini(struct enc_cast *cast);
