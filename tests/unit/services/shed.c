#include "services/shed.h"

#include <criterion/criterion.h>

/* A queue that serves so many a second, and who comes to it, on a virtual clock. */
struct world {
    struct enc_shed shed;
    uint64_t now_ms;
    double served_per_ms;
    double credit;
    uint64_t begun_ms[1 << 16]; /* a ring */
    size_t head, tail;
    uint64_t answered;
    uint64_t worst_ms;
    uint64_t admitted;
};

static struct world world;

static void start(uint32_t target_ms, double served_per_ms)
{
    world = (struct world){.now_ms = 1000000, .served_per_ms = served_per_ms};
    enc_shed_init(&world.shed, target_ms);
}

static void serve(void)
{
    world.credit += world.served_per_ms;
    while (world.credit >= 1 && world.head != world.tail) {
        uint64_t begun_ms = world.begun_ms[world.head++ % (1 << 16)];
        uint64_t took_ms = world.now_ms - begun_ms;
        world.worst_ms = took_ms > world.worst_ms ? took_ms : world.worst_ms;
        enc_shed_note(&world.shed, begun_ms, world.now_ms);
        world.answered++;
        world.credit--;
    }
    if (world.head == world.tail)
        world.credit = 0;
}

static void arrive(double per_ms)
{
    static double rest;
    for (rest += per_ms; rest >= 1; rest--) {
        if (!enc_shed_admits(&world.shed, world.now_ms))
            continue;
        world.admitted++;
        world.begun_ms[world.tail++ % (1 << 16)] = world.now_ms;
        cr_assert(world.tail - world.head < 1 << 16);
    }
}

static void run(uint64_t ms, double per_ms)
{
    for (uint64_t i = 0; i < ms; i++) {
        world.now_ms++;
        arrive(per_ms);
        serve();
    }
}

TestSuite(shed);

Test(shed, nobody_is_refused_below_capacity)
{
    start(100, 10);
    run(10000, 9.5);
    cr_assert_eq(atomic_load(&world.shed.refusals), 0);
}

Test(shed, at_three_times_the_capacity_all_of_it_is_used_and_waits_are_bounded)
{
    start(100, 10);
    run(5000, 30); /* it takes a while to find the share */
    world.answered = world.worst_ms = 0;
    run(10000, 30);
    cr_assert_geq(world.answered, 97000, "%lu of 100000", (unsigned long)world.answered);
    cr_assert_leq(world.worst_ms, 300, "%lu ms", (unsigned long)world.worst_ms);
}

Test(shed, the_first_seconds_are_bounded_too)
{
    start(100, 10);
    run(1000, 5);
    run(4000, 30);
    cr_assert_leq(world.worst_ms, 1500, "%lu ms", (unsigned long)world.worst_ms);
    cr_assert_geq(world.answered, 43000);
}

Test(shed, when_it_is_over_all_come_in_again)
{
    start(100, 10);
    run(5000, 30);
    run(3000, 5);
    uint64_t refused = atomic_load(&world.shed.refusals);
    run(3000, 5);
    cr_assert_eq(atomic_load(&world.shed.refusals), refused);
    run(5000, 30);
    world.now_ms += 60000; /* nobody came */
    cr_assert(enc_shed_admits(&world.shed, world.now_ms));
    cr_assert_eq(atomic_load(&world.shed.chance), 0);
}

Test(shed, a_clock_that_jumps_is_forgotten)
{
    start(100, 10);
    run(3000, 30);
    cr_assert_gt(atomic_load(&world.shed.chance), 0);
    world.now_ms -= 500000;
    cr_assert(enc_shed_admits(&world.shed, world.now_ms));
    enc_shed_note(&world.shed, world.now_ms + 500000, world.now_ms);
    enc_shed_note(&world.shed, 0, world.now_ms);
    run(3000, 5);
    cr_assert_eq(atomic_load(&world.shed.chance), 0);
}
