#include "logic.h"
#include "proto/filter.h"

#include <criterion/criterion.h>

enum { SOURCE_LEN = 16384 };

static const char ID[] = "08d92394d1e997a5121f251a03efbfda6825814feab97147be5bded0b11674a0";

/** The copy of a filter whose text, JSON and lists are overwritten before it is handed out. */
static struct enc_filter copy_of(const char *source)
{
    static uint8_t memory[SOURCE_LEN];
    struct enc_filter filter, copy;
    struct enc_arena doomed;
    struct enc_json_facts facts;
    struct enc_json *parsed;
    enc_arena_init_fixed(&doomed, memory, sizeof memory);
    struct enc_bytes held = enc_arena_copy(&doomed, text("%s", source));
    cr_assert_not_null(held.data);
    EXPECT_OK(enc_json_parse(&parsed, &doomed, held, &facts));
    EXPECT_OK(enc_filter_parse(&filter, &doomed, parsed, ENC_FILTER_LIMIT_MAX));
    EXPECT_OK(enc_filter_copy(&copy, arena(), &filter));
    memset(memory, 0xa5, sizeof memory);
    memset(&filter, 0xa5, sizeof filter);
    return copy;
}

Test(filter_copy, lists_outlive_their_source)
{
    struct enc_filter copy = copy_of((const char *)text("{'id':['%s'],'type':['Like','Post'],"
                                                        "'tags':{'lang':['de','en'],'x':true}}",
                                                        ID)
                                         .data);
    struct enc_event event = vector_event(2);
    event.commit.tags = tags_of("[['x','1'],['lang','en']]");
    cr_assert(enc_filter_matches(&copy, &event, ENC_EVENT_ACTIVE));
    cr_assert_eq(copy.ids.count, 1);
    expect_vector(enc_bytes_of(copy.ids.items32[0], 32), "events.2.id");
    cr_assert(enc_bytes_is(copy.types.items[0], "Like"));
    cr_assert(enc_bytes_is(copy.tags[0].key, "lang"));
    cr_assert(enc_bytes_is(copy.tags[0].values[1], "en"));
    cr_assert(copy.tags[1].any_value);
    event.commit.tags = tags_of("[['x','1'],['lang','fr']]");
    cr_assert_not(enc_filter_matches(&copy, &event, ENC_EVENT_ACTIVE));
}

Test(filter_copy, plain_members_come_along)
{
    struct enc_filter copy = copy_of("{'seq':{'start_at':2,'end_before':9},'limit':7,"
                                     "'timestamp':{'end_at':5000},'status':'deleted',"
                                     "'reverse':true}");
    cr_assert_eq(copy.seq.first, 2);
    cr_assert_eq(copy.seq.last, 8);
    cr_assert_eq(enc_filter_ends_ms(&copy), 5001);
    cr_assert_eq(copy.statuses, 1 << ENC_EVENT_DELETED);
    cr_assert_eq(copy.limit, 7);
    cr_assert(copy.reverse);
    cr_assert_not(copy.ids.is_set);
}

/** An absent list lets everything pass, an empty one nothing: the copy keeps them apart. */
Test(filter_copy, empty_is_not_absent)
{
    struct enc_event event = vector_event(2);
    struct enc_filter absent = copy_of("{}"), empty = copy_of("{'from':[]}");
    cr_assert(enc_filter_matches(&absent, &event, ENC_EVENT_ACTIVE));
    cr_assert_not(enc_filter_matches(&empty, &event, ENC_EVENT_ACTIVE));
    cr_assert(enc_filter_is_void(&empty));
}
