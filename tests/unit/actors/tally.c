#include "actors/tally.h"

#include <criterion/criterion.h>
#include <uv.h>

enum { THREADS = 40, ROUNDS = 20000, CELLS = 3 };

static struct enc_tally tally;

static void add_up(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < ROUNDS; i++)
        enc_tally_add(&tally, i % CELLS, i);
}

/* More threads than stripes: two of them share one. */
Test(tally, no_addition_of_any_thread_is_lost)
{
    uv_thread_t threads[THREADS];
    uint64_t expected[CELLS] = {0};
    cr_assert(enc_tally_init(&tally, CELLS));
    for (unsigned i = 0; i < THREADS; i++)
        cr_assert_eq(uv_thread_create(&threads[i], add_up, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        uv_thread_join(&threads[i]);
    for (uint64_t i = 0; i < ROUNDS; i++)
        expected[i % CELLS] += i * THREADS;
    for (size_t cell = 0; cell < CELLS; cell++)
        cr_assert_eq(enc_tally_sum(&tally, cell), expected[cell]);
    enc_tally_fini(&tally);
}

static void take_back(void *arg)
{
    (void)arg;
    enc_tally_add(&tally, 1, (uint64_t)-5);
}

Test(tally, a_level_that_other_threads_lower_comes_out_right)
{
    uv_thread_t thread;
    cr_assert(enc_tally_init(&tally, 2));
    enc_tally_add(&tally, 1, 7);
    cr_assert_eq(uv_thread_create(&thread, take_back, NULL), 0);
    uv_thread_join(&thread);
    cr_assert_eq(enc_tally_sum(&tally, 1), 2);
    cr_assert_eq(enc_tally_sum(&tally, 0), 0);
    enc_tally_fini(&tally);
}

Test(tally, stripes_share_no_cache_line)
{
    cr_assert(enc_tally_init(&tally, 9));
    cr_assert_eq(tally.stride, 16);
    enc_tally_fini(&tally);
}
