#include "services/owners.h"
#include "services/rows.h"
#include "timeline_fixture.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(owners, .fini = fini);

static struct enc_bytes wish(enum who who)
{
    const char *pub = rig_hex(&rig, rig.keys[who].pub32, 32);
    return enc_bytes_of_text(rig_text(&rig, "{\"owner\":\"%s\",\"meta\":{\"a\":1}}", pub));
}

static struct enc_call *ask(enum who who)
{
    return rig_post(&rig, "/_bootstrap", wish(who));
}

/* The enclave of an answer, which must have this status. */
static const uint8_t *given(const struct enc_call *call, uint16_t status)
{
    uint8_t enclave32[32];
    cr_assert_eq(call->status, status, "%.300s", call->body);
    json_hex(call_json(call), "enclave", enclave32, 32);
    return enc_arena_copy(&rig.arena, enc_bytes_of(enclave32, 32)).data;
}

static void transfer(const uint8_t *enclave32, enum who from, enum who to)
{
    const char *pub = rig_hex(&rig, rig.keys[to].pub32, 32);
    const char *content = rig_text(&rig, "{\"new_owner\":\"%s\"}", pub);
    rig_accept(&rig, &(struct draft){from, enclave32, "Transfer_Owner", content, NULL, 0});
}

/* A Manifest that OWNER signs, naming these. */
static const uint8_t *make_for(const char *owners)
{
    struct enc_commit commit = rig_sign_manifest(&rig, timeline_manifest(&rig, owners));
    struct enc_call *call = rig_post(&rig, "/", rig_commit_json(&rig, &commit));
    cr_assert_eq(call->status, 200, "%.300s", call->body);
    return enc_arena_copy(&rig.arena, enc_bytes_of(commit.enclave32, 32)).data;
}

static const char *quoted(enum who who)
{
    return rig_text(&rig, "\"%s\"", rig_hex(&rig, rig.keys[who].pub32, 32));
}

Test(owners, a_second_call_gives_what_the_first_has_made)
{
    timeline_open(&rig, 1);
    struct enc_call *first = ask(MEMBER);
    const uint8_t *made = given(first, 201);
    rig_restart(&rig);
    struct enc_call *second = ask(MEMBER);
    cr_assert_arr_eq(given(second, 200), made, 32);
    cr_assert_eq(first->len, second->len);
    cr_assert_arr_eq(first->body, second->body, first->len, "Manifest and receipt byte for byte");
    cr_assert(memcmp(given(ask(STRANGER), 201), made, 32) != 0);
}

Test(owners, of_many_calls_at_once_one_makes_it)
{
    enum { CALLS = 50 };
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct enc_call *calls[CALLS];
        size_t made = 0;
        timeline_open(&rig, seed);
        for (int i = 0; i < CALLS; i++)
            calls[i] = rig_send(&rig, "/_bootstrap", wish(MEMBER));
        rig_settle(&rig);
        const uint8_t *one = given(calls[0], calls[0]->status);
        for (int i = 0; i < CALLS; i++) {
            made += calls[i]->status == 201;
            cr_assert_arr_eq(given(calls[i], calls[i]->status == 201 ? 201 : 200), one, 32);
        }
        cr_assert_eq(made, 1);
        if (seed < 19)
            rig_close(&rig);
    }
}

Test(owners, who_waits_does_not_wait_for_a_client_that_does_not_read)
{
    timeline_open(&rig, 2);
    rig.keeps_replies = true;
    struct enc_call *calls[3];
    for (int i = 0; i < 3; i++)
        calls[i] = rig_send(&rig, "/_bootstrap", wish(MEMBER));
    rig_settle(&rig);
    for (int i = 0; i < 3; i++)
        cr_assert(calls[i]->is_answered);
}

Test(owners, when_the_first_is_refused_another_goes_through)
{
    enum { CALLS = 40 };
    size_t made = 0, busy = 0;
    struct enc_call *calls[CALLS];
    rig_init(&rig, 3);
    rig.config.bootstrap_open = true;
    rig.config.limits.jobs_max = 5;
    rig_start(&rig);
    rig_turn_to(&rig, &ENC_SERVICE_TIMELINE);
    for (int i = 0; i < CALLS; i++) {
        calls[i] = rig_send(&rig, "/_bootstrap", wish(MEMBER));
        for (int steps = 0; steps < i % 4; steps++)
            (void)enc_sim_step(rig.sim);
    }
    rig_settle(&rig);
    for (int i = 0; i < CALLS; i++) {
        made += calls[i]->status == 201;
        busy += calls[i]->status == 503;
    }
    cr_assert_eq(made, 1);
    cr_assert_gt(busy, 0);
    given(ask(MEMBER), 200);
}

Test(owners, whoever_gave_it_away_may_have_a_new_one)
{
    timeline_open(&rig, 4);
    const uint8_t *first = given(ask(MEMBER), 201);
    transfer(first, MEMBER, GUEST);
    cr_assert_arr_eq(given(ask(GUEST), 200), first, 32, "whoever got it has it");
    rig_sleep(&rig, 1);
    const uint8_t *second = given(ask(MEMBER), 201);
    cr_assert(memcmp(first, second, 32) != 0);
    cr_assert_arr_eq(given(ask(MEMBER), 200), second, 32);
    transfer(first, GUEST, MEMBER);
    cr_assert_arr_eq(given(ask(MEMBER), 200), first, 32, "of several the oldest");
    given(ask(GUEST), 201);
}

Test(owners, a_manifest_of_ones_own_counts_and_a_strangers_does_not)
{
    timeline_open(&rig, 5);
    const uint8_t *own = make_for(rig_text(&rig, "%s,%s", quoted(OWNER), quoted(GUEST)));
    cr_assert_arr_eq(given(ask(OWNER), 200), own, 32);
    given(ask(GUEST), 201);
    const uint8_t *trap = make_for(quoted(MEMBER));
    cr_assert(memcmp(given(ask(MEMBER), 201), trap, 32) != 0);
}

Test(owners, an_enclave_with_strangers_in_it_is_not_ones_own)
{
    timeline_open(&rig, 6);
    const uint8_t *trap = make_for(rig_text(&rig, "%s,%s", quoted(OWNER), quoted(GUEST)));
    transfer(trap, OWNER, STRANGER); /* GUEST stays in it */
    cr_assert(memcmp(given(ask(STRANGER), 201), trap, 32) != 0);
}

Test(owners, what_is_handed_over_does_not_stand_before_ones_own)
{
    timeline_open(&rig, 9);
    const uint8_t *older = given(ask(GUEST), 201);
    rig_sleep(&rig, 1000);
    const uint8_t *own = given(ask(MEMBER), 201);
    transfer(older, GUEST, MEMBER);
    cr_assert_arr_eq(given(ask(MEMBER), 200), own, 32);
}

Test(owners, any_number_of_enclaves_may_be_handed_over)
{
    enum { ENCLAVES = 200, PAD_LEN = 20000 };
    char pad[PAD_LEN + 1] = {0};
    memset(pad, 'x', PAD_LEN);
    rig_init(&rig, 10);
    rig.config.bootstrap_open = true;
    rig.config.limits.body_len_max = 32 << 10; /* an exchange may take some fifty times that */
    rig.config.limits.query_body_len_max = 32 << 10;
    rig_start(&rig);
    rig_turn_to(&rig, &ENC_SERVICE_TIMELINE);
    const char *pub = rig_hex(&rig, rig.keys[GUEST].pub32, 32);
    const char *body = rig_text(&rig, "{\"owner\":\"%s\",\"meta\":{\"pad\":\"%s\"}}", pub, pad);
    for (int i = 0; i < ENCLAVES; i++)
        transfer(given(rig_post(&rig, "/_bootstrap", enc_bytes_of_text(body)), 201), GUEST, MEMBER);
    given(ask(MEMBER), 200);
}

Test(owners, a_service_without_a_view_makes_one_each_time)
{
    timeline_open(&rig, 7);
    rig_turn_to(&rig, &ENC_SERVICE_CHAT);
    cr_assert_not(enc_owner_has_one(&ENC_SERVICE_CHAT));
    cr_assert(enc_owner_has_one(&ENC_SERVICE_TIMELINE));
    cr_assert(memcmp(given(ask(MEMBER), 201), given(ask(MEMBER), 201), 32) != 0);
}

Test(owners, blanks_in_a_meta_are_no_members)
{
    timeline_open(&rig, 11);
    const char *pub = rig_hex(&rig, rig.keys[MEMBER].pub32, 32);
    const char *body = rig_text(&rig, "{\"owner\":\"%s\",\"meta\":{ \n}}", pub);
    given(rig_post(&rig, "/_bootstrap", enc_bytes_of_text(body)), 201);
}

Test(owners, a_bad_wish_makes_nothing)
{
    static const char *const BAD[] = {
        "{}",
        "[]",
        "{\"owner\":\"ab\"}",
        "{\"owner\":\"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"}",
    };
    uint8_t before32[32], after32[32];
    timeline_open(&rig, 8);
    rig_dump(&rig, before32);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct enc_call *call = rig_post(&rig, "/_bootstrap", enc_bytes_of_text(BAD[i]));
        cr_assert(call_is(call, 400, "INVALID_REQUEST"));
    }
    rig_dump(&rig, after32);
    cr_assert_arr_eq(before32, after32, 32);
}
