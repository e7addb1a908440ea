/**
 * Descriptors that the process was started with, in the form of sd_listen_fds(3): LISTEN_PID,
 * LISTEN_FDS, LISTEN_FDNAMES. They come from a socket unit of systemd or from the process that we
 * succeed (net/successor.h). Main thread, before others start.
 */
#pragma once

#include "proto/base/check.h"

#include <stdbool.h>

enum { ENC_INHERIT_FDS_MAX = 128, ENC_INHERIT_FIRST_FD = 3 };

/** What was passed; a descriptor that somebody took is -1. */
struct enc_inherit {
    int fds[ENC_INHERIT_FDS_MAX];
    char names[ENC_INHERIT_FDS_MAX][16];
    unsigned count;
};

/**
 * Take what was passed to this very process and clear the variables, so that no child believes they
 * are for it. Descriptors beyond ENC_INHERIT_FDS_MAX are left alone.
 */
void enc_inherit_init(struct enc_inherit *inherit);

/**
 * Hand out the descriptors of that name, in their order; they are the caller's. Returns how many
 * there are, never more than max; what is beyond stays.
 */
unsigned enc_inherit_take(struct enc_inherit *inherit, int *fds, unsigned max, const char *name);

/** Close what nobody took; returns how many that were. */
unsigned enc_inherit_fini(struct enc_inherit *inherit);
