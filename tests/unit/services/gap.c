#include "services/gap.h"

#include "sender.h"
#include "services/inside.h"
#include "timeline_fixture.h"

static struct rig rig;
static struct sender other;
static const uint8_t *own32;

static const char URI[] = "https://other.example/node/";

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(gap, .fini = fini);

static int answer(struct rig *unused, const struct enc_fetch *fetch, struct enc_bytes *body)
{
    (void)unused;
    return sender_answer(&other, fetch, body);
}

/* A timeline that follows the other node's enclave. */
static void make(uint64_t seed, const char *uri)
{
    timeline_open(&rig, seed);
    rig.answer_fetch = answer;
    own32 = timeline_create(&rig);
    sender_init(&other, &rig, "other");
    sender_follow(&other, own32, uri);
}

static struct enc_call *push(struct enc_bytes json)
{
    return rig_post(&rig, rig_path(&rig, own32, "/push"), json);
}

static void accepted(struct enc_bytes json, uint64_t count)
{
    struct enc_call *call = push(json);
    cr_assert_eq(call->status, 200, "%.300s", call->body);
    cr_assert_eq(json_u64(call_json(call), "accepted"), count);
}

static void comes_again(struct enc_bytes json)
{
    struct enc_call *call = push(json);
    cr_assert_eq(call->status, 503, "%.300s", call->body);
    cr_assert_gt(call->retry_s, 0);
}

static void skip(size_t count)
{
    for (size_t i = 0; i < count; i++)
        sender_pack_post(&other, "missed");
}

static size_t feed_count(void)
{
    return enc_json_get(timeline_get(&rig, own32, "/feed?limit=100"), "posts")->count;
}

static void counted(uint64_t closed, uint64_t given_up)
{
    struct enc_host_counts counts;
    enc_host_counts(rig.host, &counts);
    cr_assert_eq(counts.gaps_closed, closed);
    cr_assert_eq(counts.gaps_given_up, given_up);
}

Test(gap, what_is_missing_is_asked_for)
{
    make(1, URI);
    accepted(sender_pack_post(&other, "one"), 1);
    skip(1);
    struct enc_bytes third = sender_pack_post(&other, "three");
    comes_again(third);
    cr_assert_eq(feed_count(), 3, "the Pull brought both");
    accepted(third, 0);
    cr_assert_eq(other.asked_count, 1);
    counted(1, 0);
    accepted(sender_pack_post(&other, "four"), 1);
    rig_check(&rig);
}

Test(gap, the_question_goes_to_the_enclave_at_its_node)
{
    make(2, URI);
    rig.holds_fetches = true;
    skip(1);
    comes_again(sender_pack_post(&other, "two"));
    cr_assert_eq(rig.fetch_count, 1);
    const char *wanted =
        rig_text(&rig, "https://other.example/node/enclave/%s", rig_hex(&rig, other.enclave32, 32));
    cr_assert(enc_bytes_is(rig.fetches[0]->url, wanted));
    cr_assert_eq(rig.fetches[0]->url.data[rig.fetches[0]->url.len], '\0');
    cr_assert_gt(rig.fetches[0]->timeout_ms, 0);
}

Test(gap, a_long_gap_takes_several_pages)
{
    make(3, URI);
    skip(23);
    comes_again(sender_pack_post(&other, "last"));
    cr_assert_eq(feed_count(), 24);
    cr_assert_gt(other.asked_count, 5);
    counted(1, 0);
}

Test(gap, one_question_at_a_time)
{
    make(4, URI);
    rig.holds_fetches = true;
    skip(2);
    for (int i = 0; i < 5; i++)
        comes_again(sender_pack_post(&other, "early"));
    cr_assert_eq(rig.fetch_count, 1);
    rig.holds_fetches = false;
    rig_settle(&rig);
    cr_assert_geq(feed_count(), 3, "what the first of them asked for");
    counted(1, 0);
}

Test(gap, commits_go_on_meanwhile)
{
    make(5, URI);
    rig.holds_fetches = true;
    skip(1);
    comes_again(sender_pack_post(&other, "two"));
    rig_accept(&rig, &(struct draft){OWNER, own32, "Post", "{\"text\":\"own\"}", NULL, 0});
    rig.holds_fetches = false;
    rig_settle(&rig);
    cr_assert_eq(feed_count(), 3);
}

/* ---- what cannot be had ---- */

Test(gap, nobody_knows_the_node_so_the_gap_is_passed)
{
    make(10, NULL);
    skip(3);
    accepted(sender_pack_post(&other, "four"), 1);
    cr_assert_eq(other.asked_count, 0);
    counted(0, 1);
    accepted(sender_pack_post(&other, "five"), 1);
    counted(0, 1);
}

Test(gap, a_node_that_never_answers_is_given_up)
{
    static const int STATUSES[] = {0, 500, 404, 302};
    for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
        make(11 + i, URI);
        other.status = STATUSES[i];
        skip(3);
        struct enc_bytes fourth = sender_pack_post(&other, "four");
        for (int n = 0; n < 3; n++)
            comes_again(fourth);
        accepted(fourth, 1);
        cr_assert_eq(other.asked_count, 3);
        counted(0, 1);
        cr_assert_eq(feed_count(), 1);
        if (i + 1 < sizeof STATUSES / sizeof *STATUSES)
            rig_close(&rig);
    }
}

Test(gap, tries_are_remembered_over_a_restart)
{
    make(15, URI);
    other.status = 0;
    skip(1);
    struct enc_bytes second = sender_pack_post(&other, "two");
    comes_again(second);
    rig_restart(&rig);
    comes_again(second);
    rig_restart(&rig);
    comes_again(second);
    accepted(second, 1);
    cr_assert_eq(other.asked_count, 3);
}

Test(gap, a_node_that_comes_back_closes_it)
{
    make(16, URI);
    other.status = 0;
    skip(1);
    struct enc_bytes second = sender_pack_post(&other, "two");
    comes_again(second);
    comes_again(second);
    other.status = 200;
    comes_again(second);
    cr_assert_eq(feed_count(), 2);
    counted(1, 0);
    accepted(second, 0);
}

Test(gap, what_is_gone_is_given_up_and_the_rest_comes)
{
    make(17, URI);
    accepted(sender_pack_post(&other, "one"), 1);
    skip(5);
    other.gone_to = 4;
    struct enc_bytes last = sender_pack_post(&other, "seven");
    comes_again(last);
    cr_assert_eq(feed_count(), 4, "1, 5, 6 and 7");
    accepted(last, 0);
    counted(0, 1);
}

Test(gap, all_of_it_is_gone)
{
    make(18, URI);
    skip(5);
    struct enc_bytes last = sender_pack_post(&other, "six");
    other.gone_to = 6;
    comes_again(last);
    accepted(last, 1);
    counted(0, 1);
}

Test(gap, a_payload_that_is_not_sound_holds_up_only_itself)
{
    make(19, URI);
    skip(4);
    other.spoilt = 2;
    struct enc_bytes last = sender_pack_post(&other, "five");
    for (int i = 0; i < 2; i++)
        comes_again(last);
    cr_assert_eq(feed_count(), 1);
    comes_again(last);
    cr_assert_eq(feed_count(), 4, "all but the second");
    counted(0, 1);
    accepted(last, 0);
}

static int answer_badly(struct rig *unused, const struct enc_fetch *fetch, struct enc_bytes *body)
{
    static const char *const BODIES[] = {
        "",
        "{",
        "[]",
        "{\"type\":\"Response\"}",
        "{\"type\":\"Response\",\"content\":\"AAAA\"}",
        "{\"type\":\"Response\",\"content\":{\"deliveries\":[]}}",
    };
    (void)unused;
    (void)fetch;
    *body = enc_bytes_of_text(BODIES[other.asked_count++ % (sizeof BODIES / sizeof *BODIES)]);
    return 200;
}

Test(gap, an_answer_that_is_none_is_a_try_in_vain)
{
    make(20, URI);
    rig.answer_fetch = answer_badly;
    skip(1);
    struct enc_bytes second = sender_pack_post(&other, "two");
    for (int n = 0; n < 3; n++)
        comes_again(second);
    accepted(second, 1);
    skip(1);
    struct enc_bytes fourth = sender_pack_post(&other, "four");
    for (int n = 0; n < 3; n++)
        comes_again(fourth);
    accepted(fourth, 1);
    counted(0, 2);
}

Test(gap, a_url_that_may_not_be_called_is_not)
{
    make(21, "https://127.0.0.1/");
    skip(1);
    struct enc_bytes second = sender_pack_post(&other, "two");
    for (int n = 0; n < 3; n++)
        comes_again(second);
    cr_assert_eq(rig.fetches_started, 0);
    accepted(second, 1);
}

Test(gap, a_stop_while_it_is_asked_for_harms_nothing)
{
    make(22, URI);
    rig.holds_fetches = true;
    skip(1);
    struct enc_bytes second = sender_pack_post(&other, "two");
    comes_again(second);
    rig_restart(&rig);
    rig.holds_fetches = false;
    comes_again(second);
    cr_assert_eq(feed_count(), 2);
}

Test(gap, unfollowed_meanwhile_nothing_comes_in)
{
    make(23, URI);
    rig.holds_fetches = true;
    skip(1);
    struct enc_bytes second = sender_pack_post(&other, "two");
    comes_again(second);
    const char *content =
        rig_text(&rig, "{\"enclave\":\"%s\",\"pub\":\"%s\"}", rig_hex(&rig, other.enclave32, 32),
                 rig_hex(&rig, other.key.pub32, 32));
    rig_accept(&rig, &(struct draft){OWNER, own32, "Unfollow", content, NULL, 0});
    rig.holds_fetches = false;
    rig_settle(&rig);
    cr_assert_eq(feed_count(), 0);
    cr_assert(call_is(push(second), 403, "UNAUTHORIZED"));
}

/* ---- the registry knows ---- */

static void register_here(void)
{
    struct enc_buffer manifest;
    unsigned timeline = rig.service;
    enc_buffer_init(&manifest, &rig.arena, SIZE_MAX / 4);
    enc_event_put_json(&manifest, &other.manifest, false);
    rig_turn_to(&rig, &ENC_SERVICE_REGISTRY);
    const uint8_t *registry32 = rig.host->singletons32[rig.service];
    const char *node = rig_hex(&rig, other.key.pub32, 32);
    rig.keys[GUEST] = other.key;
    rig_accept(&rig,
               &(struct draft){GUEST, registry32, "Reg_Node",
                               rig_text(&rig,
                                        "{\"seq_pub\":\"%s\",\"endpoints\":[{\"uri\":\"%s\","
                                        "\"priority\":0}],\"protocols\":[\"https\"],\"enc_v\":1}",
                                        node, URI),
                               NULL, 0});
    rig_accept(&rig, &(struct draft){OWNER, registry32, "Reg_Enclave",
                                     rig_text(&rig, "{\"manifest\":%.*s,\"node_pub\":\"%s\"}",
                                              (int)manifest.len, (const char *)manifest.data, node),
                                     NULL, 0});
    rig.service = timeline;
}

Test(gap, the_nodes_own_registry_is_asked_too)
{
    make(30, NULL);
    register_here();
    skip(2);
    comes_again(sender_pack_post(&other, "three"));
    cr_assert_eq(feed_count(), 3);
    counted(1, 0);
}
