/**
 * Timers as mail: when one is due, its key's actor finds a mail. One thread of its own, which also
 * sweeps the directory for idle actors.
 *
 * Some kinds may be kept by somebody else as well, as a rule in a store, in any number. Of these
 * the table holds those that are due next: there is a horizon, and what is kept and due before it
 * is in the table. When there is no room the later half is forgotten, which brings the horizon
 * nearer; when it comes near the keeper is asked to offer all it has again.
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

enum enc_refill { ENC_REFILL_MORE, ENC_REFILL_DONE, ENC_REFILL_FAILED };

/** Who keeps timers. */
struct enc_timer_keeper {
    /**
     * Offer (enc_timer_offer) the next few of all that is kept; is_first: from the start. MORE: is
     * called again for the next. DONE: that were all. FAILED: is called again after pause_ms. On
     * the timers' thread, which posts nothing meanwhile.
     */
    enum enc_refill (*refill)(void *self, bool is_first);
    void *self;
    uint32_t kinds;    /* those that are kept: bit 1 << kind */
    uint32_t ahead_ms; /* how long before the horizon a refill begins */
    uint32_t pause_ms; /* least pause between two of them */
};

struct enc_timers_config {
    struct enc_directory *directory;
    uint32_t timers_max; /* set and not yet posted, at least 1; with a keeper more than twice as
                            many as there may be of the kinds it does not keep */
    uint32_t mail_kind;  /* kind of every timer mail */
    uint32_t retry_ms;   /* pause after a post that was refused, at least 1 */
    struct enc_timer_keeper keeper; /* all zero: nobody */
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
 * One of a kind that is kept must be with its keeper before; it may be forgotten for a while.
 *
 * Errors: ENC_ERR_BUSY when timers_max are set or memory is short, never for a kind that is kept;
 * nothing changed
 */
ENC_MUST_USE enum enc_err enc_timer_set(struct enc_timers *timers, const uint8_t key32[32],
                                        uint32_t timer_kind, uint64_t due_ms);

/**
 * Set what the keeper has, unless it is due behind the horizon or there is an earlier one. What has
 * changed while it was read may come at its former time as well. From refill.
 */
void enc_timer_offer(struct enc_timers *timers, const uint8_t key32[32], uint32_t timer_kind,
                     uint64_t due_ms_kept);

/** Begin a refill: the keeper has some that were never set here. Once, any thread. */
void enc_timers_refill(struct enc_timers *timers);

/** Forget what was set for this key and kind. Any thread. False: none waits, a mail may come. */
bool enc_timer_clear(struct enc_timers *timers, const uint8_t key32[32], uint32_t timer_kind);

/** Give a timer mail back. Any thread. */
void enc_timer_mail_free(struct enc_timer_mail *mail);

/** Timers set and not yet posted. Any thread. */
uint32_t enc_timers_count(struct enc_timers *timers);

/** End the thread, forget what was not posted, free. After the pool was drained: turns may set. */
void enc_timers_stop(struct enc_timers *timers);

/** The pulse of the timers' thread (pulse.h). Any thread. */
uint64_t enc_timers_beats(const struct enc_timers *timers);
