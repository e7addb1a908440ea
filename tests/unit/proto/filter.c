#include "proto/filter.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct enc_filter filter_of(const char *source)
{
    struct enc_filter filter;
    EXPECT_OK(enc_filter_parse(&filter, arena(), source ? json(source) : NULL, 1000));
    return filter;
}

static void expect_bad(const char *source)
{
    struct enc_filter filter;
    cr_assert_eq(enc_filter_parse(&filter, arena(), json(source), 1000), ENC_ERR_INVALID_FILTER,
                 "%s", source);
}

/** Whether event 2 of the vectors (the member's Post "hello", tag lang en) matches. */
static bool fits(const char *source)
{
    struct enc_filter filter = filter_of(source);
    struct enc_event event = vector_event(2);
    return enc_filter_matches(&filter, &event, ENC_EVENT_ACTIVE);
}

static const char ID[] = "08d92394d1e997a5121f251a03efbfda6825814feab97147be5bded0b11674a0";
static const char FROM[] = "D20F2324D274A2AD4B676213A29DBF44321AF50ED84374DC9EB3BFD7A8D60F0B";

Test(filter, absent_or_empty_matches_all)
{
    cr_assert(fits(NULL));
    cr_assert(fits("{}"));
    struct enc_filter filter = filter_of("{}");
    cr_assert_eq(filter.limit, 100);
    cr_assert_not(filter.reverse);
}

Test(filter, members)
{
    const char *zeros = "0000000000000000000000000000000000000000000000000000000000000000";
    cr_assert(fits((const char *)text("{'id':'%s'}", ID).data));
    cr_assert(fits((const char *)text("{'id':['%s','%s']}", zeros, ID).data));
    cr_assert_not(fits((const char *)text("{'id':'%s'}", FROM).data));
    cr_assert(fits((const char *)text("{'from':'%s'}", FROM).data));
    cr_assert_not(fits((const char *)text("{'from':['%s']}", ID).data));
    cr_assert(fits("{'seq':2}"));
    cr_assert_not(fits("{'seq':3}"));
    cr_assert(fits("{'seq':{'start_at':2,'end_before':3}}"));
    cr_assert_not(fits("{'seq':{'start_after':2}}"));
    cr_assert(fits("{'type':'Post'}"));
    cr_assert(fits("{'type':['Like','Post']}"));
    cr_assert_not(fits("{'type':'Pos'}"));
    cr_assert(fits("{'timestamp':{'start_at':1750000002001,'end_at':1750000002001}}"));
    cr_assert_not(fits("{'timestamp':{'end_before':1750000002001}}"));
}

Test(filter, tags)
{
    cr_assert(fits("{'tags':{}}"));
    cr_assert(fits("{'tags':{'lang':true}}"));
    cr_assert(fits("{'tags':{'lang':'en'}}"));
    cr_assert(fits("{'tags':{'lang':['de','en']}}"));
    cr_assert_not(fits("{'tags':{'lang':'de'}}"));
    cr_assert_not(fits("{'tags':{'lang':[]}}"));
    cr_assert_not(fits("{'tags':{'r':true}}"));
    cr_assert_not(fits("{'tags':{'lang':'en','r':true}}"));
}

Test(filter, c53_the_second_member_is_compared)
{
    struct enc_event event = vector_event(2);
    event.commit.tags = tags_of("[['a','x','y'],['b'],['a','z']]");
    const struct {
        const char *filter;
        bool matches;
    } ROWS[] = {
        {"{'tags':{'a':'x'}}", true},          {"{'tags':{'a':'y'}}", false},
        {"{'tags':{'a':'z'}}", true},          {"{'tags':{'a':'a'}}", false},
        {"{'tags':{'b':true}}", true},         {"{'tags':{'b':''}}", false},
        {"{'tags':{'a':'x','b':true}}", true},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct enc_filter filter = filter_of(ROWS[i].filter);
        cr_assert_eq(enc_filter_matches(&filter, &event, ENC_EVENT_ACTIVE), ROWS[i].matches, "%s",
                     ROWS[i].filter);
    }
}

Test(filter, status)
{
    struct enc_event event = vector_event(2);
    const struct {
        const char *filter;
        bool matches[ENC_EVENT_STATUS_COUNT];
    } ROWS[] = {
        {"{}", {true, true, false}},
        {"{'status':'active'}", {true, false, false}},
        {"{'status':['updated','deleted']}", {false, true, true}},
        {"{'status':'deleted'}", {false, false, true}},
        {"{'status':[]}", {false, false, false}},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (unsigned status = 0; status < ENC_EVENT_STATUS_COUNT; status++) {
            struct enc_filter filter = filter_of(ROWS[i].filter);
            cr_assert_eq(enc_filter_matches(&filter, &event, (enum enc_event_status)status),
                         ROWS[i].matches[status], "%s %u", ROWS[i].filter, status);
        }
}

Test(filter, members_are_joined_by_and)
{
    cr_assert(fits("{'type':'Post','seq':2,'tags':{'lang':'en'}}"));
    cr_assert_not(fits("{'type':'Post','seq':3}"));
    cr_assert_not(fits("{'type':'Like','seq':2}"));
}

Test(filter, c51_limit)
{
    cr_assert_eq(filter_of("{'limit':1}").limit, 1);
    cr_assert_eq(filter_of("{'limit':1000}").limit, 1000);
    expect_bad("{'limit':0}");
    expect_bad("{'limit':1001}");
    expect_bad("{'limit':-1}");
    expect_bad("{'limit':'1'}");
    expect_bad("{'limit':1.0}");
}

Test(filter, limit_can_be_lowered_but_not_raised)
{
    struct enc_filter filter;
    EXPECT_OK(enc_filter_parse(&filter, arena(), json("{}"), 50));
    cr_assert_eq(filter.limit, 50);
    EXPECT_ERR(enc_filter_parse(&filter, arena(), json("{'limit':51}"), 50), INVALID_FILTER);
    EXPECT_ERR(enc_filter_parse(&filter, arena(), json("{'limit':1001}"), 5000), INVALID_FILTER);
}

Test(filter, c52_reverse)
{
    cr_assert(filter_of("{'reverse':true}").reverse);
    cr_assert_not(filter_of("{'reverse':false}").reverse);
    expect_bad("{'reverse':1}");
}

/** A JSON array of count strings. */
static const char *strings(unsigned count, const char *format)
{
    struct enc_buffer out = buffer();
    enc_json_put_raw(&out, "[");
    for (unsigned i = 0; i < count; i++) {
        char item[80];
        int len = snprintf(item, sizeof item, format, i);
        enc_json_comma(&out);
        enc_json_put_text(&out, enc_bytes_of(item, (size_t)len));
    }
    enc_json_put_raw(&out, "]");
    return written(&out);
}

Test(filter, arrays_have_at_most_100_entries)
{
    const char *const MEMBERS[] = {"id", "from", "type", "tags"};
    expect_bad((const char *)text("{'status':%s}", strings(101, "active")).data);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned count = 100; count <= 101; count++) {
            const char *list = strings(count, i < 2 ? "%064x" : "%u");
            const char *source = (const char *)(i < 3 ? text("{'%s':%s}", MEMBERS[i], list)
                                                      : text("{'tags':{'x':%s}}", list))
                                     .data;
            struct enc_filter filter;
            cr_assert_eq(enc_filter_parse(&filter, arena(), json(source), 1000),
                         count == 100 ? ENC_ERR_OK : ENC_ERR_INVALID_FILTER, "%s", MEMBERS[i]);
        }
}

Test(filter, at_most_100_tag_keys)
{
    for (unsigned count = 100; count <= 101; count++) {
        struct enc_buffer out = buffer();
        struct enc_filter filter;
        enc_json_put_raw(&out, "{'tags':{");
        for (unsigned i = 0; i < count; i++) {
            char key[8];
            snprintf(key, sizeof key, "k%u", i);
            enc_json_member(&out, key);
            enc_json_put_raw(&out, "true");
        }
        enc_json_put_raw(&out, "}}");
        cr_assert_eq(enc_filter_parse(&filter, arena(), json(written(&out)), 1000),
                     count == 100 ? ENC_ERR_OK : ENC_ERR_INVALID_FILTER);
    }
}

Test(filter, c54_everything_wrong_is_invalid_filter)
{
    const char *const BAD[] = {
        "{'id':'00'}",         "{'id':1}",
        "{'id':[1]}",          "{'id':null}",
        "{'from':{}}",         "{'type':1}",
        "{'type':[null]}",     "{'type':'\\ud800'}",
        "{'seq':'2'}",         "{'seq':[2]}",
        "{'seq':-1}",          "{'seq':null}",
        "{'seq':{'start':1}}", "{'seq':{'start_at':6,'end_at':5}}",
        "{'timestamp':5}",     "{'timestamp':{'start_at':null}}",
        "{'tags':[]}",         "{'tags':'x'}",
        "{'tags':{'x':1}}",    "{'tags':{'x':false}}",
        "{'tags':{'x':null}}", "{'tags':{'x':[1]}}",
        "{'status':'gone'}",   "{'status':['active','gone']}",
        "{'status':1}",        "{'reverse':null}",
        "{'limit':null}",      "{'unknown':1}",
        "{'Type':'Post'}",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        expect_bad(BAD[i]);
}

Test(filter, c92_a_filter_is_an_object)
{
    expect_bad("[]");
    expect_bad("null");
    expect_bad("'x'");
    expect_bad("1");
}

Test(filter, live_events_match_by_themselves_or_by_their_target)
{
    struct enc_event post = vector_event(2), update = vector_event(3);
    struct enc_filter posts = filter_of("{'type':'Post'}"),
                      updates = filter_of("{'type':'Update'}"),
                      likes = filter_of("{'type':'Like'}"),
                      deleted = filter_of("{'type':'Post','status':'deleted'}");
    cr_assert(enc_filter_matches_live(&posts, &post, NULL));
    cr_assert_not(enc_filter_matches_live(&posts, &update, NULL));
    cr_assert(enc_filter_matches_live(&posts, &update, &post));
    cr_assert(enc_filter_matches_live(&updates, &update, &post));
    cr_assert_not(enc_filter_matches_live(&likes, &update, &post));
    cr_assert(enc_filter_matches_live(&deleted, &update, &post), "status of the target may change");
    cr_assert_not(enc_filter_matches_live(&deleted, &post, NULL), "a new event is active");
}

static bool is_complete(const char *source, uint64_t last_seq, uint64_t now_ms, size_t ids_served)
{
    struct enc_filter filter = filter_of(source);
    const struct enc_filter_progress progress = {last_seq, now_ms, ids_served};
    return enc_filter_is_complete(&filter, &progress);
}

Test(filter, completeness_by_seq)
{
    cr_assert_not(is_complete("{}", 1000, 1000, 0));
    cr_assert_not(is_complete("{'seq':{'end_at':7}}", 6, 0, 0));
    cr_assert(is_complete("{'seq':{'end_at':7}}", 7, 0, 0));
    cr_assert(is_complete("{'seq':{'end_before':7}}", 6, 0, 0));
    cr_assert_not(is_complete("{'seq':{'start_at':7}}", 100, 0, 0));
    cr_assert_not(is_complete("{'seq':7}", 6, 0, 0));
    cr_assert(is_complete("{'seq':7}", 7, 0, 0));
}

Test(filter, c62_completeness_by_the_clock)
{
    cr_assert_not(is_complete("{'timestamp':{'end_at':5000}}", 0, 5000, 0));
    cr_assert(is_complete("{'timestamp':{'end_at':5000}}", 0, 5001, 0));
    cr_assert(is_complete("{'timestamp':{'end_before':5000}}", 0, 5000, 0));
    cr_assert_not(is_complete("{'timestamp':{'start_at':5000}}", 0, 9000, 0));
}

Test(filter, c87_when_the_bound_passes)
{
    struct enc_filter bound = filter_of("{'timestamp':{'end_at':5000}}"), none = filter_of("{}");
    cr_assert_eq(enc_filter_ends_ms(&bound), 5001);
    cr_assert_eq(enc_filter_ends_ms(&none), UINT64_MAX);
}

Test(filter, completeness_by_ids)
{
    const char *two = (const char *)text("{'id':['%s','%s','%s']}", ID, FROM, ID).data;
    cr_assert_eq(filter_of(two).ids.count, 2, "each once");
    cr_assert_not(is_complete(two, 0, 0, 1));
    cr_assert(is_complete(two, 0, 0, 2));
}

Test(filter, void_filters_are_complete_and_match_nothing)
{
    const char *const VOIDS[] = {
        "{'id':[]}",
        "{'from':[]}",
        "{'type':[]}",
        "{'status':[]}",
        "{'tags':{'a':[]}}",
        "{'seq':{'end_before':0}}",
        "{'timestamp':{'start_after':5,'end_at':5}}",
    };
    for (size_t i = 0; i < sizeof VOIDS / sizeof *VOIDS; i++) {
        struct enc_filter filter = filter_of(VOIDS[i]);
        cr_assert(enc_filter_is_void(&filter), "%s", VOIDS[i]);
        cr_assert(is_complete(VOIDS[i], 0, 0, 0), "%s", VOIDS[i]);
        cr_assert_not(fits(VOIDS[i]), "%s", VOIDS[i]);
    }
    struct enc_filter filter = filter_of("{'tags':{'a':true}}");
    cr_assert_not(enc_filter_is_void(&filter));
}

Test(filter, single_type)
{
    struct enc_filter one = filter_of("{'type':['Post']}"), two = filter_of("{'type':['A','B']}"),
                      none = filter_of("{}");
    cr_assert(enc_bytes_is(*enc_filter_single_type(&one), "Post"));
    cr_assert_null(enc_filter_single_type(&two));
    cr_assert_null(enc_filter_single_type(&none));
}

/** A copy answers alike after the original and its JSON are gone. */
Test(filter, copies_stand_alone)
{
    struct enc_filter copy;
    struct enc_bytes source =
        text("{'id':'%s','from':['%s'],'type':['Post'],'tags':{'lang':['en'],'x':true},'seq':2}",
             ID, FROM);
    struct enc_bytes scratch = enc_arena_copy(arena(), source);
    struct enc_json_facts facts;
    struct enc_json *parsed;
    struct enc_arena parse_arena = small_arena(8192);
    struct enc_filter filter;
    struct enc_event event = vector_event(2);
    event.commit.tags = tags_of("[['lang','en'],['x']]");
    EXPECT_OK(enc_json_parse(&parsed, &parse_arena, scratch, &facts));
    uint8_t *start = parse_arena.at;
    EXPECT_OK(enc_filter_parse(&filter, &parse_arena, parsed, 1000));
    EXPECT_OK(enc_filter_copy(&copy, arena(), &filter));
    memset(start, 0x5a, (size_t)(parse_arena.at - start));
    memset((uint8_t *)scratch.data, 0x5a, scratch.len);
    cr_assert(enc_filter_matches(&copy, &event, ENC_EVENT_ACTIVE));
    event.commit.tags = tags_of("[['lang','en']]");
    cr_assert_not(enc_filter_matches(&copy, &event, ENC_EVENT_ACTIVE));
    filter = filter_of("{}");
    EXPECT_OK(enc_filter_copy(&copy, arena(), &filter));
    cr_assert(enc_filter_matches(&copy, &event, ENC_EVENT_ACTIVE));
}

Test(filter, memory_may_end)
{
    const char *source =
        (const char *)text("{'id':'%s','type':['Post'],'tags':{'lang':['en']}}", ID).data;
    const struct enc_json *parsed = json(source);
    struct enc_filter copy, whole = filter_of(source);
    for (size_t len = 0;; len += 16) {
        struct enc_filter filter;
        struct enc_arena small = small_arena(len);
        enum enc_err err = enc_filter_parse(&filter, &small, parsed, 1000);
        if (err == ENC_ERR_OK)
            break;
        EXPECT_ERR(err, TOO_LARGE);
    }
    for (size_t len = 0;; len += 16) {
        struct enc_arena small = small_arena(len);
        enum enc_err err = enc_filter_copy(&copy, &small, &whole);
        if (err == ENC_ERR_OK)
            break;
        EXPECT_ERR(err, TOO_LARGE);
    }
}
