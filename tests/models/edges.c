/*
 * The trace check: every ENC_EDGE of a running program against the rows of the models. A machine that
 * has a row from NONE is followed: where each of its instances is, is known here. The others tell
 * both states as one atomic operation found and left them. An edge that is no row, or that begins
 * where the instance is not, ends the program. ENC_EDGES_TO names a file that gets a line for each
 * row at its first taking, so that also a killed process has told.
 */
#include "proto/base/edge.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct row {
    const char *machine, *from, *event, *to;
};

static const struct row ROWS[] = {
#define EDGE(machine, from, event, to) {#machine, #from, #event, #to},
#include "tests/models/rows.def"
};

enum {
    ROW_COUNT = sizeof ROWS / sizeof *ROWS,
    CACHE = 1024,
    BUCKETS = 4096,
    STRIPES = 64,
    LINE_MAX = 160
};

/* Instances of the machines that are followed. */
struct instance {
    struct instance *next;
    const char *machine;
    const void *of;
    const char *state;
};

/* The list of a bucket is under the lock of its stripe. */
static struct instance *buckets[BUCKETS];
static pthread_mutex_t locks[STRIPES] = {[0 ... STRIPES - 1] = PTHREAD_MUTEX_INITIALIZER};
static _Atomic bool taken[ROW_COUNT];

/* ---- telling ---- */

static int open_file(void)
{
    const char *path = getenv("ENC_EDGES_TO");
    return path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
}

static int file_of_process(void)
{
    static _Atomic int file = -2; /* two threads may both open it, which costs a descriptor */
    int known = atomic_load(&file);
    if (known == -2)
        atomic_store(&file, known = open_file());
    return known;
}

static void tell(const char *what, const struct row *edge)
{
    char line[LINE_MAX];
    int len = snprintf(line, sizeof line, "%s %s %s %s %s\n", what, edge->machine, edge->from,
                       edge->event, edge->to);
    ssize_t told = write(file_of_process(), line, (size_t)len);
    (void)told; /* without a file there is nobody to tell */
}

_Noreturn static void refuse(const struct row *edge, const char *is)
{
    fprintf(stderr, "edge: %s %s --%s--> %s is not in the models (it is %s)\n", edge->machine,
            edge->from, edge->event, edge->to, is ? is : edge->from);
    tell("wrong", edge);
    abort();
}

/* ---- rows ---- */

static bool is_row(const struct row *row, const struct row *edge)
{
    return strcmp(row->machine, edge->machine) == 0 && strcmp(row->from, edge->from) == 0 &&
           strcmp(row->event, edge->event) == 0 && strcmp(row->to, edge->to) == 0;
}

static size_t find_row(const struct row *edge)
{
    size_t at = 0;
    while (at < ROW_COUNT && !is_row(&ROWS[at], edge))
        at++;
    return at;
}

/* Names are static, so equal pointers are equal names. */
static size_t row_of(const struct row *edge)
{
    static _Thread_local struct {
        struct row edge;
        size_t row;
    } cache[CACHE];
    uintptr_t hash = (uintptr_t)edge->machine * 31 + (uintptr_t)edge->from * 37 +
                     (uintptr_t)edge->event * 41 + (uintptr_t)edge->to * 43;
    size_t at = (hash ^ hash >> 11) % CACHE;
    if (memcmp(&cache[at].edge, edge, sizeof *edge) != 0) {
        cache[at].edge = *edge;
        cache[at].row = find_row(edge);
    }
    return cache[at].row;
}

static void take(const struct row *edge)
{
    size_t row = row_of(edge);
    if (row == ROW_COUNT)
        refuse(edge, NULL);
    if (!atomic_load_explicit(&taken[row], memory_order_relaxed) &&
        !atomic_exchange(&taken[row], true))
        tell("edge", edge);
}

static bool has_beginning(const char *machine)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(ROWS[i].machine, machine) == 0 && strcmp(ROWS[i].from, "NONE") == 0)
            return true;
    return false;
}

/* Asked a million times a second, mostly for the same. */
static bool is_followed(const char *machine)
{
    static _Thread_local const char *last;
    static _Thread_local bool is_last_followed;
    if (machine != last)
        is_last_followed = has_beginning(machine);
    last = machine;
    return is_last_followed;
}

/* ---- instances ---- */

static size_t bucket_of(const void *of)
{
    uintptr_t key = (uintptr_t)of;
    return (key >> 4 ^ key >> 16) % BUCKETS;
}

static struct instance **find(const char *machine, const void *of)
{
    struct instance **at = &buckets[bucket_of(of)];
    while (*at && ((*at)->of != of || strcmp((*at)->machine, machine) != 0))
        at = &(*at)->next;
    return at;
}

static void move_to(struct instance **at, const struct row *edge, const void *of)
{
    struct instance *instance = *at;
    if (strcmp(edge->to, "NONE") == 0) {
        if (instance)
            *at = instance->next;
        free(instance);
        return;
    }
    if (!instance) {
        instance = calloc(1, sizeof *instance);
        if (!instance)
            abort();
        instance->machine = edge->machine;
        instance->of = of;
        *at = instance;
    }
    instance->state = edge->to;
}

/* A new one may lie where one was that ended unseen. */
static void follow(struct row edge, const void *of)
{
    pthread_mutex_t *lock = &locks[bucket_of(of) % STRIPES];
    pthread_mutex_lock(lock);
    struct instance **at = find(edge.machine, of);
    const char *is = *at ? (*at)->state : "NONE";
    bool is_new = edge.from && strcmp(edge.from, "NONE") == 0;
    if (!edge.from)
        edge.from = is;
    if (!edge.to)
        edge.to = is;
    if (!is_new && strcmp(edge.from, is) != 0)
        refuse(&edge, is);
    take(&edge);
    move_to(at, &edge, of);
    pthread_mutex_unlock(lock);
}

void enc_edge(const char *machine, const void *of, const char *from, const char *event,
              const char *to)
{
    const struct row edge = {machine, from, event, to};
    if (!from || !to || strcmp(from, "NONE") == 0 || is_followed(machine))
        follow(edge, of);
    else
        take(&edge);
}

void enc_edge_list(const char *machine, const void *list, const char *event, const char *to)
{
    for (const void *at = list; at; at = *(const void *const *)at)
        enc_edge(machine, at, NULL, event, to);
}
