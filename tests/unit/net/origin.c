#include "net/origin.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint64_t MAX[ENC_ORIGIN_KINDS] = {3, 1};

static void name(uint8_t bucket16[16], unsigned number)
{
    memset(bucket16, 0, 16);
    memcpy(bucket16, &number, sizeof number);
}

Test(origin, each_address_and_kind_has_its_own_bound)
{
    struct enc_origins *origins = enc_origins_new(MAX);
    uint8_t one[16], two[16];
    name(one, 1);
    name(two, 2);
    for (unsigned i = 0; i < 3; i++)
        cr_assert(enc_origins_take(origins, one, ENC_ORIGIN_CONNECTION));
    cr_assert_not(enc_origins_take(origins, one, ENC_ORIGIN_CONNECTION));
    cr_assert(enc_origins_take(origins, one, ENC_ORIGIN_SOCKET));
    cr_assert_not(enc_origins_take(origins, one, ENC_ORIGIN_SOCKET));
    cr_assert(enc_origins_take(origins, two, ENC_ORIGIN_CONNECTION));
    enc_origins_give(origins, one, ENC_ORIGIN_CONNECTION);
    cr_assert(enc_origins_take(origins, one, ENC_ORIGIN_CONNECTION));
    enc_origins_free(origins);
}

Test(origin, bounds_change_while_some_are_inside)
{
    struct enc_origins *origins = enc_origins_new(MAX);
    uint8_t one[16];
    name(one, 1);
    for (unsigned i = 0; i < 3; i++)
        cr_assert(enc_origins_take(origins, one, ENC_ORIGIN_CONNECTION));
    enc_origins_bound(origins, (uint64_t[]){2, 1});
    enc_origins_give(origins, one, ENC_ORIGIN_CONNECTION);
    cr_assert_not(enc_origins_take(origins, one, ENC_ORIGIN_CONNECTION));
    enc_origins_bound(origins, (uint64_t[]){4, 1});
    cr_assert(enc_origins_take(origins, one, ENC_ORIGIN_CONNECTION));
    enc_origins_free(origins);
}

/* More addresses than chains: all are kept apart, all are forgotten. */
Test(origin, many_addresses_come_and_go)
{
    enum { MANY = 20000 };
    struct enc_origins *origins = enc_origins_new(MAX);
    uint8_t bucket16[16];
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            name(bucket16, i);
            cr_assert(enc_origins_take(origins, bucket16, ENC_ORIGIN_SOCKET));
            cr_assert_not(enc_origins_take(origins, bucket16, ENC_ORIGIN_SOCKET));
        }
        for (unsigned i = 0; i < MANY; i++) {
            name(bucket16, MANY - 1 - i);
            enc_origins_give(origins, bucket16, ENC_ORIGIN_SOCKET);
        }
    }
    enc_origins_free(origins);
}
