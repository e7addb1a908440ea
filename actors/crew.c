#include "actors/crew.h"

#include "proto/base/edge.h"

#include <stdlib.h>

struct enc_member {
    struct enc_pulse pulse;
    struct enc_crew *crew;
    uv_thread_t thread;
    uint32_t index;
};

/* The only difference between threads and a simulation. */
struct enc_crew_driver {
    bool (*start)(struct enc_crew *crew);
    void (*wake)(struct enc_crew *crew);
    void (*wait)(struct enc_crew *crew);
    void (*stop)(struct enc_crew *crew);
};

/* A sleeper looks at the clock at least this often: it may have jumped. */
enum { NAP_MAX_MS = 1000 };

/* For tests: whether somebody sleeps who was not called, as the models call it. */
#define NAME_OF(sleeping, called) ((sleeping) > (called) ? "some" : "none")

void enc_crew_lock(struct enc_crew *crew)
{
    uv_mutex_lock(&crew->lock);
}

/* A sleeper that is signalled under the lock would only wake to wait for it. */
void enc_crew_unlock(struct enc_crew *crew)
{
    uint32_t owed = crew->owed;
    crew->owed = 0;
    uv_mutex_unlock(&crew->lock);
    for (uint32_t i = 0; i < owed; i++)
        uv_cond_signal(&crew->wake);
}

uint64_t enc_crew_now_ms(const struct enc_crew *crew)
{
    return crew->sim ? enc_sim_now_ms(crew->sim) : crew->clock.now_ms(crew->clock.self);
}

/* Threads. */

/* The crew whose work this thread is doing. */
static _Thread_local const struct enc_crew *working_for;

/* A member that is at work looks for more when it is done, so the first thing waits for itself. */
static bool is_left_to_caller(const struct enc_crew *crew)
{
    return working_for == crew && crew->class->choices(crew->self, 0) <= 1;
}

static void nap(struct enc_crew *crew, uint64_t now_ms)
{
    uint64_t due_ms = crew->class->due_ms ? crew->class->due_ms(crew->self) : UINT64_MAX;
    uint64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 1;
    uint64_t nap_ms = left_ms < NAP_MAX_MS ? left_ms : NAP_MAX_MS;
    ENC_EDGE("crew", crew, NAME_OF(crew->sleeping, crew->called), "nap",
             NAME_OF(crew->sleeping + 1, crew->called));
    crew->sleeping++;
    if (due_ms == UINT64_MAX)
        uv_cond_wait(&crew->wake, &crew->lock);
    else
        (void)uv_cond_timedwait(&crew->wake, &crew->lock, nap_ms * 1000000);
    uint32_t calls =
        crew->called > 0; /* woken by the clock: who was called finds no sleeper less */
    ENC_EDGE("crew", crew, NAME_OF(crew->sleeping, crew->called), "up",
             NAME_OF(crew->sleeping - 1, crew->called - calls));
    crew->sleeping--;
    crew->called -= calls;
}

static void work_once(struct enc_crew *crew, struct enc_member *member)
{
    enc_pulse_beat(&member->pulse);
    crew->class->work(crew->self, member->index, ENC_CREW_NEXT);
    enc_pulse_beat(&member->pulse);
}

static void member_main(void *arg)
{
    struct enc_member *member = (struct enc_member *)arg;
    struct enc_crew *crew = member->crew;
    working_for = crew;
    enc_crew_lock(crew);
    for (;;) {
        uint64_t now_ms = crew->class->due_ms ? enc_crew_now_ms(crew) : 0;
        if (crew->class->choices(crew->self, now_ms) > 0)
            work_once(crew, member);
        else if (crew->is_ending)
            break;
        else
            nap(crew, now_ms);
    }
    enc_crew_unlock(crew);
}

static void threads_stop(struct enc_crew *crew)
{
    enc_crew_lock(crew);
    crew->is_ending = true;
    uv_cond_broadcast(&crew->wake);
    enc_crew_unlock(crew);
    for (uint32_t i = 0; i < crew->count; i++)
        ENC_CHECK(uv_thread_join(&crew->members[i].thread) == 0);
    free(crew->members);
}

static bool threads_start(struct enc_crew *crew)
{
    uint32_t wanted = crew->count;
    crew->count = 0;
    crew->members = (struct enc_member *)calloc(wanted, sizeof *crew->members);
    for (uint32_t i = 0; crew->members && i < wanted; i++) {
        crew->members[i] = (struct enc_member){.crew = crew, .index = i};
        if (uv_thread_create(&crew->members[i].thread, member_main, &crew->members[i]) != 0)
            break;
        crew->count++;
    }
    if (crew->count == wanted)
        return true;
    threads_stop(crew);
    return false;
}

static void threads_wake(struct enc_crew *crew)
{
    bool is_called = crew->sleeping > crew->called && !is_left_to_caller(crew);
    ENC_EDGE("crew", crew, NAME_OF(crew->sleeping, crew->called),
             is_called                        ? "call"
             : crew->sleeping == crew->called ? "skip"
                                              : "leave",
             NAME_OF(crew->sleeping, crew->called + is_called));
    if (!is_called)
        return; /* everybody is up or about to be, or need not be */
    crew->called++;
    crew->owed++;
}

static void threads_wait(struct enc_crew *crew)
{
    uv_cond_wait(&crew->settled, &crew->lock);
}

static const struct enc_crew_driver THREADS = {threads_start, threads_wake, threads_wait,
                                               threads_stop};

/* A simulation. */

static size_t source_choices(void *self, uint64_t now_ms)
{
    struct enc_crew *crew = (struct enc_crew *)self;
    enc_crew_lock(crew);
    size_t choices = crew->class->choices(crew->self, now_ms);
    enc_crew_unlock(crew);
    return choices;
}

static void source_run(void *self, size_t choice)
{
    struct enc_crew *crew = (struct enc_crew *)self;
    enc_crew_lock(crew);
    crew->class->work(crew->self, 0, choice);
    enc_crew_unlock(crew);
}

static uint64_t source_due_ms(void *self)
{
    struct enc_crew *crew = (struct enc_crew *)self;
    enc_crew_lock(crew);
    uint64_t due_ms = crew->class->due_ms ? crew->class->due_ms(crew->self) : UINT64_MAX;
    enc_crew_unlock(crew);
    return due_ms;
}

static bool sim_start(struct enc_crew *crew)
{
    crew->source = (struct enc_sim_source){source_choices, source_run, source_due_ms, crew, NULL};
    enc_sim_add(crew->sim, &crew->source);
    return true;
}

static void sim_wake(struct enc_crew *crew)
{
    (void)crew; /* the next step looks */
}

static void sim_wait(struct enc_crew *crew)
{
    enc_crew_unlock(crew);
    bool has_run = enc_sim_step(crew->sim);
    ENC_CHECK(has_run); /* else nobody can end the wait */
    enc_crew_lock(crew);
}

static void sim_stop(struct enc_crew *crew)
{
    while (source_choices(crew, enc_crew_now_ms(crew)) > 0)
        source_run(crew, 0);
    enc_sim_remove(crew->sim, &crew->source);
}

static const struct enc_crew_driver SIM = {sim_start, sim_wake, sim_wait, sim_stop};

/* Both. */

static void locks_fini(struct enc_crew *crew)
{
    uv_cond_destroy(&crew->settled);
    uv_cond_destroy(&crew->wake);
    uv_mutex_destroy(&crew->lock);
}

static bool locks_init(struct enc_crew *crew)
{
    if (uv_mutex_init(&crew->lock) != 0)
        return false;
    ENC_CHECK(uv_cond_init(&crew->wake) == 0);
    ENC_CHECK(uv_cond_init(&crew->settled) == 0);
    return true;
}

bool enc_crew_start(struct enc_crew *crew, const struct enc_crew_config *config)
{
    ENC_CHECK(config->count >= 1 && config->count <= 1024);
    *crew = (struct enc_crew){.class = config->class,
                              .self = config->self,
                              .clock = config->clock,
                              .driver = config->sim ? &SIM : &THREADS,
                              .count = config->count,
                              .sim = config->sim};
    if (!locks_init(crew))
        return false;
    if (crew->driver->start(crew))
        return true;
    locks_fini(crew);
    return false;
}

void enc_crew_wake(struct enc_crew *crew)
{
    crew->driver->wake(crew);
}

void enc_crew_wait(struct enc_crew *crew, bool (*is_settled)(void *self))
{
    while (!is_settled(crew->self))
        crew->driver->wait(crew);
}

void enc_crew_announce(struct enc_crew *crew)
{
    uv_cond_broadcast(&crew->settled);
}

void enc_crew_stop(struct enc_crew *crew)
{
    crew->driver->stop(crew);
    locks_fini(crew);
}

uint64_t enc_crew_beats(const struct enc_crew *crew, uint32_t index)
{
    ENC_CHECK(index < crew->count);
    return crew->members ? enc_pulse_read(&crew->members[index].pulse) : 0;
}
