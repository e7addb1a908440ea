/* Bodies of requests: an accepted commit is the same commit after it was written and read again. */
#include "proto/commit.h"
#include "proto/filter.h"
#include "proto/request.h"
#include "tests/fuzz/fuzz.h"

enum { CONTENT_LEN_MAX = 4096 };

static void read_commit_again(const struct enc_commit *commit)
{
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes text;
    struct enc_commit again;
    fuzz_arena(&arena, 1);
    enc_buffer_init(&buffer, &arena, FUZZ_MEMORY_LEN);
    enc_commit_put_json(&buffer, commit);
    ENC_CHECK(enc_buffer_bytes(&buffer, &text) == ENC_ERR_OK);
    const struct enc_json *json = fuzz_json(&arena, text);
    ENC_CHECK(json && enc_commit_decode(&again, &arena, json, CONTENT_LEN_MAX) == ENC_ERR_OK);
    enc_commit_hash_fill(&again);
    ENC_CHECK(memcmp(again.hash32, commit->hash32, 32) == 0);
    ENC_CHECK(enc_bytes_equal(again.content, commit->content));
}

static void try_commit(struct enc_arena *arena, const struct enc_json *json)
{
    struct enc_commit commit;
    if (enc_commit_decode(&commit, arena, json, CONTENT_LEN_MAX) != ENC_ERR_OK)
        return;
    enc_commit_hash_fill(&commit);
    read_commit_again(&commit);
}

static void try_filter(struct enc_arena *arena, const struct enc_json *json)
{
    struct enc_filter filter;
    struct enc_filter copy;
    if (enc_filter_parse(&filter, arena, json, 1000) != ENC_ERR_OK)
        return;
    ENC_CHECK(filter.limit >= 1 && filter.limit <= 1000);
    ENC_CHECK(enc_filter_copy(&copy, arena, &filter) == ENC_ERR_OK);
    ENC_CHECK(enc_filter_is_void(&copy) == enc_filter_is_void(&filter));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena;
    struct enc_bytes sub_id;
    fuzz_arena(&arena, 0);
    const struct enc_json *json = fuzz_json(&arena, enc_bytes_of(data, len));
    if (!json)
        return 0;
    if (enc_body_kind(json) == ENC_BODY_COMMIT)
        try_commit(&arena, json);
    if (enc_sub_id_take(&sub_id, json) == ENC_ERR_OK)
        ENC_CHECK(sub_id.len > 0);
    try_filter(&arena, json);
    try_filter(&arena, enc_json_get(enc_json_get(json, "content"), "filter"));
    return 0;
}
