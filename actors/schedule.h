/**
 * What pool and actors offer to the rest of this room only. Every job that waits or runs and every
 * actor that is owned holds one *ticket* of the pool; the pool is quiet when all are back.
 */
#pragma once

#include "actors/directory.h"
#include "actors/meter.h"

/** Take a ticket. Any thread. False: the pool drains, nothing new may begin. */
ENC_MUST_USE bool enc_pool_enter(struct enc_pool *pool);

/** Take one more ticket while holding one, which therefore cannot be refused. */
void enc_pool_enter_again(struct enc_pool *pool);

/** Give a ticket back; what was done under it is seen by who finds the pool quiet. */
void enc_pool_leave(struct enc_pool *pool);

/** Queue a turn. The caller holds the ticket that it runs under. Any thread. */
void enc_pool_schedule(struct enc_pool *pool, struct enc_job *turn);

/** As enc_pool_schedule, by the worker that ran this very turn and looks at the queue next. */
void enc_pool_requeue(struct enc_pool *pool, struct enc_job *turn);

/** The clock of the pool's configuration. */
struct enc_clock enc_pool_clock(const struct enc_pool *pool);

/** The pool's meter. */
struct enc_meter *enc_pool_meter(struct enc_pool *pool);
const struct enc_meter *enc_pool_meter_of(const struct enc_pool *pool);

/** A thread begins, or ends, to run a function of the actor's class: checked never to be two. */
void enc_actor_enter(struct enc_actor *actor);
void enc_actor_exit(struct enc_actor *actor);

/** Give the right to run the actor up, as enc_mailbox_give_up. Only the owner. */
ENC_MUST_USE bool enc_actor_give_up(struct enc_actor *actor);

/** Count a post that was refused. Returns: ENC_ERR_BUSY */
ENC_MUST_USE enum enc_err enc_actor_refused(struct enc_pool *pool);

/**
 * What follows a post made under a ticket: give the ticket back, or, when the caller is the new
 * owner of the actor, pass both on: to a turn, or, while the mail is pending, to who makes it
 * ready. With no lock held. actor and mail are read only by a new owner.
 * Errors: ENC_ERR_BUSY when the mailbox was full
 */
ENC_MUST_USE enum enc_err enc_actor_posted(struct enc_pool *pool, enum enc_posted posted,
                                           struct enc_actor *actor, struct enc_mail *mail);

/** For the timers of a directory: its hash of keys, and its idle_ms. */
uint32_t enc_directory_hash(const struct enc_directory *directory, const uint8_t key32[32]);
uint32_t enc_directory_idle_ms(const struct enc_directory *directory);
