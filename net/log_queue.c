#include "net/log_queue.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum { STEP_MS = 100 };

/* Half of it fills while the other half is written. */
struct half {
    char *text;
    _Atomic size_t len;     /* bytes that are whole lines */
    _Atomic size_t written; /* of them */
};

static struct {
    uv_mutex_t lock;
    uv_cond_t fed;
    uv_thread_t thread;
    struct half halves[2];
    _Atomic unsigned filling; /* which half */
    uint64_t untold;          /* dropped, and nobody was told yet */
    bool is_stopping;
    uint64_t stop_at_ms;
    int fd;
    void (*told)(uint64_t lines);
    _Atomic bool is_open;
    _Atomic bool is_crashing;
    _Atomic uint64_t taken, dropped;
} queue;

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A pipe that polls writable takes PIPE_BUF bytes without waiting. Returns how many of len bytes
 * were written: 0 when the reader was slow for a step. */
static size_t write_some(int fd, const char *data, size_t len)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    if (poll(&poll_fd, 1, STEP_MS) <= 0)
        return 0;
    ssize_t done = write(fd, data, len < PIPE_BUF ? len : PIPE_BUF);
    if (done < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : len; /* or nobody listens */
    return (size_t)done;
}

bool enc_log_write_within(int fd, const char *data, size_t len, unsigned patience_ms)
{
    uint64_t end_ms = now_ms() + patience_ms;
    while (len > 0) {
        size_t done = write_some(fd, data, len);
        data += done;
        len -= done;
        if (len > 0 && now_ms() >= end_ms)
            return false;
    }
    return true;
}

/* ---- the queue's thread ---- */

/* The half that has filled, empty when it is time to end. */
static struct half *next_half(uint64_t *untold)
{
    uv_mutex_lock(&queue.lock);
    /* relaxed here and below: the lock orders; atomic for the sake of a crash */
    unsigned filling = atomic_load_explicit(&queue.filling, memory_order_relaxed);
    struct half *half = &queue.halves[filling];
    while (atomic_load_explicit(&half->len, memory_order_relaxed) == 0 && !queue.is_stopping)
        uv_cond_wait(&queue.fed, &queue.lock);
    *untold = queue.untold;
    queue.untold = 0;
    atomic_store_explicit(&queue.halves[!filling].written, 0, memory_order_relaxed);
    atomic_store_explicit(&queue.halves[!filling].len, 0, memory_order_relaxed);
    atomic_store_explicit(&queue.filling, !filling, memory_order_relaxed);
    uv_mutex_unlock(&queue.lock);
    return half;
}

static bool must_give_up(void)
{
    uv_mutex_lock(&queue.lock);
    bool is_late = queue.is_stopping && now_ms() >= queue.stop_at_ms;
    uv_mutex_unlock(&queue.lock);
    return is_late;
}

static void write_half(struct half *half)
{
    size_t len = atomic_load_explicit(&half->len, memory_order_relaxed);
    size_t at = 0;
    while (at < len && !must_give_up()) {
        /* relaxed: whoever crashes writes from here, a line more or less */
        while (atomic_load_explicit(&queue.is_crashing, memory_order_relaxed))
            pause();
        at += write_some(queue.fd, half->text + at, len - at);
        atomic_store_explicit(&half->written, at, memory_order_relaxed);
    }
}

static void run(void *opaque)
{
    (void)opaque;
    uint64_t untold;
    for (;;) {
        struct half *half = next_half(&untold);
        if (atomic_load_explicit(&half->len, memory_order_relaxed) == 0)
            return;
        write_half(half);
        if (untold > 0)
            queue.told(untold);
        if (must_give_up())
            return;
    }
}

/* ---- from outside ---- */

bool enc_log_queue_start(int fd, void (*told)(uint64_t lines))
{
    queue.fd = fd;
    queue.told = told;
    queue.is_stopping = false;
    for (unsigned i = 0; i < 2; i++) {
        if (!queue.halves[i].text)
            queue.halves[i].text = malloc(ENC_LOG_QUEUE_LEN / 2);
        if (!queue.halves[i].text)
            return false;
        atomic_store_explicit(&queue.halves[i].len, 0, memory_order_relaxed);
    }
    ENC_CHECK(uv_mutex_init(&queue.lock) == 0 && uv_cond_init(&queue.fed) == 0);
    if (uv_thread_create(&queue.thread, run, NULL) != 0)
        return false;
    /* release: whoever sees it open sees the lock made */
    atomic_store_explicit(&queue.is_open, true, memory_order_release);
    return true;
}

static enum enc_log_put append(struct half *half, const char *line, size_t len)
{
    size_t at = atomic_load_explicit(&half->len, memory_order_relaxed);
    bool fits = len <= ENC_LOG_QUEUE_LEN / 2 - at;
    if (fits) {
        memcpy(half->text + at, line, len);
        /* release: a crash that sees the length sees the line */
        atomic_store_explicit(&half->len, at + len, memory_order_release);
    } else {
        queue.untold++;
    }
    atomic_fetch_add_explicit(fits ? &queue.taken : &queue.dropped, 1, memory_order_relaxed);
    if (fits && at == 0)
        uv_cond_signal(&queue.fed);
    return fits ? ENC_LOG_TAKEN : ENC_LOG_DROPPED;
}

enum enc_log_put enc_log_queue_put(const char *line, size_t len)
{
    /* acquire: pairs with the release of start */
    if (!atomic_load_explicit(&queue.is_open, memory_order_acquire))
        return ENC_LOG_CLOSED;
    uv_mutex_lock(&queue.lock);
    enum enc_log_put put = append(
        &queue.halves[atomic_load_explicit(&queue.filling, memory_order_relaxed)], line, len);
    uv_mutex_unlock(&queue.lock);
    return put;
}

uint64_t enc_log_queue_taken(void)
{
    return atomic_load_explicit(&queue.taken, memory_order_relaxed); /* stands alone */
}

uint64_t enc_log_queue_dropped(void)
{
    return atomic_load_explicit(&queue.dropped, memory_order_relaxed); /* stands alone */
}

void enc_log_queue_stop(unsigned patience_ms)
{
    /* acquire: pairs with start */
    if (!atomic_load_explicit(&queue.is_open, memory_order_acquire))
        return;
    uv_mutex_lock(&queue.lock);
    queue.is_stopping = true;
    queue.stop_at_ms = now_ms() + patience_ms;
    uv_cond_signal(&queue.fed);
    uv_mutex_unlock(&queue.lock);
    uv_thread_join(&queue.thread);
    atomic_store_explicit(&queue.is_open, false, memory_order_relaxed);
    uv_cond_destroy(&queue.fed);
    uv_mutex_destroy(&queue.lock);
    for (unsigned i = 0; i < 2; i++) {
        free(queue.halves[i].text);
        queue.halves[i].text = NULL;
    }
}

void enc_log_queue_crash(unsigned patience_ms)
{
    if (!atomic_load_explicit(&queue.is_open, memory_order_acquire))
        return;
    atomic_store_explicit(&queue.is_crashing, true, memory_order_relaxed);
    unsigned filling = atomic_load_explicit(&queue.filling, memory_order_relaxed);
    for (unsigned i = 0; i < 2; i++) {
        const struct half *half = &queue.halves[i == 0 ? !filling : filling];
        /* acquire: pairs with append */
        size_t len = atomic_load_explicit(&half->len, memory_order_acquire);
        size_t at = atomic_load_explicit(&half->written, memory_order_relaxed);
        if (at < len && !enc_log_write_within(queue.fd, half->text + at, len - at, patience_ms))
            return;
    }
}
