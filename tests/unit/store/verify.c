/** Verification: a sound shard has no flaw, and each planted flaw is named. */
#include "store/op.h"
#include "tests/unit/store/rig.h"

static struct rig rig;

static void put_all(void)
{
    uint8_t identity32[32] = {1}, url16[16] = {2}, queue16[16] = {3};
    const struct enc_queue_key queue = {1, queue16};
    rig_put_enclave(&rig, 1);
    rig_put_events(&rig, 1, 0, 8);
    for (uint64_t leaf = 0; leaf < 2; leaf++) {
        enc_put_ct_leaf(&rig.set, 1, leaf,
                        &(struct enc_ct_leaf_row){.first_seq = leaf * 4, .count = 4});
        enc_put_ct_node(&rig.set, 1, 0, leaf, rig_id('n', 0, leaf));
    }
    enc_put_ct_node(&rig.set, 1, 1, 0, rig_id('n', 1, 0));
    enc_put_status(&rig.set, (struct enc_event_place){1, 3}, &(struct enc_status_row){.status = 2});
    enc_put_smt_node(&rig.set, 1, 1, 0, ENC_LIT("node"));
    enc_put_alarm(&rig.set, rig_id('e', 1, 0), &(struct enc_alarm_row){1, 1});
    enc_put_endpoint(&rig.set, &(struct enc_endpoint_key){1, identity32, url16}, ENC_LIT("url"));
    enc_put_pending(&rig.set, &queue, &(struct enc_pending_row){1, 7, 0});
    enc_put_push_seq(&rig.set, &queue, &(struct enc_push_seq_row){1, 2, 3});
    enc_put_delivered(&rig.set, &queue, &(struct enc_delivered_row){1, 0, ENC_LIT("{}")});
    enc_put_row(&rig.set, (struct enc_view){1, 1}, ENC_LIT("k"), ENC_LIT(""));
}

static void setup(void)
{
    rig_init(&rig);
    rig_open(&rig);
    rig_begin(&rig);
    put_all();
    rig_apply(&rig);
    rig_begin(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(verify, .init = setup, .fini = teardown);

struct wanted {
    enum enc_table table;
    const char *what;
    uint64_t count;
};

static void compare(void *opaque, const struct enc_store_flaw *flaw)
{
    struct wanted *wanted = (struct wanted *)opaque;
    wanted->count += flaw->table == wanted->table && strcmp(flaw->what, wanted->what) == 0;
}

/** The shard, with rig.set applied, has flaw_count flaws, and table has the one named. */
static void check_flaw(enum enc_table table, const char *what, uint64_t flaw_count)
{
    struct wanted wanted = {table, what, 0};
    uint64_t count = 0;
    rig_apply(&rig);
    rig_ok(enc_store_verify(rig_look(&rig), &count, compare, &wanted));
    cr_assert_gt(wanted.count, 0, "%s", what);
    cr_assert_eq(count, flaw_count, "%llu flaws", (unsigned long long)count);
}

static void del(enum enc_table table, struct enc_bytes key)
{
    struct enc_row_key row_key;
    enc_row_key_init(&row_key);
    enc_row_key_bytes(&row_key, key);
    enc_op_del(&rig.set, table, &row_key);
}

/* Past the checks that keep our own code from writing such a row. */
static void plant(enum enc_table table, struct enc_bytes key, struct enc_bytes value)
{
    static struct enc_write op;
    op = (struct enc_write){.table = table, .key = key, .value = value};
    rig.set.first = rig.set.last = &op;
    rig.set.op_count = 1;
}

static struct enc_bytes place(uint64_t ord, uint64_t number)
{
    static uint8_t bytes[4][16];
    static unsigned next;
    uint8_t *at = bytes[next++ % 4];
    enc_be64_put(at, ord);
    enc_be64_put(at + 8, number);
    return enc_bytes_of(at, 16);
}

Test(verify, a_sound_shard_has_no_flaw)
{
    rig_check_sound(&rig);
}

Test(verify, two_events_of_one_id)
{
    enc_put_event(&rig.set, &(struct enc_event_row){.ord = 1,
                                                    .seq = 8,
                                                    .type_seq = 9,
                                                    .id32 = rig_id('i', 1, 7),
                                                    .hash32 = rig_id('h', 1, 8),
                                                    .type = ENC_LIT("Post"),
                                                    .record = ENC_LIT("r")});
    check_flaw(ENC_TABLE_EVENT, "is not found by its id", 1);
}

Test(verify, an_event_that_is_gone)
{
    del(ENC_TABLE_EVENT, place(1, 5));
    /* its successor, two index rows, three tables with one row too many */
    check_flaw(ENC_TABLE_EVENT, "leaves a gap before it", 6);
}

static struct enc_bytes hash_key(uint8_t key40[40], uint64_t exp_ms, const uint8_t hash32[32])
{
    enc_be64_put(key40, exp_ms);
    memcpy(key40 + 8, hash32, 32);
    return enc_bytes_of(key40, 40);
}

Test(verify, an_index_row_that_is_gone)
{
    uint8_t key40[40];
    del(ENC_TABLE_EVENT_HASH, hash_key(key40, 1005, rig_id('h', 1, 5)));
    check_flaw(ENC_TABLE_EVENT_HASH, "has another number of rows than it must", 1);
}

Test(verify, an_index_row_to_nowhere)
{
    uint8_t key40[40];
    plant(ENC_TABLE_EVENT_HASH, hash_key(key40, 1001, rig_id('x', 1, 1)), place(1, 99));
    check_flaw(ENC_TABLE_EVENT_HASH, "points to no event", 2);
}

Test(verify, a_gap_in_a_type)
{
    uint8_t key[21], value[8];
    enc_be64_put(key, 1);
    key[8] = 4;
    memcpy(key + 9, "Post", 4);
    enc_be64_put(key + 13, 8);
    enc_be64_put(value, 11);
    plant(ENC_TABLE_EVENT_TYPE, enc_bytes_of(key, sizeof key), enc_bytes_of(value, 8));
    check_flaw(ENC_TABLE_EVENT_TYPE, "leaves a gap in the numbers of its type", 2);
}

Test(verify, a_type_that_lies_about_its_length)
{
    uint8_t key[21], value[8] = {0};
    enc_be64_put(key, 1);
    key[8] = 5;
    memcpy(key + 9, "Post", 4);
    enc_be64_put(key + 13, 8);
    plant(ENC_TABLE_EVENT_TYPE, enc_bytes_of(key, sizeof key), enc_bytes_of(value, 8));
    check_flaw(ENC_TABLE_EVENT_TYPE, "has a type of another length than it says", 2);
}

Test(verify, a_value_of_wrong_length_is_named_and_reading_it_is_an_error)
{
    struct enc_status_row row;
    plant(ENC_TABLE_STATUS, place(1, 3), ENC_LIT("short"));
    check_flaw(ENC_TABLE_STATUS, "has a wrong length", 1);
    cr_assert_eq(enc_snap_status(rig.snap, &row, (struct enc_event_place){1, 3}), ENC_ERR_INTERNAL);
}

Test(verify, a_key_of_wrong_length_is_named_and_a_walk_over_it_is_an_error)
{
    struct enc_scan scan;
    struct enc_ct_leaf_found found;
    uint8_t key[17] = {0};
    memcpy(key, place(1, 1).data, 16);
    plant(ENC_TABLE_CT_LEAF, enc_bytes_of(key, sizeof key), ENC_LIT("x"));
    check_flaw(ENC_TABLE_CT_LEAF, "has a wrong length", 1);
    enc_scan_ct_leaves(&scan, rig.snap, 1, (struct enc_range){0, 9, false});
    while (enc_scan_ct_leaf(&scan, &found))
        cr_assert_leq(found.leaf, 1);
    cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_INTERNAL);
}

Test(verify, an_enclave_whose_ordinal_is_gone)
{
    del(ENC_TABLE_ENCLAVE_ORD, enc_bytes_of(place(1, 0).data, 8));
    struct wanted wanted = {ENC_TABLE_ENCLAVE, "has an ordinal that is not its own", 0};
    uint64_t count = 0;
    rig_apply(&rig);
    rig_ok(enc_store_verify(rig_look(&rig), &count, compare, &wanted));
    cr_assert_eq(wanted.count, 1);
    wanted = (struct wanted){ENC_TABLE_ROW, "belongs to no enclave", 0};
    rig_ok(enc_store_verify(rig.snap, &count, compare, &wanted));
    cr_assert_eq(wanted.count, 1);
}

Test(verify, rows_under_ordinal_0_belong_to_the_shard)
{
    uint64_t count = 0;
    struct wanted none = {ENC_TABLE_ROW, "nothing", 0};
    enc_put_row(&rig.set, (struct enc_view){0, 1}, ENC_LIT("name"), ENC_LIT("value"));
    rig_apply(&rig);
    rig_ok(enc_store_verify(rig_look(&rig), &count, compare, &none));
    cr_assert_eq(count, 0);
}

Test(verify, an_ordinal_whose_enclave_is_gone)
{
    del(ENC_TABLE_ENCLAVE, enc_bytes_of(rig_id('e', 1, 0), 32));
    /* the ordinal, the alarm, and two tables with one row too many */
    check_flaw(ENC_TABLE_ENCLAVE_ORD, "names an enclave of another", 4);
}

Test(verify, a_leaf_that_does_not_follow)
{
    enc_put_ct_leaf(&rig.set, 1, 2, &(struct enc_ct_leaf_row){.first_seq = 7, .count = 1});
    check_flaw(ENC_TABLE_CT_LEAF, "does not begin where the leaf before it ends", 1);
}

Test(verify, a_leaf_over_events_that_are_not)
{
    enc_put_ct_leaf(&rig.set, 1, 2, &(struct enc_ct_leaf_row){.first_seq = 8, .count = 1});
    check_flaw(ENC_TABLE_CT_LEAF, "covers events that do not exist", 1);
}

Test(verify, a_leaf_without_events)
{
    enc_put_ct_leaf(&rig.set, 1, 2, &(struct enc_ct_leaf_row){.first_seq = 8});
    check_flaw(ENC_TABLE_CT_LEAF, "covers events that do not exist", 1);
}

Test(verify, a_node_over_leaves_that_are_not)
{
    enc_put_ct_node(&rig.set, 1, 1, 1, rig_id('n', 1, 1));
    check_flaw(ENC_TABLE_CT_NODE, "covers leaves that do not exist", 1);
    rig_begin(&rig);
    enc_put_ct_node(&rig.set, 1, 64, 0, rig_id('n', 1, 1));
    enc_put_ct_node(&rig.set, 1, 63, 2, rig_id('n', 1, 1));
    check_flaw(ENC_TABLE_CT_NODE, "covers leaves that do not exist", 2);
}

static void put_tile(const struct enc_bytes row)
{
    struct enc_row_key key;
    enc_row_key_init(&key);
    enc_row_key_u64(&key, 1);
    enc_row_key_u8(&key, 0);
    enc_row_key_u64(&key, 0);
    enc_op_del(&rig.set, ENC_TABLE_CT_NODE, &key);
    enc_op_put(&rig.set, ENC_TABLE_CT_NODE, &key, row);
}

Test(verify, a_tile_with_a_hole_or_an_open_end)
{
    static uint8_t row[128];
    row[95] = 1;
    put_tile(enc_bytes_of(row, 96));
    check_flaw(ENC_TABLE_CT_NODE, "lacks a node", 1);
    rig_begin(&rig);
    put_tile(enc_bytes_of(row, 128));
    check_flaw(ENC_TABLE_CT_NODE, "is no tile", 1);
    rig_begin(&rig);
    put_tile(enc_bytes_of(row, 97));
    check_flaw(ENC_TABLE_CT_NODE, "is no tile", 1);
}

Test(verify, an_alarm_for_nobody)
{
    enc_put_alarm(&rig.set, rig_id('e', 2, 0), &(struct enc_alarm_row){1, 1});
    check_flaw(ENC_TABLE_ALARM, "wakes no enclave", 1);
}

Test(verify, a_pending_row_without_its_event)
{
    uint8_t queue16[16] = {3};
    enc_put_pending(&rig.set, &(struct enc_queue_key){1, queue16},
                    &(struct enc_pending_row){2, 8, 0});
    check_flaw(ENC_TABLE_PUSH_PENDING, "points to no event", 1);
}
