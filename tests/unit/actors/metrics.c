#include "tests/unit/actors/support.h"

#include <criterion/criterion.h>

Test(metrics, turns_by_mails_taken)
{
    struct world world;
    struct enc_actor actor;
    world_open(&world, 1);
    enc_actor_init(&actor, world.pool, &RECORDER, &world, key_of(1));
    enc_actor_limit(&actor, &(struct enc_actor_limits){.depth_max = 200, .batch_max = 100});
    static const uint32_t SIZES[] = {1, 2, 3, 4, 7, 8, 63, 64, 100};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        for (uint32_t kind = 0; kind < SIZES[i]; kind++)
            cr_assert_eq(post_kind(&actor, kind), ENC_ERR_OK);
        world_run(&world);
    }
    struct enc_actors_counts counts = world_counts(&world);
    static const uint64_t EXPECTED[ENC_BATCH_BUCKETS] = {0, 1, 2, 2, 1, 0, 1, 2};
    cr_assert_arr_eq(counts.batches, EXPECTED, sizeof EXPECTED);
    cr_assert_eq(counts.batch_max, 100);
    cr_assert_eq(counts.turns, 9);
    cr_assert_eq(counts.posts, 252);
    enc_pool_drain(world.pool);
    enc_actor_fini(&actor);
    world_close(&world);
}

Test(metrics, turns_waiting_is_a_level)
{
    struct world world;
    struct enc_actor actors[3];
    world_open(&world, 1);
    for (uint8_t i = 0; i < 3; i++) {
        enc_actor_init(&actors[i], world.pool, &RECORDER, &world, key_of(i));
        cr_assert_eq(post_kind(&actors[i], i), ENC_ERR_OK);
    }
    cr_assert_eq(world_counts(&world).turns_waiting, 3);
    cr_assert(enc_sim_step(world.sim));
    cr_assert_eq(world_counts(&world).turns_waiting, 2);
    world_run(&world);
    cr_assert_eq(world_counts(&world).turns_waiting, 0);
    enc_pool_drain(world.pool);
    for (uint8_t i = 0; i < 3; i++)
        enc_actor_fini(&actors[i]);
    world_close(&world);
}
