#include "logic.h"
#include "proto/filter.h"

#include <criterion/criterion.h>

static struct enc_filter filter_of(const char *source)
{
    struct enc_filter filter;
    EXPECT_OK(enc_filter_parse(&filter, arena(), json(source), ENC_FILTER_LIMIT_MAX));
    return filter;
}

/** Each of these alone refuses the Post of the vectors; without it the filter lets it pass. */
Test(filter_match, one_member_that_refuses_is_enough)
{
    static const char *const REFUSALS[] = {
        "'seq':3",
        "'type':'Posts'",
        "'tags':{'lang':'e'}",
        "'status':'updated'",
        "'timestamp':{'start_after':1750000002001}",
        "'from':'0000000000000000000000000000000000000000000000000000000000000000'",
        "'id':'0000000000000000000000000000000000000000000000000000000000000000'",
    };
    struct enc_event event = vector_event(2);
    struct enc_filter all = filter_of("{'limit':9}");
    cr_assert(enc_filter_matches(&all, &event, ENC_EVENT_ACTIVE));
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        struct enc_filter filter =
            filter_of((const char *)text("{'limit':9,%s}", REFUSALS[i]).data);
        cr_assert_not(enc_filter_matches(&filter, &event, ENC_EVENT_ACTIVE), "%s", REFUSALS[i]);
    }
}

Test(filter_match, a_tag_may_be_anywhere_among_the_tags)
{
    struct enc_event event = vector_event(2);
    struct enc_filter filter = filter_of("{'tags':{'a':['1','2'],'b':true}}");
    const struct {
        const char *tags;
        bool matches;
    } ROWS[] = {
        {"[['a','2'],['b']]", true},
        {"[['b','x'],['c'],['a','1']]", true},
        {"[['a','3'],['a','1'],['b']]", true},
        {"[['a','1']]", false},
        {"[['a'],['b']]", false},
        {"[['b'],['a','3','1']]", false},
        {"[['A','1'],['b']]", false},
        {"[]", false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        event.commit.tags = tags_of(ROWS[i].tags);
        cr_assert_eq(enc_filter_matches(&filter, &event, ENC_EVENT_ACTIVE), ROWS[i].matches, "%s",
                     ROWS[i].tags);
    }
}

Test(filter_match, the_target_speaks_for_a_live_update_but_not_its_status)
{
    struct enc_event post = vector_event(2), update = vector_event(3);
    struct enc_filter gone = filter_of("{'seq':2,'status':'deleted'}");
    struct enc_filter later = filter_of("{'seq':4,'status':'deleted'}");
    cr_assert(enc_filter_matches_live(&gone, &update, &post));
    cr_assert_not(enc_filter_matches_live(&gone, &post, NULL));
    cr_assert_not(enc_filter_matches_live(&later, &update, &post));
}

Test(filter_match, completeness_counts_the_ids_that_were_served)
{
    struct enc_filter filter = filter_of(
        "{'id':['0000000000000000000000000000000000000000000000000000000000000001',"
        "'0000000000000000000000000000000000000000000000000000000000000002'],'seq':{'end_at':9}}");
    struct enc_filter_progress progress = {.last_seq = 8, .now_ms = 1, .ids_served = 1};
    cr_assert_not(enc_filter_is_complete(&filter, &progress));
    progress.ids_served = 2;
    cr_assert(enc_filter_is_complete(&filter, &progress));
    progress = (struct enc_filter_progress){.last_seq = 9, .now_ms = 1, .ids_served = 0};
    cr_assert(enc_filter_is_complete(&filter, &progress));
}
