#include "host_fixture.h"

#include <stdlib.h>

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(push_stage, .fini = fini);

static const uint8_t *make(uint64_t seed)
{
    rig_init(&rig, seed);
    rig.config.push_allow_http = true;
    rig.config.push_allow_private = true;
    rig_start(&rig);
    return rig_create(&rig, &(struct shape){0});
}

static void register_endpoint(const uint8_t *enclave32, const char *role, const char *url)
{
    const char *content =
        rig_text(&rig, "{\"identity\":\"%s\",\"role\":\"%s\",\"endpoint\":\"%s\"}",
                 rig_hex(&rig, rig.keys[GUEST].pub32, 32), role, url);
    rig_accept(&rig, &(struct draft){OWNER, enclave32, "Grant_Push", content, NULL, 0});
}

static void revoke(const uint8_t *enclave32, const char *role)
{
    const char *content = rig_text(&rig, "{\"identity\":\"%s\",\"role\":\"%s\"}",
                                   rig_hex(&rig, rig.keys[GUEST].pub32, 32), role);
    rig_accept(&rig, &(struct draft){OWNER, enclave32, "Revoke", content, NULL, 0});
}

static struct enc_event message(const uint8_t *enclave32, const char *content)
{
    return rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Message", content, NULL, 0});
}

static uint64_t posted_seq(size_t index)
{
    return json_u64(rig_posted(&rig, index), "push_seq");
}

/* ---- bounds ---- */

static const char *large(size_t len)
{
    char *text = (char *)rig_text(&rig, "%*s", (int)len, "");
    memset(text, 'x', len);
    return text;
}

Test(push_stage, large_payloads_for_many_endpoints_do_not_break_a_run)
{
    enum { ENDPOINTS = 50 };
    const uint8_t *enclave32 = make(1);
    for (int i = 0; i < ENDPOINTS; i++)
        register_endpoint(enclave32, "Sink", rig_text(&rig, "http://10.0.0.1/%d", i));
    rig.holds_fetches = true;
    for (int i = 0; i < 4; i++)
        message(enclave32, large(240000));
    rig.holds_fetches = false;
    rig_sleep(&rig, 2000);
    message(enclave32, "after");
    rig_sleep(&rig, 2000);
    cr_assert_geq(rig_posted_count(&rig), 2 * ENDPOINTS);
    cr_assert_eq(rig.fetch_count, 0);
}

Test(push_stage, never_more_posts_under_way_than_the_bound)
{
    enum { ENDPOINTS = 12, BOUND = 3 };
    rig_init(&rig, 2);
    rig.config.push_allow_http = true;
    rig.config.push_allow_private = true;
    rig.config.limits.push_in_flight_max = BOUND;
    rig_start(&rig);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    for (int i = 0; i < ENDPOINTS; i++)
        register_endpoint(enclave32, "Sink", rig_text(&rig, "http://10.0.0.1/%d", i));
    rig.holds_fetches = true;
    message(enclave32, "x");
    rig_sleep(&rig, 1000);
    cr_assert_eq(rig.fetch_count, BOUND);
    rig.holds_fetches = false;
    rig_sleep(&rig, 5000);
    cr_assert_eq(rig_posted_count(&rig), ENDPOINTS);
    cr_assert_leq(rig.fetches_peak, BOUND);
}

/* One slot and two enclaves: whoever finds none comes back by itself. */
Test(push_stage, a_queue_that_found_no_slot_comes_back)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        rig_init(&rig, seed);
        rig.config.push_allow_http = true;
        rig.config.push_allow_private = true;
        rig.config.limits.push_in_flight_max = 1;
        rig_start(&rig);
        const uint8_t *a32 = rig_create(&rig, &(struct shape){.nonce = "a"});
        const uint8_t *b32 = rig_create(&rig, &(struct shape){.nonce = "b"});
        const uint8_t *c32 = rig_create(&rig, &(struct shape){.nonce = "c"});
        const uint8_t *ids32[] = {a32, b32, c32};
        for (int i = 0; i < 3; i++)
            register_endpoint(ids32[i], "Sink", "http://10.0.0.1/");
        for (int i = 0; i < 6; i++)
            rig_send(
                &rig, "/",
                rig_body(&rig, &(struct draft){MEMBER, ids32[i % 3], "Message", "x", NULL, 0}));
        rig_sleep(&rig, 20000);
        cr_assert_geq(rig_posted_count(&rig), 3, "seed %zu", (size_t)seed);
        cr_assert_leq(rig.fetches_peak, 1);
        if (seed < 30)
            rig_close(&rig);
    }
}

Test(push_stage, a_retry_without_a_slot_waits_quietly)
{
    rig_init(&rig, 3);
    rig.config.push_allow_http = true;
    rig.config.push_allow_private = true;
    rig.config.limits.push_in_flight_max = 1;
    rig_start(&rig);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    register_endpoint(enclave32, "Sink", "http://10.0.0.1/a");
    register_endpoint(enclave32, "Sink", "http://10.0.0.1/b");
    rig.holds_fetches = true;
    message(enclave32, "x");
    rig_settle(&rig);
    rig_land(&rig, 500);
    rig_sleep(&rig, 900); /* the other one has the slot now */
    cr_assert_eq(rig.fetch_count, 1);
    uint64_t steps = enc_sim_steps(rig.sim);
    rig_sleep(&rig, 10000);
    cr_assert_lt(enc_sim_steps(rig.sim) - steps, 1000);
    rig.holds_fetches = false;
    rig_sleep(&rig, 2000);
    cr_assert_eq(rig_posted_count(&rig), 3);
}

/* ---- registered again ---- */

Test(push_stage, push_seq_goes_on_when_an_endpoint_is_registered_again)
{
    const uint8_t *enclave32 = make(4);
    register_endpoint(enclave32, "Sink", "http://10.0.0.1/");
    message(enclave32, "one");
    rig_settle(&rig);
    message(enclave32, "two");
    rig_settle(&rig);
    cr_assert_eq(rig_posted_count(&rig), 2);
    revoke(enclave32, "Sink");
    message(enclave32, "unseen");
    register_endpoint(enclave32, "Sink", "http://10.0.0.1/");
    message(enclave32, "three");
    rig_settle(&rig);
    cr_assert_eq(rig_posted_count(&rig), 3);
    cr_assert_eq(posted_seq(0), 1);
    cr_assert_eq(posted_seq(1), 2);
    cr_assert_eq(posted_seq(2), 3);
}
