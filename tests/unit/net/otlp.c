#include "net/otlp.h"

#include "proto/json.h"

#include <criterion/criterion.h>

static struct enc_arena arena;
static uint8_t memory[1 << 18];

static void setup(void)
{
    enc_arena_init_fixed(&arena, memory, sizeof memory);
}

TestSuite(otlp, .init = setup);

static const struct enc_json *parsed(const struct enc_buffer *buffer)
{
    struct enc_bytes text;
    struct enc_json *json;
    struct enc_json_facts facts;
    cr_assert_eq(enc_buffer_bytes(buffer, &text), ENC_ERR_OK);
    cr_assert_eq(enc_json_parse(&json, &arena, text, &facts), ENC_ERR_OK);
    return json;
}

static bool text_is(const struct enc_json *object, const char *name, const char *text)
{
    struct enc_bytes found;
    return enc_json_text(enc_json_get(object, name), &found) && enc_bytes_is(found, text);
}

static const struct enc_json *spans_of(const struct enc_trace *list, uint64_t wall_ns)
{
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, &arena, sizeof memory);
    enc_otlp_put(&buffer, ENC_LIT("{\"attributes\":[]}"), list, wall_ns);
    const struct enc_json *resource = enc_json_get(parsed(&buffer), "resourceSpans")->child;
    return enc_json_get(enc_json_get(resource, "scopeSpans")->child, "spans");
}

Test(otlp, ids_times_and_children)
{
    struct enc_trace trace = {
        .context = {{0xab, [15] = 1}, {0xcd, [7] = 2}, true},
        .method = "GET",
        .began_ns = 10,
        .ended_ns = 50,
    };
    enc_trace_note(&trace, "read", 20, 30);
    const struct enc_json *spans = spans_of(&trace, UINT64_C(1700000000000000000));
    cr_assert_eq(spans->count, 2);
    const struct enc_json *own = spans->child, *read = own->next;
    cr_assert(text_is(own, "traceId", "ab000000000000000000000000000001"));
    cr_assert(text_is(own, "spanId", "cd00000000000002"));
    cr_assert_null(enc_json_get(own, "parentSpanId"));
    cr_assert(text_is(own, "startTimeUnixNano", "1700000000000000010"));
    cr_assert(text_is(own, "endTimeUnixNano", "1700000000000000050"));
    cr_assert(text_is(read, "name", "read"));
    cr_assert(text_is(read, "parentSpanId", "cd00000000000002"));
    cr_assert(text_is(read, "startTimeUnixNano", "1700000000000000020"));
    cr_assert_eq(enc_otlp_span_count(&trace), 2);
}

Test(otlp, a_list_of_traces)
{
    struct enc_trace last = {.method = "other", .has_failed = true, .code = "INTERNAL_ERROR"};
    struct enc_trace first = {.method = "POST", .kind = ENC_TRACE_POST, .next = &last};
    const struct enc_json *spans = spans_of(&first, 0);
    cr_assert_eq(spans->count, 2);
    cr_assert_null(enc_json_get(spans->child, "status"));
    cr_assert_not_null(enc_json_get(spans->child->next, "status"));
    cr_assert(text_is(spans->child->next, "name", "HTTP"));
}

/* How often the resource names the key, and with which value. */
static unsigned named(const struct enc_otel *otel, const char *key, const char *value)
{
    struct enc_buffer buffer;
    unsigned count = 0;
    enc_buffer_init(&buffer, &arena, sizeof memory);
    enc_otlp_put_resource(&buffer, otel);
    const struct enc_json *list = enc_json_get(parsed(&buffer), "attributes");
    for (const struct enc_json *at = list->child; at; at = at->next) {
        if (!text_is(at, "key", key))
            continue;
        cr_assert(text_is(enc_json_get(at, "value"), "stringValue", value));
        count++;
    }
    return count;
}

Test(otlp, the_name_given_goes_before_that_of_the_attributes)
{
    struct enc_otel otel = {.attributes = "", .service_name = ""};
    cr_assert_eq(named(&otel, "service.name", "enclaved"), 1);
    otel.attributes = "service.name=of attributes,service.instance.id=%22me%22";
    cr_assert_eq(named(&otel, "service.name", "of attributes"), 1);
    cr_assert_eq(named(&otel, "service.instance.id", "\"me\""), 1);
    otel.service_name = "given";
    cr_assert_eq(named(&otel, "service.name", "given"), 1);
}
