/**
 * The watchdog: looks at the pulse of every thread that serves and tells which of them have been at
 * one piece of work for too long. It can only look and tell; what to do is up to who runs the node
 * (deploy/runbook.md).
 */
#pragma once

#include "services/host.h"

struct enc_watchdog;

/** For so many threads. */
struct enc_watchdog *enc_watchdog_new(size_t count);
void enc_watchdog_free(struct enc_watchdog *watchdog);

/**
 * Compare with the look before. A thread that has been at the same work for limit_ms or longer is
 * stuck: that, and its recovery, are logged and counted once. Always the same threads in the same
 * order; one caller.
 */
void enc_watchdog_look(struct enc_watchdog *watchdog, const struct enc_thread_pulse *pulses,
                       uint64_t now_ms, uint64_t limit_ms);

/**
 * {"status":"ok"}, or {"status":"stuck","threads":["writer 0",...]}, cut to len. Returns whether no
 * thread is stuck. Any thread.
 */
bool enc_watchdog_json(const struct enc_watchdog *watchdog, char *out, size_t len);
