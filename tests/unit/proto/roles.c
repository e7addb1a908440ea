#include "proto/roles.h"

#include "logic.h"

#include <criterion/criterion.h>

Test(roles, worked_value_of_section_5_2)
{
    uint8_t mask32[32];
    struct enc_roles roles = roles_of(ENC_ROLE_OWNER, ENC_ROLE_CUSTOM, -1);
    enc_roles_encode(mask32, &roles);
    expect_hex(enc_bytes_of(mask32, 32),
               "0000000000000000000000000000000000000000000000000000000100000002");
}

Test(roles, member_of_the_vectors)
{
    uint8_t mask32[32];
    struct enc_roles roles = roles_of(ENC_ROLE_CUSTOM, -1);
    enc_roles_encode(mask32, &roles);
    expect_vector(enc_bytes_of(mask32, 32), "smt.proof_member.v");
}

Test(roles, every_bit_goes_both_ways)
{
    for (unsigned bit = 0; bit < ENC_ROLE_BIT_COUNT; bit++) {
        uint8_t mask32[32];
        struct enc_roles back, roles = roles_of((int)bit, -1);
        enc_roles_encode(mask32, &roles);
        cr_assert_eq(mask32[31 - bit / 8], 1 << bit % 8);
        back = enc_roles_decode(mask32);
        cr_assert(enc_roles_equal(&roles, &back));
        cr_assert(enc_roles_have(&back, bit));
        cr_assert_not(enc_roles_are_none(&back));
        enc_roles_drop(&back, bit);
        cr_assert(enc_roles_are_none(&back));
    }
}

Test(roles, sets)
{
    struct enc_roles a = roles_of(1, 40, 100, 255, -1), b = roles_of(40, 200, -1),
                     c = roles_of(2, 101, -1);
    cr_assert(enc_roles_meet(&a, &b));
    cr_assert_not(enc_roles_meet(&a, &c));
    enc_roles_unite(&b, &c);
    struct enc_roles united = roles_of(2, 40, 101, 200, -1);
    cr_assert(enc_roles_equal(&b, &united));
    enc_roles_subtract(&a, &b);
    struct enc_roles left = roles_of(1, 100, 255, -1);
    cr_assert(enc_roles_equal(&a, &left));
    for (int bit = 0; bit < 256; bit += 64) {
        struct enc_roles one = roles_of(bit, -1);
        cr_assert(enc_roles_meet(&one, &one));
    }
}
