#include "services/inbox.h"

#include "host_fixture.h"

enum { ORD = 7 };

static struct rig rig;

static void init(void)
{
    rig_open(&rig, 1);
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(inbox, .init = init, .fini = fini);

/* Rows that are being staged. */
struct staging {
    struct enc_store *store;
    struct enc_snap *snap;
    struct enc_writeset set;
    struct enc_rows rows;
};

static void begin(struct staging *staging)
{
    staging->store = enc_data_shard_at(rig.data, 0);
    cr_assert_eq(enc_snap_open(staging->store, &staging->snap), ENC_ERR_OK);
    enc_writeset_init(&staging->set, &rig.arena);
    enc_rows_init(&staging->rows, &rig.arena, staging->snap, &staging->set, ORD);
}

static void end(struct staging *staging)
{
    struct enc_apply_facts facts;
    const struct enc_writeset *sets[] = {&staging->set};
    enc_snap_close(staging->snap);
    cr_assert_eq(enc_store_apply(staging->store, &facts, sets, 1), ENC_OUTCOME_OK);
}

static struct enc_inbox_row row_of(uint64_t own_seq, uint64_t arrival, struct enc_bytes record)
{
    return (struct enc_inbox_row){.own_seq = own_seq,
                                  .arrival = arrival,
                                  .arrival_ms = 1750000000123,
                                  .enclave32 = {1, 2, 3},
                                  .seq = 99,
                                  .record = record};
}

static uint64_t last_arrival(void)
{
    struct enc_snap *snap = NULL;
    uint64_t arrival = 0;
    cr_assert_eq(enc_snap_open(enc_data_shard_at(rig.data, 0), &snap), ENC_ERR_OK);
    cr_assert_eq(enc_inbox_last(snap, &arrival, ORD), ENC_ERR_OK);
    enc_snap_close(snap);
    return arrival;
}

Test(inbox, rows_come_in_order_of_arrival_and_whole)
{
    static const uint64_t ORDER[][2] = {{1, 3}, {0, 1}, {300, 5}, {0, 2}, {255, 4}};
    struct staging staging;
    struct enc_scan scan;
    struct enc_row_found found;
    struct enc_inbox_row got;
    struct enc_row_range range = {.view = {ORD, ENC_VIEW_INBOX}};
    cr_assert_eq(last_arrival(), 0);
    begin(&staging);
    for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER; i++) {
        struct enc_inbox_row row = row_of(ORDER[i][0], ORDER[i][1], ENC_LIT("record"));
        cr_assert_eq(enc_inbox_put(&staging.rows, &row), ENC_ERR_OK);
    }
    end(&staging);
    cr_assert_eq(last_arrival(), 5);
    begin(&staging);
    enc_scan_rows(&scan, staging.snap, &range);
    for (uint64_t arrival = 1; enc_scan_row(&scan, &found); arrival++) {
        cr_assert(enc_inbox_take(&got, found.key, found.value));
        cr_assert_eq(got.arrival, arrival);
        cr_assert_eq(got.arrival_ms, 1750000000123);
        cr_assert_eq(got.seq, 99);
        cr_assert_eq(got.enclave32[2], 3);
        cr_assert(enc_bytes_is(got.record, "record"));
    }
    cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_OK);
    end(&staging);
}

Test(inbox, a_damaged_row_is_none)
{
    uint8_t bytes[64] = {0};
    struct enc_inbox_row row;
    cr_assert(enc_inbox_take(&row, enc_bytes_of(bytes, 16), enc_bytes_of(bytes, 48)));
    cr_assert_eq(row.record.len, 0);
    cr_assert_not(enc_inbox_take(&row, enc_bytes_of(bytes, 15), enc_bytes_of(bytes, 48)));
    cr_assert_not(enc_inbox_take(&row, enc_bytes_of(bytes, 17), enc_bytes_of(bytes, 48)));
    cr_assert_not(enc_inbox_take(&row, enc_bytes_of(bytes, 16), enc_bytes_of(bytes, 47)));
}

Test(inbox, marks_are_kept_per_enclave_and_sequencer)
{
    const uint8_t first32[32] = {1}, second32[32] = {2}, by32[32] = {3}, other32[32] = {4};
    uint8_t key64[64] = {2, [32] = 3};
    struct enc_push_mark got, mark = {.last = 1ULL << 40, .skipped = 12, .tries = 2};
    struct staging staging;
    begin(&staging);
    cr_assert_eq(enc_push_mark_put(&staging.rows, first32, by32, &mark), ENC_ERR_OK);
    cr_assert_eq(enc_push_mark_get(&staging.rows, first32, by32, &got), ENC_ERR_OK);
    cr_assert_eq(got.last, mark.last, "as staged");
    end(&staging);
    begin(&staging);
    cr_assert_eq(enc_push_mark_get(&staging.rows, first32, by32, &got), ENC_ERR_OK);
    cr_assert_eq(got.last, mark.last);
    cr_assert_eq(got.skipped, 12);
    cr_assert_eq(got.tries, 2);
    cr_assert_eq(enc_push_mark_get(&staging.rows, second32, by32, &got), ENC_ERR_OK);
    cr_assert(got.last == 0 && got.skipped == 0 && got.tries == 0);
    cr_assert_eq(enc_push_mark_get(&staging.rows, first32, other32, &got), ENC_ERR_OK);
    cr_assert(got.last == 0 && got.skipped == 0 && got.tries == 0);
    cr_assert_eq(
        enc_rows_put(&staging.rows, ENC_VIEW_PUSH_SEQ, enc_bytes_of(key64, 64), ENC_LIT("short")),
        ENC_ERR_OK);
    cr_assert_eq(enc_push_mark_get(&staging.rows, second32, by32, &got), ENC_ERR_INTERNAL);
    end(&staging);
}
