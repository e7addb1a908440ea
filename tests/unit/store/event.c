/** Events, their indexes and their status. */
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

TestSuite(event, .init = setup, .fini = teardown);

Test(event, is_found_by_seq_id_and_hash)
{
    struct enc_bytes record;
    struct enc_event_place place;
    uint64_t seq = 0;
    rig_put_events(&rig, 5, 0, 300);
    rig_apply(&rig);
    rig_look(&rig);
    rig_ok(enc_snap_event(rig.snap, &record, (struct enc_event_place){5, 257}));
    cr_assert(enc_bytes_is(record, "event 257 of 5"));
    rig_ok(enc_snap_seq_by_id(rig.snap, &seq, 5, rig_id('i', 5, 257)));
    cr_assert_eq(seq, 257);
    rig_ok(enc_snap_place_by_hash(rig.snap, &place, 1256, rig_id('h', 5, 256)));
    cr_assert_eq(place.ord, 5);
    cr_assert_eq(place.seq, 256);
}

Test(event, absence_has_its_name)
{
    struct enc_bytes record;
    struct enc_event_place place;
    uint64_t seq;
    rig_put_events(&rig, 5, 0, 1);
    rig_apply(&rig);
    rig_look(&rig);
    cr_assert_eq(enc_snap_event(rig.snap, &record, (struct enc_event_place){5, 1}),
                 ENC_ERR_EVENT_NOT_FOUND);
    cr_assert_eq(enc_snap_event(rig.snap, &record, (struct enc_event_place){4, 0}),
                 ENC_ERR_EVENT_NOT_FOUND);
    cr_assert_eq(enc_snap_seq_by_id(rig.snap, &seq, 4, rig_id('i', 5, 0)), ENC_ERR_EVENT_NOT_FOUND);
    cr_assert_eq(enc_snap_place_by_hash(rig.snap, &place, 1001, rig_id('h', 5, 1)),
                 ENC_ERR_EVENT_NOT_FOUND);
    cr_assert_eq(enc_snap_place_by_hash(rig.snap, &place, 1001, rig_id('h', 5, 0)),
                 ENC_ERR_EVENT_NOT_FOUND, "another exp is another commit");
}

/* Every pair of bounds around few events, both ways, with neighbours on both sides. */
Test(event, scan_yields_exactly_the_range_both_ways)
{
    enum { COUNT = 6 };
    for (uint64_t ord = 1; ord <= 3; ord++)
        rig_put_events(&rig, ord, 0, COUNT);
    rig_apply(&rig);
    rig_look(&rig);
    for (unsigned bounds = 0; bounds < 2 * 8 * 8; bounds++) {
        bool reverse = bounds & 1;
        uint64_t first = bounds / 2 % 8, last = bounds / 16;
        uint64_t end = last < COUNT - 1 ? last : COUNT - 1;
        uint64_t due_count = first <= end ? end - first + 1 : 0, count = 0;
        struct enc_scan scan;
        struct enc_event_found found;
        enc_scan_events(&scan, rig.snap, 2, (struct enc_range){first, last, reverse});
        for (; enc_scan_event(&scan, &found); count++) {
            cr_assert_eq(found.seq, reverse ? end - count : first + count);
            cr_assert_eq(found.record.len, strlen("event 0 of 2"));
        }
        cr_assert_not(enc_scan_event(&scan, &found), "a finished walk stays finished");
        rig_ok(enc_scan_fini(&scan));
        cr_assert_eq(count, due_count, "%u", bounds);
    }
}

Test(event, scan_reaches_the_ends_of_the_table)
{
    struct enc_scan scan;
    struct enc_event_found found;
    rig_put_events(&rig, UINT64_MAX, UINT64_MAX - 1, 1);
    rig_apply(&rig);
    rig_look(&rig);
    enc_scan_events(&scan, rig.snap, UINT64_MAX, (struct enc_range){0, UINT64_MAX, true});
    cr_assert(enc_scan_event(&scan, &found));
    cr_assert_eq(found.seq, UINT64_MAX - 1);
    cr_assert_not(enc_scan_event(&scan, &found));
    rig_ok(enc_scan_fini(&scan));
    enc_scan_events(&scan, rig.snap, 0, (struct enc_range){0, UINT64_MAX, true});
    cr_assert_not(enc_scan_event(&scan, &found));
    rig_ok(enc_scan_fini(&scan));
}

static void put_typed(uint64_t seq, uint64_t type_seq, const char *type)
{
    struct enc_event_row row = {.ord = 1,
                                .seq = seq,
                                .type_seq = type_seq,
                                .id32 = rig_id('i', 1, seq),
                                .hash32 = rig_id('h', 1, seq),
                                .type = enc_bytes_of_text(type),
                                .record = ENC_LIT("r")};
    enc_put_event(&rig.set, &row);
}

static void check_typed(const char *type, bool reverse, const uint64_t *seqs, size_t count)
{
    struct enc_scan scan;
    struct enc_typed_found found;
    enc_scan_type(&scan, rig.snap, 1, enc_bytes_of_text(type),
                  (struct enc_range){0, UINT64_MAX, reverse});
    for (size_t i = 0; i < count; i++) {
        size_t at = reverse ? count - 1 - i : i;
        cr_assert(enc_scan_typed(&scan, &found));
        cr_assert_eq(found.seq, seqs[at]);
        cr_assert_eq(found.type_seq, at + 1);
    }
    cr_assert_not(enc_scan_typed(&scan, &found));
    rig_ok(enc_scan_fini(&scan));
}

Test(event, scan_by_type_keeps_types_apart)
{
    static const char LONGEST[] =
        "A23456789012345678901234567890123456789012345678901234567890abcd";
    put_typed(0, 1, "A");
    put_typed(1, 1, "AB");
    put_typed(2, 1, "B");
    put_typed(3, 2, "A");
    put_typed(300, 3, "A");
    put_typed(301, 2, "AB");
    put_typed(302, 1, LONGEST);
    rig_apply(&rig);
    rig_look(&rig);
    for (unsigned reverse = 0; reverse < 2; reverse++) {
        check_typed("A", reverse, (const uint64_t[]){0, 3, 300}, 3);
        check_typed("AB", reverse, (const uint64_t[]){1, 301}, 2);
        check_typed("B", reverse, (const uint64_t[]){2}, 1);
        check_typed(LONGEST, reverse, (const uint64_t[]){302}, 1);
        check_typed("C", reverse, NULL, 0);
    }
}

Test(event, status_is_zero_until_put_and_then_the_last)
{
    struct enc_status_row row = {.status = 9};
    const struct enc_event_place place = {1, 0};
    rig_ok(enc_snap_status(rig_look(&rig), &row, place));
    cr_assert_eq(row.status, 0);
    for (uint8_t status = 1; status <= 2; status++) {
        rig_begin(&rig);
        row.status = status;
        memcpy(row.by32, rig_id('i', 1, status), 32);
        enc_put_status(&rig.set, place, &row);
        rig_apply(&rig);
    }
    memset(&row, 0, sizeof row);
    rig_ok(enc_snap_status(rig_look(&rig), &row, place));
    cr_assert_eq(row.status, 2);
    cr_assert_arr_eq(row.by32, rig_id('i', 1, 2), 32);
}

Test(event, neither_seq_nor_hash_can_be_put_twice)
{
    rig_put_events(&rig, 1, 0, 1);
    rig_apply(&rig);
    for (unsigned same = 0; same < 2; same++) {
        struct enc_event_row row = {.ord = 1,
                                    .seq = same == 0 ? 0 : 1,
                                    .type_seq = 2,
                                    .id32 = rig_id('i', 1, 1),
                                    .hash32 = rig_id('h', 1, same == 1 ? 0 : 1),
                                    .exp_ms = same == 1 ? 1000 : 1001,
                                    .type = ENC_LIT("Other"),
                                    .record = ENC_LIT("r")};
        rig_begin(&rig);
        enc_put_event(&rig.set, &row);
        cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FAILED, "%u", same);
        cr_assert_eq(rig.facts.culprit, 0);
    }
}

Test(event, a_record_of_many_pages_comes_back)
{
    static uint8_t big[400000];
    struct enc_bytes record;
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 31);
    struct enc_event_row row = {.ord = 1,
                                .id32 = rig_id('i', 1, 0),
                                .hash32 = rig_id('h', 1, 0),
                                .type = ENC_LIT("Post"),
                                .record = enc_bytes_of(big, sizeof big)};
    enc_put_event(&rig.set, &row);
    rig_apply(&rig);
    rig_ok(enc_snap_event(rig_look(&rig), &record, (struct enc_event_place){1, 0}));
    cr_assert(enc_bytes_equal(record, row.record));
}

static void put_typeless(void)
{
    put_typed(0, 1, "");
}

Test(event, a_type_of_no_length_is_a_mistake)
{
    rig_must_abort(put_typeless);
}
