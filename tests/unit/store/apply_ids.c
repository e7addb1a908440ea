/** Ids over many applies: all are found, in few rows, and damage to a row is seen. */
#include "store/ids.h"
#include "store/op.h"
#include "store/read.h"
#include "tests/unit/store/rig.h"

static struct rig rig;

static void setup(void)
{
    rig_init(&rig);
    rig_open(&rig);
    rig_begin(&rig);
    rig_put_enclave(&rig, 1);
    rig_put_enclave(&rig, 2);
    rig_apply(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(apply_ids, .init = setup, .fini = teardown);

static void scattered_id(uint8_t id32[32], uint64_t ord, uint64_t seq)
{
    memset(id32, 7, 32);
    enc_be64_put(id32, (seq + 1) * 0x9e3779b97f4a7c15u ^ ord << 60);
}

static void put_as(uint64_t ord, uint64_t seq, const uint8_t id32[32])
{
    enc_put_event(&rig.set, &(struct enc_event_row){.ord = ord,
                                                    .seq = seq,
                                                    .type_seq = seq + 1,
                                                    .id32 = id32,
                                                    .hash32 = rig_id('h', ord, seq),
                                                    .type = ENC_LIT("Post"),
                                                    .record = ENC_LIT("r")});
}

static void put(uint64_t ord, uint64_t seq)
{
    uint8_t id32[32];
    scattered_id(id32, ord, seq);
    put_as(ord, seq, id32);
}

static void put_many(uint64_t ord, uint64_t from, uint64_t end)
{
    for (uint64_t seq = from; seq < end;) {
        rig_begin(&rig);
        for (uint64_t i = 0; i < 1000 && seq < end; i++)
            put(ord, seq++);
        rig_apply(&rig);
    }
}

static void check_found(uint64_t ord, uint64_t seq)
{
    uint8_t id32[32];
    uint64_t got = UINT64_MAX;
    scattered_id(id32, ord, seq);
    rig_ok(enc_snap_seq_by_id(rig.snap, &got, ord, id32));
    cr_assert_eq(got, seq);
    id32[31]++;
    cr_assert_eq(enc_snap_seq_by_id(rig.snap, &got, ord, id32), ENC_ERR_EVENT_NOT_FOUND);
}

static unsigned count_rows(uint64_t ord)
{
    struct enc_scan scan;
    struct enc_bytes key, value;
    unsigned count = 0;
    enc_scan_start(&scan, rig.snap, ENC_TABLE_EVENT_ID, false);
    enc_ids_key(&scan.low, ord, UINT64_MAX);
    enc_ids_key(&scan.high, ord, 0);
    while (enc_scan_step(&scan, &key, &value))
        count++;
    rig_ok(enc_scan_fini(&scan));
    return count;
}

Test(apply_ids, all_are_found_in_few_rows)
{
    const uint64_t ends[] = {1, 63, 64, 65, 255, 256, 257, 1024, 5000, 20001};
    const unsigned rows[] = {1, 1, 1, 2, 4, 1, 2, 1, 7, 7};
    uint64_t from = 0;
    put_many(2, 0, 300);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; from = ends[i++]) {
        put_many(1, from, ends[i]);
        rig_look(&rig);
        cr_assert_eq(count_rows(1), rows[i], "%u rows of %lu", count_rows(1),
                     (unsigned long)ends[i]);
        for (uint64_t seq = 0; seq < ends[i]; seq += 1 + ends[i] / 997)
            check_found(1, seq);
        check_found(1, ends[i] - 1);
    }
    check_found(2, 299);
    rig_check_sound(&rig);
}

Test(apply_ids, seqs_that_were_left_out_hinder_nothing)
{
    put_many(1, 0, 10);
    put_many(1, 100, 300);
    put_many(1, 10, 100);
    rig_look(&rig);
    for (uint64_t seq = 0; seq < 300; seq++)
        check_found(1, seq);
}

Test(apply_ids, ids_that_begin_alike_are_told_apart)
{
    uint64_t got = 0;
    uint8_t id32[32] = {1, 2, 3, 4, 5, 6};
    rig_begin(&rig);
    for (uint64_t seq = 0; seq < 700; seq++) {
        enc_be64_put(id32 + 24, seq);
        put_as(1, seq, id32);
    }
    rig_apply(&rig);
    rig_look(&rig);
    for (uint64_t seq = 0; seq < 700; seq++) {
        enc_be64_put(id32 + 24, seq);
        rig_ok(enc_snap_seq_by_id(rig.snap, &got, 1, id32));
        cr_assert_eq(got, seq);
    }
}

static void count_flaw(void *opaque, const struct enc_store_flaw *flaw)
{
    (void)flaw;
    ++*(unsigned *)opaque;
}

Test(apply_ids, every_turned_bit_of_a_row_is_a_flaw)
{
    put_many(1, 0, 300);
    for (unsigned bit = 0; bit < 3 * 64; bit++) {
        struct enc_row_key key;
        struct enc_bytes value;
        unsigned flaws = 0;
        uint64_t count = 0;
        enc_ids_key(&key, 1, bit % 3 == 0 ? 256 : 0);
        rig_ok(enc_snap_get(rig_look(&rig), &value, ENC_TABLE_EVENT_ID, &key, ENC_ERR_INTERNAL));
        for (unsigned turn = 0; turn < 2; turn++) {
            rig_begin(&rig);
            struct enc_bytes copy = enc_arena_copy(&rig.arena, value);
            if (turn == 0)
                ((uint8_t *)(uintptr_t)copy.data)[bit / 8 * 9 % copy.len] ^=
                    (uint8_t)(1 << bit % 8);
            enc_op_put(&rig.set, ENC_TABLE_EVENT_ID, &key, copy);
            rig_apply(&rig);
            if (turn == 0) {
                struct enc_snap *snap = NULL;
                rig_ok(enc_snap_open(rig.store, &snap));
                rig_ok(enc_store_verify(snap, &count, count_flaw, &flaws));
                enc_snap_close(snap);
                cr_assert_gt(flaws, 0, "bit %u", bit);
            }
        }
    }
    rig_check_sound(&rig);
}

Test(apply_ids, a_row_of_a_wrong_length_refuses_the_apply)
{
    struct enc_row_key key;
    put_many(1, 0, 3);
    rig_begin(&rig);
    enc_ids_key(&key, 1, 0);
    enc_op_put(&rig.set, ENC_TABLE_EVENT_ID, &key, ENC_LIT("nine byte"));
    rig_apply(&rig);
    rig_begin(&rig);
    put(1, 3);
    cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FAILED);
    cr_assert_neq(rig.facts.engine_error, 0);
}
