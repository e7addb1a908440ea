#include "actors/rates.h"

#include "actors/splitmix.h"

#include <criterion/criterion.h>

static struct enc_rates *rates;

static void open_for(uint32_t per_s, uint32_t burst, uint32_t keys_max)
{
    const struct enc_rates_config config = {
        .per_s = per_s, .burst = burst, .keys_max = keys_max, .hash_seed = 5};
    rates = enc_rates_open(&config);
    cr_assert_not_null(rates);
}

static bool take_of(uint64_t key, struct enc_rate *rate, uint64_t now_ms)
{
    uint8_t key32[32] = {0};
    enc_be64_put(key32 + 24, key);
    return enc_rates_take(rates, rate, key32, now_ms);
}

/* How many of count get through at now_ms. */
static unsigned taken(uint64_t key, unsigned count, uint64_t now_ms)
{
    struct enc_rate rate;
    unsigned through = 0;
    for (unsigned i = 0; i < count; i++)
        through += take_of(key, &rate, now_ms);
    return through;
}

TestSuite(rates);

Test(rates, a_burst_then_the_rate)
{
    open_for(10, 30, 1024);
    cr_assert_eq(taken(1, 50, 1000), 30);
    cr_assert_eq(taken(1, 5, 1099), 0, "a token takes 100 ms");
    cr_assert_eq(taken(1, 5, 1100), 1);
    cr_assert_eq(taken(1, 50, 2100), 10);
    cr_assert_eq(taken(1, 50, 100000), 30, "no more than the bucket holds");
    enc_rates_close(rates);
}

Test(rates, keys_do_not_share)
{
    open_for(1, 3, 4096);
    for (uint64_t key = 0; key < 512; key++)
        cr_assert_eq(taken(key, 5, 5000), 3);
    enc_rates_close(rates);
}

Test(rates, what_is_left_is_said)
{
    struct enc_rate rate;
    open_for(2, 5, 64);
    cr_assert(take_of(9, &rate, 0));
    cr_assert(rate.quota == 5 && rate.window_s == 3 && rate.left == 4 && rate.full_s == 1);
    cr_assert_eq(rate.retry_s, 0);
    cr_assert_eq(taken(9, 4, 0), 4);
    cr_assert_not(take_of(9, &rate, 0));
    cr_assert(rate.left == 0 && rate.full_s == 3 && rate.retry_s == 1);
    cr_assert(take_of(9, &rate, 1000), "who waits as told is let through");
    enc_rates_close(rates);
}

Test(rates, a_retry_hint_is_kept_at_slow_rates)
{
    struct enc_rate rate;
    open_for(1, 1, 64);
    cr_assert(take_of(1, &rate, 500));
    cr_assert_not(take_of(1, &rate, 600));
    cr_assert_eq(rate.retry_s, 1);
    cr_assert(take_of(1, &rate, 1600));
    enc_rates_close(rates);
}

Test(rates, a_clock_that_goes_back_locks_nobody_out)
{
    open_for(1, 2, 64);
    cr_assert_eq(taken(1, 9, 1000000000), 2);
    cr_assert_eq(taken(1, 9, 1000), 0);
    cr_assert_eq(taken(1, 9, 3000), 2, "a window later all is well");
    enc_rates_close(rates);
}

Test(rates, the_table_forgets_whose_bucket_is_fullest)
{
    open_for(1, 100, ENC_RATES_WAYS); /* one set */
    cr_assert_eq(taken(1, 200, 1000), 100);
    for (uint64_t key = 2; key < 1000; key++)
        cr_assert_eq(taken(key, 1, 1000), 1);
    cr_assert_eq(taken(1, 1, 1000), 0, "an empty bucket outlives nearly full ones");
    enc_rates_close(rates);
}

Test(rates, against_a_model)
{
    enum { KEYS = 7, STEPS = 200000, PER_S = 20, BURST = 13 };
    double full[KEYS];
    double seen_ms[KEYS] = {0};
    uint64_t random = 3;
    uint64_t now_ms = 1000;
    open_for(PER_S, BURST, 1024);
    for (size_t i = 0; i < KEYS; i++)
        full[i] = BURST;
    for (size_t i = 0; i < STEPS; i++) {
        uint64_t draw = enc_splitmix(&random);
        size_t key = draw % KEYS;
        struct enc_rate rate;
        now_ms += (draw >> 16) % 16;
        full[key] += ((double)now_ms - seen_ms[key]) * PER_S / 1000;
        full[key] = full[key] > BURST ? BURST : full[key];
        seen_ms[key] = (double)now_ms;
        bool expected = full[key] > 1 - 1e-6;
        cr_assert_eq(take_of(key, &rate, now_ms), expected, "step %zu", i);
        full[key] -= expected;
        cr_assert_leq(rate.left, BURST);
    }
    enc_rates_close(rates);
    enc_rates_close(NULL);
}
