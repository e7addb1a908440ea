/** Which service serves which path. Filled at start, then only read: any thread. */
#pragma once

#include "services/host.h"

struct enc_config_list;

enum { ENC_MOUNT_TEXT_MAX = 64 };

struct enc_mounts {
    size_t count;
    char texts[ENC_SERVICE_MAX][ENC_MOUNT_TEXT_MAX]; /* "/" or "/name" */
    const char *paths[ENC_SERVICE_MAX]; /* the text, or NULL when the service is not served */
};

/** A path's service and the rest of the path below its mount, which begins with '/'. */
struct enc_mount_place {
    unsigned service;
    struct enc_bytes path;
};

/**
 * enc-node at the root, every other service at its name; only those of the list unless it is
 * empty.
 */
void enc_mounts_init(struct enc_mounts *mounts, const struct enc_config_list *only);

/** The longest mount that path lies in. False when there is none. */
ENC_MUST_USE bool enc_mounts_find(const struct enc_mounts *mounts, struct enc_mount_place *out,
                                  struct enc_bytes path);
