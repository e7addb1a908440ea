#include "logic.h"

#include <criterion/criterion.h>

static const struct enc_json *reread(const struct enc_buffer *out)
{
    return json_exact(enc_bytes_of_text(written(out)));
}

Test(event_json, written_events_are_read_back_sound)
{
    for (unsigned i = 0; i < 4; i++) {
        struct enc_buffer out = buffer(), again = buffer();
        struct enc_event event = vector_event(i), got;
        enc_event_put_json(&out, &event, false);
        EXPECT_OK(enc_event_take(&got, arena(), reread(&out)));
        cr_assert_eq(enc_event_check(&got, test_curve(), event.sequencer32), ENC_EVENT_SOUND);
        enc_event_put_json(&again, &got, false);
        cr_assert_str_eq(written(&out), written(&again));
    }
}

Test(event_json, hidden_content_is_null_and_reads_as_erased)
{
    struct enc_buffer hidden = buffer(), erased = buffer();
    struct enc_event event = vector_event(2), got;
    enc_event_put_json(&hidden, &event, true);
    EXPECT_OK(enc_event_take(&got, arena(), reread(&hidden)));
    cr_assert(got.is_erased);
    cr_assert_eq(got.commit.content.len, 0);
    enc_event_put_json(&erased, &got, false);
    cr_assert_str_eq(written(&erased), written(&hidden));
}

Test(event_json, a_receipt_carries_no_content)
{
    struct enc_buffer out = buffer();
    struct enc_event event = vector_event(2), got;
    event.type_seq = 41;
    enc_receipt_put_json(&out, &event);
    const struct enc_json *object = reread(&out);
    cr_assert_eq(object->count, 10);
    cr_assert_null(enc_json_get(object, "content"));
    EXPECT_OK(enc_receipt_take(&got, object));
    cr_assert_eq(got.type_seq, 41);
    cr_assert_eq(enc_receipt_check(&got, test_curve(), &event.commit, event.sequencer32),
                 ENC_EVENT_SOUND);
    got.timestamp_ms++;
    cr_assert_eq(enc_receipt_check(&got, test_curve(), &event.commit, event.sequencer32),
                 ENC_EVENT_FAULT_SEQ_SIG);
}

Test(event_json, an_element_says_who_changed_it)
{
    static const char *const BY[ENC_EVENT_STATUS_COUNT] = {NULL, "updated_by", "deleted_by"};
    struct enc_event event = vector_event(2);
    struct enc_element element = {.event = &event};
    vector_hex(element.by32, 32, "events.3.id");
    for (int status = 0; status < ENC_EVENT_STATUS_COUNT; status++) {
        struct enc_buffer out = buffer();
        element.status = (enum enc_event_status)status;
        enc_json_put_raw(&out, "{");
        enc_element_put(&out, &element);
        enc_json_put_raw(&out, "}");
        const struct enc_json *object = reread(&out);
        uint8_t by32[32];
        cr_assert_eq(object->count, BY[status] ? 3 : 2);
        cr_assert_eq(BY[status] && enc_json_hex(enc_json_get(object, BY[status]), by32, 32),
                     BY[status] != NULL);
        if (BY[status])
            expect_vector(enc_bytes_of(by32, 32), "events.3.id");
    }
}
