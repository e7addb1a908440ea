#include "services/chunks.h"

#include <criterion/criterion.h>
#include <malloc.h>

TestSuite(chunks);

static struct enc_chunk *taken(struct enc_chunks *chunks, size_t len)
{
    struct enc_chunk *chunk = enc_chunks_take(chunks, len);
    cr_assert_not_null(chunk);
    cr_assert_geq(chunk->len, len);
    cr_assert_eq((uintptr_t)chunk % 16, 0);
    memset((uint8_t *)chunk + sizeof *chunk, 0x5a, chunk->len - sizeof *chunk);
    return chunk;
}

static void give(struct enc_chunks *chunks, struct enc_chunk *chunk)
{
    chunk->next = NULL;
    enc_chunks_give(chunks, chunk);
}

Test(chunks, any_length_is_served)
{
    struct enc_chunks *chunks = enc_chunks_new();
    static const size_t LENS[] = {16, 4095, 4096, 4097, 32768, 32769, 262144, 262145, 5000001};
    for (unsigned round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof LENS / sizeof *LENS; i++)
            give(chunks, taken(chunks, LENS[i]));
    enc_chunks_free(chunks);
}

Test(chunks, what_was_given_back_is_taken_again)
{
    struct enc_chunks *chunks = enc_chunks_new();
    struct enc_chunk *small = taken(chunks, 100), *large = taken(chunks, 20000);
    small->next = large;
    large->next = NULL;
    enc_chunks_give(chunks, small);
    cr_assert_eq(taken(chunks, 10000), large);
    cr_assert_eq(taken(chunks, 4096), small);
    give(chunks, small);
    give(chunks, large);
    enc_chunks_free(chunks);
}

/* All that are out at once are apart, however often they came back before. */
Test(chunks, nobody_shares)
{
    enum { COUNT = 700 }; /* more than are kept */
    static struct enc_chunk *out[COUNT];
    struct enc_chunks *chunks = enc_chunks_new();
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            out[i] = taken(chunks, i % 5 ? 4096 : 9000);
            memset((uint8_t *)out[i] + sizeof *out[i], (int)(i % 251), 64);
        }
        for (size_t i = 0; i < COUNT; i++) {
            cr_assert_eq(((uint8_t *)out[i])[sizeof *out[i] + 63], i % 251);
            give(chunks, out[i]);
        }
    }
    enc_chunks_free(chunks);
}

static size_t in_use_len(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* The memory of a flood does not stay. */
Test(chunks, only_so_many_are_kept)
{
    enum { COUNT = 100, LEN = 200000 };
    static struct enc_chunk *out[COUNT];
    struct enc_chunks *chunks = enc_chunks_new();
    size_t before_len = in_use_len();
    for (size_t i = 0; i < COUNT; i++)
        out[i] = taken(chunks, LEN);
    for (size_t i = 0; i < COUNT; i++)
        give(chunks, out[i]);
    cr_assert_leq(in_use_len(), before_len + COUNT / 4 * LEN);
    enc_chunks_free(chunks);
    cr_assert_leq(in_use_len(), before_len);
}
