#include "services/trace.h"

#include "host_fixture.h"

#include <stdlib.h>

Test(trace, spans_follow_each_other)
{
    struct enc_trace trace = {.began_ns = 100};
    enc_trace_note(&trace, "early", 50, 120);
    enc_trace_note(&trace, "overlapping", 110, 130);
    enc_trace_note(&trace, "backwards", 140, 135);
    const uint64_t times[] = {100, 120, 120, 130, 140, 140};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(trace.spans[i].began_ns, times[2 * i]);
        cr_assert_eq(trace.spans[i].ended_ns, times[2 * i + 1]);
    }
    for (size_t i = 0; i < 2 * ENC_TRACE_SPANS_MAX; i++)
        enc_trace_note(&trace, "more", 150, 160);
    cr_assert_eq(trace.span_count, ENC_TRACE_SPANS_MAX);
}

Test(trace, none_is_fine)
{
    enc_trace_note(NULL, "x", 1, 2);
    enc_trace_refuse(NULL, ENC_ERR_INTERNAL, 0);
    enc_trace_end(NULL, NULL);
}

Test(trace, refusals)
{
    struct enc_trace trace = {.began_ns = 1};
    enc_trace_refuse(&trace, ENC_ERR_INVALID_SIGNATURE, 4);
    cr_assert_str_eq(trace.code, "INVALID_SIGNATURE");
    cr_assert_eq(trace.step, 4);
    cr_assert(!trace.has_failed);
    enc_trace_refuse(&trace, ENC_ERR_INTERNAL, 12);
    cr_assert(trace.has_failed);
}

/* ---- through the host ---- */

static struct enc_trace ended[8];
static size_t begun_count, ended_count;

static struct enc_trace *begin_one(void *self, struct enc_trace_context *context)
{
    (void)self;
    context->is_sampled = true;
    begun_count++;
    return (struct enc_trace *)calloc(1, sizeof(struct enc_trace));
}

static void end_one(void *self, struct enc_trace *trace)
{
    (void)self;
    cr_assert_lt(ended_count, sizeof ended / sizeof *ended);
    ended[ended_count++] = *trace;
    free(trace);
}

/* Every message's trace comes back once, whether it is accepted, refused, or a subscription. */
Test(trace, comes_back_from_every_message)
{
    struct rig rig;
    rig_open(&rig, 7);
    rig.runtime.trace_begin = begin_one;
    rig.runtime.trace_end = end_one;
    const uint8_t *id32 = rig_create(&rig, &(struct shape){0});
    struct enc_conn *conn = rig_connect(&rig, id32);
    struct draft draft = {.who = OWNER, .enclave32 = id32, .type = "Message", .content = "x"};
    cr_assert_eq(begun_count, 0, "requests bring theirs");
    rig_frame(conn, rig_body(&rig, &draft));
    rig_frame(conn, ENC_LIT("{"));
    rig_settle(&rig);
    rig_subscribe(conn, id32, "s", "{}");
    rig_settle(&rig);
    cr_assert_eq(ended_count, 3);
    draft.who = STRANGER;
    rig_frame(conn, rig_body(&rig, &draft));
    rig_settle(&rig);
    rig_disconnect(conn);
    rig_close(&rig);
    cr_assert_eq(begun_count, 4);
    cr_assert_eq(ended_count, 4);
    cr_assert_str_eq(ended[0].method, "unknown");
    cr_assert_str_eq(ended[1].method, "commit");
    cr_assert_eq(ended[1].span_count, 10);
    cr_assert_str_eq(ended[2].method, "query");
    cr_assert_gt(ended[3].step, 4);
}
