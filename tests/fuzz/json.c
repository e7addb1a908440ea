/* Any bytes: what is accepted as JSON has a bounded depth, and its strings are text that survives a round trip. */
#include "tests/fuzz/fuzz.h"

enum { DEPTH_MAX = 64 };

static void round_trip(struct enc_bytes text)
{
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes written;
    struct enc_bytes again;
    fuzz_arena(&arena, 1);
    enc_buffer_init(&buffer, &arena, FUZZ_MEMORY_LEN);
    enc_json_put_text(&buffer, text);
    if (enc_buffer_bytes(&buffer, &written) != ENC_ERR_OK)
        return;
    const struct enc_json *json = fuzz_json(&arena, written);
    ENC_CHECK(json && enc_json_text(json, &again) && enc_bytes_equal(text, again));
}

static void visit(const struct enc_json *json, int depth)
{
    struct enc_bytes text;
    ENC_CHECK(depth <= DEPTH_MAX);
    if (enc_json_text(json, &text))
        round_trip(text);
    size_t count = 0;
    for (const struct enc_json *child = json->child; child; child = child->next, count++)
        visit(child, depth + 1);
    ENC_CHECK(count == json->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena;
    fuzz_arena(&arena, 0);
    const struct enc_json *json = fuzz_json(&arena, enc_bytes_of(data, len));
    if (json)
        visit(json, 1);
    return 0;
}
