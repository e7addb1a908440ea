#include "actors/crew.h"

#include <criterion/criterion.h>

/** Pieces of work, and who did them. */
struct pile {
    struct enc_crew crew;
    size_t left;
    size_t done;
    size_t last_choice;
    uint32_t member_max;
    uint64_t due_ms;
    bool was_locked; /* every piece was done with the lock held */
};

static size_t choices(void *self, uint64_t now_ms)
{
    const struct pile *pile = (const struct pile *)self;
    return now_ms >= pile->due_ms ? pile->left : 0;
}

static void work(void *self, uint32_t member, size_t choice)
{
    struct pile *pile = (struct pile *)self;
    pile->was_locked &= uv_mutex_trylock(&pile->crew.lock) != 0;
    pile->left--;
    pile->last_choice = choice;
    pile->member_max = member > pile->member_max ? member : pile->member_max;
    enc_crew_unlock(&pile->crew);
    uv_sleep(1);
    enc_crew_lock(&pile->crew);
    pile->done++;
    enc_crew_announce(&pile->crew);
}

static uint64_t due_ms(void *self)
{
    const struct pile *pile = (const struct pile *)self;
    return pile->left ? pile->due_ms : UINT64_MAX;
}

static bool is_done(void *self)
{
    const struct pile *pile = (const struct pile *)self;
    return pile->left == 0 && pile->done > 0;
}

static const struct enc_crew_class CLASS = {choices, work, NULL};
static const struct enc_crew_class TIMED = {choices, work, due_ms};

static void start(struct pile *pile, const struct enc_crew_class *class, struct enc_sim *sim)
{
    const struct enc_crew_config config = {
        .class = class, .self = pile, .count = 3, .clock = {NULL, NULL}, .sim = sim};
    *pile = (struct pile){.was_locked = true};
    cr_assert(enc_crew_start(&pile->crew, &config));
}

static void add(struct pile *pile, size_t count)
{
    enc_crew_lock(&pile->crew);
    for (pile->left += count; count; count--)
        enc_crew_wake(&pile->crew);
    enc_crew_unlock(&pile->crew);
}

Test(crew, threads_do_everything_by_the_rule_of_the_class)
{
    struct pile pile;
    start(&pile, &CLASS, NULL);
    add(&pile, 20);
    enc_crew_lock(&pile.crew);
    enc_crew_wait(&pile.crew, is_done);
    cr_assert_eq(pile.left, 0);
    enc_crew_unlock(&pile.crew);
    enc_crew_stop(&pile.crew);
    cr_assert_eq(pile.done, 20);
    cr_assert_eq(pile.last_choice, ENC_CREW_NEXT);
    cr_assert_lt(pile.member_max, 3);
    cr_assert(pile.was_locked);
}

Test(crew, the_end_comes_after_what_is_left)
{
    struct pile pile;
    struct enc_sim *sim = NULL;
    start(&pile, &CLASS, NULL);
    add(&pile, 50);
    enc_crew_stop(&pile.crew);
    cr_assert_eq(pile.done, 50);
    cr_assert_eq(enc_sim_open(&sim, 1, 1000), ENC_ERR_OK);
    start(&pile, &CLASS, sim);
    add(&pile, 5);
    cr_assert_eq(pile.done, 0, "nobody steps it");
    enc_crew_stop(&pile.crew);
    cr_assert_eq(pile.done, 5);
    cr_assert_not(enc_sim_step(sim), "it has left the simulation");
    enc_sim_close(sim);
}

Test(crew, a_simulation_steps_it_and_waiting_is_stepping)
{
    struct pile pile;
    struct enc_sim *sim = NULL;
    cr_assert_eq(enc_sim_open(&sim, 7, 1000), ENC_ERR_OK);
    start(&pile, &CLASS, sim);
    cr_assert_not(enc_sim_step(sim));
    add(&pile, 4);
    cr_assert(enc_sim_step(sim));
    cr_assert_eq(pile.done, 1);
    cr_assert_lt(pile.last_choice, 4);
    enc_crew_lock(&pile.crew);
    enc_crew_wait(&pile.crew, is_done);
    enc_crew_unlock(&pile.crew);
    cr_assert_eq(pile.done, 4);
    cr_assert_eq(enc_sim_steps(sim), 4);
    enc_crew_stop(&pile.crew);
    enc_sim_close(sim);
}

Test(crew, time_alone_makes_work)
{
    struct pile pile;
    struct enc_sim *sim = NULL;
    cr_assert_eq(enc_sim_open(&sim, 7, 1000), ENC_ERR_OK);
    start(&pile, &TIMED, sim);
    cr_assert_eq(enc_sim_due_ms(sim), UINT64_MAX);
    pile.due_ms = 1500;
    add(&pile, 1);
    cr_assert_eq(enc_sim_due_ms(sim), 1500);
    cr_assert_not(enc_sim_step(sim));
    enc_sim_advance(sim, 500);
    cr_assert_eq(enc_crew_now_ms(&pile.crew), 1500);
    cr_assert(enc_sim_step(sim));
    cr_assert_eq(pile.done, 1);
    enc_crew_stop(&pile.crew);
    enc_sim_close(sim);
}
