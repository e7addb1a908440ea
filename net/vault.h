/**
 * Memory for secrets: pages of their own between two that nobody may touch, kept out of swap, core
 * dumps and children. Main thread; what lies inside may be read by any.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

/** An open vault, or a zeroed one. */
struct enc_vault {
    void *room; /* zeroed at first, aligned to a page */
    size_t room_len;
    bool is_locked; /* false: the limit of locked memory forbids it, so a swap could see it */
};

/**
 * Get room for len bytes, rounded up to whole pages. False when there is no memory, or when the
 * kernel does not know how to leave the pages out of dumps and forks.
 */
ENC_MUST_USE bool enc_vault_open(struct enc_vault *vault, size_t len);

/** Whether the room may be written; it may at first. A write while it may not ends the process. */
void enc_vault_permit(const struct enc_vault *vault, bool is_writable);

/** Wipe the room and give it back. Nothing happens to a zeroed vault. */
void enc_vault_close(struct enc_vault *vault);
