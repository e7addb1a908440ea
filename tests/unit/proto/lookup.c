#include "proto/lookup.h"

#include "logic.h"
#include "proto/sha256.h"

#include <criterion/criterion.h>
#include <signal.h>

enum { KEY_COUNT = 3000 };

static uint8_t keys32[KEY_COUNT][32];

static void make_keys(void)
{
    for (uint32_t i = 0; i < KEY_COUNT; i++)
        enc_sha256(keys32[i], enc_bytes_of(&i, sizeof i));
}

Test(lookup, finds_what_was_added_and_nothing_else)
{
    struct enc_lookup lookup = {.arena = arena()};
    make_keys();
    for (size_t i = 0; i < KEY_COUNT; i++) {
        cr_assert_null(enc_lookup_find(&lookup, keys32[i]));
        EXPECT_OK(enc_lookup_add(&lookup, keys32[i], keys32[i]));
        cr_assert_eq(enc_lookup_find(&lookup, keys32[i]), keys32[i]);
    }
    cr_assert_eq(lookup.count, KEY_COUNT);
    for (size_t i = 0; i < KEY_COUNT; i++)
        cr_assert_eq(enc_lookup_find(&lookup, keys32[i]), keys32[i]);
}

Test(lookup, keys_of_one_slot_stand_side_by_side)
{
    struct enc_lookup lookup = {.arena = arena()};
    memset(keys32, 0xff, sizeof keys32); /* the last slot: what collides wraps around */
    for (uint8_t i = 0; i < 20; i++) {
        keys32[i][31] = i;
        EXPECT_OK(enc_lookup_add(&lookup, keys32[i], &keys32[i][31]));
    }
    for (uint8_t i = 0; i < 20; i++)
        cr_assert_eq(enc_lookup_find(&lookup, keys32[i]), &keys32[i][31]);
    cr_assert_null(enc_lookup_find(&lookup, keys32[20]));
}

Test(lookup, without_memory_it_stays_as_it_was)
{
    struct enc_arena small = small_arena(64 * sizeof(struct enc_lookup_slot) + 64);
    struct enc_lookup lookup = {.arena = &small};
    make_keys();
    size_t count = 0;
    while (enc_lookup_add(&lookup, keys32[count], keys32[count]) == ENC_ERR_OK)
        count++;
    cr_assert_eq(count, 48);
    EXPECT_ERR(enc_lookup_add(&lookup, keys32[count], keys32[count]), TOO_LARGE);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(enc_lookup_find(&lookup, keys32[i]), keys32[i]);
    cr_assert_null(enc_lookup_find(&lookup, keys32[count]));
}

Test(lookup, a_key_twice_is_a_mistake_of_ours, .signal = SIGABRT)
{
    struct enc_lookup lookup = {.arena = arena()};
    make_keys();
    EXPECT_OK(enc_lookup_add(&lookup, keys32[0], keys32[0]));
    (void)!enc_lookup_add(&lookup, keys32[0], keys32[1]);
}
