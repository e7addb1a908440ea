#include "proto/event.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <signal.h>

Test(event, vectors_are_finalised_byte_for_byte)
{
    struct enc_key sequencer = vector_key("seq");
    for (unsigned i = 0; i < 5; i++) {
        char path[32];
        uint8_t hash32[32];
        struct enc_event event = vector_event(i);
        memset(event.sequencer32, 0, 32);
        memset(event.seq_sig64, 0, 64);
        memset(event.id32, 0, 32);
        enc_event_finalise(&event, test_curve(), &sequencer);
        enc_event_hash(hash32, &event);
        snprintf(path, sizeof path, "events.%u.event_hash", i);
        expect_vector(enc_bytes_of(hash32, 32), path);
        snprintf(path, sizeof path, "events.%u.seq_sig", i);
        expect_vector(enc_bytes_of(event.seq_sig64, 64), path);
        snprintf(path, sizeof path, "events.%u.id", i);
        expect_vector(enc_bytes_of(event.id32, 32), path);
        expect_vector(enc_bytes_of(event.sequencer32, 32), "keys.seq_pub");
    }
}

Test(event, vectors_are_sound)
{
    struct enc_key sequencer = vector_key("seq");
    for (unsigned i = 0; i < 5; i++) {
        struct enc_event event = vector_event(i);
        cr_assert_eq(enc_event_check(&event, test_curve(), sequencer.pub32), ENC_EVENT_SOUND);
        cr_assert_eq(enc_event_check(&event, test_curve(), NULL), ENC_EVENT_SOUND);
    }
}

static void expect_fault(struct enc_event event, enum enc_event_fault fault)
{
    struct enc_key sequencer = vector_key("seq");
    enum enc_event_fault got = enc_event_check(&event, test_curve(), sequencer.pub32);
    cr_assert_eq(got, fault, "%s instead of %s", enc_event_fault_text(got),
                 enc_event_fault_text(fault));
}

Test(event, every_fault_is_found)
{
    struct enc_event event = vector_event(2);
    event.commit.content = ENC_LIT("hellO");
    expect_fault(event, ENC_EVENT_FAULT_HASH);
    event = vector_event(2);
    event.commit.sig64[0] ^= 1;
    expect_fault(event, ENC_EVENT_FAULT_SIG);
    event = vector_event(2);
    event.sequencer32[0] ^= 1;
    expect_fault(event, ENC_EVENT_FAULT_SEQUENCER);
    event = vector_event(2);
    event.timestamp_ms++;
    expect_fault(event, ENC_EVENT_FAULT_SEQ_SIG);
    event = vector_event(2);
    event.seq++;
    expect_fault(event, ENC_EVENT_FAULT_SEQ_SIG);
    event = vector_event(2);
    event.id32[5] ^= 1;
    expect_fault(event, ENC_EVENT_FAULT_ID);
}

Test(event, an_erased_event_can_still_be_checked)
{
    struct enc_event event = vector_event(2);
    event.is_erased = true;
    event.commit.content = (struct enc_bytes){0};
    expect_fault(event, ENC_EVENT_SOUND);
    event.commit.hash32[0] ^= 1;
    expect_fault(event, ENC_EVENT_FAULT_SIG);
}

Test(event, fault_texts_are_sentences)
{
    for (unsigned i = 0; i < ENC_EVENT_FAULT_COUNT; i++)
        cr_assert_gt(strlen(enc_event_fault_text((enum enc_event_fault)i)), 10);
}

Test(event, no_text_for_no_fault, .signal = SIGABRT)
{
    enc_event_fault_text(ENC_EVENT_FAULT_COUNT);
}

Test(event, json_of_a_vector)
{
    struct enc_buffer out = buffer();
    struct enc_event back, event = vector_event(2);
    enc_event_put_json(&out, &event, false);
    const char *got = written(&out);
    json_error_t error;
    json_t *object = json_loads(got, 0, &error), *want = json_deep_copy(vector_at("events.2"));
    json_object_del(want, "event_hash");
    json_object_set_new(want, "type_seq", json_integer(1));
    cr_assert(json_equal(object, want), "%s", got);
    json_decref(object);
    json_decref(want);
    EXPECT_OK(enc_event_take(&back, arena(), json(got)));
    expect_fault(back, ENC_EVENT_SOUND);
}

Test(event, content_can_be_hidden)
{
    struct enc_buffer hidden = buffer(), erased = buffer();
    struct enc_event back, event = vector_event(2);
    enc_event_put_json(&hidden, &event, true);
    cr_assert(strstr(written(&hidden), "\"content\":null"));
    event.is_erased = true;
    enc_event_put_json(&erased, &event, false);
    cr_assert_str_eq(written(&hidden), written(&erased));
    EXPECT_OK(enc_event_take(&back, arena(), json(written(&hidden))));
    cr_assert(back.is_erased);
    expect_fault(back, ENC_EVENT_SOUND);
}

Test(event, receipt_of_a_vector)
{
    struct enc_buffer out = buffer();
    struct enc_event receipt, event = vector_event(2);
    struct enc_key sequencer = vector_key("seq");
    enc_receipt_put_json(&out, &event);
    cr_assert_eq(json(written(&out))->count, 10);
    EXPECT_OK(enc_receipt_take(&receipt, json(written(&out))));
    cr_assert_eq(enc_receipt_check(&receipt, test_curve(), &event.commit, sequencer.pub32),
                 ENC_EVENT_SOUND);
    receipt.commit.enclave32[0] ^= 1;
    cr_assert_eq(enc_receipt_check(&receipt, test_curve(), &event.commit, NULL),
                 ENC_EVENT_FAULT_HASH);
    receipt.commit.enclave32[0] ^= 1;
    receipt.commit.hash32[0] ^= 1;
    cr_assert_eq(enc_receipt_check(&receipt, test_curve(), &event.commit, NULL),
                 ENC_EVENT_FAULT_HASH);
    receipt.commit.hash32[0] ^= 1;
    receipt.commit.sig64[0] ^= 1;
    cr_assert_eq(enc_receipt_check(&receipt, test_curve(), &event.commit, NULL),
                 ENC_EVENT_FAULT_SIG);
    receipt.commit.sig64[0] ^= 1;
    receipt.seq = 3;
    cr_assert_eq(enc_receipt_check(&receipt, test_curve(), &event.commit, NULL),
                 ENC_EVENT_FAULT_SEQ_SIG);
}

Test(event, receipt_of_an_unsigned_commit)
{
    struct enc_event event = vector_event(2);
    struct enc_commit forged = event.commit;
    memset(forged.from32, 0, 32);
    cr_assert_eq(enc_receipt_check(&event, test_curve(), &forged, NULL), ENC_EVENT_FAULT_SIG);
}

Test(event, notification)
{
    struct enc_buffer out = buffer();
    struct enc_event event = vector_event(2);
    enc_notify_put_json(&out, &event);
    expect_json(&out, "{'id':'08d92394d1e997a5121f251a03efbfda6825814feab97147be5bded0b11674a0',"
                      "'seq':2,'type':'Post','type_seq':1,'timestamp':1750000002001}");
}

static const char *element_json(enum enc_event_status status, bool hides_content)
{
    struct enc_buffer out = buffer();
    struct enc_event event = vector_event(2);
    struct enc_element element = {&event, status, {0xab}, hides_content};
    enc_json_put_raw(&out, "{");
    enc_element_put(&out, &element);
    enc_json_put_raw(&out, "}");
    return written(&out);
}

static void expect_member(const char *object, const char *name, const char *value)
{
    struct enc_bytes got = {0};
    bool has = enc_json_text(enc_json_get(json(object), name), &got);
    cr_assert_eq(has, value != NULL, "%s: %s", name, object);
    cr_assert(!value || enc_bytes_is(got, value), "%s: %s", name, object);
}

Test(event, elements_say_what_became_of_the_event)
{
    static const char BY[] = "ab00000000000000000000000000000000000000000000000000000000000000";
    const char *active = element_json(ENC_EVENT_ACTIVE, false);
    expect_member(active, "status", "active");
    expect_member(active, "updated_by", NULL);
    expect_member(active, "deleted_by", NULL);
    const char *updated = element_json(ENC_EVENT_UPDATED, false);
    expect_member(updated, "status", "updated");
    expect_member(updated, "updated_by", BY);
    const char *deleted = element_json(ENC_EVENT_DELETED, true);
    expect_member(deleted, "status", "deleted");
    expect_member(deleted, "deleted_by", BY);
    cr_assert(strstr(deleted, "\"content\":null"));
}

Test(event, c40_update_of_a_deleted_target)
{
    const char *element = element_json(ENC_EVENT_ACTIVE, true);
    expect_member(element, "status", "active");
    cr_assert(strstr(element, "\"content\":null"));
}

Test(event, no_status_but_three, .signal = SIGABRT)
{
    element_json(ENC_EVENT_STATUS_COUNT, false);
}

/** Every member but tags is required, with its type. */
Test(event, reading_is_strict)
{
    struct enc_buffer out = buffer();
    struct enc_event back, event = vector_event(2);
    enc_event_put_json(&out, &event, false);
    json_error_t error;
    json_t *whole = json_loads(written(&out), 0, &error);
    const char *name;
    json_t *value;
    json_object_foreach(whole, name, value)
    {
        json_t *part = json_deep_copy(whole);
        bool is_tags = strcmp(name, "tags") == 0;
        json_object_del(part, name);
        cr_assert_eq(enc_event_take(&back, arena(), json_of(part)),
                     is_tags ? ENC_ERR_OK : ENC_ERR_INVALID_REQUEST, "without %s", name);
        json_object_set_new(part, name, json_real(0.5));
        cr_assert_eq(enc_event_take(&back, arena(), json_of(part)), ENC_ERR_INVALID_REQUEST, "%s",
                     name);
        json_decref(part);
    }
    json_object_set_new(whole, "type", json_string("no type"));
    EXPECT_ERR(enc_event_take(&back, arena(), json_of(whole)), INVALID_REQUEST);
    json_decref(whole);
}

Test(event, a_receipt_is_no_event)
{
    struct enc_event back, event = vector_event(2);
    struct enc_buffer receipt = buffer(), whole = buffer();
    enc_receipt_put_json(&receipt, &event);
    enc_event_put_json(&whole, &event, false);
    EXPECT_ERR(enc_event_take(&back, arena(), json(written(&receipt))), INVALID_REQUEST);
    EXPECT_ERR(enc_receipt_take(&back, json(written(&whole))), INVALID_REQUEST);
    EXPECT_ERR(enc_receipt_take(&back, json("{'type':'Receipt'}")), INVALID_REQUEST);
    struct enc_arena none = small_arena(0);
    EXPECT_ERR(enc_event_take(&back, &none, json(written(&whole))), TOO_LARGE);
}
