/** Walks themselves: ends, bounds, cursors that are used again. */
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

TestSuite(scan, .init = setup, .fini = teardown);

static const struct enc_range ALL = {.first = 0, .last = UINT64_MAX, .reverse = false};

static uint64_t next_seq(struct enc_scan *scan)
{
    struct enc_event_found found = {.seq = UINT64_MAX, .record = {NULL, 0}};
    cr_assert(enc_scan_event(scan, &found));
    return found.seq;
}

/** Two over one table do not share a place, and a third gets a cursor that was left halfway. */
Test(scan, walks_over_one_table_do_not_disturb_each_other)
{
    struct enc_scan up, down, again;
    rig_put_events(&rig, 3, 0, 10);
    rig_apply(&rig);
    rig_look(&rig);
    enc_scan_events(&up, rig.snap, 3, ALL);
    enc_scan_events(&down, rig.snap, 3, (struct enc_range){2, 8, true});
    for (uint64_t i = 0; i < 5; i++) {
        cr_assert_eq(next_seq(&up), i);
        cr_assert_eq(next_seq(&down), 8 - i);
    }
    rig_ok(enc_scan_fini(&down));
    enc_scan_events(&again, rig.snap, 3, (struct enc_range){9, 9, false});
    cr_assert_eq(next_seq(&again), 9);
    cr_assert_eq(next_seq(&up), 5);
    rig_ok(enc_scan_fini(&again));
    rig_ok(enc_scan_fini(&up));
}

static void put_row(const char *key)
{
    enc_put_row(&rig.set, (struct enc_view){.ord = 4, .number = 1}, enc_bytes_of_text(key),
                enc_bytes_of_text(key));
}

/** The keys of a walk, joined by blanks. */
static void expect_rows(const struct enc_row_range *range, const char *keys)
{
    char got[64] = "";
    struct enc_scan scan;
    struct enc_row_found found;
    enc_scan_rows(&scan, rig.snap, range);
    for (size_t len = 0; enc_scan_row(&scan, &found); len += found.key.len + 1) {
        cr_assert_lt(len + found.key.len + 1, sizeof got);
        memcpy(got + len, found.key.data, found.key.len);
        got[len + found.key.len] = ' ';
    }
    rig_ok(enc_scan_fini(&scan));
    cr_assert_str_eq(got, keys);
}

Test(scan, a_prefix_and_a_place_to_go_on_behind)
{
    struct enc_row_range range = {.view = {.ord = 4, .number = 1}, .prefix = ENC_LIT("b")};
    const char *const KEYS[] = {"a", "b", "b1", "b\xff", "b\xff\xff", "c"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        put_row(KEYS[i]);
    rig_apply(&rig);
    rig_look(&rig);
    expect_rows(&range, "b b1 b\xff b\xff\xff ");
    range.past = ENC_LIT("b1");
    expect_rows(&range, "b\xff b\xff\xff ");
    range.reverse = true;
    expect_rows(&range, "b ");
    range.past = ENC_LIT("");
    expect_rows(&range, "b\xff\xff b\xff b1 b ");
    range.past = ENC_LIT("b0");
    expect_rows(&range, "b ");
}

static void end_twice(void)
{
    struct enc_scan scan;
    enc_scan_events(&scan, rig.snap, 3, ALL);
    rig_ok(enc_scan_fini(&scan));
    rig_ok(enc_scan_fini(&scan));
}

static void close_under_a_walk(void)
{
    struct enc_scan scan;
    struct enc_event_found found;
    enc_scan_events(&scan, rig.snap, 3, ALL);
    (void)enc_scan_event(&scan, &found);
    enc_snap_close(rig.snap);
}

Test(scan, mistakes_with_its_end_are_found)
{
    rig_put_events(&rig, 3, 0, 2);
    rig_apply(&rig);
    rig_look(&rig);
    rig_must_abort(end_twice);
    rig_must_abort(close_under_a_walk);
}
