#include "actors/keyhash.h"

#include <criterion/criterion.h>

Test(keyhash, every_byte_counts)
{
    struct enc_keyhash hash;
    uint8_t key[32] = {0};
    enc_keyhash_init(&hash, 1);
    uint32_t before = enc_keyhash_of(&hash, key);
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = 1;
        cr_assert_neq(enc_keyhash_of(&hash, key), before, "byte %zu", i);
        key[i] = 0;
    }
    cr_assert_eq(enc_keyhash_of(&hash, key), before);
}

Test(keyhash, seeds_differ)
{
    struct enc_keyhash one;
    struct enc_keyhash two;
    uint8_t key[32] = {3};
    enc_keyhash_init(&one, 1);
    enc_keyhash_init(&two, 2);
    cr_assert_neq(enc_keyhash_of(&one, key), enc_keyhash_of(&two, key));
}

Test(keyhash, low_bits_spread_keys_that_differ_in_one_place)
{
    struct enc_keyhash hash;
    unsigned counts[64] = {0};
    enc_keyhash_init(&hash, 9);
    for (unsigned i = 0; i < 6400; i++) {
        uint8_t key[32] = {0};
        enc_be32_put(key + 20, i);
        counts[enc_keyhash_of(&hash, key) % 64]++;
    }
    for (unsigned i = 0; i < 64; i++)
        cr_assert(counts[i] > 20 && counts[i] < 400, "bucket %u has %u", i, counts[i]);
}
