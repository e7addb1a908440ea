/**
 * Lines on their way to a descriptor. Whoever puts one copies it under a short lock and goes on; a
 * thread of the queue's own writes, and only as much as the descriptor takes at once, so that it
 * can always be stopped. One queue per process.
 */
#pragma once

#include "proto/base/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENC_LOG_QUEUE_LEN = 1 << 20 };

/** Begin to queue for fd. told is called on the queue's thread with how many lines were dropped,
 * once others have been written again. False when there is no memory or thread. Main thread. */
ENC_MUST_USE bool enc_log_queue_start(int fd, void (*told)(uint64_t lines));

enum enc_log_put {
    ENC_LOG_CLOSED, /* not started; nothing was done */
    ENC_LOG_TAKEN,
    ENC_LOG_DROPPED, /* it did not fit, and is counted */
};

/** Take a whole line. Any thread. */
ENC_MUST_USE enum enc_log_put enc_log_queue_put(const char *line, size_t len);

/** Lines taken and dropped since the start. Any thread. */
uint64_t enc_log_queue_taken(void);
uint64_t enc_log_queue_dropped(void);

/** Write what waits, for patience_ms at most, and end. Main thread. */
void enc_log_queue_stop(unsigned patience_ms);

/**
 * Write what waits from inside a crash, without lock or allocation, for patience_ms at most; the
 * queue's thread does no more. A line that is just being put is lost, one that is just being
 * written may come twice.
 */
void enc_log_queue_crash(unsigned patience_ms);

/** Write len bytes to fd without waiting for its reader longer than patience_ms. False when it took
 * too long; a reader that is gone takes everything. Any thread, also in a signal handler. */
bool enc_log_write_within(int fd, const char *data, size_t len, unsigned patience_ms);
