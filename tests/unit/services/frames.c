#include "host_fixture.h"

#include "services/frame.h"
#include "services/sub.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(frames, .fini = fini);

enum { SOCKETS = 12 };

static struct enc_conn *conns[SOCKETS];

/** Live subscriptions of sockets that take nothing: what is queued for them can be looked at. */
static const uint8_t *subscribe_all(uint64_t seed, const char *const names[], size_t name_count)
{
    rig_open(&rig, seed);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    for (size_t i = 0; i < SOCKETS; i++) {
        conns[i] = rig_connect(&rig, NULL);
        rig_subscribe(conns[i], enclave32, names[i % name_count], "{}");
    }
    rig_settle(&rig);
    for (size_t i = 0; i < SOCKETS; i++) {
        cr_assert_eq(conn_count(conns[i], "EOSE", NULL), 1);
        conns[i]->is_slow = true;
    }
    return enclave32;
}

static void note(const uint8_t *enclave32)
{
    rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Note", "to all", NULL, 0});
    rig_settle(&rig);
}

/** What is queued for a socket behind the part that names its subscription. */
static const struct enc_frame *queued(size_t i)
{
    cr_assert_not_null(conns[i]->queue);
    cr_assert_not_null(conns[i]->queue->out.rest);
    return conns[i]->queue->out.rest;
}

static size_t lead_len(size_t i)
{
    return enc_frame_bytes(conns[i]->queue->out.frame).len;
}

Test(frames, clear_subscriptions_share_one_copy_of_an_event)
{
    const char *const names[] = {"s"};
    const uint8_t *enclave32 = subscribe_all(1, names, 1);
    note(enclave32);
    note(enclave32);
    for (size_t i = 1; i < SOCKETS; i++) {
        cr_assert_eq(queued(i), queued(0));
        cr_assert_eq(conns[i]->queue->out.frame, conns[0]->queue->out.frame);
        cr_assert_eq(conns[i]->queue->next->out.rest, conns[0]->queue->next->out.rest);
    }
    cr_assert_neq(conns[0]->queue->next->out.rest, queued(0));
    for (size_t i = 0; i < SOCKETS; i++)
        conns[i]->is_slow = false;
    rig_settle(&rig);
    for (size_t i = 0; i < SOCKETS; i++)
        cr_assert_eq(conn_count(conns[i], "Event", "s"), 2);
}

Test(frames, names_of_subscriptions_do_not_make_more_copies)
{
    const char *const names[] = {"a", "bb", "c\\\"c"};
    note(subscribe_all(2, names, 3)); /* the third as JSON spells it */
    for (size_t i = 0; i < SOCKETS; i++) {
        cr_assert_eq(queued(i), queued(0));
        cr_assert_lt(lead_len(i), 64);
        conns[i]->is_slow = false;
    }
    rig_settle(&rig);
    for (size_t i = 0; i < SOCKETS; i++)
        cr_assert_eq(conn_count(conns[i], "Event",
                                i % 3 == 0   ? "a"
                                : i % 3 == 1 ? "bb"
                                             : "c\"c"),
                     1);
}

Test(frames, a_closed_socket_leaves_the_copy_of_the_others_alone)
{
    const char *const names[] = {"s"};
    note(subscribe_all(3, names, 1));
    for (size_t i = 0; i + 1 < SOCKETS; i++)
        rig_disconnect(conns[i]);
    rig_settle(&rig);
    conns[SOCKETS - 1]->is_slow = false;
    rig_settle(&rig);
    cr_assert_eq(conn_count(conns[SOCKETS - 1], "Event", "s"), 1);
}

Test(frames, only_who_did_not_say_who_they_are_gets_public_ones)
{
    rig_open(&rig, 5);
    struct enc_exchange exchange = {.service = 0};
    struct enc_sub sub = {.exchange = &exchange};
    for (unsigned i = 0; i < enc_service_count(); i++) {
        exchange.service = i;
        bool is_chat = enc_service_at(i) == &ENC_SERVICE_CHAT;
        cr_assert_eq(enc_sub_is_public(&sub), !is_chat, "%s", enc_service_at(i)->name);
    }
    exchange.service = 0;
    exchange.reader.is_known = true;
    cr_assert_not(enc_sub_is_public(&sub));
    exchange.reader.is_known = false;
    exchange.dress.is_sealed = true;
    cr_assert_not(enc_sub_is_public(&sub));
}

Test(frames, events_are_marked_public_and_nothing_else_is)
{
    const char *const names[] = {"s"};
    note(subscribe_all(4, names, 1));
    for (size_t i = 0; i < SOCKETS; i++) {
        cr_assert_not_null(queued(i));
        cr_assert(conns[i]->queue->out.is_public);
    }
}
