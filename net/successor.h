/**
 * Handing the listeners to a new process of ours. The successor is started with the listening
 * descriptors, so that no connection is refused while the two change places; it reads its
 * configuration, says that it is ready, and waits for the data directory, which one process at a
 * time has. Main thread.
 */
#pragma once

#include "net/inherit.h"

#include <sys/types.h>

/** The name under which the successor finds the descriptor that tells its predecessor. */
#define ENC_SUCCESSOR_PIPE "handover"

/** What a successor is given. */
struct enc_legacy {
    int fds[ENC_INHERIT_FDS_MAX];
    const char *names[ENC_INHERIT_FDS_MAX]; /* static */
    unsigned count;
};

/** Add one descriptor; it stays the caller's. False when there is no room. */
ENC_MUST_USE bool enc_legacy_add(struct enc_legacy *legacy, int fd, const char *name);

/**
 * Start the program at path with argv and our environment. On success *ready_fd becomes readable:
 * one byte when the successor is ready, nothing (end of file) when it has ended instead; the caller
 * closes it. Returns the process, -1 with errno when it could not be started.
 */
pid_t enc_successor_start(const struct enc_legacy *legacy, int *ready_fd, const char *path,
                          char *const *argv);

/** Successor: whether a predecessor waits for enc_successor_ready. */
bool enc_successor_is(const struct enc_inherit *inherit);

/** Successor: tell the predecessor that it may go. */
void enc_successor_ready(struct enc_inherit *inherit);
