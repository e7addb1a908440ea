#include "actors/mailbox.h"

#include "proto/base/edge.h"

/*
 * No wake-up is lost. All changes of the word are read-modify-write operations on one atomic, so
 * they have one order. A post either replaces IDLE, then it is this caller who schedules; or it
 * does not, then the word was owned at that moment and the owner's compare-exchange EMPTY -> IDLE
 * comes later in the order and fails, because the word now holds the mail.
 */

enum { EMPTY = 0, IDLE = 1 }; /* no mail has either address: mails are aligned */

#define NAME_OF(word) ((word) == IDLE ? "idle" : (word) == EMPTY ? "empty" : "list") /* for tests */

void enc_mailbox_init(struct enc_mailbox *mailbox, uint32_t depth_max)
{
    ENC_CHECK(depth_max > 0);
    atomic_init(&mailbox->word, IDLE);
    atomic_init(&mailbox->depth, 0);
    mailbox->depth_max = depth_max;
}

static enum enc_posted push(struct enc_mailbox *mailbox, struct enc_mail *mail)
{
    /* relaxed: only compared and stored as a link, never followed here */
    uintptr_t was = atomic_load_explicit(&mailbox->word, memory_order_relaxed);
    do {
        mail->next = was == IDLE ? NULL : (struct enc_mail *)was;
        /* release: the mail's bytes before its address, for the owner's take.
         * acquire: who replaces IDLE is owner at once, and must see what the last owner left.
         * relaxed on failure: was is only tried again */
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->word, &was, (uintptr_t)mail,
                                                    memory_order_acq_rel, memory_order_relaxed));
    ENC_EDGE("mailbox", mailbox, NAME_OF(was), "post", "list");
    return was == IDLE ? ENC_POSTED_OWNER : ENC_POSTED;
}

static bool take_place(struct enc_mailbox *mailbox)
{
    /* relaxed throughout: a bare count, the mail itself travels through the word */
    uint32_t depth = atomic_load_explicit(&mailbox->depth, memory_order_relaxed);
    do {
        if (depth >= mailbox->depth_max)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->depth, &depth, depth + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

enum enc_posted enc_mailbox_post(struct enc_mailbox *mailbox, struct enc_mail *mail)
{
    return take_place(mailbox) ? push(mailbox, mail) : ENC_POSTED_FULL;
}

enum enc_posted enc_mailbox_post_always(struct enc_mailbox *mailbox, struct enc_mail *mail)
{
    /* relaxed: a bare count, as in take_place */
    atomic_fetch_add_explicit(&mailbox->depth, 1, memory_order_relaxed);
    return push(mailbox, mail);
}

static struct enc_mail *reversed(struct enc_mail *newest)
{
    struct enc_mail *oldest = NULL;
    while (newest) {
        struct enc_mail *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

struct enc_mail *enc_mailbox_take(struct enc_mailbox *mailbox, struct enc_mail **newest)
{
    /* acquire: the bytes of every mail in the list; the posts between are read-modify-writes and
     * continue the release sequence of each one before. Nothing is published by writing EMPTY */
    uintptr_t was = atomic_exchange_explicit(&mailbox->word, EMPTY, memory_order_acquire);
    ENC_CHECK(was != IDLE);
    ENC_EDGE("mailbox", mailbox, NAME_OF(was), "take", "empty");
    if (was == EMPTY)
        return NULL;
    *newest = (struct enc_mail *)was;
    return reversed((struct enc_mail *)was);
}

void enc_mailbox_settle(struct enc_mailbox *mailbox, uint32_t count)
{
    /* relaxed: a bare count, as in take_place */
    uint32_t was = atomic_fetch_sub_explicit(&mailbox->depth, count, memory_order_relaxed);
    ENC_CHECK(was >= count);
}

static bool swap(struct enc_mailbox *mailbox, uintptr_t *was, uintptr_t to, memory_order order)
{
    /* relaxed on failure: nothing is concluded from the value found */
    return atomic_compare_exchange_strong_explicit(&mailbox->word, was, to, order,
                                                   memory_order_relaxed);
}

bool enc_mailbox_give_up(struct enc_mailbox *mailbox)
{
    uintptr_t was = EMPTY;
    /* release: the actor's state, for whoever replaces IDLE next */
    bool is_idle = swap(mailbox, &was, IDLE, memory_order_release);
    ENC_EDGE("mailbox", mailbox, NAME_OF(was), "give_up", NAME_OF(is_idle ? IDLE : was));
    return is_idle;
}

bool enc_mailbox_claim(struct enc_mailbox *mailbox)
{
    uintptr_t was = IDLE;
    /* acquire: what the last owner left */
    bool is_owned = swap(mailbox, &was, EMPTY, memory_order_acquire);
    ENC_EDGE("mailbox", mailbox, NAME_OF(was), "claim", NAME_OF(is_owned ? EMPTY : was));
    return is_owned;
}

bool enc_mailbox_is_empty(const struct enc_mailbox *mailbox)
{
    /* relaxed: the caller owns the mailbox and has excluded posting by a lock */
    return atomic_load_explicit(&mailbox->word, memory_order_relaxed) == EMPTY;
}

uint32_t enc_mailbox_depth(const struct enc_mailbox *mailbox)
{
    /* relaxed: a figure */
    return atomic_load_explicit(&mailbox->depth, memory_order_relaxed);
}
