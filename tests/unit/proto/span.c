#include "proto/span.h"

#include "logic.h"

#include <criterion/criterion.h>

static void expect(const char *range, uint64_t first, uint64_t last)
{
    struct enc_span span;
    cr_assert(enc_span_take(&span, json(range)), "%s", range);
    if (first > last) {
        cr_assert(enc_span_is_empty(&span), "%s", range);
        return;
    }
    cr_assert_eq(span.first, first, "%s", range);
    cr_assert_eq(span.last, last, "%s", range);
    cr_assert(enc_span_has(&span, first) && enc_span_has(&span, last));
    cr_assert_not(first > 0 && enc_span_has(&span, first - 1));
    cr_assert_not(last < UINT64_MAX && enc_span_has(&span, last + 1));
}

Test(span, any_subset)
{
    expect("{}", 0, UINT64_MAX);
    expect("{'start_at':5}", 5, UINT64_MAX);
    expect("{'start_after':5}", 6, UINT64_MAX);
    expect("{'end_at':5}", 0, 5);
    expect("{'end_before':5}", 0, 4);
    expect("{'start_at':5,'end_at':5}", 5, 5);
    expect("{'end_before':9,'start_after':5}", 6, 8);
    expect("{'start_at':0,'end_at':9007199254740991}", 0, 9007199254740991);
}

Test(span, empty_ones)
{
    expect("{'start_after':5,'end_at':5}", 1, 0);
    expect("{'start_at':5,'end_before':5}", 1, 0);
    expect("{'end_before':0}", 1, 0);
    expect("{'start_at':0,'end_before':0}", 1, 0);
    expect("{'end_before':0,'start_after':0}", 1, 0);
    cr_assert_not(enc_span_is_empty(&ENC_SPAN_ALL));
}

Test(span, what_is_no_range)
{
    const char *const BAD[] = {
        "5",
        "[]",
        "null",
        "'5'",
        "{'start':5}",
        "{'start_at':-1}",
        "{'start_at':1.5}",
        "{'start_at':'5'}",
        "{'end_at':null}",
        "{'start_at':1,'start_after':1}",
        "{'end_at':1,'end_before':1}",
        "{'start_at':6,'end_at':5}",
        "{'start_after':6,'end_before':5}",
        "{'start_at':9007199254740992}",
    };
    struct enc_span span;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_not(enc_span_take(&span, json(BAD[i])), "%s", BAD[i]);
    cr_assert_not(enc_span_take(&span, NULL));
}
