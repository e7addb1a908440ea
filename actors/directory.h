/**
 * The directory: which actor stands for a key. An actor comes into memory with its first mail and
 * leaves it when it is idle; a key that sleeps costs nothing.
 */
#pragma once

#include "actors/actor.h"

struct enc_directory;

struct enc_directory_config {
    struct enc_pool *pool;
    const struct enc_actor_class *class;
    void *opaque; /* given to open and refuse */
    struct enc_actor_limits limits;
    uint32_t actors_max; /* live actors, at least 1 */
    uint32_t idle_ms;    /* without mail before an actor that may retire does; 0 = after its turn */
    uint64_t hash_seed;  /* unpredictable to those who choose keys */
};

/**
 * An empty directory; pool, class and opaque must outlive it. Errors: INTERNAL when memory is short
 */
ENC_MUST_USE enum enc_err enc_directory_open(struct enc_directory **out,
                                             const struct enc_directory_config *config);

/**
 * Post a mail to the actor of a key, bringing it into memory when it is not there (its open runs on
 * a worker). When actors_max are live the one that has been idle longest among some is retired in
 * its favour. Any thread.
 *
 * Errors: ENC_ERR_BUSY when depth_max mails wait for this actor, when it would be one too many and
 * none can retire, when memory is short, or when the pool drains; nothing changed, the mail stays
 * the caller's
 */
ENC_MUST_USE enum enc_err enc_directory_post(struct enc_directory *directory,
                                             const uint8_t key32[32], struct enc_mail *mail);

/**
 * As enc_directory_post, but a full mailbox takes it: for the end of something that was bounded
 * when it began (an answer that was waited for, a farewell). It still counts as a mail that waits.
 * Any thread.
 *
 * Errors: ENC_ERR_BUSY when the actor is not live and none can retire for it, when memory is short,
 * or when the pool drains; nothing changed, the mail stays the caller's
 */
ENC_MUST_USE enum enc_err enc_directory_post_always(struct enc_directory *directory,
                                                    const uint8_t key32[32], struct enc_mail *mail);

/**
 * Post one mail to every live actor, whatever its depth: the last word before a stop. make returns
 * the mail for a key, or NULL to pass over it; it is called with a lock held and must call nothing
 * of this room but enc_mail_init. Actors that come into memory meanwhile may be missed. Not once
 * the pool drains. Returns: how many were posted
 */
size_t enc_directory_post_all(struct enc_directory *directory,
                              struct enc_mail *(*make)(void *opaque, const uint8_t key32[32]),
                              void *opaque);

/** Live actors, those on their way out not counted. Any thread; a figure, not a promise. */
uint32_t enc_directory_count(const struct enc_directory *directory);

/**
 * Retire what has been idle for idle_ms at now_ms. Any thread. enc_timers does this for its
 * directory. Returns: when to call next, Unix ms; UINT64_MAX = never (idle_ms is 0)
 */
uint64_t enc_directory_sweep(struct enc_directory *directory, uint64_t now_ms);

/** The pool that the actors run on. */
struct enc_pool *enc_directory_pool(const struct enc_directory *directory);

/** Close the state of every actor and free all. The pool must be drained and not yet stopped. */
void enc_directory_close(struct enc_directory *directory);
