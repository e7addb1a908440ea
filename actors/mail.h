/**
 * Mail: what is posted to an actor. The header stands first in the sender's own message, so that
 * posting allocates nothing. A mail belongs to its sender until a post returned OK, then to the
 * mailbox, then to the turn that took it.
 */
#pragma once

#include "proto/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct enc_actor;

/**
 * Whether a turn may have the mail. AWAITED is the room's own: PENDING, and its actor sleeps until
 * it is ready.
 */
enum enc_readiness { ENC_MAIL_READY, ENC_MAIL_PENDING, ENC_MAIL_AWAITED };

struct enc_mail {
    struct enc_mail *next;        /* the room's while posted, the turn's once it took the mail */
    struct enc_actor *awaited_by; /* the room's */
    _Atomic uint32_t readiness;   /* enum enc_readiness */
    uint32_t kind;                /* the sender's own enumeration; the room never reads it */
};

/** A mail that a turn may have as soon as its place in the order has come. */
static inline void enc_mail_init(struct enc_mail *mail, uint32_t kind)
{
    mail->next = NULL;
    mail->awaited_by = NULL;
    mail->kind = kind;
    atomic_init(&mail->readiness, ENC_MAIL_READY);
}

/**
 * A mail that keeps its place in the order of arrival while it is still being prepared elsewhere,
 * as a rule by a job. No turn gets it, nor any mail behind it, before enc_mail_ready. Every pending
 * mail that was posted must be made ready, also when its preparation could not even be submitted:
 * the message then says so to its turn.
 */
static inline void enc_mail_init_pending(struct enc_mail *mail, uint32_t kind)
{
    enc_mail_init(mail, kind);
    atomic_init(&mail->readiness, ENC_MAIL_PENDING);
}

/**
 * The preparation of a pending mail is done; what was written into the message before this call is
 * seen by the turn. Schedules the actor when it sleeps on this mail. Any thread, exactly once per
 * pending mail, before or after its post; the caller must not touch the mail afterwards.
 */
void enc_mail_ready(struct enc_mail *mail);
