/** What a WebSocket server must make of the bytes of a client (RFC 6455 5 and 7), whole at once. */
#pragma once

#include "proto/base/bytes.h"

/** NAIVE_ANY: a close with a reason, or with what is no code. wslay reads both in pieces as they come, and calls some
 * a fault that are none; whatever it calls them, it closes. */
enum { NAIVE_ANY = 1, NAIVE_MESSAGES_MAX = 256, NAIVE_TEXT_MAX = 1 << 16 };

struct naive_message {
    bool is_binary;
    size_t start, len; /* in text */
};

struct naive_frames {
    struct naive_message messages[NAIVE_MESSAGES_MAX];
    size_t count;
    size_t pings;        /* that must be answered */
    uint16_t close_code; /* of the close frame that it answers with; 0: none yet */
    bool is_early;       /* it ends within a head or a close that may be known to be wrong by now */
    bool has_close;      /* the client has closed; close_code echoes what it said */
    size_t text_len;
    uint8_t text[NAIVE_TEXT_MAX];
};

/** Messages of at most len_max bytes. */
void naive_frames_read(struct naive_frames *out, struct enc_bytes bytes, size_t len_max);
