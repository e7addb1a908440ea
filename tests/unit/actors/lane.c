#include "tests/unit/actors/support.h"

#include <criterion/criterion.h>

static struct world world;
static struct enc_lane *lane;

static void work(void *self, struct enc_link *list, size_t count)
{
    struct notes *notes = &((struct world *)self)->notes;
    size_t seen = 0;
    note(notes, 'b', count);
    for (; list; list = list->next, seen++)
        note(notes, 'i', (uint64_t)((struct enc_job *)list)->worker);
    cr_assert_eq(seen, count);
}

static void setup(void)
{
    world_open(&world, 1);
    struct enc_lane_config config = {
        .pool = world.pool, .work = work, .self = &world, .depth_max = 3};
    cr_assert_eq(enc_lane_start(&lane, &config), ENC_ERR_OK);
}

TestSuite(lane, .init = setup);

static void teardown(void)
{
    enc_lane_stop(lane);
    world_close(&world);
}

Test(lane, all_that_waits_is_one_batch_oldest_first)
{
    struct enc_job items[3] = {{.worker = 1}, {.worker = 2}, {.worker = 3}};
    for (int i = 0; i < 3; i++)
        cr_assert_eq(enc_lane_post(lane, &items[i].link), ENC_ERR_OK);
    cr_assert_eq(world_run(&world), 1);
    cr_assert_eq(enc_lane_post(lane, &items[0].link), ENC_ERR_OK);
    cr_assert_eq(world_run(&world), 1);
    cr_assert_str_eq(told(&world.notes), "b3 i1 i2 i3 b1 i1");
    struct enc_actors_counts counts = world_counts(&world);
    cr_assert_eq(counts.lane_batches, 2);
    cr_assert_eq(counts.lane_items, 4);
    cr_assert_eq(counts.lane_batch_max, 3);
    teardown();
}

Test(lane, full_is_busy)
{
    struct enc_job items[4] = {0};
    for (int i = 0; i < 3; i++)
        cr_assert_eq(enc_lane_post(lane, &items[i].link), ENC_ERR_OK);
    cr_assert_eq(enc_lane_post(lane, &items[3].link), ENC_ERR_BUSY);
    cr_assert_eq(world_counts(&world).lane_refusals, 1);
    world_run(&world);
    cr_assert_eq(enc_lane_post(lane, &items[3].link), ENC_ERR_OK);
    teardown();
}

Test(lane, stop_finishes_what_waits)
{
    struct enc_job items[2] = {{.worker = 1}, {.worker = 2}};
    cr_assert_eq(enc_lane_post(lane, &items[0].link), ENC_ERR_OK);
    cr_assert_eq(enc_lane_post(lane, &items[1].link), ENC_ERR_OK);
    teardown();
    cr_assert_str_eq(told(&world.notes), "b2 i1 i2");
}
