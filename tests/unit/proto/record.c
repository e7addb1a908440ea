#include "proto/record.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct enc_bytes record_of(const struct enc_event *event)
{
    struct enc_bytes bytes;
    struct enc_buffer out = buffer();
    enc_record_put(&out, event);
    EXPECT_OK(enc_buffer_bytes(&out, &bytes));
    return bytes;
}

static void expect_equal(const struct enc_event *a, const struct enc_event *b)
{
    struct enc_buffer json_a = buffer(), json_b = buffer();
    enc_event_put_json(&json_a, a, false);
    enc_event_put_json(&json_b, b, false);
    cr_assert_str_eq(written(&json_a), written(&json_b));
    cr_assert_eq(a->bundle, b->bundle);
}

Test(record, vectors_come_back)
{
    for (unsigned i = 0; i < 5; i++) {
        struct enc_event back, event = vector_event(i);
        event.bundle = 77 + i;
        EXPECT_OK(enc_record_take(&back, arena(), record_of(&event)));
        expect_equal(&event, &back);
        cr_assert_eq(enc_event_check(&back, test_curve(), NULL), ENC_EVENT_SOUND);
    }
}

Test(record, an_erased_event_keeps_the_hash_of_its_content)
{
    struct enc_event back, event = vector_event(2);
    uint8_t hash32[32];
    enc_commit_hash_fill(&event.commit);
    event.is_erased = true;
    EXPECT_OK(enc_record_take(&back, arena(), record_of(&event)));
    cr_assert(back.is_erased);
    cr_assert_eq(back.commit.content.len, 0);
    enc_commit_hash(hash32, &back.commit);
    expect_vector(enc_bytes_of(hash32, 32), "events.2.hash");
}

Test(record, peeking_reads_all_but_tags_and_content)
{
    struct enc_event back, event = vector_event(3);
    EXPECT_OK(enc_record_peek(&back, record_of(&event)));
    cr_assert_eq(back.commit.tags.count, 0);
    cr_assert_eq(back.commit.content.len, 0);
    cr_assert_eq(back.seq, 3);
    cr_assert(enc_bytes_is(back.commit.type, "Update"));
    expect_vector(enc_bytes_of(back.id32, 32), "events.3.id");
}

/** A record cut short anywhere before its content is no record. */
Test(record, cut_records_are_refused)
{
    struct enc_event back, event = vector_event(3);
    struct enc_bytes whole = record_of(&event);
    size_t head_len = whole.len - event.commit.content.len;
    for (size_t len = 0; len < head_len; len++)
        EXPECT_ERR(enc_record_take(&back, arena(), enc_bytes_of(whole.data, len)), INTERNAL);
    event.is_erased = true;
    whole = record_of(&event);
    for (size_t len = 0; len < whole.len; len++)
        EXPECT_ERR(enc_record_take(&back, arena(), enc_bytes_of(whole.data, len)), INTERNAL);
    uint8_t *longer = enc_arena_take(arena(), whole.len + 1);
    memcpy(longer, whole.data, whole.len);
    EXPECT_ERR(enc_record_take(&back, arena(), enc_bytes_of(longer, whole.len + 1)), INTERNAL);
}

/** The event's record with one byte replaced. */
static enum enc_err take_with(size_t at, uint8_t byte)
{
    struct enc_event back, event = vector_event(3);
    struct enc_bytes copy = enc_arena_copy(arena(), record_of(&event));
    ((uint8_t *)copy.data)[at] = byte;
    return enc_record_take(&back, arena(), copy);
}

Test(record, damage_is_found)
{
    enum { TYPE_LEN_AT = 2 + 40 + 5 * 32 + 2 * 64, TAG_COUNT_AT = TYPE_LEN_AT + 1 + 6 };
    EXPECT_OK(take_with(0, 1));
    EXPECT_ERR(take_with(0, 2), INTERNAL);
    EXPECT_ERR(take_with(1, 2), INTERNAL);
    EXPECT_ERR(take_with(1, 1), INTERNAL);
    EXPECT_ERR(take_with(TYPE_LEN_AT, 0), INTERNAL);
    EXPECT_ERR(take_with(TYPE_LEN_AT + 1, '*'), INTERNAL);
    EXPECT_ERR(take_with(TAG_COUNT_AT, 65), INTERNAL);
    EXPECT_ERR(take_with(TAG_COUNT_AT + 1, 9), INTERNAL);
    EXPECT_ERR(take_with(TAG_COUNT_AT + 1, 0), INTERNAL);
    EXPECT_ERR(take_with(TAG_COUNT_AT + 2, 0xff), INTERNAL);
}

Test(record, content_has_its_bound)
{
    struct enc_event back, event = vector_event(2);
    struct enc_buffer out = buffer();
    struct enc_bytes bytes;
    uint8_t *zeros = enc_arena_take(arena(), ENC_CONTENT_LEN_MAX + 1);
    event.commit.content = enc_bytes_of(zeros, ENC_CONTENT_LEN_MAX);
    enc_record_put(&out, &event);
    EXPECT_OK(enc_buffer_bytes(&out, &bytes));
    EXPECT_OK(enc_record_take(&back, arena(), bytes));
    out = buffer();
    event.commit.content.len++;
    enc_record_put(&out, &event);
    EXPECT_OK(enc_buffer_bytes(&out, &bytes));
    EXPECT_ERR(enc_record_take(&back, arena(), bytes), INTERNAL);
}

Test(record, memory_may_end)
{
    struct enc_event back, event = vector_event(3);
    struct enc_bytes record = record_of(&event);
    struct enc_arena none = small_arena(0), little = small_arena(16);
    EXPECT_ERR(enc_record_take(&back, &none, record), TOO_LARGE);
    EXPECT_ERR(enc_record_take(&back, &little, record), TOO_LARGE);
}

Test(record, tags_beyond_the_bounds_are_our_mistake, .signal = SIGABRT)
{
    const struct enc_tag empty = {0};
    struct enc_event event = vector_event(2);
    event.commit.tags = (struct enc_tags){&empty, 1};
    record_of(&event);
}
