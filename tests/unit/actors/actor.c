#include "tests/unit/actors/support.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct world world;
static struct enc_actor actor;

static void setup(void)
{
    world_open(&world, 1);
    enc_actor_init(&actor, world.pool, &RECORDER, &world, key_of(1));
    enc_actor_limit(&actor, &(struct enc_actor_limits){.depth_max = 4, .batch_max = 3});
}

static void teardown(void)
{
    enc_pool_drain(world.pool);
    enc_actor_fini(&actor);
    world_close(&world);
}

TestSuite(actor, .init = setup, .fini = teardown);

static void post(uint32_t kind)
{
    cr_assert_eq(post_kind(&actor, kind), ENC_ERR_OK);
}

Test(actor, opens_at_the_first_turn_not_at_the_post)
{
    post(1);
    cr_assert_str_eq(told(&world.notes), "");
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1");
    post(2);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 t1 m2");
}

Test(actor, a_turn_gets_at_most_batch_max_oldest_first)
{
    for (uint32_t kind = 1; kind <= 4; kind++)
        post(kind);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t3 m1 m2 m3 t1 m4");
}

Test(actor, what_a_turn_leaves_stays_ahead_of_newer_mail)
{
    world.take_max = 1;
    post(1);
    post(2);
    cr_assert(enc_sim_step(world.sim));
    post(3);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t2 m1 t2 m2 t1 m3");
}

Test(actor, full_is_busy_and_counted)
{
    for (uint32_t kind = 1; kind <= 4; kind++)
        post(kind);
    cr_assert_eq(post_kind(&actor, 5), ENC_ERR_BUSY);
    cr_assert_eq(world_counts(&world).refusals, 1);
    cr_assert_eq(world_counts(&world).posts, 4);
    cr_assert_eq(world_counts(&world).mails_waiting, 4);
    world_run(&world);
    post(6);
    world_run(&world);
    cr_assert_eq(noted(&world.notes, 'm'), 5);
    cr_assert_eq(world_counts(&world).mails_waiting, 0);
}

Test(actor, mail_left_behind_still_fills_the_mailbox)
{
    world.take_max = 1;
    for (uint32_t kind = 1; kind <= 4; kind++)
        post(kind);
    cr_assert(enc_sim_step(world.sim));
    post(5);
    cr_assert_eq(post_kind(&actor, 6), ENC_ERR_BUSY);
}

Test(actor, pending_mail_holds_back_what_came_later)
{
    struct enc_mail *pending = mail_new_pending(2);
    post(1);
    cr_assert_eq(enc_actor_post(&actor, pending), ENC_ERR_OK);
    post(3);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1");
    post(4);
    cr_assert_eq(world_run(&world), 0); /* nobody is woken for nothing */
    cr_assert_not(enc_pool_is_quiet(world.pool));
    enc_mail_ready(pending);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 t3 m2 m3 m4");
}

Test(actor, pending_mail_made_ready_before_its_turn)
{
    struct enc_mail *pending = mail_new_pending(1);
    cr_assert_eq(enc_actor_post(&actor, pending), ENC_ERR_OK);
    enc_mail_ready(pending);
    cr_assert_eq(world_run(&world), 1);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1");
}

Test(actor, mail_that_is_ready_waits_behind_a_pending_one_and_not_behind_the_next)
{
    struct enc_mail *first = mail_new_pending(1);
    struct enc_mail *second = mail_new_pending(2);
    cr_assert_eq(enc_actor_post(&actor, first), ENC_ERR_OK);
    cr_assert_eq(enc_actor_post(&actor, second), ENC_ERR_OK);
    world_run(&world);
    enc_mail_ready(second);
    cr_assert_eq(world_run(&world), 0);
    enc_mail_ready(first);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t2 m1 m2");
}

Test(actor, ready_twice_is_a_mistake, .signal = SIGABRT)
{
    struct enc_mail *mail = mail_new_pending(1);
    enc_mail_ready(mail);
    enc_mail_ready(mail);
}

Test(actor, parked_it_gets_nothing_until_resumed)
{
    world.parks = true;
    post(1);
    world_run(&world);
    post(2);
    post(3);
    cr_assert_eq(world_run(&world), 0);
    cr_assert_not(enc_pool_is_quiet(world.pool));
    world.parks = false;
    enc_actor_resume(&actor);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r2 m2 m3");
    cr_assert(enc_pool_is_quiet(world.pool));
}

Test(actor, resumed_without_mail)
{
    world.parks = true;
    post(1);
    world_run(&world);
    enc_actor_resume(&actor);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r0");
}

Test(actor, resumed_here_the_turn_is_over_when_the_call_is)
{
    world.parks = true;
    post(1);
    world_run(&world);
    world.parks = false;
    enc_actor_resume_here(&actor);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r0");
    cr_assert(enc_pool_is_quiet(world.pool));
}

Test(actor, resumed_here_what_waits_is_left_to_a_worker)
{
    world.parks = true;
    post(1);
    world_run(&world);
    post(2);
    world.parks = false;
    enc_actor_resume_here(&actor);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r0");
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r0 t1 m2");
}

Test(actor, resumed_here_behind_pending_mail_it_sleeps)
{
    world.parks = true;
    post(1);
    world_run(&world);
    struct enc_mail *pending = mail_new_pending(2);
    cr_assert_eq(enc_actor_post(&actor, pending), ENC_ERR_OK);
    world.parks = false;
    enc_actor_resume_here(&actor);
    cr_assert_eq(world_run(&world), 0);
    enc_mail_ready(pending);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r0 t1 m2");
}

static void resume_here(void)
{
    enc_actor_resume_here(&actor);
    note(&world.notes, '!', 0);
}

Test(actor, resumed_here_too_early_its_worker_goes_on)
{
    world.parks = true;
    world.in_turn = resume_here;
    post(1);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 !0 r0");
}

Test(actor, resumed_turn_may_park_again)
{
    world.parks = true;
    post(1);
    world_run(&world);
    post(2);
    enc_actor_resume(&actor);
    world_run(&world);
    enc_actor_resume(&actor);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r1 m2 r0");
}

Test(actor, resume_before_the_turn_has_parked)
{
    world.parks = true;
    world.resumes_early = true;
    post(1);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r0");
    cr_assert_eq(world_counts(&world).parks, 1);
}

Test(actor, parking_keeps_what_the_turn_left)
{
    world.parks = true;
    world.take_max = 1;
    post(1);
    post(2);
    world_run(&world);
    post(3);
    world.parks = false;
    world.take_max = 0;
    enc_actor_resume(&actor);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t2 m1 r2 m2 m3");
}

Test(actor, parked_behind_pending_mail_is_resumed_without_it)
{
    world.parks = true;
    post(1);
    world_run(&world);
    struct enc_mail *pending = mail_new_pending(2);
    cr_assert_eq(enc_actor_post(&actor, pending), ENC_ERR_OK);
    world.parks = false;
    enc_actor_resume(&actor);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r0");
    enc_mail_ready(pending);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r0 t1 m2");
}

Test(actor, resume_twice_is_a_mistake, .signal = SIGABRT)
{
    world.parks = true;
    post(1);
    world_run(&world);
    enc_actor_resume(&actor);
    enc_actor_resume(&actor);
}

Test(actor, resume_without_park_is_a_mistake, .signal = SIGABRT)
{
    post(1);
    world_run(&world);
    enc_actor_resume(&actor);
}

static enum enc_turn resuming_turn(void *self, struct enc_batch *batch)
{
    enc_actor_resume(batch->actor);
    return RECORDER.turn(self, batch);
}

Test(actor, resume_in_a_turn_that_does_not_park_is_a_mistake, .signal = SIGABRT)
{
    struct enc_actor_class resuming = RECORDER;
    resuming.turn = resuming_turn;
    enc_actor_init(&actor, world.pool, &resuming, &world, key_of(1));
    post(1);
    world_run(&world);
}

Test(actor, failed_open_refuses_what_waits)
{
    world.open_err = ENC_ERR_INTERNAL;
    post(1);
    post(2);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 x1 x2");
    world.open_err = ENC_ERR_OK;
    post(3);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "o1 x1 x2 o1 t1 m3");
}

static enum enc_turn lazy_turn(void *self, struct enc_batch *batch)
{
    (void)self;
    (void)batch;
    return ENC_TURN_DONE;
}

Test(actor, a_turn_that_takes_nothing_is_a_mistake, .signal = SIGABRT)
{
    struct enc_actor_class lazy = RECORDER;
    lazy.turn = lazy_turn;
    enc_actor_init(&actor, world.pool, &lazy, &world, key_of(1));
    post(1);
    world_run(&world);
}

Test(actor, draining_refuses_posts)
{
    enc_pool_drain(world.pool);
    cr_assert_eq(post_kind(&actor, 1), ENC_ERR_BUSY);
}

Test(actor, batch_can_be_looked_at_without_taking)
{
    struct enc_mail mails[2];
    enc_mail_init(&mails[0], 1);
    enc_mail_init(&mails[1], 2);
    mails[0].next = &mails[1];
    struct enc_batch batch = {.head = mails, .count = 1};
    cr_assert_eq(enc_batch_peek(&batch), &mails[0]);
    cr_assert_eq(enc_batch_next(&batch), &mails[0]);
    cr_assert_null(enc_batch_peek(&batch));
    cr_assert_null(enc_batch_next(&batch));
    cr_assert_eq(batch.head, &mails[1]);
}
