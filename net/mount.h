/** Which service serves which host and path. Filled at start, then only read: any thread. */
#pragma once

#include "services/host.h"

struct enc_config;
struct enc_config_list;

enum { ENC_MOUNT_HOST_LEN_MAX = 253, ENC_MOUNT_TEXT_MAX = 264 };

struct enc_mounts {
    size_t count;
    char texts[ENC_SERVICE_MAX][ENC_MOUNT_TEXT_MAX];
    const char *paths[ENC_SERVICE_MAX]; /* "/", "/name" or "//host/"; NULL: not served */
    const struct enc_config_list *hosts[ENC_SERVICE_MAX]; /* instead of the path; may be empty */
};

/** What a request asks for: the Host field or :authority as it came, and the path. */
struct enc_mount_query {
    struct enc_bytes authority;
    struct enc_bytes path;
};

/** A request's service and the rest of the path below its mount, which begins with '/'. */
struct enc_mount_place {
    unsigned service;
    struct enc_bytes path;
};

/** Whether text may stand in services.<name>.hosts: a name or address without a port. */
ENC_MUST_USE bool enc_mount_host_is_valid(const char *text);

/**
 * enc-node at the root, every other service at its name, a service with hosts at the root of those
 * and nowhere else; only the services that are wanted, all if none is named. config must outlive
 * the mounts.
 *
 * Source: server.md, mounts
 */
void enc_mounts_init(struct enc_mounts *mounts, const struct enc_config *config);

/** The service of this host if there is one, else the longest mount that the path lies in. False
 * when there is none. */
ENC_MUST_USE bool enc_mounts_find(const struct enc_mounts *mounts, struct enc_mount_place *out,
                                  const struct enc_mount_query *query);
