/** What the race tests share: counted checks, a deadline for the whole program, threads, keys. */
#pragma once

#include "actors/splitmix.h"
#include "proto/base/bytes.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static _Atomic unsigned race_passed;
static _Atomic unsigned race_failed;

/** One test case: ok, or failed with a line that says what. */
static inline void race_check(bool ok, const char *what)
{
    atomic_fetch_add(ok ? &race_passed : &race_failed, 1);
    if (!ok)
        fprintf(stderr, "failed: %s\n", what);
}

/** Count only what goes wrong: for what is looked at a million times. Any thread. */
static inline void race_expect(bool ok, const char *what)
{
    if (!ok)
        race_check(false, what);
}

/** The closing line; returns the exit status. */
static inline int race_end(void)
{
    printf("%u passed, %u failed, 0 skipped\n", race_passed, race_failed);
    return race_failed > 0;
}

/* What is lost is waited for in vain: the watchdog turns that into a failure. */
static inline void *race_watch(void *arg)
{
    sleep(*(const unsigned *)arg);
    race_check(false, "still not done: something was lost or starves");
    fflush(stdout);
    printf("%u passed, %u failed, 0 skipped\n", race_passed, race_failed);
    fflush(stdout);
    _exit(1);
}

/** Fail the program when it is not over after this many seconds. */
static inline void race_deadline(unsigned seconds)
{
    static unsigned limit;
    pthread_t thread;
    limit = seconds;
    if (pthread_create(&thread, NULL, race_watch, &limit) != 0)
        abort();
    pthread_detach(thread);
}

static inline uint64_t race_now_ms(void *self)
{
    struct timespec now;
    (void)self;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline void race_sleep_us(unsigned us)
{
    struct timespec pause = {0, (long)us * 1000};
    nanosleep(&pause, NULL);
}

/**
 * Let others run, at every sixteenth call: on a machine with much else to do a yield costs a slice
 * of everybody who waits for a processor.
 */
static inline void race_yield(void)
{
    static _Thread_local unsigned calls;
    if (calls++ % 16 == 0)
        sched_yield();
}

/** Start count threads, thread i with args + i * size. */
static inline void race_start(pthread_t *threads, size_t count, void *(*run)(void *), void *args,
                              size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, run, (char *)args + i * size) != 0)
            abort();
}

static inline void race_join(const pthread_t *threads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/** The key with this number. */
static inline void race_key(uint8_t key32[32], uint32_t number)
{
    memset(key32, 0, 32);
    enc_be32_put(key32 + 8, number);
}

/**
 * Whether only this caller is inside; pairs with race_exit. Catches two owners without TSan.
 * relaxed both: anything more would order the owners itself and hide from TSan that nothing else
 * does
 */
static inline void race_enter(_Atomic int *inside, const char *what)
{
    race_expect(atomic_fetch_add_explicit(inside, 1, memory_order_relaxed) == 0, what);
}

static inline void race_exit(_Atomic int *inside)
{
    atomic_fetch_sub_explicit(inside, 1, memory_order_relaxed);
}
