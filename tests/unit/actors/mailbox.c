#include "actors/mailbox.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct enc_mail *newest;

static void init(struct enc_mail *mails, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        enc_mail_init(&mails[i], i);
}

Test(mailbox, first_post_makes_an_owner)
{
    struct enc_mailbox box;
    struct enc_mail mails[2];
    init(mails, 2);
    enc_mailbox_init(&box, 10);
    cr_assert_eq(enc_mailbox_post(&box, &mails[0]), ENC_POSTED_OWNER);
    cr_assert_eq(enc_mailbox_post(&box, &mails[1]), ENC_POSTED);
    cr_assert_eq(enc_mailbox_depth(&box), 2);
}

Test(mailbox, take_is_oldest_first_and_leaves_it_owned)
{
    struct enc_mailbox box;
    struct enc_mail mails[4];
    init(mails, 4);
    enc_mailbox_init(&box, 10);
    for (int i = 0; i < 3; i++)
        cr_assert_neq(enc_mailbox_post(&box, &mails[i]), ENC_POSTED_FULL);
    struct enc_mail *list = enc_mailbox_take(&box, &newest);
    cr_assert_eq(newest, &mails[2]);
    for (int i = 0; i < 3; i++, list = list->next)
        cr_assert_eq(list, &mails[i]);
    cr_assert_null(list);
    cr_assert_null(enc_mailbox_take(&box, &newest));
    cr_assert_eq(enc_mailbox_post(&box, &mails[3]), ENC_POSTED);
}

Test(mailbox, give_up_fails_while_mail_waits)
{
    struct enc_mailbox box;
    struct enc_mail mails[2];
    init(mails, 2);
    enc_mailbox_init(&box, 10);
    cr_assert_eq(enc_mailbox_post(&box, &mails[0]), ENC_POSTED_OWNER);
    cr_assert_not(enc_mailbox_give_up(&box));
    cr_assert_eq(enc_mailbox_take(&box, &newest), &mails[0]);
    cr_assert(enc_mailbox_is_empty(&box));
    cr_assert(enc_mailbox_give_up(&box));
    cr_assert_eq(enc_mailbox_post(&box, &mails[1]), ENC_POSTED_OWNER);
}

Test(mailbox, claim_only_the_idle)
{
    struct enc_mailbox box;
    struct enc_mail mail;
    enc_mail_init(&mail, 0);
    enc_mailbox_init(&box, 10);
    cr_assert(enc_mailbox_claim(&box));
    cr_assert_not(enc_mailbox_claim(&box));
    cr_assert_eq(enc_mailbox_post(&box, &mail), ENC_POSTED);
    cr_assert_not(enc_mailbox_claim(&box));
    cr_assert_not(enc_mailbox_is_empty(&box));
}

Test(mailbox, full_changes_nothing)
{
    struct enc_mailbox box;
    struct enc_mail mails[4];
    init(mails, 4);
    enc_mailbox_init(&box, 2);
    cr_assert_eq(enc_mailbox_post(&box, &mails[0]), ENC_POSTED_OWNER);
    cr_assert_eq(enc_mailbox_post(&box, &mails[1]), ENC_POSTED);
    mails[2].next = &mails[3];
    cr_assert_eq(enc_mailbox_post(&box, &mails[2]), ENC_POSTED_FULL);
    cr_assert_eq(mails[2].next, &mails[3]);
    cr_assert_eq(enc_mailbox_depth(&box), 2);
    cr_assert_eq(enc_mailbox_post_always(&box, &mails[3]), ENC_POSTED);
    cr_assert_eq(enc_mailbox_depth(&box), 3);
}

Test(mailbox, room_comes_back_when_mail_is_settled_not_when_it_is_taken)
{
    struct enc_mailbox box;
    struct enc_mail mails[2];
    init(mails, 2);
    enc_mailbox_init(&box, 1);
    cr_assert_eq(enc_mailbox_post(&box, &mails[0]), ENC_POSTED_OWNER);
    cr_assert_eq(enc_mailbox_take(&box, &newest), &mails[0]);
    cr_assert_eq(enc_mailbox_post(&box, &mails[1]), ENC_POSTED_FULL);
    enc_mailbox_settle(&box, 1);
    cr_assert_eq(enc_mailbox_post(&box, &mails[1]), ENC_POSTED);
}

Test(mailbox, taking_from_the_idle_is_a_mistake, .signal = SIGABRT)
{
    struct enc_mailbox box;
    enc_mailbox_init(&box, 1);
    (void)!enc_mailbox_take(&box, &newest);
}

Test(mailbox, settling_too_much_is_a_mistake, .signal = SIGABRT)
{
    struct enc_mailbox box;
    enc_mailbox_init(&box, 1);
    enc_mailbox_settle(&box, 1);
}
