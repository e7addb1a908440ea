#include "net/log_queue.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_LEN = 100, FLOOD = 3 * ENC_LOG_QUEUE_LEN / LINE_LEN };

static _Atomic uint64_t lines_told;

static void on_told(uint64_t lines)
{
    atomic_fetch_add(&lines_told, lines);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put_lines(unsigned count)
{
    char line[LINE_LEN + 1];
    for (unsigned i = 0; i < count; i++) {
        snprintf(line, sizeof line, "%0*u\n", LINE_LEN - 1, i);
        cr_assert_neq(enc_log_queue_put(line, LINE_LEN), ENC_LOG_CLOSED);
    }
}

/* Read all that the other end has; every line must be whole. Returns their number. */
static unsigned read_lines(int fd)
{
    FILE *file = fdopen(fd, "r");
    char line[2 * LINE_LEN];
    unsigned count = 0;
    for (; fgets(line, sizeof line, file); count++)
        cr_assert_eq(strlen(line), LINE_LEN, "%s", line);
    fclose(file);
    return count;
}

Test(log_queue, lines_come_out_whole_and_in_order)
{
    int fds[2];
    char line[2 * LINE_LEN];
    cr_assert_eq(enc_log_queue_put("x\n", 2), ENC_LOG_CLOSED, "not started");
    cr_assert_eq(pipe(fds), 0);
    cr_assert(enc_log_queue_start(fds[1], on_told));
    put_lines(500);
    enc_log_queue_stop(5000);
    close(fds[1]);
    FILE *file = fdopen(fds[0], "r");
    for (unsigned i = 0; i < 500; i++) {
        cr_assert_not_null(fgets(line, sizeof line, file), "line %u", i);
        cr_assert_eq(strtoul(line, NULL, 10), i);
    }
    cr_assert_null(fgets(line, sizeof line, file));
    fclose(file);
    cr_assert_eq(enc_log_queue_put("x\n", 2), ENC_LOG_CLOSED, "stopped");
}

Test(log_queue, a_reader_that_stalls_stalls_nobody, .timeout = 20)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    cr_assert(enc_log_queue_start(fds[1], on_told));
    double begun = seconds();
    put_lines(FLOOD);
    cr_assert_lt(seconds() - begun, 2.0);
    cr_assert_eq(enc_log_queue_taken() + enc_log_queue_dropped(), FLOOD);
    cr_assert_gt(enc_log_queue_dropped(), FLOOD / 3);
    begun = seconds();
    enc_log_queue_stop(300);
    cr_assert_lt(seconds() - begun, 2.0, "nor does it keep the process from ending");
    close(fds[0]);
    close(fds[1]);
}

static void *read_all(void *count)
{
    *(unsigned *)count = read_lines(STDIN_FILENO);
    return NULL;
}

Test(log_queue, what_was_dropped_is_told_when_the_reader_is_back, .timeout = 20)
{
    int fds[2];
    unsigned count = 0;
    pthread_t reader;
    cr_assert_eq(pipe(fds), 0);
    cr_assert(enc_log_queue_start(fds[1], on_told));
    put_lines(FLOOD);
    cr_assert_eq(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    close(fds[0]);
    cr_assert_eq(pthread_create(&reader, NULL, read_all, &count), 0);
    enc_log_queue_stop(10000);
    close(fds[1]);
    pthread_join(reader, NULL);
    cr_assert_eq(count, enc_log_queue_taken());
    cr_assert_eq(atomic_load(&lines_told), enc_log_queue_dropped());
    cr_assert_eq(count + enc_log_queue_dropped(), FLOOD);
}

Test(log_queue, a_reader_that_is_gone_costs_nothing)
{
    int fds[2];
    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(pipe(fds), 0);
    close(fds[0]);
    cr_assert(enc_log_queue_start(fds[1], on_told));
    put_lines(1000);
    double begun = seconds();
    enc_log_queue_stop(5000);
    cr_assert_lt(seconds() - begun, 2.0);
    close(fds[1]);
}

Test(log_queue, a_crash_writes_what_waits)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    cr_assert(enc_log_queue_start(fds[1], on_told));
    put_lines(50);
    enc_log_queue_crash(1000);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    cr_assert_geq(read_lines(fds[0]), 50U);
}
