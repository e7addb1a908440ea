/**
 * Timers as mail: when one is due, its key's actor finds a mail. One thread of its own, which also
 * sweeps the directory for idle actors.
 */
#pragma once

#include "actors/directory.h"

struct enc_timers;

/**
 * The mail of a timer that was due. Its receiver (turn, or refuse of the class) gives it back with
 * enc_timer_mail_free. One that was replaced or cleared after it had been posted still arrives:
 * compare due_ms.
 */
struct enc_timer_mail {
    struct enc_mail mail; /* kind = mail_kind of the configuration */
    uint32_t timer_kind;  /* as set */
    uint64_t due_ms;      /* as set, Unix ms */
    uint8_t key32[32];
};

struct enc_timers_config {
    struct enc_directory *directory;
    uint32_t timers_max; /* set and not yet posted, at least 1 */
    uint32_t mail_kind;  /* kind of every timer mail */
    uint32_t retry_ms;   /* pause after a post that was refused, at least 1 */
};

/** Start the thread. Errors: INTERNAL when threads or memory cannot be had */
ENC_MUST_USE enum enc_err enc_timers_start(struct enc_timers **out,
                                           const struct enc_timers_config *config);

/**
 * Have a mail posted to key32 at due_ms (Unix ms; past = at once). Replaces what was set for the
 * same key and kind and not yet posted: the last set wins, be it earlier or later. Never early by
 * the clock; a post refused as BUSY is tried again after retry_ms until it is taken, the timer is
 * replaced, or it is cleared. Any thread, turns included.
 *
 * Errors: ENC_ERR_BUSY when timers_max are set or memory is short; nothing changed
 */
ENC_MUST_USE enum enc_err enc_timer_set(struct enc_timers *timers, const uint8_t key32[32],
                                        uint32_t timer_kind, uint64_t due_ms);

/** Forget what was set for this key and kind. Any thread. False: none waits, a mail may come. */
bool enc_timer_clear(struct enc_timers *timers, const uint8_t key32[32], uint32_t timer_kind);

/** Give a timer mail back. Any thread. */
void enc_timer_mail_free(struct enc_timer_mail *mail);

/** Timers set and not yet posted. Any thread. */
uint32_t enc_timers_count(struct enc_timers *timers);

/** End the thread, forget what was not posted, free. After the pool was drained: turns may set. */
void enc_timers_stop(struct enc_timers *timers);
