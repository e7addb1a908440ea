#include "proto/wire.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <signal.h>

static const char *error_json(struct enc_refusal refusal)
{
    struct enc_buffer out = buffer();
    enc_wire_put_error(&out, &refusal);
    return written(&out);
}

Test(wire, error_body)
{
    struct enc_buffer out = buffer();
    struct enc_refusal refusal = {.verdict = {ENC_ERR_UNAUTHORIZED, 7},
                                  .message = ENC_LIT("no role permits C on Post")};
    enc_wire_put_error(&out, &refusal);
    expect_json(&out, "{'type':'Error','code':'UNAUTHORIZED','message':'no role permits C on Post',"
                      "'error':'unauthorized','step':7}");
}

Test(wire, every_refusal_of_the_catalogue)
{
    for (unsigned err = ENC_ERR_OK + 1; err < ENC_ERR_COUNT; err++) {
        const struct enc_err_row *row = enc_err_row((enum enc_err)err);
        const struct enc_json *got = json_exact(
            enc_bytes_of_text(error_json((struct enc_refusal){.verdict = {(enum enc_err)err, 0}})));
        struct enc_bytes code, error, message;
        cr_assert(enc_json_text(enc_json_get(got, "code"), &code));
        cr_assert(enc_json_text(enc_json_get(got, "error"), &error));
        cr_assert(enc_json_text(enc_json_get(got, "message"), &message));
        cr_assert(enc_bytes_is(code, row->code));
        cr_assert(enc_bytes_is(message, row->message));
        cr_assert_eq(code.len, error.len);
        for (size_t i = 0; i < code.len; i++)
            cr_assert_eq(error.data[i], tolower(code.data[i]));
        cr_assert_null(enc_json_get(got, "step"));
        uint64_t retry_s = 0;
        bool has_retry = enc_json_u64(enc_json_get(got, "retry_after"), &retry_s);
        cr_assert_eq(has_retry, row->retry_s != 0);
        cr_assert_eq(retry_s, row->retry_s);
    }
}

Test(wire, duplicate_carries_its_receipt)
{
    struct enc_event event = vector_event(2), back;
    const char *got =
        error_json((struct enc_refusal){.verdict = {ENC_ERR_DUPLICATE, 5}, .receipt = &event});
    EXPECT_OK(enc_receipt_take(&back, enc_json_get(json(got), "receipt")));
    expect_vector(enc_bytes_of(back.id32, 32), "events.2.id");
}

Test(wire, what_else_an_error_says)
{
    struct enc_buffer out = buffer();
    struct enc_key seq = vector_key("seq");
    struct enc_refusal refusal = {
        .verdict = {ENC_ERR_ENCLAVE_MIGRATED, 6},
        .message = ENC_LIT("gone"),
        .new_sequencer32 = seq.pub32,
        .hash32 = seq.pub32,
        .sub_id = ENC_LIT("s\"1"),
        .retry_s = 9,
    };
    enc_wire_put_error(&out, &refusal);
    expect_json(&out,
                (const char *)text("{'type':'Error','code':'ENCLAVE_MIGRATED','message':'gone',"
                                   "'error':'enclave_migrated','step':6,'retry_after':9,"
                                   "'new_sequencer':'%s','hash':'%s','sub_id':'s\\'1'}",
                                   hex32(seq.pub32), hex32(seq.pub32))
                    .data);
}

Test(wire, ok_is_no_error, .signal = SIGABRT)
{
    error_json((struct enc_refusal){0});
}

Test(wire, response)
{
    struct enc_buffer out = buffer(), empty = buffer();
    enc_wire_put_response(&out, text("'a':1,'b':[]"));
    expect_json(&out, "{'type':'Response','content':{'a':1,'b':[]}}");
    enc_wire_put_response(&empty, (struct enc_bytes){0});
    expect_json(&empty, "{'type':'Response','content':{}}");
}

Test(wire, response_in_two)
{
    struct enc_buffer out = buffer(), empty = buffer();
    enc_wire_put_response_lead(&out);
    enc_json_member_u64(&out, "a", 1);
    enc_json_member_u64(&out, "b", 2);
    enc_wire_put_response_rest(&out);
    expect_json(&out, "{'type':'Response','content':{'a':1,'b':2}}");
    enc_wire_put_response_lead(&empty);
    enc_wire_put_response_rest(&empty);
    expect_json(&empty, "{'type':'Response','content':{}}");
}

Test(wire, frames_about_subscriptions)
{
    struct enc_buffer event = buffer(), eose = buffer(), notice = buffer();
    enc_wire_put_event(&event, ENC_LIT("s1"), text("'event':{},'status':'active'"));
    expect_json(&event, "{'type':'Event','sub_id':'s1','event':{},'status':'active'}");
    enc_wire_put_eose(&eose, ENC_LIT("s1"));
    expect_json(&eose, "{'type':'EOSE','sub_id':'s1'}");
    enc_wire_put_notice(&notice, "text frames only");
    expect_json(&notice, "{'type':'Notice','message':'text frames only'}");
}

Test(wire, reasons_of_closed)
{
    static const char *const REASONS[ENC_CLOSED_COUNT] = {
        "client_close",   "complete",           "session_expired",
        "access_revoked", "enclave_terminated", "enclave_migrated",
        "slow_consumer",  "replaced",           "shutdown"};
    for (unsigned i = 0; i < ENC_CLOSED_COUNT; i++) {
        struct enc_buffer out = buffer();
        enc_wire_put_closed(&out, ENC_LIT("s1"), (enum enc_closed)i);
        expect_json(
            &out,
            (const char *)text("{'type':'Closed','sub_id':'s1','reason':'%s'}", REASONS[i]).data);
    }
}

Test(wire, no_other_reason, .signal = SIGABRT)
{
    struct enc_buffer out = buffer();
    enc_wire_put_closed(&out, ENC_LIT("s1"), ENC_CLOSED_COUNT);
}

static void put_events(struct enc_buffer *out, unsigned count, const uint64_t *next)
{
    struct enc_wire_events events;
    enc_wire_events_start(&events, out);
    for (unsigned i = 0; i < count; i++) {
        struct enc_event event = vector_event(i);
        const struct enc_element element = {.event = &event};
        enc_wire_events_add(&events, &element);
    }
    cr_assert_eq(events.count, count);
    enc_wire_events_end(&events, next);
}

Test(wire, c52_events_and_next)
{
    const uint64_t next = 17;
    struct enc_buffer none = buffer(), some = buffer(), whole = buffer();
    struct enc_bytes members;
    put_events(&none, 0, NULL);
    cr_assert_str_eq(written(&none), "\"events\":[],\"next\":null");
    put_events(&some, 3, &next);
    EXPECT_OK(enc_buffer_bytes(&some, &members));
    enc_wire_put_response(&whole, members);
    const struct enc_json *content = enc_json_get(json(written(&whole)), "content");
    uint64_t got;
    cr_assert(enc_json_u64(enc_json_get(content, "next"), &got) && got == 17);
    cr_assert_eq(enc_json_get(content, "events")->count, 3);
    cr_assert_eq(enc_json_get(content, "events")->child->count, 2);
}

static const uint8_t NONCE24[24] = {7};

/** The channel of the vectors, from the node's side. */
static const struct enc_channel *channel(void)
{
    static struct enc_channel made;
    struct enc_key seq = vector_key("seq");
    uint8_t signer32[32];
    vector_hex(signer32, 32, "session.signer_pub");
    cr_assert(enc_channel_derive(test_curve(), &made, &seq, signer32));
    return &made;
}

/** What the client finds in the member content. */
static struct enc_bytes opened(const char *frame)
{
    struct enc_bytes base64, plain;
    cr_assert(enc_json_text(enc_json_get(json(frame), "content"), &base64));
    EXPECT_OK(enc_seal_open(&plain, arena(), channel()->key_response32, base64));
    return plain;
}

static void expect_text(const struct enc_json *object, const char *name, const char *value)
{
    struct enc_bytes got;
    cr_assert(enc_json_text(enc_json_get(object, name), &got));
    cr_assert(enc_bytes_is(got, value));
}

Test(wire, sealed_answers)
{
    struct enc_buffer response = buffer(), event = buffer();
    const struct enc_sealing sealing = {arena(), channel(), NONCE24};
    EXPECT_OK(enc_wire_put_sealed_response(&response, &sealing, text("'a':1")));
    cr_assert(enc_bytes_equal(opened(written(&response)), text("{'a':1}")));
    expect_text(json(written(&response)), "type", "Response");
    EXPECT_OK(enc_wire_put_sealed_event(&event, &sealing, ENC_LIT("s1"), text("'b':2")));
    cr_assert(enc_bytes_equal(opened(written(&event)), text("{'b':2}")));
    expect_text(json(written(&event)), "type", "Event");
    expect_text(json(written(&event)), "sub_id", "s1");
    cr_assert_eq(json(written(&event))->count, 3);
}

static const char *sealed_receipt(enum enc_receipt_form form)
{
    struct enc_buffer out = buffer();
    struct enc_event event = vector_event(2);
    const struct enc_sealing sealing = {arena(), channel(), NONCE24};
    EXPECT_OK(enc_wire_put_sealed_receipt(&out, &sealing, &event, form));
    return written(&out);
}

static void expect_receipt(const char *frame)
{
    struct enc_event receipt;
    struct enc_bytes plain = opened(frame);
    EXPECT_OK(enc_receipt_take(&receipt, json((const char *)enc_arena_copy(arena(), plain).data)));
    expect_vector(enc_bytes_of(receipt.id32, 32), "events.2.id");
}

Test(wire, c59_sealed_receipts)
{
    const char *response = sealed_receipt(ENC_RECEIPT_RESPONSE),
               *frame = sealed_receipt(ENC_RECEIPT_FRAME);
    expect_receipt(response);
    expect_text(json(response), "type", "Response");
    cr_assert_eq(json(response)->count, 2);
    expect_receipt(frame);
    expect_text(json(frame), "type", "Receipt");
    expect_text(json(frame), "hash",
                "5ee0537bbc96e63af8bbcd21cf83a9ccf757d15f524f5dd8ab839750fdfb969c");
    cr_assert_eq(json(frame)->count, 3);
}

/** The longest Receipt there is fits the memory it is sealed from. */
Test(wire, the_longest_receipt)
{
    struct enc_buffer out = buffer();
    struct enc_event event = vector_event(2);
    const struct enc_sealing sealing = {arena(), channel(), NONCE24};
    event.seq = event.type_seq = event.timestamp_ms = UINT64_MAX;
    EXPECT_OK(enc_wire_put_sealed_receipt(&out, &sealing, &event, ENC_RECEIPT_FRAME));
}

Test(wire, memory_may_end)
{
    struct enc_buffer out = buffer();
    struct enc_event event = vector_event(2);
    for (size_t len = 0; len < 512; len += 64) {
        struct enc_arena small = small_arena(len);
        struct enc_sealing sealing = {&small, channel(), NONCE24};
        EXPECT_ERR(enc_wire_put_sealed_receipt(&out, &sealing, &event, ENC_RECEIPT_FRAME),
                   TOO_LARGE);
    }
    struct enc_arena none = small_arena(0), little = small_arena(256);
    struct enc_sealing sealing = {&none, channel(), NONCE24};
    EXPECT_ERR(enc_wire_put_sealed_response(&out, &sealing, ENC_LIT("")), TOO_LARGE);
    EXPECT_ERR(enc_wire_put_sealed_event(&out, &sealing, ENC_LIT("s"), ENC_LIT("")), TOO_LARGE);
    sealing.arena = &little;
    EXPECT_ERR(enc_wire_put_sealed_response(&out, &sealing, ENC_LIT("")), TOO_LARGE);
    struct enc_buffer full;
    enc_buffer_init(&full, arena(), 40);
    enc_wire_put_error(&full, &(struct enc_refusal){.verdict = {ENC_ERR_BUSY, 0}});
    struct enc_bytes bytes;
    EXPECT_ERR(enc_buffer_bytes(&full, &bytes), TOO_LARGE);
}
