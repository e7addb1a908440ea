#include "tests/unit/actors/support.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct world world;
static struct enc_directory *directory;

static void setup(void)
{
    world_open(&world, 1);
    directory = NULL;
}

static void teardown(void)
{
    enc_pool_drain(world.pool);
    if (directory)
        enc_directory_close(directory);
    world_close(&world);
}

TestSuite(directory, .init = setup, .fini = teardown);

static void post(uint8_t key, uint32_t kind)
{
    cr_assert_eq(post_key(directory, key, kind), ENC_ERR_OK);
}

Test(directory, one_actor_per_key)
{
    directory = directory_of(&world, 10, 100);
    cr_assert_eq(enc_directory_pool(directory), world.pool);
    post(1, 11);
    post(2, 21);
    post(1, 12);
    cr_assert_eq(enc_directory_count(directory), 2);
    world_run(&world);
    cr_assert_eq(noted(&world.notes, 'o'), 2);
    cr_assert_eq(noted(&world.notes, 'm'), 3);
    cr_assert_eq(world_counts(&world).activations, 2);
}

Test(directory, many_keys_in_one_bucket_are_told_apart)
{
    directory = directory_of(&world, 200, 100);
    for (unsigned key = 0; key < 200; key++)
        post((uint8_t)key, key);
    world_run(&world);
    for (unsigned key = 0; key < 200; key++)
        cr_assert_eq(noted_number(&world.notes, 'o', key), 1);
    cr_assert_eq(enc_directory_count(directory), 200);
}

Test(directory, idle_0_retires_after_the_turn)
{
    directory = directory_of(&world, 10, 0);
    post(1, 11);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m11 q1 c1");
    cr_assert_eq(enc_directory_count(directory), 0);
    cr_assert_eq(world_counts(&world).retirements, 1);
    post(1, 12);
    world_run(&world);
    cr_assert_eq(noted(&world.notes, 'o'), 2);
}

static void post_12(void)
{
    post(1, 12);
}

Test(directory, mail_that_came_during_the_turn_finds_the_same_state)
{
    directory = directory_of(&world, 10, 0);
    world.in_turn = post_12;
    post(1, 11);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m11 t1 m12 q1 c1");
}

Test(directory, mail_that_came_while_the_state_was_closed_opens_it_again)
{
    directory = directory_of(&world, 10, 0);
    world.in_close = post_12;
    post(1, 11);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m11 q1 c1 o1 t1 m12 q1 c1");
    cr_assert_eq(enc_directory_count(directory), 0);
    cr_assert_eq(world_counts(&world).activations, 1);
}

Test(directory, mail_that_came_while_it_was_leaving_takes_a_seat_again)
{
    directory = directory_of(&world, 10, 100);
    post(1, 11);
    world_run(&world);
    world.in_close = post_12;
    (void)enc_directory_sweep(directory, 2000);
    cr_assert_eq(enc_directory_count(directory), 0);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m11 q1 q1 c1 o1 t1 m12 q1");
    cr_assert_eq(enc_directory_count(directory), 1);
    cr_assert_eq(world_counts(&world).activations, 1);
}

Test(directory, who_may_not_retire_stays)
{
    directory = directory_of(&world, 10, 0);
    world.keeps = true;
    post(1, 11);
    world_run(&world);
    cr_assert_eq(enc_directory_count(directory), 1);
    world.keeps = false;
    post(1, 12);
    world_run(&world);
    cr_assert_eq(enc_directory_count(directory), 0);
}

Test(directory, sweep_retires_after_idle_ms)
{
    directory = directory_of(&world, 10, 100);
    post(1, 11);
    world_run(&world);
    enc_sim_advance(world.sim, 50);
    post(2, 21);
    world_run(&world);
    cr_assert_eq(enc_directory_sweep(directory, 1099), 1100);
    cr_assert_eq(world_run(&world), 0);
    cr_assert_eq(enc_directory_sweep(directory, 1100), 1150);
    world_run(&world);
    cr_assert_eq(noted_number(&world.notes, 'c', 1), 1);
    cr_assert_eq(noted_number(&world.notes, 'c', 2), 0);
    cr_assert_eq(enc_directory_count(directory), 1);
    cr_assert_eq(enc_directory_sweep(directory, 1150), 1250);
    world_run(&world);
    cr_assert_eq(enc_directory_count(directory), 0);
}

Test(directory, mail_ends_idleness)
{
    directory = directory_of(&world, 10, 100);
    post(1, 11);
    world_run(&world);
    enc_sim_advance(world.sim, 99);
    post(1, 12);
    world_run(&world);
    cr_assert_eq(enc_directory_sweep(directory, 1100), 1199);
    world_run(&world);
    cr_assert_eq(noted(&world.notes, 'c'), 0);
}

Test(directory, mail_that_meets_a_leaving_actor_is_not_lost)
{
    directory = directory_of(&world, 10, 100);
    post(1, 11);
    world_run(&world);
    (void)enc_directory_sweep(directory, 2000);
    post(1, 12);
    cr_assert_eq(enc_directory_count(directory), 1);
    world_run(&world);
    cr_assert_eq(noted_number(&world.notes, 'm', 12), 1);
    cr_assert_eq(noted(&world.notes, 'c'), 0); /* it had not begun to leave */
    cr_assert_eq(enc_directory_count(directory), 1);
}

Test(directory, a_clock_set_back_delays_by_idle_ms_only)
{
    directory = directory_of(&world, 10, 100);
    for (uint8_t key = 0; key < 10; key++)
        post(key, key);
    world_run(&world);
    cr_assert_eq(enc_directory_sweep(directory, 10), 110);
    cr_assert_eq(world_run(&world), 0);
    (void)enc_directory_sweep(directory, 110);
    world_run(&world);
    cr_assert_eq(enc_directory_count(directory), 0);
}

Test(directory, without_idle_ms_no_sweep)
{
    directory = directory_of(&world, 10, 0);
    cr_assert_eq(enc_directory_sweep(directory, 5000), UINT64_MAX);
}

Test(directory, full_makes_room_by_retiring_an_idle_actor)
{
    directory = directory_of(&world, 2, 100000);
    post(1, 11);
    world_run(&world);
    post(2, 21);
    world_run(&world);
    post(3, 31);
    cr_assert_eq(enc_directory_count(directory), 2);
    world_run(&world);
    cr_assert_eq(noted(&world.notes, 'm'), 3);
    cr_assert_eq(noted(&world.notes, 'c'), 1);
    cr_assert_eq(enc_directory_count(directory), 2);
    cr_assert_eq(world_counts(&world).retirements, 1);
}

Test(directory, full_of_actors_that_stay_is_busy)
{
    directory = directory_of(&world, 2, 100000);
    world.keeps = true;
    post(1, 11);
    post(2, 21);
    cr_assert_eq(post_key(directory, 3, 31), ENC_ERR_BUSY);
    world_run(&world);
    cr_assert_eq(post_key(directory, 3, 31), ENC_ERR_BUSY);
    cr_assert_eq(world_counts(&world).refusals, 2);
    cr_assert_eq(world_counts(&world).activations, 2);
    post(1, 12);
}

Test(directory, a_seat_given_away_is_asked_for_again)
{
    directory = directory_of(&world, 1, 100000);
    post(1, 11);
    world_run(&world);
    post(2, 21); /* 1 leaves */
    cr_assert_eq(post_key(directory, 1, 12), ENC_ERR_BUSY);
    world_run(&world);
    cr_assert_eq(noted_number(&world.notes, 'c', 1), 1);
    post(1, 12); /* 2 leaves */
    world_run(&world);
    cr_assert_eq(noted_number(&world.notes, 'm', 12), 1);
    cr_assert_eq(enc_directory_count(directory), 1);
}

Test(directory, full_mailbox_is_busy)
{
    directory = directory_of(&world, 2, 100);
    for (uint32_t kind = 0; kind < 4; kind++)
        post(1, kind);
    cr_assert_eq(post_key(directory, 1, 5), ENC_ERR_BUSY);
    post(2, 6);
}

Test(directory, post_always_finds_room_in_a_full_mailbox_but_takes_no_seat)
{
    directory = directory_of(&world, 1, 100000);
    world.keeps = true;
    for (uint32_t kind = 0; kind < 4; kind++)
        post(1, kind);
    struct enc_mail *mail = mail_new(5);
    cr_assert_eq(enc_directory_post_always(directory, key_of(2), mail), ENC_ERR_BUSY);
    cr_assert_eq(enc_directory_post_always(directory, key_of(1), mail), ENC_ERR_OK);
    cr_assert_eq(world_counts(&world).mails_waiting, 5);
    cr_assert_eq(post_key(directory, 1, 6), ENC_ERR_BUSY);
    world_run(&world);
    cr_assert_eq(noted_number(&world.notes, 'm', 5), 1);
    cr_assert_eq(noted(&world.notes, 'm'), 5);
}

Test(directory, failed_open_refuses_and_leaves_memory)
{
    directory = directory_of(&world, 2, 100000);
    world.open_err = ENC_ERR_INTERNAL;
    post(1, 11);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 x11");
    cr_assert_eq(enc_directory_count(directory), 0);
    cr_assert_eq(world_counts(&world).retirements, 1);
}

Test(directory, the_parked_and_those_that_wait_do_not_retire)
{
    directory = directory_of(&world, 2, 0);
    struct enc_mail *pending = mail_new_pending(21);
    world.parks = true;
    post(1, 11);
    cr_assert_eq(enc_directory_post(directory, key_of(2), pending), ENC_ERR_OK);
    world_run(&world);
    cr_assert_eq(enc_directory_count(directory), 2);
    cr_assert_eq(noted(&world.notes, 'c'), 0);
    world.parks = false;
    enc_actor_resume(world.last);
    enc_mail_ready(pending);
    world_run(&world);
    cr_assert_eq(enc_directory_count(directory), 0);
}

static struct enc_mail *make_99(void *opaque, const uint8_t key32[32])
{
    (void)opaque;
    return key32[0] == 3 ? NULL : mail_new(99);
}

Test(directory, post_all_reaches_every_live_actor_even_a_full_one)
{
    directory = directory_of(&world, 5, 100000);
    post(1, 11);
    world_run(&world);
    for (uint32_t kind = 0; kind < 4; kind++)
        post(2, kind);
    post(3, 31);
    cr_assert_eq(enc_directory_post_all(directory, make_99, NULL), 2);
    world_run(&world);
    cr_assert_eq(noted_number(&world.notes, 'm', 99), 2);
    cr_assert_eq(noted(&world.notes, 'm'), 8);
    cr_assert_eq(world_counts(&world).mails_waiting, 0);
}

Test(directory, close_closes_every_state)
{
    struct enc_directory *own = directory_of(&world, 5, 100000);
    world.keeps = true;
    for (uint8_t key = 0; key < 5; key++)
        cr_assert_eq(post_key(own, key, key), ENC_ERR_OK);
    enc_pool_drain(world.pool);
    cr_assert_eq(noted(&world.notes, 'c'), 0);
    enc_directory_close(own);
    cr_assert_eq(noted(&world.notes, 'c'), 5);
}

Test(directory, draining_refuses_posts)
{
    directory = directory_of(&world, 5, 100);
    enc_pool_drain(world.pool);
    cr_assert_eq(post_key(directory, 1, 1), ENC_ERR_BUSY);
    cr_assert_eq(enc_directory_post_all(directory, make_99, NULL), 0);
    cr_assert_eq(enc_directory_sweep(directory, 5000), 5100);
    cr_assert_eq(enc_directory_count(directory), 0);
}

Test(directory, closing_while_somebody_works_is_a_mistake, .signal = SIGABRT)
{
    directory = directory_of(&world, 5, 100);
    post(1, 1);
    enc_directory_close(directory);
}
