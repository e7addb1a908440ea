/** Nodes of the state tree, leaves and nodes of the log. */
#include "tests/unit/store/rig.h"

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

TestSuite(tree, .init = setup, .fini = teardown);

static struct enc_ct_leaf_row leaf_of(uint64_t leaf)
{
    struct enc_ct_leaf_row row = {
        .first_seq = leaf * 4, .closed_ms = 1750000000000 + leaf, .count = 4};
    memcpy(row.events_root32, rig_id('r', 1, leaf), 32);
    memcpy(row.state_hash32, rig_id('s', 1, leaf), 32);
    return row;
}

Test(tree, smt_nodes_are_told_apart_by_all_three_numbers)
{
    struct enc_bytes record;
    enc_put_smt_node(&rig.set, 1, 2, 3, ENC_LIT("1 2 3"));
    enc_put_smt_node(&rig.set, 1, 2, 4, ENC_LIT("1 2 4"));
    enc_put_smt_node(&rig.set, 1, 3, 3, ENC_LIT("1 3 3"));
    enc_put_smt_node(&rig.set, 2, 2, 3, ENC_LIT("2 2 3"));
    rig_apply(&rig);
    rig_ok(enc_snap_smt_node(rig_look(&rig), &record, 1, 2, 3));
    cr_assert(enc_bytes_is(record, "1 2 3"));
    rig_ok(enc_snap_smt_node(rig.snap, &record, 1, 2, 4));
    cr_assert(enc_bytes_is(record, "1 2 4"));
    rig_ok(enc_snap_smt_node(rig.snap, &record, 2, 2, 3));
    cr_assert(enc_bytes_is(record, "2 2 3"));
    cr_assert_eq(enc_snap_smt_node(rig.snap, &record, 2, 2, 4), ENC_ERR_INTERNAL);
}

Test(tree, replaced_smt_nodes_go_with_the_same_apply)
{
    struct enc_bytes record;
    enc_put_smt_node(&rig.set, 1, 1, 0, ENC_LIT("old"));
    rig_apply(&rig);
    rig_begin(&rig);
    enc_del_smt_node(&rig.set, 1, 1, 0);
    enc_del_smt_node(&rig.set, 1, 1, 9);
    enc_put_smt_node(&rig.set, 1, 2, 0, ENC_LIT("new"));
    rig_apply(&rig);
    cr_assert_eq(enc_snap_smt_node(rig_look(&rig), &record, 1, 1, 0), ENC_ERR_INTERNAL);
    rig_ok(enc_snap_smt_node(rig.snap, &record, 1, 2, 0));
    cr_assert(enc_bytes_is(record, "new"));
}

static void check_leaf(const struct enc_ct_leaf_row *row, uint64_t leaf)
{
    struct enc_ct_leaf_row due = leaf_of(leaf);
    cr_assert_eq(row->first_seq, due.first_seq);
    cr_assert_eq(row->count, due.count);
    cr_assert_eq(row->closed_ms, due.closed_ms);
    cr_assert_arr_eq(row->events_root32, due.events_root32, 32);
    cr_assert_arr_eq(row->state_hash32, due.state_hash32, 32);
}

Test(tree, ct_leaves_come_back_one_by_one_and_in_order)
{
    struct enc_ct_leaf_row row;
    struct enc_ct_leaf_found found;
    struct enc_scan scan;
    for (uint64_t leaf = 0; leaf < 300; leaf++) {
        row = leaf_of(leaf);
        enc_put_ct_leaf(&rig.set, 1, leaf, &row);
    }
    rig_apply(&rig);
    rig_ok(enc_snap_ct_leaf(rig_look(&rig), &row, 1, 299));
    check_leaf(&row, 299);
    cr_assert_eq(enc_snap_ct_leaf(rig.snap, &row, 1, 300), ENC_ERR_LEAF_NOT_FOUND);
    for (unsigned reverse = 0; reverse < 2; reverse++) {
        uint64_t count = 0;
        enc_scan_ct_leaves(&scan, rig.snap, 1, (struct enc_range){5, 270, reverse});
        for (; enc_scan_ct_leaf(&scan, &found); count++) {
            cr_assert_eq(found.leaf, reverse ? 270 - count : 5 + count);
            check_leaf(&found.row, found.leaf);
        }
        rig_ok(enc_scan_fini(&scan));
        cr_assert_eq(count, 266);
    }
}

Test(tree, ct_nodes_are_told_apart_by_level_and_index)
{
    uint8_t hash32[32];
    for (uint8_t level = 0; level < 3; level++)
        for (uint64_t index = 0; index < 3; index++)
            enc_put_ct_node(&rig.set, 1, level, index, rig_id('n', level, index));
    rig_apply(&rig);
    rig_look(&rig);
    for (uint8_t level = 0; level < 3; level++)
        for (uint64_t index = 0; index < 3; index++) {
            rig_ok(enc_snap_ct_node(rig.snap, hash32, 1, level, index));
            cr_assert_arr_eq(hash32, rig_id('n', level, index), 32);
        }
    cr_assert_eq(enc_snap_ct_node(rig.snap, hash32, 1, 3, 0), ENC_ERR_INTERNAL);
}

Test(tree, history_cannot_be_put_twice)
{
    struct enc_ct_leaf_row row = leaf_of(0);
    enc_put_ct_leaf(&rig.set, 1, 0, &row);
    enc_put_ct_node(&rig.set, 1, 0, 0, rig_id('n', 0, 0));
    rig_apply(&rig);
    rig_begin(&rig);
    enc_put_ct_leaf(&rig.set, 1, 0, &row);
    cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FAILED);
    rig_begin(&rig);
    enc_put_ct_node(&rig.set, 1, 0, 0, rig_id('n', 0, 0));
    cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FAILED);
}
