/** A data directory that nobody has open, for the commands that ask no node: fsck and project. */
#pragma once

#include "net/encctl/ctl.h"
#include "store/store.h"

struct enc_offline {
    struct enc_data *data;
    uint8_t node_pub32[32]; /* of the node that it belongs to */
};

/** Whether dir is a data directory at all; says so when it is not. */
ENC_MUST_USE bool enc_offline_is_data(const char *dir);

/**
 * Open it. The node's key is --key, else the one in the directory: only its public half is needed.
 * Says what is wrong. Returns: OK, and enc_offline_close follows; USAGE, REFUSED
 */
ENC_MUST_USE enum enc_exit enc_offline_open(struct enc_offline *out, const struct enc_ctl *ctl,
                                            const char *dir);
void enc_offline_close(struct enc_offline *offline);
