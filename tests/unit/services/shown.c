#include "host_fixture.h"

static struct rig rig;
static const uint8_t *enclave32;
static struct enc_event events[6]; /* by seq: Manifest, then Message and Note by turns */

static void init(void)
{
    rig_open(&rig, 1);
    enclave32 = rig_create(&rig, &(struct shape){0});
    for (int i = 1; i < 6; i++)
        events[i] = rig_accept(
            &rig, &(struct draft){MEMBER, enclave32, i % 2 ? "Message" : "Note", "x", NULL, 0});
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(shown, .init = init, .fini = fini);

/** What who gets to see by filter: the seqs as digits, then next or nothing ("12>2"). */
static const char *seen(enum who who, const char *filter)
{
    struct enc_call *call;
    uint64_t next = 0;
    char *out = (char *)rig_text(&rig, "%32s", "");
    size_t len = 0;
    const struct enc_json *content = rig_ask(&rig, &call, who, "/", enclave32, "Query",
                                             rig_text(&rig, ",\"filter\":%s", filter));
    cr_assert_not_null(content, "%s: %.200s", filter, call->body);
    for (const struct enc_json *at = enc_json_get(content, "events")->child; at; at = at->next)
        out[len++] = (char)('0' + json_u64(enc_json_get(at, "event"), "seq"));
    if (enc_json_u64(enc_json_get(content, "next"), &next)) {
        out[len++] = '>';
        out[len++] = (char)('0' + next);
    }
    out[len] = '\0';
    return out;
}

static const char *ids(const char *format, int a, int b, int c)
{
    return rig_text(&rig, format, rig_hex(&rig, events[a].id32, 32),
                    rig_hex(&rig, events[b].id32, 32), rig_hex(&rig, events[c].id32, 32));
}

Test(shown, by_log)
{
    cr_assert_str_eq(seen(OWNER, "{}"), "012345");
    cr_assert_str_eq(seen(OWNER, "{\"reverse\":true}"), "543210");
    cr_assert_str_eq(seen(OWNER, "{\"limit\":2}"), "01>1");
    cr_assert_str_eq(seen(OWNER, "{\"limit\":2,\"reverse\":true}"), "54>4");
    cr_assert_str_eq(seen(OWNER, "{\"seq\":{\"start_at\":2,\"end_before\":4}}"), "23");
    cr_assert_str_eq(seen(OWNER, "{\"seq\":{\"start_at\":4,\"end_before\":4}}"), "");
}

Test(shown, by_type)
{
    cr_assert_str_eq(seen(OWNER, "{\"type\":\"Note\"}"), "24");
    cr_assert_str_eq(seen(OWNER, "{\"type\":\"Message\",\"reverse\":true,\"limit\":1}"), "5>5");
    cr_assert_str_eq(seen(OWNER, "{\"type\":[\"Note\",\"Manifest\"]}"), "024");
    cr_assert_str_eq(seen(OWNER, "{\"type\":\"Message\",\"seq\":{\"start_after\":1}}"), "35");
    cr_assert_str_eq(seen(OWNER, "{\"type\":\"Nothing\"}"), "");
}

Test(shown, by_id_in_the_order_of_the_log_whatever_was_asked)
{
    const char *three = ids("{\"id\":[\"%s\",\"%s\",\"%s\"]}", 5, 2, 3);
    cr_assert_str_eq(seen(OWNER, three), "235");
    three = ids("{\"id\":[\"%s\",\"%s\",\"%s\"],\"reverse\":true,\"limit\":2}", 5, 2, 3);
    cr_assert_str_eq(seen(OWNER, three), "53>3");
    three = ids("{\"id\":[\"%s\",\"%s\",\"%s\"],\"type\":\"Note\"}", 5, 2, 3);
    cr_assert_str_eq(seen(OWNER, three), "2");
    cr_assert_str_eq(seen(OWNER, ids("{\"id\":\"%s\"}", 4, 4, 4)), "4");
    cr_assert_str_eq(
        seen(OWNER, rig_text(&rig, "{\"id\":[\"%s\",\"%s\"]}", rig_hex(&rig, rig.node.pub32, 32),
                             rig_hex(&rig, events[1].id32, 32))),
        "1");
    cr_assert_str_eq(seen(OWNER, "{\"id\":[]}"), "");
}

Test(shown, only_what_the_reader_may_see)
{
    cr_assert_str_eq(seen(STRANGER, "{}"), "24");
    cr_assert_str_eq(seen(STRANGER, "{\"limit\":2}"), "24");
    cr_assert_str_eq(seen(STRANGER, "{\"type\":\"Message\"}"), "");
    cr_assert_str_eq(seen(STRANGER, ids("{\"id\":[\"%s\",\"%s\",\"%s\"]}", 5, 2, 3)), "2");
    cr_assert_str_eq(seen(MEMBER, "{}"), "12345");
}

Test(shown, an_update_is_seen_by_those_who_see_its_target)
{
    struct draft draft = {MEMBER, enclave32, "Update", "y", events[1].id32, 0};
    rig_accept(&rig, &draft);
    cr_assert_str_eq(seen(MEMBER, "{\"type\":\"Update\"}"), "6");
    cr_assert_str_eq(seen(STRANGER, "{\"type\":\"Update\"}"), "");
    cr_assert_str_eq(seen(OWNER, "{\"status\":\"updated\"}"), "1");
}
