/* The inbox of a loop: several threads post, each thread's tasks run once and in its order, on the loop's thread. */
#include "net/loop.h"

#include "net/server.h"
#include "proto/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POSTERS = 4, TASKS = 20000 };

struct ping {
    struct enc_task task; /* first */
    unsigned poster;
    unsigned number;
};

/* Touched by the loop's thread only; ThreadSanitizer would see another. */
static unsigned next_number[POSTERS];
static unsigned done_count;

static struct enc_loop loop;

static void take(struct enc_loop *taker, struct enc_task *task)
{
    struct ping *ping = (struct ping *)task;
    ENC_CHECK(taker == &loop);
    ENC_CHECK(ping->number == next_number[ping->poster]);
    next_number[ping->poster]++;
    done_count++;
    free(ping);
}

static void post_all(void *opaque)
{
    unsigned poster = *(unsigned *)opaque;
    for (unsigned i = 0; i < TASKS; i++) {
        struct ping *ping = enc_net_new(sizeof *ping);
        ping->task.run = take;
        ping->poster = poster;
        ping->number = i;
        enc_loop_post(&loop, &ping->task);
    }
}

static unsigned late_count;
static bool drains; /* before it stops, and a call is never answered */

static void take_late(struct enc_loop *taker, struct enc_task *task)
{
    (void)task;
    ENC_CHECK(taker == &loop);
    late_count++;
}

/* What is posted to a loop that stops is still taken, at the latest by who joins it. */
static void stop(struct enc_loop *self, struct enc_task *task)
{
    static struct enc_task late = {.run = take_late};
    (void)task;
    if (drains)
        enc_loop_drain(self);
    enc_loop_stop(self);
    enc_loop_post(self, &late);
}

static void play(void)
{
    static struct enc_server server;
    static struct enc_task last = {.run = stop};
    h2o_globalconf_t global;
    uv_thread_t threads[POSTERS];
    unsigned numbers[POSTERS];
    h2o_config_init(&global);
    h2o_config_register_host(&global, h2o_iovec_init(H2O_STRLIT("test")), 65535);
    enc_loop_init(&loop, &server, &global);
    loop.call_count = drains;
    enc_loop_start(&loop);
    for (unsigned i = 0; i < POSTERS; i++) {
        numbers[i] = i;
        ENC_CHECK(uv_thread_create(&threads[i], post_all, &numbers[i]) == 0);
    }
    for (unsigned i = 0; i < POSTERS; i++)
        uv_thread_join(&threads[i]);
    enc_loop_post(&loop, &last);
    enc_loop_join(&loop);
    ENC_CHECK(done_count == POSTERS * TASKS && late_count == 1);
    ENC_CHECK(enc_loop_fini(&loop));
    h2o_config_dispose(&global);
    printf("%u tasks of %u threads\n", done_count, POSTERS);
}

int main(void)
{
    play();
    memset(next_number, 0, sizeof next_number);
    memset(&loop, 0, sizeof loop);
    done_count = late_count = 0;
    drains = true;
    play();
    return 0;
}
