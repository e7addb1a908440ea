/** One event on its way to many subscriptions: serialised once, sealed only for those who asked sealed. */
#pragma once

#include "proto/wire.h"
#include "services/sub.h"

struct enc_cast {
    struct enc_host *host;
    struct enc_arena arena;
    const struct enc_event *event;
    struct enc_bytes members; /* of the Event frame; made at the first send */
    struct enc_frame *frame;  /* the newest clear frame, and whose sub_id is in it */
    struct enc_bytes sub_id;
};

void enc_cast_init(struct enc_cast *cast, struct enc_host *host, const struct enc_event *event);

/** Queue the event for one subscription. Clear frames of equal sub_id share one copy. */
void enc_cast_send(struct enc_cast *cast, struct enc_sub *sub);

void enc_cast_fini(struct enc_cast *cast);
