#include "services/stream.h"

#include "proto/base/bytes.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(stream);

static uint8_t memory[8192];

static enum enc_err ask(struct enc_exchange *out, const char *query, const char *last_event_id)
{
    *out = (struct enc_exchange){.body = enc_bytes_of_text(query)};
    enc_arena_init_fixed(&out->arena, memory, sizeof memory);
    return enc_stream_ask(out, enc_bytes_of_text(last_event_id));
}

Test(stream, a_query_string_becomes_a_frame)
{
    static const struct {
        const char *query;
        const char *filter;
    } ROWS[] = {
        {"", "{\"seq\":{\"start_at\":0}}"},
        {"from=7&other=x", "{\"seq\":{\"start_at\":7}}"},
        {"type=Post", "{\"seq\":{\"start_at\":0},\"type\":[\"Post\"]}"},
        {"type=A%22,B&from=1", "{\"seq\":{\"start_at\":1},\"type\":[\"A\\\"\",\"B\"]}"},
        {"type=", "{\"seq\":{\"start_at\":0},\"type\":[]}"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct enc_exchange exchange;
        char want[256];
        int len = snprintf(want, sizeof want,
                           "{\"type\":\"Query\",\"sub_id\":\"events\",\"content\":{\"filter\":%s}}",
                           ROWS[i].filter);
        cr_assert(len < (int)sizeof want);
        cr_expect_eq(ask(&exchange, ROWS[i].query, ""), ENC_ERR_OK);
        cr_expect(enc_bytes_is(exchange.body, want), "%s: %.*s", ROWS[i].query,
                  (int)exchange.body.len, (const char *)exchange.body.data);
        cr_expect_not(exchange.asker.resumes);
    }
}

Test(stream, a_whole_frame_is_taken_as_it_is)
{
    struct enc_exchange exchange;
    cr_expect_eq(ask(&exchange, "query=%7B%22a%22:1%7D&from=x", "5"), ENC_ERR_OK);
    cr_expect(enc_bytes_is(exchange.body, "{\"a\":1}"));
    cr_expect(exchange.asker.resumes);
    cr_expect_eq(exchange.asker.resume_seq, 5);
}

Test(stream, what_is_no_number_is_refused)
{
    static const char *const IDS[] = {
        "x", "-1", "1 ", "9007199254740992", "00000000000000000000000000000000001", "1&id=2"};
    struct enc_exchange exchange;
    for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++)
        cr_expect_eq(ask(&exchange, "", IDS[i]), ENC_ERR_INVALID_QUERY, "%s", IDS[i]);
    cr_expect_eq(ask(&exchange, "from=x", ""), ENC_ERR_INVALID_QUERY);
    cr_expect_eq(ask(&exchange, "from=1&from=1", ""), ENC_ERR_INVALID_QUERY);
}

Test(stream, no_limit_and_no_reverse)
{
    struct enc_filter filter = {.limit = 5};
    cr_expect_eq(enc_stream_widen(&filter), ENC_ERR_OK);
    cr_expect_eq(filter.limit, UINT32_MAX);
    filter.reverse = true;
    cr_expect_eq(enc_stream_widen(&filter), ENC_ERR_INVALID_FILTER);
}
