/** What a node has said to somebody, and so must be true of its disk from then on. */
#pragma once

#include "proto/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

enum said_kind {
    SAID_RECEIPT, /* the Receipt's JSON, as it was sent */
    SAID_HEAD,    /* "<ts>:<r>" of a tree head */
    SAID_PUSH,    /* a payload's JSON, as it was sent */
    SAID_KINDS,
};

/** A set of texts, by their digests. Grows; add before seal, ask after it. */
struct said {
    struct said_one {
        uint8_t digest32[32];
        enum said_kind kind;
        const uint8_t *text; /* borrowed */
        size_t len;
    } * all;
    size_t count;
    size_t room;
};

void said_add(struct said *said, enum said_kind kind, struct enc_bytes text);
/** A head, written as texts are compared. */
void said_add_head(struct said *said, uint64_t ts, const uint8_t r32[32]);
void said_seal(struct said *said);
bool said_has(const struct said *said, const struct said_one *one);

/** Find in bytes on their way out what binds the node. */
void said_hear(struct said *said, struct enc_bytes bytes);
