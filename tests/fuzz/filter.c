/* A filter as JSON: the verdict is that of a naive reader over jansson's tree, and of a dozen events
 * in each status it takes those that the naive one takes; so does its copy. */
#include "proto/filter.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/naive/filter.h"

enum { EVENTS = 12, TAG_SETS = 4 };

static struct enc_bytes lang[] = {{(const uint8_t *)"lang", 4}, {(const uint8_t *)"en", 2}};
static struct enc_bytes r[] = {{(const uint8_t *)"r", 1}, {(const uint8_t *)"x", 1}};
static struct enc_bytes lang_de[] = {
    {(const uint8_t *)"lang", 4}, {(const uint8_t *)"de", 2}, {(const uint8_t *)"en", 2}};
static const struct enc_tag TAGS[] = {{lang, 2}, {r, 1}, {lang_de, 3}, {r, 2}};
static const struct enc_tags TAG_SET[TAG_SETS] = {{NULL, 0}, {TAGS, 1}, {TAGS + 1, 2}, {TAGS, 4}};

/* Ids and authors of one digit each, so that the dictionary can have them: 00..0b, aa and bb. */
static const struct enc_event *make_events(void)
{
    static const char *const TYPES[] = {"Post", "Like", "Update"};
    static struct enc_event events[EVENTS];
    if (events[1].seq)
        return events;
    for (unsigned i = 0; i < EVENTS; i++) {
        struct enc_event *event = &events[i];
        memset(event->id32, (int)(i * 0x11), 32);
        memset(event->commit.from32, i % 2 ? 0xaa : 0xbb, 32);
        event->commit.type = enc_bytes_of_text(TYPES[i % 3]);
        event->commit.tags = TAG_SET[i % TAG_SETS];
        event->seq = i;
        event->timestamp_ms = 1000 + i / 2;
    }
    return events;
}

static void compare_event(const struct enc_filter *filter, const json_t *tree,
                          const struct enc_event *event)
{
    bool fits = naive_filter_fits(tree, event);
    const struct enc_event *target = &make_events()[(event->seq + 5) % EVENTS];
    for (unsigned status = 0; status < ENC_EVENT_STATUS_COUNT; status++) {
        bool wants = naive_filter_has_status(tree, (enum enc_event_status)status);
        bool takes = enc_filter_matches(filter, event, (enum enc_event_status)status);
        ENC_CHECK(takes == (fits && wants));
        ENC_CHECK(!takes || !enc_filter_is_void(filter));
    }
    bool goes = fits && naive_filter_has_status(tree, ENC_EVENT_ACTIVE);
    ENC_CHECK(enc_filter_matches_live(filter, event, NULL) == goes);
    ENC_CHECK(enc_filter_matches_live(filter, event, target) ==
              (goes || naive_filter_fits(tree, target)));
}

/* What is complete takes nothing that comes later. */
static void compare_end(const struct enc_filter *filter, const json_t *tree)
{
    const struct enc_event *events = make_events();
    for (unsigned i = 0; i < EVENTS; i++) {
        struct enc_filter_progress progress = {.last_seq = i, .now_ms = events[i].timestamp_ms};
        if (!enc_filter_is_complete(filter, &progress))
            continue;
        for (unsigned k = i + 1; k < EVENTS; k++)
            ENC_CHECK(!naive_filter_fits(tree, &events[k]) ||
                      events[k].timestamp_ms == progress.now_ms || enc_filter_is_void(filter));
    }
}

static void compare(const struct enc_filter *filter, const json_t *tree)
{
    const json_t *limit = json_object_get(tree, "limit"), *type = json_object_get(tree, "type");
    const struct enc_bytes *single = enc_filter_single_type(filter);
    ENC_CHECK(filter->limit == (limit ? (uint64_t)json_integer_value(limit) : 100));
    ENC_CHECK(filter->reverse == json_is_true(json_object_get(tree, "reverse")));
    ENC_CHECK((single != NULL) == (json_is_string(type) || json_array_size(type) == 1));
    for (unsigned i = 0; i < EVENTS; i++)
        compare_event(filter, tree, &make_events()[i]);
    compare_end(filter, tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena, other;
    struct enc_filter filter, copy;
    struct enc_bytes text = enc_bytes_of(data, len);
    fuzz_arena(&arena, 0);
    fuzz_arena(&other, 1);
    const struct enc_json *json = fuzz_json(&arena, text);
    if (!json || !tree_is_fair(text))
        return 0;
    enum enc_err err = enc_filter_parse(&filter, &arena, json, 1000);
    ENC_CHECK(err == ENC_ERR_OK || err == ENC_ERR_INVALID_FILTER);
    const json_t *tree = tree_of(text, NULL);
    if (!tree)
        return 0;
    ENC_CHECK(naive_filter_is_good(tree) == (err == ENC_ERR_OK));
    if (err != ENC_ERR_OK)
        return 0;
    compare(&filter, tree);
    ENC_CHECK(enc_filter_copy(&copy, &other, &filter) == ENC_ERR_OK);
    compare(&copy, tree);
    return 0;
}
