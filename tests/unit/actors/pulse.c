#include "actors/pulse.h"
#include "actors/lane.h"
#include "actors/pool.h"

#include <criterion/criterion.h>
#include <uv.h>

enum { WORKERS = 2, PATIENCE_MS = 5000 };

/* A job that sticks until it is let go. */
struct sticky {
    struct enc_job job;
    uv_sem_t entered;
    uv_sem_t let_go;
    uv_sem_t done;
    uint32_t worker;
};

static void stick(struct enc_job *job)
{
    struct sticky *sticky = (struct sticky *)job;
    sticky->worker = job->worker;
    uv_sem_post(&sticky->entered);
    uv_sem_wait(&sticky->let_go);
    uv_sem_post(&sticky->done);
}

static void run_quick(struct enc_job *job)
{
    uv_sem_post(&((struct sticky *)job)->done);
}

static void init_sticky(struct sticky *sticky, void (*run)(struct enc_job *job))
{
    sticky->job.run = run;
    uv_sem_init(&sticky->entered, 0);
    uv_sem_init(&sticky->let_go, 0);
    uv_sem_init(&sticky->done, 0);
}

static bool comes_to_rest(const struct enc_pool *pool, uint32_t worker)
{
    for (unsigned ms = 0; ms < PATIENCE_MS; ms++) {
        if (enc_pool_beats(pool, worker) % 2 == 0)
            return true;
        uv_sleep(1);
    }
    return false;
}

Test(pulse, a_worker_that_sticks_stands_still_and_moves_on_when_it_is_let_go)
{
    struct enc_pool *pool = NULL;
    struct sticky stuck, quick;
    const struct enc_pool_config config = {.workers = WORKERS, .jobs_max = 8};
    cr_assert_eq(enc_pool_start(&pool, &config), ENC_ERR_OK);
    init_sticky(&stuck, stick);
    cr_assert_eq(enc_pool_submit(pool, &stuck.job), ENC_ERR_OK);
    uv_sem_wait(&stuck.entered);
    uint64_t before = enc_pool_beats(pool, stuck.worker);
    cr_assert_eq(before % 2, 1);
    for (unsigned i = 0; i < 5; i++) { /* the other worker goes on meanwhile */
        init_sticky(&quick, run_quick);
        cr_assert_eq(enc_pool_submit(pool, &quick.job), ENC_ERR_OK);
        uv_sem_wait(&quick.done);
    }
    cr_assert(enc_pulse_is_same_work(before, enc_pool_beats(pool, stuck.worker)));
    cr_assert(comes_to_rest(pool, 1 - stuck.worker));
    cr_assert_geq(enc_pool_beats(pool, 1 - stuck.worker), 10);
    uv_sem_post(&stuck.let_go);
    uv_sem_wait(&stuck.done);
    cr_assert(comes_to_rest(pool, stuck.worker));
    cr_assert(!enc_pulse_is_same_work(before, enc_pool_beats(pool, stuck.worker)));
    enc_pool_stop(pool);
}

static uv_sem_t entered, let_go;

static void stick_in_lane(void *self, struct enc_link *list, size_t count)
{
    (void)self, (void)list, (void)count;
    uv_sem_post(&entered);
    uv_sem_wait(&let_go);
}

Test(pulse, so_does_a_lane)
{
    struct enc_pool *pool = NULL;
    struct enc_lane *lane = NULL;
    struct enc_link item = {NULL};
    const struct enc_pool_config config = {.workers = 1, .jobs_max = 8};
    cr_assert_eq(enc_pool_start(&pool, &config), ENC_ERR_OK);
    const struct enc_lane_config lane_config = {
        .pool = pool, .work = stick_in_lane, .depth_max = 1};
    cr_assert_eq(enc_lane_start(&lane, &lane_config), ENC_ERR_OK);
    uv_sem_init(&entered, 0);
    uv_sem_init(&let_go, 0);
    cr_assert_eq(enc_lane_beats(lane), 0);
    cr_assert_eq(enc_lane_post(lane, &item), ENC_ERR_OK);
    uv_sem_wait(&entered);
    cr_assert_eq(enc_lane_beats(lane), 1);
    uv_sem_post(&let_go);
    for (unsigned ms = 0; ms < PATIENCE_MS && enc_lane_beats(lane) != 2; ms++)
        uv_sleep(1);
    cr_assert_eq(enc_lane_beats(lane), 2);
    enc_pool_drain(pool);
    enc_lane_stop(lane);
    enc_pool_stop(pool);
}

Test(pulse, only_an_odd_count_that_stays_is_the_same_work)
{
    cr_assert(enc_pulse_is_same_work(3, 3));
    cr_assert(!enc_pulse_is_same_work(4, 4), "waiting for work");
    cr_assert(!enc_pulse_is_same_work(3, 5), "at the next piece");
}
