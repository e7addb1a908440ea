/**
 * What the service manager is told (sd_notify(3)): one datagram per change of state, to the socket
 * that NOTIFY_SOCKET names. Without one nothing is sent. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct enc_notify {
    int fd;          /* -1: nobody listens */
    bool is_watched; /* WATCHDOG_USEC is ours: enc_notify_alive is waited for */
};

/**
 * Connect to the socket of the environment, if there is one. Takes WATCHDOG_PID out of the
 * environment: the watchdog goes with the socket to a successor.
 */
void enc_notify_open(struct enc_notify *notify);

void enc_notify_close(struct enc_notify *notify);

/** It serves: after the start and after each reload. */
void enc_notify_ready(const struct enc_notify *notify);

/** It reads its configuration again; enc_notify_ready follows. */
void enc_notify_reloading(const struct enc_notify *notify);

/** It stops, and may take timeout_ms for that whatever the unit says. */
void enc_notify_stopping(const struct enc_notify *notify, uint64_t timeout_ms);

/** Another process serves from now on, and tells by itself when it is ready. */
void enc_notify_succeeded(const struct enc_notify *notify, pid_t successor);

/** It is not stuck; nothing is sent when nobody watches. */
void enc_notify_alive(const struct enc_notify *notify);
