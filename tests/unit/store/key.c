/** Order of composed keys: the bytes must sort as the parts do. */
#include "store/key.h"

#include <criterion/criterion.h>
#include <signal.h>

static const uint64_t NUMBERS[] = {0,
                                   1,
                                   2,
                                   127,
                                   128,
                                   255,
                                   256,
                                   65535,
                                   65536,
                                   (uint64_t)1 << 32,
                                   ((uint64_t)1 << 32) + 1,
                                   INT64_MAX,
                                   (uint64_t)1 << 63,
                                   UINT64_MAX - 1,
                                   UINT64_MAX};
enum { NUMBER_COUNT = sizeof NUMBERS / sizeof NUMBERS[0] };

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static int compare(const struct enc_row_key *a, const struct enc_row_key *b)
{
    return sign(enc_row_key_compare(enc_row_key_view(a), enc_row_key_view(b)));
}

static int order_of(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

Test(key, numbered_keys_sort_by_ord_then_number)
{
    struct enc_row_key a, b;
    for (size_t i = 0; i < NUMBER_COUNT * NUMBER_COUNT; i++) {
        enc_row_key_numbered(&a, NUMBERS[i / NUMBER_COUNT], NUMBERS[i % NUMBER_COUNT]);
        cr_assert_eq(a.len, 16);
        for (size_t j = 0; j < NUMBER_COUNT * NUMBER_COUNT; j++) {
            enc_row_key_numbered(&b, NUMBERS[j / NUMBER_COUNT], NUMBERS[j % NUMBER_COUNT]);
            cr_assert_eq(compare(&a, &b), order_of(i, j), "%zu against %zu", i, j);
        }
    }
}

Test(key, queued_keys_sort_by_ord_then_queue_then_number)
{
    static const uint8_t LOW[16] = {0}, HIGH[16] = {0x80};
    struct enc_row_key keys[4];
    enc_row_key_queued(&keys[0], 1, LOW, UINT64_MAX);
    enc_row_key_queued(&keys[1], 1, HIGH, 0);
    enc_row_key_queued(&keys[2], 1, HIGH, 1);
    enc_row_key_queued(&keys[3], 2, LOW, 0);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            cr_assert_eq(compare(&keys[i], &keys[j]), order_of(i, j));
}

Test(key, parts_stand_in_the_order_given)
{
    static const uint8_t EXPECTED[] = {0x07, 0x01, 0x02, 0x03, 0x04, 0x11, 0x12, 0x13,
                                       0x14, 0x15, 0x16, 0x17, 0x18, 'a',  'b'};
    struct enc_row_key key;
    enc_row_key_init(&key);
    enc_row_key_u8(&key, 7);
    enc_row_key_u32(&key, 0x01020304);
    enc_row_key_u64(&key, 0x1112131415161718);
    enc_row_key_bytes(&key, ENC_LIT("ab"));
    enc_row_key_bytes(&key, (struct enc_bytes){NULL, 0});
    cr_assert(enc_bytes_equal(enc_row_key_view(&key), enc_bytes_of(EXPECTED, sizeof EXPECTED)));
}

Test(key, top_is_behind_every_key_with_the_same_beginning)
{
    struct enc_row_key top, other;
    enc_row_key_init(&top);
    enc_row_key_u64(&top, 5);
    enc_row_key_top(&top);
    cr_assert_eq(top.len, ENC_ROW_KEY_LEN_MAX);
    enc_row_key_numbered(&other, 5, UINT64_MAX);
    cr_assert_eq(compare(&other, &top), -1);
    enc_row_key_numbered(&other, 6, 0);
    cr_assert_eq(compare(&other, &top), 1);
}

Test(key, a_beginning_sorts_before_what_goes_on)
{
    cr_assert_lt(enc_row_key_compare(ENC_LIT("ab"), ENC_LIT("abc")), 0);
    cr_assert_gt(enc_row_key_compare(ENC_LIT("abc"), ENC_LIT("ab")), 0);
    cr_assert_gt(enc_row_key_compare(ENC_LIT("b"), ENC_LIT("abc")), 0);
    cr_assert_eq(enc_row_key_compare(ENC_LIT(""), ENC_LIT("")), 0);
    cr_assert_gt(enc_row_key_compare(ENC_LIT("\xff"), ENC_LIT("\x7f")), 0);
}

Test(key, too_long_a_key_is_a_mistake, .signal = SIGABRT)
{
    struct enc_row_key key;
    enc_row_key_init(&key);
    enc_row_key_top(&key);
    enc_row_key_u8(&key, 0);
}
