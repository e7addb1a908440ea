/**
 * Chunks of arenas that come and go with every message, kept for the next message: in a few sizes,
 * a few of each. Any thread.
 */
#pragma once

#include "proto/base/arena.h"

struct enc_chunks;

/** NULL when memory cannot be had. Freed when all chunks were given back. */
ENC_MUST_USE struct enc_chunks *enc_chunks_new(void);
void enc_chunks_free(struct enc_chunks *chunks);

/** A chunk of at least len bytes, or NULL when memory cannot be had. What was in it still is. */
ENC_MUST_USE struct enc_chunk *enc_chunks_take(struct enc_chunks *chunks, size_t len);

/** Take a list back. */
void enc_chunks_give(struct enc_chunks *chunks, struct enc_chunk *list);
