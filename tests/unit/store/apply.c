/** Applying: all or nothing, over many sets, at the end of the map, behind a fence. */
#include "tests/unit/store/rig.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

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

TestSuite(apply, .init = setup, .fini = teardown);

enum { SET_COUNT = 16 };

static struct enc_writeset sets[SET_COUNT];
static const struct enc_writeset *set_list[SET_COUNT];

/** One set per enclave, each with an enclave and three events; the first at ord. */
static void fill_sets(uint64_t ord)
{
    rig_begin(&rig);
    for (unsigned i = 0; i < SET_COUNT; i++) {
        rig.set = (struct enc_writeset){0};
        enc_writeset_init(&rig.set, &rig.arena);
        rig_put_enclave(&rig, ord + i);
        rig_put_events(&rig, ord + i, 0, 3);
        sets[i] = rig.set;
        set_list[i] = &sets[i];
    }
}

static uint64_t row_count(enum enc_table table)
{
    struct enc_store_counts counts;
    rig_ok(enc_store_counts(rig.store, &counts));
    return counts.rows[table];
}

Test(apply, many_sets_become_durable_in_one_transaction)
{
    fill_sets(1);
    cr_assert_eq(enc_store_apply(rig.store, &rig.facts, set_list, SET_COUNT), ENC_OUTCOME_OK);
    uint64_t first = rig.facts.txn_id;
    cr_assert_eq(rig.facts.op_count, SET_COUNT * (3 + 3 * 4));
    cr_assert_gt(rig.facts.byte_count, SET_COUNT * 3 * 100);
    cr_assert_eq(rig.facts.culprit, SIZE_MAX);
    cr_assert_eq(rig.facts.engine_error, 0);
    fill_sets(1 + SET_COUNT);
    cr_assert_eq(enc_store_apply(rig.store, &rig.facts, set_list, SET_COUNT), ENC_OUTCOME_OK);
    cr_assert_eq(rig.facts.txn_id, first + 1);
    rig_close(&rig);
    rig_open(&rig);
    cr_assert_eq(row_count(ENC_TABLE_EVENT), 2 * SET_COUNT * 3);
    rig_check_sound(&rig);
}

/*
 * Whichever set is bad, nothing of any of them is left, the culprit is named, and the others can go
 * on.
 */
Test(apply, one_bad_set_leaves_nothing_of_any)
{
    rig_put_enclave(&rig, 1000);
    rig_put_events(&rig, 1000, 0, 1);
    rig_apply(&rig);
    for (unsigned bad = 0; bad < SET_COUNT; bad += 5) {
        fill_sets(1);
        rig.set = sets[bad];
        rig_put_events(&rig, 1000, 0, 1);
        sets[bad] = rig.set;
        cr_assert_eq(enc_store_apply(rig.store, &rig.facts, set_list, SET_COUNT),
                     ENC_OUTCOME_FAILED);
        cr_assert_eq(rig.facts.culprit, bad);
        cr_assert_neq(rig.facts.engine_error, 0);
        cr_assert_eq(row_count(ENC_TABLE_EVENT), 1);
        cr_assert_eq(row_count(ENC_TABLE_HEAD), 2);
        rig_check_sound(&rig);
    }
    set_list[15] = set_list[0];
    cr_assert_eq(enc_store_apply(rig.store, &rig.facts, set_list + 1, SET_COUNT - 2),
                 ENC_OUTCOME_OK);
    cr_assert_eq(row_count(ENC_TABLE_EVENT), 1 + (SET_COUNT - 2) * 3);
    rig_check_sound(&rig);
}

Test(apply, operations_take_effect_in_the_order_given)
{
    struct enc_bytes head;
    uint64_t due_ms = 0;
    enc_put_head(&rig.set, 1, ENC_LIT("first"));
    enc_put_head(&rig.set, 1, ENC_LIT("second"));
    enc_put_alarm(&rig.set, rig_id('e', 1, 0), &(struct enc_alarm_row){5, 1});
    enc_del_alarm(&rig.set, rig_id('e', 1, 0), 1);
    enc_put_smt_node(&rig.set, 1, 1, 1, ENC_LIT("a"));
    enc_del_smt_node(&rig.set, 1, 1, 1);
    enc_put_smt_node(&rig.set, 1, 1, 1, ENC_LIT("b"));
    rig_apply(&rig);
    rig_ok(enc_snap_head(rig_look(&rig), &head, 1));
    cr_assert(enc_bytes_is(head, "second"));
    rig_ok(enc_snap_alarm(rig.snap, &due_ms, rig_id('e', 1, 0), 1));
    cr_assert_eq(due_ms, 0);
    rig_ok(enc_snap_smt_node(rig.snap, &head, 1, 1, 1));
    cr_assert(enc_bytes_is(head, "b"));
}

Test(apply, of_nothing_is_fine)
{
    cr_assert_eq(enc_store_apply(rig.store, &rig.facts, NULL, 0), ENC_OUTCOME_OK);
    rig_apply(&rig);
    cr_assert_eq(rig.facts.op_count, 0);
}

enum { BIG_LEN = 100000 };

static enum enc_outcome put_big(uint64_t number)
{
    static const uint8_t BIG[BIG_LEN];
    uint8_t key[8];
    enc_be64_put(key, number);
    rig_begin(&rig);
    enc_put_row(&rig.set, (struct enc_view){1, 1}, enc_bytes_of(key, 8),
                enc_bytes_of(BIG, BIG_LEN));
    return rig_try_apply(&rig);
}

static void del_big(uint64_t first, uint64_t count)
{
    rig_begin(&rig);
    for (uint64_t i = first; i < first + count; i++) {
        uint8_t *key = ENC_ARENA_NEW(&rig.arena, uint8_t, 8);
        enc_be64_put(key, i);
        enc_del_row(&rig.set, (struct enc_view){1, 1}, enc_bytes_of(key, 8));
    }
    rig_apply(&rig);
}

static uint64_t fill_map(void)
{
    uint64_t count = 0;
    enum enc_outcome outcome = ENC_OUTCOME_OK;
    while (outcome == ENC_OUTCOME_OK && count < 1000)
        if ((outcome = put_big(count)) == ENC_OUTCOME_OK)
            count++;
    cr_assert_eq(outcome, ENC_OUTCOME_FAILED);
    cr_assert_not_null(strstr(enc_store_error_text(rig.facts.engine_error), "MAP_FULL"));
    return count;
}

Test(apply, a_full_map_fails_whole_and_lets_reads_and_deletes_go_on)
{
    struct enc_bytes value;
    bool found = false;
    uint8_t last[8];
    rig_close(&rig);
    rig.config.map_len = (uint64_t)4 << 20;
    rig_open(&rig);
    uint64_t count = fill_map();
    cr_assert_gt(count, 20);
    enc_be64_put(last, count - 1);
    rig_ok(enc_snap_row(rig_look(&rig), &found, &value, (struct enc_view){1, 1},
                        enc_bytes_of(last, 8)));
    cr_assert(found && value.len == BIG_LEN);
    cr_assert_eq(row_count(ENC_TABLE_ROW), count);
    cr_assert(enc_store_writable(rig.store));
    enc_snap_close(rig.snap);
    rig.snap = NULL;
    del_big(0, 10);
    rig_begin(&rig);
    enc_put_head(&rig.set, 1, ENC_LIT("the pages are free one transaction later"));
    rig_apply(&rig);
    for (uint64_t i = 0; i < 8; i++)
        cr_assert_eq(put_big(i), ENC_OUTCOME_OK);
    cr_assert_eq(row_count(ENC_TABLE_ROW), count - 2);
}

/**
 * Run in a child made before the store was opened: take the directory over behind its owner's back.
 */
static void take_over(int go)
{
    char byte;
    struct rig thief = rig;
    bool told = read(go, &byte, 1) == 1;
    bool unlocked = told && unlink(rig_path(&thief, "lock")) == 0;
    _exit(unlocked && rig_try(&thief) == ENC_STORE_FAULT_NONE ? 0 : 1);
}

Test(apply, is_fenced_once_another_process_has_opened_the_directory)
{
    int go[2], status = -1;
    struct enc_bytes head;
    rig_close(&rig);
    cr_assert_eq(pipe(go), 0);
    pid_t thief = rig_fork();
    if (thief == 0)
        take_over(go[0]);
    rig_open(&rig);
    rig_begin(&rig);
    enc_put_head(&rig.set, 1, ENC_LIT("mine"));
    rig_apply(&rig);
    cr_assert_eq(write(go[1], "g", 1), 1);
    cr_assert_eq(waitpid(thief, &status, 0), thief);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    rig_begin(&rig);
    enc_put_head(&rig.set, 1, ENC_LIT("still mine?"));
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FENCED);
    cr_assert_not(enc_store_writable(rig.store));
    rig_ok(enc_snap_head(rig_look(&rig), &head, 1));
    cr_assert(enc_bytes_is(head, "mine"));
}
