#include "proto/base/arena.h"

enum { ALIGN = 16, CHUNK_LEN_MIN = 4096 };

static size_t aligned(size_t len)
{
    return (len + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
}

void enc_arena_init(struct enc_arena *arena, const struct enc_chunk_source *source, size_t max_len)
{
    *arena = (struct enc_arena){.source = source, .max_len = max_len};
}

void enc_arena_init_fixed(struct enc_arena *arena, void *memory, size_t len)
{
    uintptr_t start = aligned((uintptr_t)memory);
    size_t lost = start - (uintptr_t)memory;
    uint8_t *at = (uint8_t *)memory + (lost < len ? lost : len);
    *arena = (struct enc_arena){.at = at, .end = (uint8_t *)memory + len};
}

void enc_arena_fini(struct enc_arena *arena)
{
    if (arena->chunks)
        arena->source->give(arena->source->self, arena->chunks);
    if (arena->source)
        enc_arena_init(arena, arena->source, arena->max_len);
}

static bool grow(struct enc_arena *arena, size_t len)
{
    size_t want = len + aligned(sizeof(struct enc_chunk));
    if (want < CHUNK_LEN_MIN)
        want = CHUNK_LEN_MIN;
    if (!arena->source || want > arena->max_len - arena->used_len)
        return false;
    struct enc_chunk *chunk = arena->source->take(arena->source->self, want);
    arena->is_starved |= !chunk;
    if (!chunk)
        return false;
    ENC_CHECK(chunk->len >= want && (uintptr_t)chunk % ALIGN == 0);
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->used_len += want;
    arena->at = (uint8_t *)chunk + aligned(sizeof *chunk);
    arena->end = (uint8_t *)chunk + chunk->len;
    return true;
}

/* Not zeroed: for who writes all of it anyway. */
static void *take(struct enc_arena *arena, size_t len)
{
    if (len > SIZE_MAX / 2)
        return NULL;
    size_t step = aligned(len ? len : 1);
    if (step > (size_t)(arena->end - arena->at) && !grow(arena, step))
        return NULL;
    void *taken = arena->at;
    arena->at += step;
    return taken;
}

void *enc_arena_take(struct enc_arena *arena, size_t len)
{
    void *taken = take(arena, len);
    return taken ? memset(taken, 0, len) : NULL;
}

struct enc_bytes enc_arena_copy(struct enc_arena *arena, struct enc_bytes bytes)
{
    uint8_t *copy = (uint8_t *)take(arena, bytes.len + 1);
    if (!copy)
        return (struct enc_bytes){NULL, 0};
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    copy[bytes.len] = '\0';
    return enc_bytes_of(copy, bytes.len);
}

void enc_buffer_init(struct enc_buffer *buffer, struct enc_arena *arena, size_t max_len)
{
    *buffer = (struct enc_buffer){.arena = arena, .max_len = max_len};
}

/* What was taken last may go on to the end of its chunk. */
static bool stretch(struct enc_buffer *buffer, size_t need, size_t cap)
{
    struct enc_arena *arena = buffer->arena;
    if (!buffer->data || buffer->data + aligned(buffer->cap) != arena->at)
        return false;
    size_t room = (size_t)(arena->end - buffer->data) & ~(size_t)(ALIGN - 1);
    if (need > room)
        return false;
    buffer->cap = cap < room ? cap : room;
    arena->at = buffer->data + aligned(buffer->cap);
    return true;
}

static bool widen(struct enc_buffer *buffer, size_t need)
{
    size_t cap = buffer->cap ? buffer->cap : 256;
    while (cap < need)
        cap *= 2;
    if (stretch(buffer, need, cap))
        return true;
    uint8_t *data = (uint8_t *)take(buffer->arena, cap);
    if (!data)
        return false;
    if (buffer->len)
        memcpy(data, buffer->data, buffer->len);
    buffer->data = data;
    buffer->cap = cap;
    return true;
}

uint8_t *enc_buffer_extend(struct enc_buffer *buffer, size_t len)
{
    bool fits = len <= buffer->max_len && buffer->len <= buffer->max_len - len;
    if (buffer->failed || !fits ||
        (buffer->len + len > buffer->cap && !widen(buffer, buffer->len + len))) {
        buffer->failed = true;
        return NULL;
    }
    uint8_t *at = buffer->data + buffer->len;
    buffer->len += len;
    return at;
}

void enc_buffer_add(struct enc_buffer *buffer, struct enc_bytes bytes)
{
    if (bytes.len == 0)
        return;
    uint8_t *at = enc_buffer_extend(buffer, bytes.len);
    if (at)
        memcpy(at, bytes.data, bytes.len);
}

enum enc_err enc_buffer_bytes(const struct enc_buffer *buffer, struct enc_bytes *out)
{
    if (buffer->failed)
        return ENC_ERR_TOO_LARGE;
    *out = enc_bytes_of(buffer->data, buffer->len);
    return ENC_ERR_OK;
}
