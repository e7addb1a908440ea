#include "proto/hashes.h"
#include "support.h"
#include "tests/support/trees.h"

TestSuite(hashes);

Test(hashes, empty_is_the_hash_of_nothing)
{
    uint8_t hash32[32];
    enc_sha256(hash32, enc_bytes_of(NULL, 0));
    assert_hash(enc_empty32, hash32, "EMPTY");
    expect_vector(enc_bytes_of(enc_empty32, 32), "smt.EMPTY");
    cr_assert(enc_is_empty(hash32));
    hash32[31] ^= 1;
    cr_assert(!enc_is_empty(hash32));
}

Test(hashes, a_list_of_any_length_turns_round)
{
    for (uint32_t count = 0; count < 9; count++) {
        uint8_t list32[9][32], expected32[32];
        for (uint32_t i = 0; i < 9; i++)
            hash_of_int(list32[i], i);
        enc_hashes_turn(list32, count);
        for (uint32_t i = 0; i < 9; i++) {
            hash_of_int(expected32, i < count ? count - 1 - i : i);
            assert_hash(list32[i], expected32, "%u of %u", i, count);
        }
    }
}
