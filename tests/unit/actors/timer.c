#include "tests/unit/actors/support.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAIL_KIND = 1 };

static bool has_rung[256]; /* by the first byte of the key */

static struct world world;
static struct enc_directory *directory;
static struct enc_timers *timers;

/* What the actors got: kind and due of every timer mail. */
static enum enc_turn turn(void *self, struct enc_batch *batch)
{
    (void)self;
    world.last = batch->actor;
    for (struct enc_mail *mail; (mail = enc_batch_next(batch));) {
        struct enc_timer_mail *timer = (struct enc_timer_mail *)mail;
        cr_assert_eq(mail->kind, MAIL_KIND);
        note(&world.notes, (char)('a' + timer->timer_kind), timer->due_ms);
        note(&world.notes, '@', enc_sim_now_ms(world.sim));
        has_rung[timer->key32[0]] = true;
        enc_timer_mail_free(timer);
    }
    return world.parks ? ENC_TURN_PARK : ENC_TURN_DONE;
}

static enum enc_err open_any(void **self, void *opaque, const uint8_t key32[32])
{
    (void)key32;
    *self = opaque;
    return ENC_ERR_OK;
}

static bool may_retire(const void *self)
{
    return !((const struct world *)self)->keeps;
}

static void forget(void *self)
{
    (void)self;
}

static const struct enc_actor_class TIMED = {open_any, turn, NULL, may_retire, forget};

static struct enc_timer_keeper keeper;
static uint32_t timers_max = 3;

static void begin(uint32_t actors_max, uint32_t idle_ms)
{
    struct enc_directory_config config = {.pool = world.pool,
                                          .class = &TIMED,
                                          .opaque = &world,
                                          .limits = {.depth_max = 2, .batch_max = 2},
                                          .actors_max = actors_max,
                                          .idle_ms = idle_ms,
                                          .hash_seed = 1};
    cr_assert_eq(enc_directory_open(&directory, &config), ENC_ERR_OK);
    struct enc_timers_config timer_config = {.directory = directory,
                                             .timers_max = timers_max,
                                             .mail_kind = MAIL_KIND,
                                             .retry_ms = 20,
                                             .keeper = keeper};
    cr_assert_eq(enc_timers_start(&timers, &timer_config), ENC_ERR_OK);
}

static void setup(void)
{
    world_open(&world, 1);
    begin(10, 0);
}

static void teardown(void)
{
    enc_pool_drain(world.pool);
    enc_timers_stop(timers);
    enc_directory_close(directory);
    world_close(&world);
}

TestSuite(timer, .init = setup, .fini = teardown);

static void set(uint8_t key, uint32_t kind, uint64_t due_ms)
{
    cr_assert_eq(enc_timer_set(timers, key_of(key), kind, due_ms), ENC_ERR_OK);
}

/* Step and advance to what is due until nothing is, at most to end_ms. */
static void run_until(uint64_t end_ms)
{
    world_run(&world);
    for (uint64_t due_ms; (due_ms = enc_sim_due_ms(world.sim)) <= end_ms;) {
        enc_sim_advance(world.sim, due_ms - enc_sim_now_ms(world.sim));
        world_run(&world);
    }
}

Test(timer, posts_when_due_not_before)
{
    set(1, 0, 1500);
    cr_assert_eq(enc_timers_count(timers), 1);
    cr_assert_eq(world_run(&world), 0);
    cr_assert_eq(enc_sim_due_ms(world.sim), 1500);
    enc_sim_advance(world.sim, 499);
    cr_assert_eq(world_run(&world), 0);
    enc_sim_advance(world.sim, 1);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "a1500 @1500");
    cr_assert_eq(enc_timers_count(timers), 0);
    cr_assert_eq(world_counts(&world).timers_posted, 1);
    cr_assert_eq(world_counts(&world).timers_waiting, 0);
    cr_assert_eq(enc_sim_due_ms(world.sim), UINT64_MAX);
}

Test(timer, the_past_is_at_once)
{
    set(1, 0, 1);
    world_run(&world);
    cr_assert_str_eq(told(&world.notes), "a1 @1000");
}

Test(timer, the_last_set_wins_earlier_or_later)
{
    set(1, 0, 1500);
    set(1, 0, 1800);
    set(2, 0, 1900);
    set(2, 0, 1100);
    cr_assert_eq(enc_timers_count(timers), 2);
    run_until(5000);
    cr_assert_str_eq(told(&world.notes), "a1100 @1100 a1800 @1800");
}

Test(timer, kinds_of_one_key_are_apart)
{
    set(1, 0, 1500);
    set(1, 1, 1400);
    run_until(5000);
    cr_assert_str_eq(told(&world.notes), "b1400 @1400 a1500 @1500");
}

Test(timer, cleared_does_not_come)
{
    set(1, 0, 1500);
    set(1, 1, 1500);
    cr_assert(enc_timer_clear(timers, key_of(1), 0));
    cr_assert_not(enc_timer_clear(timers, key_of(1), 0));
    cr_assert_not(enc_timer_clear(timers, key_of(2), 1));
    run_until(5000);
    cr_assert_str_eq(told(&world.notes), "b1500 @1500");
}

Test(timer, full_is_busy_but_replacing_is_not)
{
    for (uint32_t kind = 0; kind < 3; kind++)
        set(1, kind, 1500);
    cr_assert_eq(enc_timer_set(timers, key_of(1), 3, 1500), ENC_ERR_BUSY);
    set(1, 2, 1600);
    cr_assert(enc_timer_clear(timers, key_of(1), 0));
    set(1, 3, 1500);
    run_until(5000);
    cr_assert_eq(noted(&world.notes, '@'), 3);
}

Test(timer, a_post_refused_is_tried_again)
{
    world.parks = true;
    set(1, 0, 1100);
    run_until(1100); /* parked, so that mail piles up */
    for (int i = 0; i < 2; i++) {
        struct enc_timer_mail *fill = (struct enc_timer_mail *)calloc(1, sizeof *fill);
        enc_mail_init(&fill->mail, MAIL_KIND);
        cr_assert_eq(enc_directory_post(directory, key_of(1), &fill->mail), ENC_ERR_OK);
    }
    set(1, 1, 1200);
    run_until(1250);
    enc_sim_advance(world.sim, 1250 - enc_sim_now_ms(world.sim));
    cr_assert_eq(world_counts(&world).timer_retries, 3); /* 1200, 1220, 1240 */
    cr_assert_eq(enc_timers_count(timers), 1);
    world.parks = false;
    enc_actor_resume(world.last);
    run_until(5000);
    cr_assert_str_eq(told(&world.notes), "a1100 @1100 a0 @1250 a0 @1250 b1200 @1260");
    cr_assert_eq(world_counts(&world).timer_retries, 3);
}

Test(timer, a_retry_can_be_replaced_and_cleared)
{
    world.keeps = true;
    enc_pool_drain(world.pool); /* every post is refused */
    set(1, 0, 1100);
    set(2, 0, 1100);
    run_until(1100);
    cr_assert_eq(world_counts(&world).timer_retries, 2);
    set(1, 0, 9000);
    cr_assert(enc_timer_clear(timers, key_of(2), 0));
    cr_assert_eq(enc_sim_due_ms(world.sim), 9000);
    cr_assert_eq(enc_timers_count(timers), 1);
}

Test(timer, sweeps_its_directory)
{
    teardown();
    world_open(&world, 1);
    begin(10, 500);
    set(1, 0, 1100);
    run_until(1100);
    cr_assert_eq(enc_directory_count(directory), 1);
    cr_assert_eq(noted(&world.notes, '@'), 1);
    run_until(1599);
    cr_assert_eq(enc_directory_count(directory), 1);
    run_until(1600);
    cr_assert_eq(enc_directory_count(directory), 0);
}

Test(timer, brings_an_actor_into_memory)
{
    set(7, 0, 1100);
    cr_assert_eq(enc_directory_count(directory), 0);
    run_until(1100);
    cr_assert_eq(world_counts(&world).activations, 1);
}

Test(timer, stop_forgets_what_was_not_due)
{
    set(1, 0, 9000);
    set(2, 0, 9000);
}

Test(timer, nonsense_configuration_is_a_mistake, .signal = SIGABRT)
{
    struct enc_timers *other = NULL;
    struct enc_timers_config config = {.directory = directory, .timers_max = 0, .retry_ms = 1};
    (void)!enc_timers_start(&other, &config);
}

/* ---- timers that are kept ---- */

enum { KEPT = 40, KEPT_KIND = 1, SLICE = 3, PAUSE_MS = 7, AHEAD_MS = 100 };

/* The due of key i, 0 = none; the keeper's own, as a store would have it. */
static uint64_t kept_ms[KEPT];
static size_t read_to;
static unsigned refills;
static unsigned faults;

static enum enc_refill read_kept(void *self, bool is_first)
{
    (void)self;
    refills += is_first;
    if (is_first)
        read_to = 0;
    if (faults > 0 && faults-- > 0)
        return ENC_REFILL_FAILED;
    for (size_t end = read_to + SLICE; read_to < end && read_to < KEPT; read_to++)
        if (kept_ms[read_to] && !has_rung[*key_of((uint8_t)read_to)])
            enc_timer_offer(timers, key_of((uint8_t)read_to), KEPT_KIND, kept_ms[read_to]);
    return read_to < KEPT ? ENC_REFILL_MORE : ENC_REFILL_DONE;
}

static void begin_kept(uint32_t max)
{
    teardown();
    keeper = (struct enc_timer_keeper){
        .refill = read_kept, .kinds = 1 << KEPT_KIND, .ahead_ms = AHEAD_MS, .pause_ms = PAUSE_MS};
    timers_max = max;
    world_open(&world, 1);
    begin(KEPT, 0);
}

/* As a node does it: the store first. */
static void keep(uint8_t key, uint64_t due_ms)
{
    kept_ms[key] = due_ms;
    set(key, KEPT_KIND, due_ms);
}

/* When the mail of each key came, by what the actors noted: each at its due, none left out. */
static void expect_in_order(size_t count)
{
    cr_assert(noted(&world.notes, '@') >= count, "%zu", noted(&world.notes, '@'));
    for (size_t i = 0; i < KEPT; i++) {
        char entry[32];
        snprintf(entry, sizeof entry, "b%llu @%llu", (unsigned long long)kept_ms[i],
                 (unsigned long long)kept_ms[i]);
        cr_assert(!kept_ms[i] || strstr(told(&world.notes), entry), "%s", entry);
    }
}

Test(timer, more_kept_than_fit_come_in_their_time)
{
    begin_kept(6);
    for (uint8_t i = 0; i < KEPT; i++)
        kept_ms[i] = 2000 + 200 * (uint64_t)((i * 7) % KEPT);
    enc_timers_refill(timers);
    run_until(1500);
    cr_assert(enc_timers_count(timers) <= 6);
    run_until(2000 + 200 * KEPT);
    expect_in_order(KEPT);
    cr_assert_eq(enc_timers_count(timers), 0);
    cr_assert(refills > 3 && refills <= KEPT, "%u", refills);
}

Test(timer, kept_ones_need_no_room)
{
    begin_kept(6);
    for (uint8_t i = 0; i < KEPT; i++)
        keep(i, 2000 + 200 * (uint64_t)((i * 11) % KEPT));
    cr_assert(enc_timers_count(timers) <= 6);
    cr_assert(world_counts(&world).timers_put_off >= KEPT - 6);
    run_until(2000 + 200 * KEPT);
    expect_in_order(KEPT);
}

Test(timer, all_due_at_once_come_all)
{
    begin_kept(6);
    for (uint8_t i = 0; i < KEPT; i++)
        kept_ms[i] = 500;
    enc_timers_refill(timers);
    run_until(1000 + KEPT * PAUSE_MS);
    for (uint8_t i = 0; i < KEPT; i++)
        cr_assert(has_rung[*key_of(i)], "%u", i);
}

Test(timer, one_set_during_a_refill_is_not_lost)
{
    for (unsigned steps = 0; steps < 16; steps++) {
        memset(kept_ms, 0, sizeof kept_ms);
        memset(has_rung, 0, sizeof has_rung);
        begin_kept(6);
        for (uint8_t i = 10; i < KEPT; i++)
            kept_ms[i] = 2000 + 200 * (uint64_t)i;
        enc_timers_refill(timers);
        for (unsigned i = 0; i < steps; i++)
            (void)enc_sim_step(world.sim);
        keep(1, 1990);
        keep(39, 3001);
        run_until(2000 + 200 * KEPT);
        expect_in_order(KEPT - 10 + 1);
    }
}

Test(timer, an_offer_does_not_put_off_what_is_earlier)
{
    begin_kept(6);
    set(1, KEPT_KIND, 1500);
    enc_timer_offer(timers, key_of(1), KEPT_KIND, 1800);
    enc_timer_offer(timers, key_of(2), KEPT_KIND, 1700);
    enc_timer_offer(timers, key_of(2), KEPT_KIND, 1600);
    run_until(5000);
    cr_assert_str_eq(told(&world.notes), "b1500 @1500 b1600 @1600");
}

Test(timer, a_refill_that_fails_is_tried_again)
{
    begin_kept(6);
    faults = 3;
    kept_ms[5] = 1100;
    enc_timers_refill(timers);
    run_until(1100);
    cr_assert_str_eq(told(&world.notes), "b1100 @1100");
    cr_assert_eq(refills, 1);
}

Test(timer, what_nobody_keeps_stays)
{
    begin_kept(13);
    for (uint8_t i = 0; i < 3; i++)
        set(i, 0, 9000);
    for (uint8_t i = 0; i < KEPT; i++)
        keep(i, 2000 + i);
    for (uint8_t i = 3; i < 6; i++)
        set(i, 0, 9000);
    cr_assert(enc_timers_count(timers) <= 13);
    run_until(9000);
    cr_assert_eq(noted(&world.notes, 'a'), 6);
    cr_assert(noted(&world.notes, 'b') >= KEPT);
}
