/* A commit as JSON: the verdict on its structure is that of a naive reader over jansson's tree, its
 * hash that of another CBOR and another SHA-256, and written and read again it is the same. What has
 * the right structure is then signed here, so that step 4 is reached: it verifies, and any other
 * hash, key or signature does not. */
#include "proto/commit.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/naive/commit.h"

enum { CONTENT_LEN_MAX = 256, ONE_OF = 16 };

static bool same_tags(const struct enc_tags *a, const struct enc_tags *b)
{
    bool is_same = a->count == b->count;
    for (size_t i = 0; is_same && i < a->count; i++) {
        is_same = a->items[i].count == b->items[i].count;
        for (size_t k = 0; is_same && k < a->items[i].count; k++)
            is_same = enc_bytes_equal(a->items[i].members[k], b->items[i].members[k]);
    }
    return is_same;
}

static void write_and_read(const struct enc_commit *commit)
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
    ENC_CHECK(enc_commit_hash_check(&again) == ENC_ERR_OK);
    ENC_CHECK(memcmp(again.hash32, commit->hash32, 32) == 0 &&
              memcmp(again.enclave32, commit->enclave32, 32) == 0 &&
              memcmp(again.from32, commit->from32, 32) == 0 &&
              memcmp(again.sig64, commit->sig64, 64) == 0 && again.exp_ms == commit->exp_ms &&
              enc_bytes_equal(again.type, commit->type) &&
              enc_bytes_equal(again.content, commit->content) &&
              same_tags(&again.tags, &commit->tags));
}

static void compare_hashes(struct enc_commit *commit, const json_t *tree)
{
    uint8_t naive32[32], id32[32], claimed32[32];
    memcpy(claimed32, commit->hash32, 32);
    naive_commit_hash(naive32, tree);
    bool is_claimed = !commit->has_hash || memcmp(claimed32, naive32, 32) == 0;
    ENC_CHECK((enc_commit_hash_check(commit) == ENC_ERR_OK) == is_claimed);
    ENC_CHECK(memcmp(commit->hash32, naive32, 32) == 0);
    naive_enclave_id(naive32, tree);
    enc_enclave_id(id32, commit);
    ENC_CHECK(memcmp(id32, naive32, 32) == 0);
}

/* Both bounds, and the milliseconds beside them. */
static void compare_expiry(const struct enc_commit *commit)
{
    static const int64_t STEPS_MS[] = {-3600001, -3600000, -1, 0, 60000, 60001};
    for (size_t i = 0; i < sizeof STEPS_MS / sizeof *STEPS_MS; i++) {
        int64_t now_ms = (int64_t)commit->exp_ms + STEPS_MS[i];
        if (now_ms < 0)
            continue;
        enum enc_err want = STEPS_MS[i] > 60000      ? ENC_ERR_EXPIRED
                            : STEPS_MS[i] < -3600000 ? ENC_ERR_EXP_TOO_FAR
                                                     : ENC_ERR_OK;
        ENC_CHECK(enc_commit_expiry(commit, (uint64_t)now_ms) == want);
    }
}

/* Curve work is a thousand times as dear as the rest: the hash says whose turn it is. */
static void sign(struct enc_commit *commit)
{
    const struct enc_key *key = fuzz_key(0);
    if (commit->hash32[31] % ONE_OF || enc_commit_sign(fuzz_curve(), commit, key) != ENC_ERR_OK)
        return;
    ENC_CHECK(enc_commit_check(commit) == ENC_ERR_OK);
    ENC_CHECK(enc_commit_hash_check(commit) == ENC_ERR_OK);
    ENC_CHECK(enc_commit_signature(fuzz_curve(), commit) == ENC_ERR_OK);
    commit->sig64[commit->hash32[0] % 64] ^= (uint8_t)(1 << commit->hash32[1] % 8);
    ENC_CHECK(enc_commit_signature(fuzz_curve(), commit) == ENC_ERR_INVALID_SIGNATURE);
}

static void examine(struct enc_commit *commit, const json_t *tree)
{
    compare_hashes(commit, tree);
    compare_expiry(commit);
    write_and_read(commit);
    bool is_shaped = naive_commit_has_shape(tree) && enc_point_lifts(commit->from32);
    ENC_CHECK((enc_commit_check(commit) == ENC_ERR_OK) == is_shaped);
    if (is_shaped)
        sign(commit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena;
    struct enc_commit commit;
    struct enc_bytes text = enc_bytes_of(data, len);
    fuzz_arena(&arena, 0);
    const struct enc_json *json = fuzz_json(&arena, text);
    const json_t *tree = json && tree_is_fair(text) ? tree_of(text, NULL) : NULL;
    if (!json)
        return 0;
    enum enc_err err = enc_commit_decode(&commit, &arena, json, CONTENT_LEN_MAX);
    if (!tree)
        return 0;
    ENC_CHECK((err == ENC_ERR_OK) == naive_commit_is_good(tree, CONTENT_LEN_MAX));
    ENC_CHECK(err == ENC_ERR_OK || naive_commit_has_fault(tree, err, CONTENT_LEN_MAX));
    if (err == ENC_ERR_OK)
        examine(&commit, tree);
    return 0;
}
