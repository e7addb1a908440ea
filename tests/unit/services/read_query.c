/* Pages of /query and what a Pull may see. */
#include "host_fixture.h"

static struct rig rig;
static const uint8_t *enclave32;

static void init(void)
{
    rig_open(&rig, 1);
    enclave32 = rig_create(&rig, &(struct shape){0});
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(read_query, .init = init, .fini = fini);

static void write_notes(int count, const char *content)
{
    for (int i = 0; i < count; i++)
        rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Note", content, NULL, 0});
}

static const struct enc_json *query(const char *filter)
{
    struct enc_call *call;
    const struct enc_json *content = rig_ask(&rig, &call, MEMBER, "/", enclave32, "Query",
                                             rig_text(&rig, ",\"filter\":%s", filter));
    cr_assert_not_null(content, "%s", call->body);
    return content;
}

static uint64_t seq_of(const struct enc_json *element)
{
    return json_u64(enc_json_get(element, "event"), "seq");
}

/* Pages joined by next are the whole log: nothing twice, nothing left out. */
static void walk_pages(bool reverse)
{
    uint64_t due = reverse ? 7 : 1;
    const char *bound = "";
    for (int page = 0; page < 4; page++) {
        const struct enc_json *content = query(rig_text(&rig, "{\"type\":\"Note\",\"limit\":2%s%s}",
                                                        reverse ? ",\"reverse\":true" : "", bound));
        const struct enc_json *events = enc_json_get(content, "events");
        cr_assert_eq(events->count, page < 3 ? 2 : 1);
        for (const struct enc_json *e = events->child; e; e = e->next)
            cr_assert_eq(seq_of(e), reverse ? due-- : due++);
        const struct enc_json *next = enc_json_get(content, "next");
        cr_assert_eq(next->kind == ENC_JSON_NULL, page == 3, "page %d", page);
        if (page < 3)
            bound = rig_text(&rig, ",\"seq\":{\"%s\":%d}", reverse ? "end_before" : "start_after",
                             (int)json_u64(content, "next"));
    }
}

Test(read_query, pages_join_without_gap_or_overlap)
{
    write_notes(7, "x");
    walk_pages(false);
    walk_pages(true);
}

Test(read_query, a_full_page_at_the_end_has_no_next)
{
    write_notes(4, "x");
    const struct enc_json *content = query("{\"type\":\"Note\",\"limit\":4}");
    cr_assert_eq(enc_json_get(content, "events")->count, 4);
    cr_assert_eq(enc_json_get(content, "next")->kind, ENC_JSON_NULL);
}

Test(read_query, a_page_ends_early_when_it_is_long)
{
    struct enc_call *call;
    rig_close(&rig);
    rig_init(&rig, 2);
    rig.config.limits.query_body_len_max = 2500;
    rig_start(&rig);
    enclave32 = rig_create(&rig, &(struct shape){0});
    write_notes(6, rig_text(&rig, "%01000d", 0));
    const struct enc_json *content =
        rig_ask(&rig, &call, MEMBER, "/", enclave32, "Query", ",\"filter\":{\"type\":\"Note\"}");
    cr_assert_not_null(content, "%s", call->body);
    size_t count = enc_json_get(content, "events")->count;
    cr_assert_geq(count, 1);
    cr_assert_leq(count, 2);
    cr_assert_eq(json_u64(content, "next"), count);
}

Test(read_query, only_who_registered_an_endpoint_pulls_from_it)
{
    struct enc_call *call;
    cr_assert_null(
        rig_ask(&rig, &call, MEMBER, "/", enclave32, "Pull", ",\"url\":\"https://example.org\""));
    cr_assert(call_is(call, 404, "ENDPOINT_NOT_FOUND"), "%s", call->body);
    cr_assert_null(rig_ask(&rig, &call, MEMBER, "/", enclave32, "Pull", ",\"url\":1"));
    cr_assert(call_is(call, 400, "INVALID_QUERY"), "%s", call->body);
}
