/*
 * Lines put by several threads while the reader stalls now and then and levels change: every line
 * comes out whole, those of one thread in order, and taken and dropped add up.
 */
#include "tests/race/race.h"

#include "net/log.h"
#include "net/log_queue.h"

enum { PUTTERS = 4, PUTS = 30000, LINE_LEN = 160, ROUNDS = 4 };

static int fds[2];
static _Atomic uint64_t told;
static uint64_t lines_seen;

static void on_told(uint64_t lines)
{
    atomic_fetch_add(&told, lines);
}

static void *put(void *arg)
{
    unsigned who = *(const unsigned *)arg;
    char line[LINE_LEN + 1];
    for (unsigned i = 0; i < PUTS; i++) {
        snprintf(line, sizeof line, "%u %0*u\n", who, LINE_LEN - 3, i);
        race_expect(enc_log_queue_put(line, LINE_LEN) != ENC_LOG_CLOSED, "it is open");
    }
    return NULL;
}

static void see(const char *line, uint64_t *last)
{
    unsigned who = (unsigned)(line[0] - '0');
    race_expect(who < PUTTERS && strlen(line) == LINE_LEN, "a line is whole");
    uint64_t number = strtoull(line + 2, NULL, 10);
    race_expect(who >= PUTTERS || last[who] <= number, "the lines of a thread are in order");
    if (who < PUTTERS)
        last[who] = number + 1;
    lines_seen++;
}

static void *read_lines(void *arg)
{
    FILE *file = fdopen(fds[0], "r");
    char line[2 * LINE_LEN];
    uint64_t last[PUTTERS] = {0};
    (void)arg;
    for (unsigned i = 0; fgets(line, sizeof line, file); i++) {
        see(line, last);
        if (i % 5000 == 0)
            race_sleep_us(20000);
    }
    fclose(file);
    return NULL;
}

static void *change_levels(void *arg)
{
    struct enc_log_levels levels = {{ENC_LOG_INFO}};
    (void)arg;
    for (unsigned i = 0; i < PUTS; i++) {
        levels.of[ENC_LOG_NET] = i % 2 ? ENC_LOG_DEBUG : ENC_LOG_ERROR;
        enc_log_levels_set(&levels);
        race_expect(enc_log_wants(ENC_HAPPENED_NOT_LISTENING), "errors are always wanted");
    }
    return NULL;
}

static void run_round(void)
{
    pthread_t putters[PUTTERS], reader, changer;
    unsigned numbers[PUTTERS] = {0, 1, 2, 3};
    uint64_t before = enc_log_queue_taken() + enc_log_queue_dropped();
    if (pipe(fds) != 0 || !enc_log_queue_start(fds[1], on_told))
        abort();
    race_start(&reader, 1, read_lines, NULL, 0);
    race_start(&changer, 1, change_levels, NULL, 0);
    race_start(putters, PUTTERS, put, numbers, sizeof numbers[0]);
    race_join(putters, PUTTERS);
    enc_log_queue_stop(60000);
    close(fds[1]);
    race_join(&reader, 1);
    race_join(&changer, 1);
    uint64_t after = enc_log_queue_taken() + enc_log_queue_dropped();
    race_check(after - before == (uint64_t)PUTTERS * PUTS, "every line was taken or dropped");
    race_check(lines_seen == enc_log_queue_taken(), "every line that was taken came out");
    race_check(atomic_load(&told) == enc_log_queue_dropped(), "every drop was told");
}

int main(void)
{
    race_deadline(120);
    for (unsigned i = 0; i < ROUNDS; i++)
        run_round();
    return race_end();
}
