/** Alarms. */
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

TestSuite(alarm, .init = setup, .fini = teardown);

Test(alarm, is_put_replaced_and_removed_per_kind)
{
    uint64_t due_ms = 1;
    rig_ok(enc_snap_alarm(rig_look(&rig), &due_ms, rig_id('e', 1, 0), 1));
    cr_assert_eq(due_ms, 0);
    enc_put_alarm(&rig.set, rig_id('e', 1, 0), &(struct enc_alarm_row){.due_ms = 10, .kind = 1});
    enc_put_alarm(&rig.set, rig_id('e', 1, 0), &(struct enc_alarm_row){.due_ms = 20, .kind = 2});
    enc_put_alarm(&rig.set, rig_id('e', 1, 0), &(struct enc_alarm_row){.due_ms = 11, .kind = 1});
    rig_apply(&rig);
    rig_ok(enc_snap_alarm(rig_look(&rig), &due_ms, rig_id('e', 1, 0), 1));
    cr_assert_eq(due_ms, 11);
    rig_begin(&rig);
    enc_del_alarm(&rig.set, rig_id('e', 1, 0), 1);
    rig_apply(&rig);
    rig_ok(enc_snap_alarm(rig_look(&rig), &due_ms, rig_id('e', 1, 0), 1));
    cr_assert_eq(due_ms, 0);
    rig_ok(enc_snap_alarm(rig.snap, &due_ms, rig_id('e', 1, 0), 2));
    cr_assert_eq(due_ms, 20);
}

Test(alarm, scan_yields_every_alarm_once)
{
    struct enc_scan scan;
    struct enc_alarm_found found;
    uint64_t sum = 0, count = 0;
    for (uint64_t i = 1; i <= 50; i++)
        enc_put_alarm(&rig.set, rig_id('e', i, 0), &(struct enc_alarm_row){i, (uint8_t)(i % 3)});
    rig_apply(&rig);
    enc_scan_alarms(&scan, rig_look(&rig));
    for (; enc_scan_alarm(&scan, &found); count++) {
        cr_assert_arr_eq(found.enclave32, rig_id('e', found.row.due_ms, 0), 32);
        cr_assert_eq(found.row.kind, found.row.due_ms % 3);
        sum += found.row.due_ms;
    }
    rig_ok(enc_scan_fini(&scan));
    cr_assert_eq(count, 50);
    cr_assert_eq(sum, 50 * 51 / 2);
}

Test(alarm, a_walk_goes_on_behind_a_place)
{
    struct enc_scan scan;
    struct enc_alarm_found found;
    for (uint64_t i = 1; i <= 5; i++)
        enc_put_alarm(&rig.set, rig_id('e', 1, 0), &(struct enc_alarm_row){i, (uint8_t)(2 * i)});
    rig_apply(&rig);
    enc_scan_alarms_after(&scan, rig_look(&rig), rig_id('e', 1, 0), 4);
    cr_assert(enc_scan_alarm(&scan, &found));
    cr_assert_eq(found.row.kind, 6, "the place itself is left out");
    rig_ok(enc_scan_fini(&scan));
    enc_scan_alarms_after(&scan, rig.snap, rig_id('e', 1, 0), 7);
    cr_assert(enc_scan_alarm(&scan, &found));
    cr_assert_eq(found.row.kind, 8, "it need not exist");
    cr_assert(enc_scan_alarm(&scan, &found));
    cr_assert_not(enc_scan_alarm(&scan, &found));
    rig_ok(enc_scan_fini(&scan));
}
