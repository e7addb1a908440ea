/** Taking connections: as many as wait, and none for a while when there is nothing to take them
 * with. */
#pragma once

#include "net/loop.h"

/**
 * Listen on fd, which the listener takes over. False with errno when it cannot. Main thread,
 * before the start.
 */
ENC_MUST_USE bool enc_listener_open(struct enc_listener *listener, struct enc_loop *loop, int fd);

/** What an open listener listens on; it stays the listener's. Any thread while it is open. */
int enc_listener_fd(const struct enc_listener *listener);

/** Take no more; closed ones stay closed. Its handles live until the loop has run once more. Loop
 * thread, or main thread when it has ended. */
void enc_listener_close(struct enc_listener *listener);
