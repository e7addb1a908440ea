/** Enclaves, ordinals and heads. */
#include "tests/unit/store/rig.h"

#include "store/op.h"

static struct rig rig;

static void setup(void)
{
    rig_init(&rig);
    rig_open(&rig);
    rig_begin(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(enclave, .init = setup, .fini = teardown);

Test(enclave, is_found_by_id_and_by_ord)
{
    uint8_t id32[32];
    struct enc_enclave_row row;
    rig_put_enclave(&rig, 7);
    rig_apply(&rig);
    rig_ok(enc_snap_enclave(rig_look(&rig), &row, rig_id('e', 7, 0)));
    cr_assert_eq(row.ord, 7);
    cr_assert_eq(row.created_ms, 1750000000007);
    cr_assert_eq(row.service, 1);
    rig_ok(enc_snap_enclave_id(rig.snap, id32, 7));
    cr_assert_arr_eq(id32, rig_id('e', 7, 0), 32);
}

Test(enclave, absence_has_its_name)
{
    uint8_t id32[32];
    struct enc_enclave_row row;
    struct enc_bytes head;
    rig_look(&rig);
    cr_assert_eq(enc_snap_enclave(rig.snap, &row, rig_id('e', 1, 0)), ENC_ERR_ENCLAVE_NOT_FOUND);
    cr_assert_eq(enc_snap_enclave_id(rig.snap, id32, 1), ENC_ERR_ENCLAVE_NOT_FOUND);
    cr_assert_eq(enc_snap_head(rig.snap, &head, 1), ENC_ERR_ENCLAVE_NOT_FOUND);
}

Test(enclave, head_is_replaced_whole)
{
    struct enc_bytes head;
    enc_put_head(&rig.set, 3, ENC_LIT("first, a long one"));
    rig_apply(&rig);
    rig_begin(&rig);
    enc_put_head(&rig.set, 3, ENC_LIT("second"));
    rig_apply(&rig);
    rig_ok(enc_snap_head(rig_look(&rig), &head, 3));
    cr_assert(enc_bytes_is(head, "second"));
}

Test(enclave, cannot_be_put_twice)
{
    rig_put_enclave(&rig, 1);
    rig_apply(&rig);
    rig_begin(&rig);
    enc_put_enclave(&rig.set, rig_id('e', 1, 0), &(struct enc_enclave_row){.ord = 2});
    cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FAILED);
    rig_begin(&rig);
    enc_put_enclave(&rig.set, rig_id('e', 2, 0), &(struct enc_enclave_row){.ord = 1});
    cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FAILED);
}

Test(enclave, ordinals_are_given_once_and_go_on_after_a_restart)
{
    cr_assert_eq(enc_store_next_ord(rig.store), 1);
    cr_assert_eq(enc_store_next_ord(rig.store), 2);
    rig_put_enclave(&rig, 2);
    rig_apply(&rig);
    rig_close(&rig);
    rig_open(&rig);
    cr_assert_eq(enc_store_next_ord(rig.store), 3);
    cr_assert_eq(enc_store_next_ord(rig.store), 4);
}

Test(enclave, scan_goes_by_ord_both_ways)
{
    for (uint64_t ord = 1; ord <= 300; ord++)
        rig_put_enclave(&rig, ord);
    rig_apply(&rig);
    for (unsigned reverse = 0; reverse < 2; reverse++) {
        struct enc_scan scan;
        struct enc_enclave_found found;
        uint64_t due = reverse ? 280 : 10;
        enc_scan_enclaves(&scan, rig_look(&rig), (struct enc_range){10, 280, reverse});
        for (; enc_scan_enclave(&scan, &found); due += reverse ? UINT64_MAX : 1) {
            cr_assert_eq(found.ord, due);
            cr_assert_arr_eq(found.enclave32, rig_id('e', due, 0), 32);
        }
        rig_ok(enc_scan_fini(&scan));
        cr_assert_eq(due, reverse ? 9 : 281);
    }
}

static void put_ordinal_zero(void)
{
    enc_put_enclave(&rig.set, rig_id('e', 0, 0), &(struct enc_enclave_row){0});
}

Test(enclave, ordinal_zero_is_a_mistake)
{
    rig_must_abort(put_ordinal_zero);
}

/* Nobody writes it: such a row is damaged, and its enclave would own what is shared. */
Test(enclave, ordinal_zero_in_the_store_is_damage)
{
    uint8_t value[17] = {0};
    struct enc_row_key key;
    struct enc_enclave_row row;
    enc_row_key_init(&key);
    enc_row_key_bytes(&key, enc_bytes_of(rig_id('e', 1, 0), 32));
    enc_op_put_copy(&rig.set, ENC_TABLE_ENCLAVE, &key, enc_bytes_of(value, sizeof value));
    rig_apply(&rig);
    cr_assert_eq(enc_snap_enclave(rig_look(&rig), &row, rig_id('e', 1, 0)), ENC_ERR_INTERNAL);
}
