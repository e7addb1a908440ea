/**
 * The mailbox: one word that says who owns an actor, and the mail that waits for it.
 *
 *   IDLE   nobody owns it; the post that finds it so becomes the owner and must have it scheduled
 *   EMPTY  owned, nothing new
 *   else   owned, the newest of a list of mails linked through next, newest first
 *
 * Used by actor.c and directory.c; services post through actor.h or directory.h.
 */
#pragma once

#include "actors/mail.h"
#include "proto/base/check.h"

struct enc_mailbox {
    _Atomic uintptr_t word;
    _Atomic uint32_t depth; /* posted and not yet settled, what the owner holds back included */
    uint32_t depth_max;
};

enum enc_posted {
    ENC_POSTED_FULL, /* nothing changed, the mail is still the caller's */
    ENC_POSTED,      /* the owner will find it */
    ENC_POSTED_OWNER /* as ENC_POSTED, and the caller owns the actor now: schedule it */
};

/** An idle mailbox for at most depth_max waiting mails. */
void enc_mailbox_init(struct enc_mailbox *mailbox, uint32_t depth_max);

/** Append a mail. Any thread. */
ENC_MUST_USE enum enc_posted enc_mailbox_post(struct enc_mailbox *mailbox, struct enc_mail *mail);

/**
 * As enc_mailbox_post, but never full: for the few mails that must arrive, such as the last one
 * before a stop.
 */
ENC_MUST_USE enum enc_posted enc_mailbox_post_always(struct enc_mailbox *mailbox,
                                                     struct enc_mail *mail);

/**
 * Detach all new mail. Only the owner. Returns: list linked through next, oldest first, or NULL;
 * *newest is its last mail, unchanged when there is none.
 */
ENC_MUST_USE struct enc_mail *enc_mailbox_take(struct enc_mailbox *mailbox,
                                               struct enc_mail **newest);

/** The owner is done with count mails that it took: room for as many posts. Only the owner. */
void enc_mailbox_settle(struct enc_mailbox *mailbox, uint32_t count);

/**
 * Give the actor up. Only the owner, who must hold back no mail. False: new mail came, still owned.
 */
ENC_MUST_USE bool enc_mailbox_give_up(struct enc_mailbox *mailbox);

/** Become the owner of an idle mailbox without mail. Any thread. False: it has an owner. */
ENC_MUST_USE bool enc_mailbox_claim(struct enc_mailbox *mailbox);

/**
 * Whether the owner would find no new mail. Only the owner, with posting excluded, else the answer
 * is stale.
 */
ENC_MUST_USE bool enc_mailbox_is_empty(const struct enc_mailbox *mailbox);

/** Mails waiting now. Any thread; a figure, not a promise. */
uint32_t enc_mailbox_depth(const struct enc_mailbox *mailbox);
