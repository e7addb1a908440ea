/**
 * A second process that starts successors. It is forked before anything else happens, so it holds
 * no secret, keeps the rights the node was started with, and is under none of the node's
 * restrictions; all it can do is start the program it was forked from, with descriptors that it is
 * given, and end what it started. It ends with its parent. Main thread.
 */
#pragma once

#include "net/successor.h"

/** Our end; a zeroed one is closed. */
struct enc_usher {
    int fd;
    bool is_open;
};

/** Fork it. argv and the environment of now are those of every successor. False with errno. */
ENC_MUST_USE bool enc_usher_open(struct enc_usher *usher, char *const *argv);

/** Start a successor: as enc_successor_start. */
pid_t enc_usher_start(const struct enc_usher *usher, const struct enc_legacy *legacy,
                      int *ready_fd);

/** Kill the successor that was started last. */
void enc_usher_end(const struct enc_usher *usher);

/** Let it end. */
void enc_usher_close(struct enc_usher *usher);
