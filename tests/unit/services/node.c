#include "host_fixture.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(node, .fini = fini);

static uint64_t head_u64(const uint8_t *enclave32, const char *name)
{
    struct enc_call *call = rig_get(&rig, rig_path(&rig, enclave32, "/sth"));
    cr_assert_eq(call->status, 200, "%s", call->body);
    return json_u64(call_json(call), name);
}

static struct draft note(const uint8_t *enclave32)
{
    return (struct draft){MEMBER, enclave32, "Note", "x", NULL, 0};
}

/* ---- bundles and time ---- */

Test(node, a_bundle_closes_by_time_with_nobody_there)
{
    rig_open(&rig, 1);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.timeout_ms = 5000});
    rig_sleep(&rig, 4999);
    cr_assert_eq(head_u64(enclave32, "ts"), 0);
    rig_sleep(&rig, 2);
    cr_assert_eq(head_u64(enclave32, "ts"), 1);
    rig_sleep(&rig, 60000);
    cr_assert_eq(head_u64(enclave32, "ts"), 1, "an empty bundle never closes");
    rig_check(&rig);
}

Test(node, a_bundle_closes_by_time_across_a_restart_and_later_events_are_not_older)
{
    rig_open(&rig, 2);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.timeout_ms = 5000});
    struct draft draft = note(enclave32);
    rig_accept(&rig, &draft);
    rig_restart(&rig);
    rig_sleep(&rig, 5001);
    cr_assert_eq(head_u64(enclave32, "ts"), 1);
    uint64_t closed_ms = rig_now_ms(&rig);
    rig_restart(&rig);
    rig.skew_ms = -3000;
    draft.exp_ms = rig_now_ms(&rig) + 1000;
    cr_assert_geq(rig_accept(&rig, &draft).timestamp_ms, closed_ms - 1);
    rig.skew_ms = 0;
    rig_check(&rig);
}

Test(node, a_bundle_timer_that_comes_early_is_set_again)
{
    rig_open(&rig, 3);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.timeout_ms = 5000});
    rig.skew_ms = -2000; /* the clock was set back between the timer and its turn */
    enc_sim_advance(rig.sim, 5001);
    for (int i = 0; i < 100; i++)
        (void)enc_sim_step(rig.sim);
    rig.skew_ms = 0;
    rig_sleep(&rig, 5001);
    cr_assert_eq(head_u64(enclave32, "ts"), 1);
}

/* ---- memory ---- */

static uint64_t live(void)
{
    struct enc_host_counts counts;
    enc_host_counts(rig.host, &counts);
    return counts.live_enclaves;
}

Test(node, an_idle_enclave_leaves_memory_and_comes_back_as_it_was)
{
    rig_open(&rig, 4);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 3});
    const char *gate = "{\"event\":\"Note\",\"open\":false}";
    rig_accept(&rig, &(struct draft){OWNER, enclave32, "Gate", gate, NULL, 0});
    cr_assert_eq(live(), 1);
    rig_sleep(&rig, 30000);
    cr_assert_eq(live(), 0);
    struct draft draft = note(enclave32);
    cr_assert(call_is(rig_commit(&rig, &draft), 403, "GATE_CLOSED"));
    draft.type = "Message";
    cr_assert_eq(rig_accept(&rig, &draft).seq, 2);
    cr_assert_eq(head_u64(enclave32, "ts"), 1);
    rig_check(&rig);
}

Test(node, enclaves_that_do_not_exist_leave_memory)
{
    rig_open(&rig, 5);
    for (int i = 0; i < 50; i++) {
        uint8_t enclave32[32] = {9, (uint8_t)i};
        struct draft draft = note(enclave32);
        cr_assert(call_is(rig_commit(&rig, &draft), 404, "ENCLAVE_NOT_FOUND"));
    }
    rig_sleep(&rig, 30000);
    cr_assert_eq(live(), 0);
}

Test(node, a_subscription_keeps_its_enclave_in_memory)
{
    rig_open(&rig, 6);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    struct enc_conn *conn = rig_connect(&rig, enclave32);
    rig_subscribe(conn, enclave32, "s", "{}");
    rig_sleep(&rig, 30000);
    cr_assert_eq(live(), 1);
    rig_disconnect(conn);
    rig_sleep(&rig, 30000);
    cr_assert_eq(live(), 0);
}

/* ---- room ---- */

Test(node, a_full_mailbox_is_503)
{
    rig_init(&rig, 7);
    rig.config.limits.mailbox_depth_max = 8;
    rig_start(&rig);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    struct enc_call *calls[32];
    struct draft draft = note(enclave32);
    size_t accepted = 0;
    for (int i = 0; i < 32; i++)
        calls[i] = rig_send(&rig, "/", rig_body(&rig, &draft));
    rig_settle(&rig);
    for (int i = 0; i < 32; i++) {
        accepted += calls[i]->status == 200;
        if (calls[i]->status != 200) {
            cr_assert(call_is(calls[i], 503, "RATE_LIMITED"));
            cr_assert_eq(calls[i]->retry_s, 1);
        }
    }
    cr_assert_geq(accepted, 8);
    cr_assert_lt(accepted, 32);
    cr_assert_eq(rig_accept(&rig, &draft).seq, accepted + 1);
}
