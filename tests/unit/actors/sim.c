#include "tests/unit/actors/support.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

static struct world world;

static void setup(void)
{
    world_open(&world, 1);
}

static void teardown(void)
{
    world_close(&world);
}

TestSuite(sim, .init = setup, .fini = teardown);

/* Ten actors that post to each other; the order in which they run is the schedule. */
static uint64_t play(uint64_t seed, char *text, size_t len)
{
    struct world other;
    world_open(&other, seed);
    struct enc_directory *directory = directory_of(&other, 100, 0);
    for (uint32_t round = 0; round < 3; round++)
        for (uint8_t key = 0; key < 10; key++)
            cr_assert_eq(post_key(directory, key, key * 10 + round), ENC_ERR_OK);
    world_run(&other);
    uint64_t trace = enc_sim_trace(other.sim);
    snprintf(text, len, "%s", told(&other.notes));
    enc_pool_drain(other.pool);
    enc_directory_close(directory);
    world_close(&other);
    return trace;
}

Test(sim, same_seed_same_schedule)
{
    char one[2000];
    char two[2000];
    cr_assert_eq(play(5, one, sizeof one), play(5, two, sizeof two));
    cr_assert_str_eq(one, two);
}

Test(sim, seeds_give_different_schedules)
{
    enum { SEEDS = 20 };
    static char texts[SEEDS][2000];
    uint64_t traces[SEEDS];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        traces[seed] = play(seed, texts[seed], sizeof texts[seed]);
        for (uint64_t other = 0; other < seed; other++) {
            cr_assert_neq(traces[seed], traces[other]);
            cr_assert_str_neq(texts[seed], texts[other]);
        }
    }
}

static size_t two_choices(void *self, uint64_t now_ms)
{
    (void)self;
    return now_ms >= 2000 ? 2 : 0;
}

static void count_choice(void *self, size_t choice)
{
    ((unsigned *)self)[choice]++;
}

static uint64_t due_at_2000(void *self)
{
    (void)self;
    return 2000;
}

Test(sim, sources_of_the_embedding_are_stepped)
{
    unsigned counts[2] = {0, 0};
    struct enc_sim_source source = {two_choices, count_choice, due_at_2000, counts, NULL};
    enc_sim_add(world.sim, &source);
    cr_assert_not(enc_sim_step(world.sim));
    cr_assert_eq(enc_sim_due_ms(world.sim), 2000);
    enc_sim_advance(world.sim, 1000);
    cr_assert_eq(enc_sim_now_ms(world.sim), 2000);
    for (int i = 0; i < 100; i++)
        cr_assert(enc_sim_step(world.sim));
    cr_assert_eq(enc_sim_steps(world.sim), 100);
    cr_assert_eq(counts[0] + counts[1], 100);
    cr_assert(counts[0] > 20 && counts[1] > 20);
    enc_sim_remove(world.sim, &source);
    cr_assert_not(enc_sim_step(world.sim));
}

Test(sim, numbers_are_a_function_of_the_seed)
{
    struct enc_sim *one = NULL;
    struct enc_sim *two = NULL;
    cr_assert_eq(enc_sim_open(&one, 3, 0), ENC_ERR_OK);
    cr_assert_eq(enc_sim_open(&two, 3, 0), ENC_ERR_OK);
    uint64_t first = enc_sim_random(one);
    cr_assert_eq(first, enc_sim_random(two));
    cr_assert_neq(first, enc_sim_random(one));
    enc_sim_close(one);
    enc_sim_close(two);
}

static size_t one_choice(void *self, uint64_t now_ms)
{
    (void)self;
    (void)now_ms;
    return 1;
}

static void step_again(void *self, size_t choice)
{
    (void)choice;
    enc_sim_step((struct enc_sim *)self);
}

Test(sim, a_step_within_a_step_is_a_mistake, .signal = SIGABRT)
{
    struct enc_sim_source source = {one_choice, step_again, NULL, world.sim, NULL};
    enc_sim_add(world.sim, &source);
    enc_sim_step(world.sim);
}
