#include "host_fixture.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(info, .fini = fini);

Test(info, leaves_out_what_is_not_served)
{
    const char *mounts[ENC_SERVICE_MAX] = {"/"};
    rig_init(&rig, 1);
    rig.config.mounts = mounts;
    rig_start(&rig);
    struct enc_call *call = rig_get(&rig, "/info/node");
    cr_assert_eq(call->status, 200);
    cr_assert_eq(enc_json_get(call_json(call), "services")->count, 1);
}

Test(info, names_the_key_the_services_the_limits_and_the_time)
{
    const char *mounts[8];
    uint8_t seq_pub32[32];
    rig_init(&rig, 1);
    size_t count = enc_service_count();
    cr_assert(count <= sizeof mounts / sizeof mounts[0]);
    for (size_t i = 0; i < count; i++)
        mounts[i] = rig_text(&rig, "/at/%s", enc_service_at(i)->name);
    rig.config.mounts = mounts;
    rig.config.limits.query_limit_max = 17;
    rig_start(&rig);
    rig_sleep(&rig, 1234);
    struct enc_call *call = rig_get(&rig, "/info/node");
    cr_assert_eq(call->status, 200);
    const struct enc_json *info = call_json(call);
    json_hex(info, "seq_pub", seq_pub32, 32);
    cr_assert_arr_eq(seq_pub32, rig.node.pub32, 32);
    cr_assert(json_is(info, "version", "test"));
    cr_assert_eq(json_u64(info, "now"), rig_now_ms(&rig));
    cr_assert_eq(enc_json_get(info, "services")->count, count);
    const struct enc_json *service = enc_json_get(enc_json_get(info, "services"), "enc-node");
    cr_assert(json_is(service, "mount", "/at/enc-node"));
    cr_assert_eq(enc_json_get(service, "encrypted")->kind, ENC_JSON_TRUE);
    cr_assert_eq(enc_json_get(service, "has_push")->kind, ENC_JSON_TRUE);
    cr_assert_eq(enc_json_get(service, "has_dataview")->kind, ENC_JSON_FALSE);
    const struct enc_json *limits = enc_json_get(info, "limits");
    cr_assert_eq(json_u64(limits, "query"), 17);
    cr_assert_eq(json_u64(limits, "body"), 1 << 20);
    cr_assert_eq(json_u64(limits, "content"), 256 << 10);
    cr_assert_eq(json_u64(limits, "subscriptions"), 64);
}

Test(info, is_only_asked_with_get)
{
    rig_open(&rig, 2);
    struct enc_call *call = rig_post(&rig, "/info/node", ENC_LIT("{}"));
    cr_assert(call_is(call, 405, "METHOD_NOT_ALLOWED"));
    cr_assert_str_eq(call->allow, "GET, OPTIONS");
}
