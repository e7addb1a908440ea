/**
 * What the process asks of the operating system once, at its start, and the two sources it has of
 * time and chance.
 */
#pragma once

#include "proto/base/bytes.h"

/**
 * No core dumps and no attaching debugger, because memory holds the node key; no SIGPIPE, no
 * SIGXFSZ. Main thread, first of all.
 */
void enc_process_seal(void);

/** Raise the limit of open files to what is allowed; returns it. Main thread. */
uint64_t enc_process_raise_files(void);

/** Processors this process may use, at least 1. */
unsigned enc_process_cpus(void);

/** Wall clock in Unix ms. Any thread. */
uint64_t enc_process_now_ms(void);

/** A clock that only goes forward, in ns. Any thread. */
uint64_t enc_process_now_ns(void);

/**
 * Fill with random bytes of the kernel; aborts when there are none. Any thread; may wait at boot
 * only.
 */
void enc_process_random(uint8_t *out, size_t len);

/** Fill with random bytes out of a stock of the thread: for names, not for secrets. len at most
 * 1024. Any thread. */
void enc_process_draw(uint8_t *out, size_t len);

/** Wall clock in Unix ns. Any thread. */
uint64_t enc_process_wall_ns(void);

/** Overwrite a secret so that no compiler removes it. Any thread. */
void enc_process_wipe(void *secret, size_t len);
