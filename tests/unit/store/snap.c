/** Snapshots: isolation, pooling, bounds. */
#include "tests/unit/store/rig.h"

static struct rig rig;

static void setup(void)
{
    rig_init(&rig);
    rig.config.reader_max = 3;
    rig_open(&rig);
    rig_begin(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(snap, .init = setup, .fini = teardown);

static void put_head(const char *text)
{
    rig_begin(&rig);
    enc_put_head(&rig.set, 1, enc_bytes_of_text(text));
    rig_apply(&rig);
}

static void check_head(struct enc_snap *snap, const char *text)
{
    struct enc_bytes head;
    rig_ok(enc_snap_head(snap, &head, 1));
    cr_assert(enc_bytes_is(head, text));
}

Test(snap, does_not_see_what_is_applied_later)
{
    struct enc_snap *before, *after;
    struct enc_bytes head, borrowed;
    put_head("one");
    rig_ok(enc_snap_open(rig.store, &before));
    rig_ok(enc_snap_head(before, &borrowed, 1));
    for (unsigned i = 0; i < 50; i++)
        put_head("two");
    rig_begin(&rig);
    rig_put_events(&rig, 1, 0, 100);
    rig_apply(&rig);
    check_head(before, "one");
    cr_assert(enc_bytes_is(borrowed, "one"));
    cr_assert_eq(enc_snap_event(before, &head, (struct enc_event_place){1, 0}),
                 ENC_ERR_EVENT_NOT_FOUND);
    rig_ok(enc_snap_open(rig.store, &after));
    check_head(after, "two");
    rig_ok(enc_snap_event(after, &head, (struct enc_event_place){1, 99}));
    enc_snap_close(before);
    enc_snap_close(after);
}

Test(snap, tells_which_applies_it_sees)
{
    struct enc_snap *before = NULL;
    put_head("one");
    uint64_t one = rig.facts.txn_id;
    rig_ok(enc_snap_open(rig.store, &before));
    put_head("two");
    cr_assert_eq(enc_snap_txn_id(before), one);
    cr_assert_eq(enc_snap_txn_id(rig_look(&rig)), rig.facts.txn_id);
    cr_assert_gt(rig.facts.txn_id, one);
    enc_snap_close(before);
}

Test(snap, is_refused_when_all_are_open_and_had_again_after_a_close)
{
    struct enc_snap *snaps[3], *more = (struct enc_snap *)&rig;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 3; i++)
            rig_ok(enc_snap_open(rig.store, &snaps[i]));
        cr_assert_eq(enc_snap_open(rig.store, &more), ENC_ERR_BUSY);
        cr_assert_null(more);
        enc_snap_close(snaps[1]);
        rig_ok(enc_snap_open(rig.store, &snaps[1]));
        for (unsigned i = 0; i < 3; i++)
            enc_snap_close(snaps[i]);
    }
}

Test(snap, a_pooled_one_shows_the_newest_state)
{
    for (unsigned i = 0; i < 5; i++) {
        char text[2] = {(char)('a' + i), '\0'};
        put_head(text);
        check_head(rig_look(&rig), text);
    }
}

Test(snap, scans_of_one_table_may_be_nested_and_reused)
{
    rig_put_events(&rig, 1, 0, 4);
    rig_apply(&rig);
    rig_look(&rig);
    for (unsigned round = 0; round < 3; round++) {
        struct enc_scan outer, inner;
        struct enc_event_found a, b;
        uint64_t count = 0;
        enc_scan_events(&outer, rig.snap, 1, (struct enc_range){0, 9, false});
        while (enc_scan_event(&outer, &a)) {
            enc_scan_events(&inner, rig.snap, 1, (struct enc_range){0, a.seq, true});
            while (enc_scan_event(&inner, &b))
                count++;
            rig_ok(enc_scan_fini(&inner));
        }
        rig_ok(enc_scan_fini(&outer));
        cr_assert_eq(count, 1 + 2 + 3 + 4);
        rig_look(&rig);
    }
}

Test(snap, a_walk_may_be_left_in_the_middle_or_never_begun)
{
    struct enc_scan scan;
    struct enc_event_found found;
    rig_put_events(&rig, 1, 0, 4);
    rig_apply(&rig);
    enc_scan_events(&scan, rig_look(&rig), 1, (struct enc_range){0, 9, false});
    rig_ok(enc_scan_fini(&scan));
    enc_scan_events(&scan, rig.snap, 1, (struct enc_range){0, 9, false});
    cr_assert(enc_scan_event(&scan, &found));
    rig_ok(enc_scan_fini(&scan));
}

static void close_snap(void)
{
    enc_snap_close(rig.snap);
}

Test(snap, closing_under_a_walk_is_a_mistake)
{
    struct enc_scan scan;
    enc_scan_alarms(&scan, rig_look(&rig));
    rig_must_abort(close_snap);
    rig_ok(enc_scan_fini(&scan));
}

static void close_store(void)
{
    enc_data_close(rig.data);
}

Test(snap, closing_the_store_under_a_snapshot_is_a_mistake)
{
    rig_look(&rig);
    rig_must_abort(close_store);
}
