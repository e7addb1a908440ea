#include "tests/unit/actors/support.h"

#include "actors/schedule.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <uv.h>

static uint64_t wall_ms(void *self)
{
    return *(const uint64_t *)self;
}

static uint64_t now_ms = 77;

static struct enc_pool *threads_of(uint32_t workers)
{
    struct enc_pool *pool = NULL;
    struct enc_pool_config config = {
        .workers = workers, .jobs_max = 8, .clock = {wall_ms, &now_ms}};
    cr_assert_eq(enc_pool_start(&pool, &config), ENC_ERR_OK);
    return pool;
}

struct counting {
    struct enc_job job;
    _Atomic uint32_t *runs;
    uint32_t workers;
};

static void count_run(struct enc_job *job)
{
    struct counting *counting = (struct counting *)job;
    cr_assert(job->worker < counting->workers);
    atomic_fetch_add(counting->runs, 1);
}

Test(pool, drain_runs_all_that_was_taken)
{
    _Atomic uint32_t runs = 0;
    struct counting jobs[8];
    struct enc_pool *pool = threads_of(3);
    cr_assert_eq(enc_pool_workers(pool), 3);
    cr_assert_eq(enc_pool_now_ms(pool), 77);
    cr_assert_null(enc_pool_sim(pool));
    for (int i = 0; i < 8; i++) {
        jobs[i] = (struct counting){{.run = count_run}, &runs, 3};
        cr_assert_eq(enc_pool_submit(pool, &jobs[i].job), ENC_ERR_OK);
    }
    enc_pool_drain(pool);
    cr_assert_eq(runs, 8);
    cr_assert(enc_pool_is_quiet(pool));
    cr_assert_eq(enc_pool_submit(pool, &jobs[0].job), ENC_ERR_BUSY);
    enc_pool_stop(pool);
}

/* Who holds a ticket may take more of them, also while everybody else is refused. */
static void enter_again_run(struct enc_job *job)
{
    struct counting *counting = (struct counting *)job;
    struct enc_pool *pool = *(struct enc_pool **)(counting + 1);
    cr_assert_not(enc_pool_enter(pool));
    enc_pool_enter_again(pool);
    enc_pool_leave(pool);
    atomic_fetch_add(counting->runs, 1);
}

Test(pool, a_ticket_brings_others_while_it_drains)
{
    struct world world;
    _Atomic uint32_t runs = 0;
    struct {
        struct counting counting;
        struct enc_pool *pool;
    } job = {{{.run = enter_again_run}, &runs, 1}, NULL};
    world_open(&world, 1);
    job.pool = world.pool;
    cr_assert_eq(enc_pool_submit(world.pool, &job.counting.job), ENC_ERR_OK);
    enc_pool_drain(world.pool);
    cr_assert_eq(runs, 1);
    cr_assert(enc_pool_is_quiet(world.pool));
    world_close(&world);
}

Test(pool, full_is_busy_and_changes_nothing)
{
    struct world world;
    _Atomic uint32_t runs = 0;
    struct counting jobs[5];
    world_open(&world, 1);
    for (int i = 0; i < 5; i++)
        jobs[i] = (struct counting){{.run = count_run}, &runs, 1};
    for (int i = 0; i < 4; i++)
        cr_assert_eq(enc_pool_submit(world.pool, &jobs[i].job), ENC_ERR_OK);
    cr_assert_eq(enc_pool_submit(world.pool, &jobs[4].job), ENC_ERR_BUSY);
    cr_assert_null(jobs[4].job.link.next);
    cr_assert_eq(world_counts(&world).jobs_waiting, 4);
    cr_assert_not(enc_pool_is_quiet(world.pool));
    world_run(&world);
    cr_assert_eq(runs, 4);
    cr_assert_eq(world_counts(&world).jobs, 4);
    cr_assert_eq(world_counts(&world).job_refusals, 1);
    world_close(&world);
}

/* One worker, a gate job that holds it while the queues are filled, then the order is the rule. */
struct gate {
    struct enc_job job;
    uv_sem_t open;
};

static void wait_at_gate(struct enc_job *job)
{
    uv_sem_wait(&((struct gate *)job)->open);
}

struct noting {
    struct enc_job job;
    struct notes *notes;
    uint64_t number;
};

static void note_job(struct enc_job *job)
{
    struct noting *noting = (struct noting *)job;
    note(noting->notes, 'j', noting->number);
}

static enum enc_err open_notes(void **self, void *opaque, const uint8_t key32[32])
{
    (void)key32;
    *self = opaque;
    return ENC_ERR_OK;
}

static enum enc_turn note_turn(void *self, struct enc_batch *batch)
{
    struct enc_mail *mail = enc_batch_next(batch);
    note((struct notes *)self, 't', mail->kind);
    return ENC_TURN_DONE;
}

static void keep(void *self)
{
    (void)self;
}

static const struct enc_actor_class NOTING = {open_notes, note_turn, NULL, NULL, keep};

Test(pool, turns_and_jobs_take_their_share)
{
    static struct notes notes;
    struct gate gate = {.job = {.run = wait_at_gate}};
    struct noting jobs[4];
    struct enc_mail mails[4];
    struct enc_actor actor;
    struct enc_pool *pool = threads_of(1);
    uv_sem_init(&gate.open, 0);
    enc_actor_init(&actor, pool, &NOTING, &notes, key_of(1));
    cr_assert_eq(enc_pool_submit(pool, &gate.job), ENC_ERR_OK);
    for (uint32_t i = 0; i < 4; i++) {
        jobs[i] = (struct noting){{.run = note_job}, &notes, i};
        cr_assert_eq(enc_pool_submit(pool, &jobs[i].job), ENC_ERR_OK);
        enc_mail_init(&mails[i], i);
        cr_assert_eq(enc_actor_post(&actor, &mails[i]), ENC_ERR_OK);
    }
    uv_sem_post(&gate.open);
    enc_pool_drain(pool);
    enc_actor_fini(&actor);
    enc_pool_stop(pool);
    uv_sem_destroy(&gate.open);
    const char *text = told(&notes);
    bool turn_first = strcmp(text, "t0 j0 t1 j1 t2 j2 t3 j3") == 0;
    bool job_first = strcmp(text, "j0 t0 j1 t1 j2 t2 j3 t3") == 0;
    cr_assert(turn_first || job_first, "%s", text);
}

/* A job that comes back for ever must not keep a turn waiting, nor a busy actor a job. */
struct endless {
    struct enc_job job;
    struct enc_pool *pool;
    _Atomic bool *ends;
};

static void run_again(struct enc_job *job)
{
    struct endless *endless = (struct endless *)job;
    if (!atomic_load(endless->ends))
        cr_assert_eq(enc_pool_submit(endless->pool, job), ENC_ERR_OK);
}

static enum enc_turn end_all(void *self, struct enc_batch *batch)
{
    (void)enc_batch_next(batch);
    atomic_store((_Atomic bool *)self, true);
    return ENC_TURN_DONE;
}

Test(pool, endless_jobs_do_not_starve_a_turn, .timeout = 20)
{
    _Atomic bool ends = false;
    struct endless jobs[4];
    struct enc_mail mail;
    struct enc_actor actor;
    struct enc_pool *pool = threads_of(1);
    struct enc_actor_class ending = NOTING;
    ending.turn = end_all;
    enc_actor_init(&actor, pool, &ending, &ends, key_of(1));
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct endless){{.run = run_again}, pool, &ends};
        cr_assert_eq(enc_pool_submit(pool, &jobs[i].job), ENC_ERR_OK);
    }
    enc_mail_init(&mail, 0);
    cr_assert_eq(enc_actor_post(&actor, &mail), ENC_ERR_OK);
    while (!atomic_load(&ends))
        uv_sleep(1);
    enc_pool_stop(pool);
}

static void end_all_job(struct enc_job *job)
{
    atomic_store(((struct endless *)job)->ends, true);
}

struct echo {
    struct enc_actor actor;
    struct enc_mail mail;
    _Atomic bool *ends;
};

static enum enc_turn post_again(void *self, struct enc_batch *batch)
{
    struct echo *echo = (struct echo *)self;
    struct enc_mail *mail = enc_batch_next(batch);
    if (!atomic_load(echo->ends))
        cr_assert_eq(enc_actor_post(&echo->actor, mail), ENC_ERR_OK);
    return ENC_TURN_DONE;
}

Test(pool, endless_turns_do_not_starve_a_job, .timeout = 20)
{
    _Atomic bool ends = false;
    struct enc_pool *pool = threads_of(1);
    struct enc_actor_class echoing = NOTING;
    echoing.turn = post_again;
    struct echo echo = {.ends = &ends};
    struct endless job = {{.run = end_all_job}, pool, &ends};
    enc_actor_init(&echo.actor, pool, &echoing, &echo, key_of(1));
    enc_mail_init(&echo.mail, 0);
    cr_assert_eq(enc_actor_post(&echo.actor, &echo.mail), ENC_ERR_OK);
    cr_assert_eq(enc_pool_submit(pool, &job.job), ENC_ERR_OK);
    while (!atomic_load(&ends))
        uv_sleep(1);
    enc_pool_stop(pool);
}

/* Draining waits for who is parked, as long as somebody resumes. */
static void resume_later(void *arg)
{
    struct world *world = (struct world *)arg;
    uv_sleep(20);
    world->parks = false;
    enc_actor_resume(world->last);
}

Test(pool, drain_waits_for_the_parked)
{
    static struct world world = {.parks = true};
    struct enc_actor actor;
    uv_thread_t thread;
    world.pool = threads_of(2);
    enc_actor_init(&actor, world.pool, &RECORDER, &world, key_of(1));
    cr_assert_eq(post_kind(&actor, 1), ENC_ERR_OK);
    struct enc_actors_counts counts = {0};
    while (counts.parks == 0)
        enc_actors_counts(world.pool, &counts);
    cr_assert_eq(uv_thread_create(&thread, resume_later, &world), 0);
    enc_pool_drain(world.pool);
    cr_assert_str_eq(told(&world.notes), "o1 t1 m1 r0");
    cr_assert_eq(uv_thread_join(&thread), 0);
    enc_actor_fini(&actor);
    enc_pool_stop(world.pool);
}

Test(pool, in_a_simulation_draining_for_nobody_is_a_mistake, .signal = SIGABRT)
{
    struct world world;
    struct enc_actor actor;
    world_open(&world, 1);
    world.parks = true;
    enc_actor_init(&actor, world.pool, &RECORDER, &world, key_of(1));
    cr_assert_eq(post_kind(&actor, 1), ENC_ERR_OK);
    enc_pool_drain(world.pool);
}

Test(pool, no_workers_is_a_mistake, .signal = SIGABRT)
{
    struct enc_pool *pool = NULL;
    struct enc_pool_config config = {.workers = 0};
    (void)!enc_pool_start(&pool, &config);
}
