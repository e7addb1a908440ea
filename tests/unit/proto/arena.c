#include "proto/base/arena.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

/* A source that counts, and that gives out at most `left` chunks. */
struct pool {
    size_t left;
    size_t taken;
    size_t given;
    size_t last_len;
    size_t extra_len;
};

static struct enc_chunk *pool_take(void *self, size_t len)
{
    struct pool *pool = (struct pool *)self;
    if (pool->left == 0)
        return NULL;
    pool->left--;
    pool->taken++;
    pool->last_len = len;
    struct enc_chunk *chunk = (struct enc_chunk *)malloc(len + pool->extra_len);
    memset(chunk, 0xa5, len + pool->extra_len);
    chunk->len = len + pool->extra_len;
    return chunk;
}

static void pool_give(void *self, struct enc_chunk *list)
{
    struct pool *pool = (struct pool *)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        pool->given++;
        list = next;
    }
}

static struct pool POOL = {.left = SIZE_MAX};
static const struct enc_chunk_source SOURCE = {pool_take, pool_give, &POOL};

static bool is_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

Test(arena, takes_are_aligned_zeroed_and_apart)
{
    struct enc_arena arena;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    for (size_t len = 0; len < 300; len++) {
        uint8_t *taken = (uint8_t *)enc_arena_take(&arena, len);
        cr_assert_not_null(taken);
        cr_assert_eq((uintptr_t)taken % 16, 0);
        cr_assert(is_zero(taken, len), "length %zu", len);
        memset(taken, 0xff, len); /* would show in a later take that overlaps */
    }
    cr_assert_gt(POOL.taken, 1);
    enc_arena_fini(&arena);
    cr_assert_eq(POOL.given, POOL.taken);
}

Test(arena, nothing_is_taken_before_it_is_needed)
{
    struct enc_arena arena;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    enc_arena_fini(&arena);
    cr_assert_eq(POOL.taken, 0);
    cr_assert_not_null(enc_arena_take(&arena, 1));
    cr_assert_eq(POOL.taken, 1);
    enc_arena_fini(&arena);
    cr_assert_not_null(enc_arena_take(&arena, 1), "an arena can be used again");
    enc_arena_fini(&arena);
    cr_assert_eq(POOL.given, 2);
}

Test(arena, the_bound_counts_chunks)
{
    struct enc_arena arena;
    enc_arena_init(&arena, &SOURCE, 8192);
    cr_assert_not_null(enc_arena_take(&arena, 4000));
    cr_assert_not_null(enc_arena_take(&arena, 4000));
    cr_assert_null(enc_arena_take(&arena, 4000));
    cr_assert_null(enc_arena_take(&arena, 4000), "and stays exhausted");
    cr_assert_leq(arena.used_len, 8192);
    enc_arena_fini(&arena);
    cr_assert_not_null(enc_arena_take(&arena, 4000), "all is free again");
    enc_arena_fini(&arena);
}

Test(arena, a_large_take_gets_a_chunk_of_its_size)
{
    struct enc_arena arena;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    cr_assert_not_null(enc_arena_take(&arena, 100000));
    cr_assert_geq(POOL.last_len, 100000);
    cr_assert_null(enc_arena_take(&arena, 1 << 20));
    enc_arena_fini(&arena);
}

Test(arena, a_source_may_run_dry)
{
    struct enc_arena arena;
    POOL.left = 1;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    uint8_t *first = (uint8_t *)enc_arena_take(&arena, 16);
    cr_assert_not_null(first);
    cr_assert_null(enc_arena_take(&arena, 5000));
    cr_assert_eq((uint8_t *)enc_arena_take(&arena, 16), first + 16, "the first chunk still serves");
    enc_arena_fini(&arena);
}

Test(arena, longer_chunks_are_used_whole)
{
    struct enc_arena arena;
    POOL.extra_len = 4096;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    cr_assert_not_null(enc_arena_take(&arena, 4000));
    cr_assert_not_null(enc_arena_take(&arena, 4000));
    cr_assert_eq(POOL.taken, 1);
    enc_arena_fini(&arena);
}

static struct enc_chunk *take_short(void *self, size_t len)
{
    static _Alignas(16) uint8_t memory[8192];
    struct enc_chunk *chunk = (struct enc_chunk *)memory;
    (void)self;
    chunk->len = len - 1;
    return chunk;
}

Test(arena, a_source_that_gives_too_little_is_our_mistake, .signal = SIGABRT)
{
    struct enc_arena arena;
    const struct enc_chunk_source liar = {take_short, NULL, NULL};
    enc_arena_init(&arena, &liar, 1 << 20);
    cr_assert_null(enc_arena_take(&arena, 1));
}

Test(arena, absurd_lengths_are_refused)
{
    struct enc_arena arena;
    enc_arena_init(&arena, &SOURCE, SIZE_MAX);
    cr_assert_null(enc_arena_take(&arena, SIZE_MAX));
    cr_assert_null(enc_arena_take(&arena, SIZE_MAX / 2 + 1));
    cr_assert_eq(POOL.taken, 0);
}

Test(arena, fixed_memory_never_grows)
{
    static _Alignas(16) uint8_t memory[64];
    struct enc_arena arena;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(enc_arena_take(&arena, 16), memory + 16 * i);
    cr_assert_null(enc_arena_take(&arena, 0));
    enc_arena_fini(&arena); /* nothing to give back */
    cr_assert_null(enc_arena_take(&arena, 1));
}

Test(arena, fixed_memory_of_any_alignment_and_length)
{
    static _Alignas(16) uint8_t memory[80];
    for (size_t offset = 0; offset < 16; offset++) {
        for (size_t len = 0; len <= 64; len++) {
            struct enc_arena arena;
            enc_arena_init_fixed(&arena, memory + offset, len);
            uint8_t *taken = (uint8_t *)enc_arena_take(&arena, 16);
            size_t lost = (16 - offset) % 16;
            cr_assert_eq(taken != NULL, len >= lost + 16, "offset %zu len %zu", offset, len);
            if (taken)
                cr_assert_eq(taken, memory + offset + lost);
        }
    }
}

Test(arena, a_copy_is_followed_by_nul)
{
    struct enc_arena arena;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    struct enc_bytes copy = enc_arena_copy(&arena, ENC_LIT("hello"));
    cr_assert(enc_bytes_is(copy, "hello"));
    cr_assert_str_eq((const char *)copy.data, "hello");
    copy = enc_arena_copy(&arena, enc_bytes_of(NULL, 0));
    cr_assert_not_null(copy.data);
    cr_assert_eq(copy.len, 0);
    enc_arena_fini(&arena);
    enc_arena_init_fixed(&arena, &arena, 0);
    cr_assert_null(enc_arena_copy(&arena, ENC_LIT("x")).data);
}

Test(arena, typed_take)
{
    struct enc_arena arena;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    uint64_t *numbers = ENC_ARENA_NEW(&arena, uint64_t, 100);
    cr_assert(is_zero((const uint8_t *)numbers, 800));
    enc_arena_fini(&arena);
}

/* ---- buffer ---- */

Test(arena, a_buffer_keeps_all_that_was_appended)
{
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes bytes;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    enc_buffer_init(&buffer, &arena, 1 << 20);
    for (unsigned i = 0; i < 3000; i++) {
        uint8_t byte = (uint8_t)i;
        enc_buffer_add(&buffer, enc_bytes_of(&byte, 1));
    }
    cr_assert_eq(enc_buffer_bytes(&buffer, &bytes), ENC_ERR_OK);
    cr_assert_eq(bytes.len, 3000);
    for (unsigned i = 0; i < 3000; i++)
        cr_assert_eq(bytes.data[i], (uint8_t)i);
    enc_arena_fini(&arena);
}

Test(arena, a_buffer_goes_on_in_its_chunk_while_it_is_the_last)
{
    struct enc_arena arena;
    struct enc_buffer buffer;
    POOL.extra_len = 60000;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    enc_buffer_init(&buffer, &arena, 1 << 20);
    enc_buffer_add(&buffer, ENC_LIT("x"));
    const uint8_t *start = buffer.data;
    while (buffer.len < 60000)
        enc_buffer_add(&buffer, ENC_LIT("xxxxxxxxxx"));
    cr_assert_eq(buffer.data, start);
    cr_assert_eq(POOL.taken, 1);
    while (buffer.len < 70000)
        enc_buffer_add(&buffer, ENC_LIT("xxxxxxxxxx"));
    cr_assert_eq(POOL.taken, 2, "the chunk is full");
    cr_assert_eq(strspn((const char *)buffer.data, "x"), buffer.len);
    enc_arena_fini(&arena);
}

Test(arena, buffers_and_takes_in_turn_stay_apart)
{
    struct enc_arena arena;
    struct enc_buffer buffers[3];
    uint8_t *taken[400];
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    for (size_t i = 0; i < 3; i++)
        enc_buffer_init(&buffers[i], &arena, 1 << 20);
    for (size_t round = 0; round < 400; round++) {
        uint8_t bytes[40];
        size_t at = round * 7 / 5 % 3; /* some come twice in a row, and may go on where they are */
        memset(bytes, (int)at + 1, sizeof bytes);
        enc_buffer_add(&buffers[at], enc_bytes_of(bytes, 1 + round % 40));
        taken[round] = round % 9 ? NULL : (uint8_t *)enc_arena_take(&arena, 33);
        cr_assert(!taken[round] || is_zero(taken[round], 33));
        if (taken[round])
            memset(taken[round], 0xee, 33);
    }
    for (size_t i = 0; i < 3; i++)
        for (size_t at = 0; at < buffers[i].len; at++)
            cr_assert_eq(buffers[i].data[at], i + 1, "buffer %zu at %zu", i, at);
    for (size_t round = 0; round < 400; round += 9)
        for (size_t at = 0; at < 33; at++)
            cr_assert_eq(taken[round][at], 0xee);
    enc_arena_fini(&arena);
}

Test(arena, a_buffer_holds_exactly_its_bound)
{
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes bytes;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    enc_buffer_init(&buffer, &arena, 10);
    enc_buffer_add(&buffer, ENC_LIT("0123456789"));
    enc_buffer_add(&buffer, enc_bytes_of(NULL, 0));
    cr_assert_eq(enc_buffer_bytes(&buffer, &bytes), ENC_ERR_OK);
    cr_assert(enc_bytes_is(bytes, "0123456789"));
    enc_buffer_add(&buffer, ENC_LIT("x"));
    cr_assert_eq(enc_buffer_bytes(&buffer, &bytes), ENC_ERR_TOO_LARGE);
    cr_assert_null(enc_buffer_extend(&buffer, 0), "a failure is remembered");
    enc_arena_fini(&arena);
}

Test(arena, a_buffer_remembers_an_exhausted_arena)
{
    static uint8_t memory[300];
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes bytes;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_buffer_init(&buffer, &arena, SIZE_MAX);
    enc_buffer_add(&buffer, ENC_LIT("fits"));
    cr_assert_null(enc_buffer_extend(&buffer, 1000));
    cr_assert_eq(buffer.len, 4, "what was there stays");
    cr_assert_eq(enc_buffer_bytes(&buffer, &bytes), ENC_ERR_TOO_LARGE);
    enc_buffer_init(&buffer, &arena, 100);
    cr_assert_null(enc_buffer_extend(&buffer, SIZE_MAX));
}

Test(arena, an_extension_is_the_callers_to_write)
{
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes bytes;
    enc_arena_init(&arena, &SOURCE, 1 << 20);
    enc_buffer_init(&buffer, &arena, 1000);
    enc_buffer_add(&buffer, ENC_LIT("ab"));
    uint8_t *at = enc_buffer_extend(&buffer, 3);
    cr_assert_not_null(at);
    memcpy(at, "cde", 3);
    cr_assert_eq(enc_buffer_bytes(&buffer, &bytes), ENC_ERR_OK);
    cr_assert(enc_bytes_is(bytes, "abcde"));
    enc_arena_fini(&arena);
}

/* ---- bytes ---- */

Test(arena, big_endian_integers)
{
    uint8_t out[8];
    enc_be32_put(out, 0x01020304);
    cr_assert_arr_eq(out, ((uint8_t[]){1, 2, 3, 4}), 4);
    cr_assert_eq(enc_be32_get(out), 0x01020304);
    enc_be64_put(out, 0x0102030405060708);
    cr_assert_arr_eq(out, ((uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8}), 8);
    cr_assert_eq(enc_be64_get(out), 0x0102030405060708);
    enc_be64_put(out, UINT64_MAX);
    cr_assert_eq(enc_be64_get(out), UINT64_MAX);
}

Test(arena, views_compare_by_content)
{
    cr_assert(enc_bytes_equal(enc_bytes_of(NULL, 0), ENC_LIT("")));
    cr_assert(enc_bytes_is(ENC_LIT("a"), "a"));
    cr_assert_not(enc_bytes_is(ENC_LIT("a"), "b"));
    cr_assert_not(enc_bytes_is(ENC_LIT("a\0b"), "a"));
}
