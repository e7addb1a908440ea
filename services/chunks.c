#include "services/chunks.h"

#include <sanitizer/asan_interface.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SIZES = 3, ALIGN = 16 };

struct size {
    size_t len;
    size_t kept_max;
};

/* Most messages fit into the first; a page of a hundred events needs the last. */
static const struct size ROWS[SIZES] = {{4 << 10, 512}, {32 << 10, 32}, {256 << 10, 8}};

/* A cache line of its own: loops and workers meet here. */
struct shelf {
    _Alignas(64) atomic_flag taken;
    size_t count; /* from here on under taken */
    struct enc_chunk *list;
};

struct enc_chunks {
    struct shelf shelves[SIZES];
};

struct enc_chunks *enc_chunks_new(void)
{
    struct enc_chunks *chunks = (struct enc_chunks *)aligned_alloc(64, sizeof *chunks);
    for (size_t i = 0; chunks && i < SIZES; i++)
        chunks->shelves[i] = (struct shelf){.taken = ATOMIC_FLAG_INIT};
    return chunks;
}

static void discard(struct enc_chunk *list)
{
    while (list) {
        struct enc_chunk *next = list->next;
        ASAN_UNPOISON_MEMORY_REGION(list, list->len);
        free(list);
        list = next;
    }
}

void enc_chunks_free(struct enc_chunks *chunks)
{
    for (size_t i = 0; chunks && i < SIZES; i++)
        discard(chunks->shelves[i].list);
    free(chunks);
}

/* Nobody waits: who comes at a bad moment goes to malloc. */
static bool enter(struct shelf *shelf)
{
    /* acquire: what the one before left on the shelf */
    return !atomic_flag_test_and_set_explicit(&shelf->taken, memory_order_acquire);
}

static void leave(struct shelf *shelf)
{
    /* release: what is on the shelf, for the next one */
    atomic_flag_clear_explicit(&shelf->taken, memory_order_release);
}

static struct enc_chunk *make(size_t len)
{
    size_t whole = (len + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
    struct enc_chunk *chunk = (struct enc_chunk *)aligned_alloc(ALIGN, whole);
    if (chunk)
        chunk->len = whole;
    return chunk;
}

static struct enc_chunk *pick(struct shelf *shelf)
{
    if (!enter(shelf))
        return NULL;
    struct enc_chunk *chunk = shelf->list;
    if (chunk) {
        shelf->list = chunk->next;
        shelf->count--;
    }
    leave(shelf);
    return chunk;
}

struct enc_chunk *enc_chunks_take(struct enc_chunks *chunks, size_t len)
{
    for (size_t i = 0; i < SIZES; i++) {
        if (len > ROWS[i].len)
            continue;
        struct enc_chunk *chunk = pick(&chunks->shelves[i]);
        if (!chunk)
            return make(ROWS[i].len);
        ASAN_UNPOISON_MEMORY_REGION(chunk, chunk->len);
        return chunk;
    }
    return make(len);
}

/* What lies on a shelf is nobody's: who still reads it is found by AddressSanitizer. */
static void hide(struct enc_chunk *chunk)
{
    ASAN_POISON_MEMORY_REGION((uint8_t *)chunk + sizeof *chunk, chunk->len - sizeof *chunk);
}

static bool keep(struct shelf *shelf, struct enc_chunk *chunk, size_t kept_max)
{
    if (!enter(shelf))
        return false;
    bool fits = shelf->count < kept_max;
    if (fits) {
        hide(chunk);
        chunk->next = shelf->list;
        shelf->list = chunk;
        shelf->count++;
    }
    leave(shelf);
    return fits;
}

static bool keep_any(struct enc_chunks *chunks, struct enc_chunk *chunk)
{
    for (size_t i = 0; i < SIZES; i++)
        if (chunk->len == ROWS[i].len)
            return keep(&chunks->shelves[i], chunk, ROWS[i].kept_max);
    return false;
}

void enc_chunks_give(struct enc_chunks *chunks, struct enc_chunk *list)
{
    while (list) {
        struct enc_chunk *next = list->next;
        list->next = NULL;
        if (!keep_any(chunks, list))
            discard(list);
        list = next;
    }
}
