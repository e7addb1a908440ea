#include "proto/base/bytes.h"

#include <criterion/criterion.h>

TestSuite(bytes);

Test(bytes, a_cut_takes_what_stands_before_the_stop_and_the_stop)
{
    struct enc_bytes left = ENC_LIT("a=1&&b");
    static const char *const HEADS[] = {"a=1", "", "b"};
    for (size_t i = 0; i < 3; i++)
        cr_assert(enc_bytes_is(enc_bytes_cut(&left, '&'), HEADS[i]), "%zu", i);
    cr_assert_eq(left.len, 0);
    cr_assert_eq(enc_bytes_cut(&left, '&').len, 0, "of nothing");
    left = ENC_LIT("x&");
    cr_assert(enc_bytes_is(enc_bytes_cut(&left, '&'), "x"));
    cr_assert_eq(left.len, 0);
    left = (struct enc_bytes){NULL, 0};
    cr_assert_eq(enc_bytes_cut(&left, '&').len, 0);
    cr_assert_null(left.data);
}
