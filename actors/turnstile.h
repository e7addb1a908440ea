/**
 * A turnstile: of all who come with one key, the first goes through and the others wait until it
 * leaves; then they are handed back and may come again. For work that must not be done twice at the
 * same time. Takes no memory: who comes brings a pass of their own.
 */
#pragma once

#include "actors/queue.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

struct enc_turnstile;

/** Who comes: key32 is filled in before, the rest is the turnstile's until the pass is back. */
struct enc_pass {
    struct enc_link link; /* first; one behind the other while they wait */
    uint8_t key32[32];
    struct enc_pass *chain;   /* of those who went through, in their bucket */
    struct enc_queue waiting; /* for this one to leave */
};

struct enc_turnstile_config {
    uint32_t waiting_max; /* passes that wait, of all keys together */
    uint64_t hash_seed;   /* random: keys may be chosen by strangers */
};

/** Errors: INTERNAL when memory or a lock cannot be had */
ENC_MUST_USE enum enc_err enc_turnstile_open(struct enc_turnstile **out,
                                             const struct enc_turnstile_config *config);

/**
 * Come with a key. *is_first: go through, and leave later. Otherwise the pass waits and must not be
 * touched any more, not even when this returns: it may be back and gone already. Any thread.
 *
 * Errors: ENC_ERR_BUSY when it would have to wait and waiting_max do; it stays the caller's
 */
ENC_MUST_USE enum enc_err enc_turnstile_enter(struct enc_turnstile *turnstile, bool *is_first,
                                              struct enc_pass *pass);

/**
 * Leave; once, only who went through. Any thread.
 *
 * Returns: the links of those who waited for it, oldest first, linked through next; NULL: nobody.
 * They are the caller's from here on, and the next of the key to enter is a first again
 */
ENC_MUST_USE struct enc_link *enc_turnstile_leave(struct enc_turnstile *turnstile,
                                                  struct enc_pass *pass);

/** Free it; nobody is inside (checked). NULL is allowed. */
void enc_turnstile_close(struct enc_turnstile *turnstile);
