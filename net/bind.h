/**
 * Listening descriptors, made by hand because libuv 1.44 knows no SO_REUSEPORT. Main thread, at
 * start.
 */
#pragma once

#include "net/address.h"

/** One listener of the process: where, and one bound descriptor per loop that serves it. */
struct enc_bind {
    struct enc_address address; /* as bound: port 0 replaced by the one picked */
    int *fds;
    unsigned count;
};

/** One line for people. */
struct enc_bind_fault {
    char text[384];
};

/**
 * Bind count descriptors to text (HOST:PORT). With more than one the kernel spreads connections
 * over them; that another process has the port is noticed nevertheless. False with the fault
 * filled when it cannot be had; nothing is open then.
 */
ENC_MUST_USE bool enc_bind_open(struct enc_bind *bind, struct enc_bind_fault *fault,
                                const char *text, unsigned count);

/**
 * Serve what another process has bound: fd_count listening stream sockets for count loops. Several
 * loops may share one of them. False with the fault filled when they are something else or more
 * than there are loops, because nobody would serve the rest; the descriptors are closed by
 * enc_bind_fini in any case.
 */
ENC_MUST_USE bool enc_bind_adopt(struct enc_bind *bind, struct enc_bind_fault *fault,
                                 const int *fds, unsigned fd_count, unsigned count);

/** Forget the descriptors, closing those that nobody took over (set to -1). */
void enc_bind_fini(struct enc_bind *bind);
