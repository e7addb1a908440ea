#include "net/follow.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define ID "ABabababababababababababababababababababababababababababababababab"
#define POINT "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

static char GOOD[130], OTHER[130];

static void setup(void)
{
    snprintf(GOOD, sizeof GOOD, "%.64s/%s", ID, POINT);
    snprintf(OTHER, sizeof OTHER, "%s/%s", POINT, POINT);
}

TestSuite(follow, .init = setup);

Test(follow, a_key_is_64_digits_of_a_point)
{
    uint8_t key32[32];
    cr_assert(enc_public_key_parse(key32, POINT));
    cr_assert_eq(key32[31], 0x98);
    cr_assert_not(enc_public_key_parse(key32, ""));
    cr_assert_not(enc_public_key_parse(key32, POINT "0"));
    cr_assert_not(enc_public_key_parse(
        key32, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"));
}

Test(follow, an_item_is_an_enclave_and_its_sequencer)
{
    struct enc_follow follow;
    cr_assert(enc_follow_parse(&follow, GOOD));
    cr_assert_eq(follow.enclave32[0], 0xab);
    cr_assert_eq(follow.pub32[0], 0x79);
    static const size_t CHANGED[] = {0, 64, 65, 128};
    for (size_t i = 0; i < sizeof CHANGED / sizeof CHANGED[0]; i++) {
        char bad[130];
        memcpy(bad, GOOD, sizeof bad);
        bad[CHANGED[i]] = 'x';
        cr_assert_not(enc_follow_parse(&follow, bad), "%zu", CHANGED[i]);
        bad[CHANGED[i]] = '\0';
        cr_assert_not(enc_follow_parse(&follow, bad), "cut at %zu", CHANGED[i]);
    }
}

Test(follow, a_list_names_every_enclave_once)
{
    const char *item = NULL;
    char *items[] = {GOOD, OTHER, GOOD};
    struct enc_config_list list = {items, 2};
    cr_assert_null(enc_follows_check(&list, &item));
    struct enc_follow *follows = enc_follows_new(&list);
    cr_assert_eq(follows[1].enclave32[0], 0x79);
    free(follows);
    list.count = 3;
    cr_assert_str_eq(enc_follows_check(&list, &item), "an enclave that was given before");
    cr_assert_eq(item, GOOD);
    list.count = 0;
    cr_assert_null(enc_follows_check(&list, &item));
    cr_assert_null(enc_follows_new(&list));
}
