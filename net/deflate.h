/**
 * Compressed WebSocket messages (RFC 7692 7.2). What leaves is compressed once for all who get it;
 * what comes in is inflated within bounds. Neither keeps a context between two messages.
 */
#pragma once

#include "services/frame.h"

#include <stdbool.h>

enum { ENC_DEFLATE_BITS_MAX = 15, ENC_DEFLATE_STORED_LEN = 5, ENC_DEFLATE_STORED_MAX = UINT16_MAX };

/** The head of a block that stores len bytes as they are; the bytes and further blocks follow. */
void enc_deflate_stored_head(uint8_t out5[ENC_DEFLATE_STORED_LEN], uint16_t len);

/**
 * The payload of frame as blocks that may end a message or follow a stored one. Made by whoever
 * asks first and kept with frame; no distance in it reaches back further than frame is long. NULL
 * when it would not become smaller with a stored head before it, or memory is short. The frame
 * stays its holder's. Any thread; some ten microseconds for a kilobyte, once.
 */
struct enc_frame *enc_deflate_twin(struct enc_frame *frame);

/** Reads compressed messages, one after the other. One thread. */
struct enc_inflater;

struct enc_inflater *enc_inflater_new(void);

/** NULL is ignored. */
void enc_inflater_free(struct enc_inflater *inflater);

enum enc_inflated {
    ENC_INFLATED_WHOLE,
    ENC_INFLATED_TOO_LARGE, /* longer than len_max, of which no more than that was made */
    ENC_INFLATED_WRONG      /* malformed, or it ends too early */
};

/** Inflate a whole message. out is valid until the next call or enc_inflater_rest. */
enum enc_inflated enc_inflate(struct enc_inflater *inflater, struct enc_bytes *out,
                              struct enc_bytes coded, size_t len_max);

/** The message has been dealt with: give back what a large one took. */
void enc_inflater_rest(struct enc_inflater *inflater);
