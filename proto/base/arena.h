/**
 * Bump allocation in chunks that somebody else provides. One arena per message and per run;
 * everything taken from it dies at once. Not thread-safe: one owner at a time.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/err.h"

/** Header at the start of every chunk; the rest of len bytes is the arena's. */
struct enc_chunk {
    struct enc_chunk *next;
    size_t len; /* whole chunk, header included */
};

/**
 * Where chunks come from. take returns a chunk of at least len bytes (len set) or NULL; give takes
 * a list back.
 */
struct enc_chunk_source {
    struct enc_chunk *(*take)(void *self, size_t len);
    void (*give)(void *self, struct enc_chunk *list);
    void *self;
};

struct enc_arena {
    const struct enc_chunk_source *source; /* NULL: fixed memory only */
    struct enc_chunk *chunks;
    uint8_t *at;
    uint8_t *end;
    size_t used_len; /* bytes of chunks taken so far */
    size_t max_len;  /* bound of used_len */
    bool is_starved; /* its source had nothing: what failed for it may go well later */
};

/**
 * An empty arena that takes chunks from source, at most max_len bytes of them. source must outlive
 * it.
 */
void enc_arena_init(struct enc_arena *arena, const struct enc_chunk_source *source, size_t max_len);

/** An arena over the caller's memory, which must outlive it; never grows. */
void enc_arena_init_fixed(struct enc_arena *arena, void *memory, size_t len);

/** Give all chunks back. Everything taken is dead; the arena is as after init. */
void enc_arena_fini(struct enc_arena *arena);

/**
 * len bytes aligned to 16, zeroed; NULL when the bound or the source is exhausted. len 0 is
 * allowed.
 */
ENC_MUST_USE void *enc_arena_take(struct enc_arena *arena, size_t len);

/**
 * A copy of bytes followed by one NUL that is not counted; data NULL when the arena is exhausted.
 */
ENC_MUST_USE struct enc_bytes enc_arena_copy(struct enc_arena *arena, struct enc_bytes bytes);

/**
 * Typed take of an array of count elements; NULL when exhausted. count must be bounded by the
 * caller.
 */
#define ENC_ARENA_NEW(arena, type, count) ((type *)enc_arena_take((arena), sizeof(type) * (count)))

/**
 * A growing run of bytes in an arena: writers of JSON and CBOR append here. A failed append is
 * remembered, so that a writer checks once, at the end.
 */
struct enc_buffer {
    struct enc_arena *arena;
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max_len; /* an append past it fails */
    bool failed;
};

/** An empty buffer that grows in arena up to max_len bytes. */
void enc_buffer_init(struct enc_buffer *buffer, struct enc_arena *arena, size_t max_len);

/** Append; on exhaustion marks the buffer failed and keeps what it had. */
void enc_buffer_add(struct enc_buffer *buffer, struct enc_bytes bytes);

/**
 * Room for len more bytes at the end, counted as appended; NULL (and failed) when there is none.
 */
ENC_MUST_USE uint8_t *enc_buffer_extend(struct enc_buffer *buffer, size_t len);

/** What was appended; valid while the arena lives. Errors: TOO_LARGE when any append failed. */
ENC_MUST_USE enum enc_err enc_buffer_bytes(const struct enc_buffer *buffer, struct enc_bytes *out);
