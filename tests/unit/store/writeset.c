/** Write sets as lists: what they count, what they borrow, what they remember. */
#include "store/op.h"
#include "tests/unit/store/rig.h"

Test(writeset, counts_operations_and_bytes)
{
    _Alignas(16) uint8_t memory[4096];
    struct enc_arena arena;
    struct enc_writeset set;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_writeset_init(&set, &arena);
    enc_put_head(&set, 1, ENC_LIT("record"));
    enc_del_alarm(&set, rig_id('e', 1, 0), 2);
    cr_assert(enc_writeset_ok(&set));
    cr_assert_eq(set.op_count, 2);
    cr_assert_eq(set.byte_count, 8 + 6 + 33);
}

Test(writeset, keeps_the_order_and_copies_keys_and_fixed_values)
{
    _Alignas(16) uint8_t memory[4096];
    struct enc_arena arena;
    struct enc_writeset set;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_writeset_init(&set, &arena);
    struct enc_bytes record = ENC_LIT("borrowed");
    uint8_t hash32[32] = {1};
    enc_put_head(&set, 1, record);
    enc_put_ct_node(&set, 1, 0, 0, hash32);
    hash32[0] = 2;
    cr_assert_eq(set.first->value.data, record.data);
    cr_assert_eq(set.first->next, set.last);
    cr_assert_eq(set.last->value.data[0], 1);
    cr_assert_null(set.last->next);
}

static bool fits(size_t len)
{
    static _Alignas(16) uint8_t memory[1024];
    struct enc_arena arena;
    struct enc_writeset set;
    const struct enc_delivered_row row = {.push_seq = 1, .payload = ENC_LIT("payload")};
    enc_arena_init_fixed(&arena, memory, len);
    enc_writeset_init(&set, &arena);
    for (unsigned i = 0; i < 3; i++)
        enc_put_delivered(&set, &(struct enc_queue_key){1, rig_id('q', 1, i)}, &row);
    bool ok = enc_writeset_ok(&set);
    cr_assert_eq(set.op_count == 3, ok);
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_put_head(&set, 1, ENC_LIT("a later one that fits mends nothing"));
    cr_assert_eq(enc_writeset_ok(&set), ok);
    return ok;
}

Test(writeset, remembers_that_the_arena_was_too_small)
{
    bool before = false;
    cr_assert_not(fits(0));
    for (size_t len = 16; len <= 1024; len += 16) {
        bool now = fits(len);
        cr_assert(now || !before);
        before = now;
    }
    cr_assert(before);
}

Test(writeset, an_empty_record_is_a_mistake, .signal = SIGABRT)
{
    _Alignas(16) uint8_t memory[4096];
    struct enc_arena arena;
    struct enc_writeset set;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_writeset_init(&set, &arena);
    enc_put_head(&set, 1, ENC_LIT(""));
}

Test(writeset, applying_a_failed_set_is_a_mistake, .signal = SIGABRT)
{
    _Alignas(16) uint8_t memory[16];
    struct enc_arena arena;
    struct enc_writeset set;
    const struct enc_writeset *const sets[] = {&set};
    struct enc_apply_facts facts;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_writeset_init(&set, &arena);
    enc_put_head(&set, 1, ENC_LIT("no room"));
    cr_assert_eq(enc_store_apply(NULL, &facts, sets, 1), ENC_OUTCOME_FAILED);
}
