/**
 * Actors: state that one thread at a time works on, driven by mail. An actor runs in *turns* on the
 * workers of a pool; between two turns of one actor other actors and jobs get their share.
 */
#pragma once

#include "actors/mail.h"
#include "actors/mailbox.h"
#include "actors/pool.h"

#include <stddef.h>

/** How a turn ends. */
enum enc_turn {
    ENC_TURN_DONE, /* ready for the next mail */
    ENC_TURN_PARK  /* no turn before enc_actor_resume; the actor stays owned, posts pile up */
};

/**
 * What a turn is given: a prefix of the waiting mail, oldest first, all of it ready, at most
 * batch_max. What the turn does not take with enc_batch_next keeps its place ahead of all newer
 * mail and is offered again at the next turn.
 */
struct enc_batch {
    struct enc_mail *head;   /* use enc_batch_peek and enc_batch_next: more than count may follow */
    uint32_t count;          /* not taken yet */
    bool resumed;            /* the turn before ended with PARK; there may be no mail */
    uint32_t worker;         /* index of the worker that runs this turn */
    struct enc_actor *actor; /* for enc_actor_resume */
};

/** The oldest mail not taken yet, or NULL; it stays in the batch. */
static inline struct enc_mail *enc_batch_peek(const struct enc_batch *batch)
{
    return batch->count > 0 ? batch->head : NULL;
}

/** Take the oldest mail, or NULL when all are taken. It is the turn's from here on. */
static inline struct enc_mail *enc_batch_next(struct enc_batch *batch)
{
    struct enc_mail *mail = enc_batch_peek(batch);
    if (mail) {
        batch->head = mail->next;
        batch->count--;
        mail->next = NULL;
    }
    return mail;
}

/** What an actor is. Static storage. Functions run on workers, for one actor never two at once. */
struct enc_actor_class {
    /**
     * Make the state, *self not NULL; before the first turn, and before the next one after a close.
     * On an error the mail that waits is handed to refuse and the actor leaves memory; its next
     * mail tries again.
     */
    enum enc_err (*open)(void **self, void *opaque, const uint8_t key32[32]);

    /**
     * One turn: take mail from the batch, or finish what was parked, or both. A turn that was not
     * resumed and ends with DONE must have taken at least one mail. Must not block.
     */
    enum enc_turn (*turn)(void *self, struct enc_batch *batch);

    /** open failed with err: answer and free the mail, which is the callee's. */
    void (*refuse)(void *opaque, struct enc_mail *mail, enum enc_err err);

    /**
     * Whether the state may leave memory now. Asked after a turn when no mail waits. The answer
     * must be a function of the state alone: it is relied on until the next turn. NULL = never.
     */
    bool (*may_retire)(const void *self);

    /** Free the state. On a worker when the actor retires, on the closing thread at the end. */
    void (*close)(void *self);
};

/** How much an actor takes. */
struct enc_actor_limits {
    uint32_t depth_max; /* mails waiting before a post is refused, at least 1 */
    uint32_t batch_max; /* mails of one turn, at least 1 */
};

/** One actor. The fields are the room's; the struct is open so that it can stand inside another. */
struct enc_actor {
    struct enc_job job; /* the actor's place among the pool's turns */
    struct enc_mailbox mailbox;
    const struct enc_actor_class *class;
    void *opaque;
    struct enc_pool *pool;
    bool (*rest)(struct enc_actor *actor); /* give up; false = mail came, still owned */
    void *self;                            /* NULL = no state; owner only, as all down to tail */
    struct enc_mail *head; /* taken from the mailbox, not yet handed out: oldest first */
    struct enc_mail *tail;
    uint32_t batch_max;
    _Atomic uint32_t parking;
    _Atomic uint32_t inside; /* threads in a function of the class: 0 or 1, checked */
    uint8_t key32[32];
};

/**
 * An idle actor without state in the caller's memory, outside any directory. Never retires. class,
 * opaque and pool must outlive it. key32 is copied and given to open.
 */
void enc_actor_init(struct enc_actor *actor, struct enc_pool *pool,
                    const struct enc_actor_class *class, void *opaque, const uint8_t key32[32]);

/** Set the limits of an actor that has had no mail yet. Before: depth_max 1024, batch_max 64. */
void enc_actor_limit(struct enc_actor *actor, const struct enc_actor_limits *limits);

/**
 * Post a mail to an actor outside any directory. Any thread.
 *
 * Errors: ENC_ERR_BUSY when depth_max mails wait or the pool drains; nothing changed, the mail
 * stays the caller's
 */
ENC_MUST_USE enum enc_err enc_actor_post(struct enc_actor *actor, struct enc_mail *mail);

/**
 * End the parking of an actor: its next turn comes with resumed set, and sees all that the caller
 * wrote before. Any thread, exactly once per PARK; may come before the turn that parks has
 * returned. The caller must not touch the actor afterwards.
 */
void enc_actor_resume(struct enc_actor *actor);

/**
 * The same, and if the turn was waited for it is run at once, on the caller's thread, and offered
 * no mail: for a caller to whom ending what was parked costs less than waking somebody for it. With
 * no lock held.
 */
void enc_actor_resume_here(struct enc_actor *actor);

/** Close the state of an actor outside any directory. The pool must be drained. */
void enc_actor_fini(struct enc_actor *actor);
