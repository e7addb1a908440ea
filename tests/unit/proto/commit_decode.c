#include "logic.h"

#include <criterion/criterion.h>

/** A good body of the vectors, from which a member may be taken, or into which one is put. */
static json_t *body(void)
{
    json_t *made = json_object();
    const char *const NAMES[] = {"hash",    "enclave", "from", "type",
                                 "content", "exp",     "tags", "sig"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        json_object_set(made, NAMES[i], json_object_get(vector_at("events.2"), NAMES[i]));
    return made;
}

/** Takes made over. */
static enum enc_err decode(struct enc_commit *out, json_t *made)
{
    const struct enc_json *parsed = json_of(made);
    json_decref(made);
    return enc_commit_decode(out, arena(), parsed, SIZE_MAX);
}

static enum enc_err decode_with(const char *name, json_t *value)
{
    struct enc_commit commit;
    json_t *made = body();
    json_object_set_new(made, name, value);
    return decode(&commit, made);
}

Test(commit_decode, members_of_the_vectors)
{
    struct enc_commit commit;
    EXPECT_OK(decode(&commit, body()));
    cr_assert(commit.has_hash);
    expect_vector(enc_bytes_of(commit.hash32, 32), "events.2.hash");
    expect_vector(enc_bytes_of(commit.enclave32, 32), "events.2.enclave");
    expect_vector(enc_bytes_of(commit.from32, 32), "events.2.from");
    expect_vector(enc_bytes_of(commit.sig64, 64), "events.2.sig");
    cr_assert(enc_bytes_equal(commit.type, vector_text("events.2.type")));
    cr_assert(enc_bytes_equal(commit.content, vector_text("events.2.content")));
    cr_assert_eq(commit.exp_ms, vector_u64("events.2.exp"));
    EXPECT_OK(enc_commit_hash_check(&commit));
}

Test(commit_decode, only_hash_tags_and_alg_may_be_absent)
{
    const struct {
        const char *name;
        bool may_be_absent;
    } ROWS[] = {{"hash", true},     {"tags", true}, {"enclave", false}, {"from", false},
                {"content", false}, {"exp", false}, {"type", false},    {"sig", false}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct enc_commit commit;
        json_t *made = body();
        cr_assert_eq(json_object_del(made, ROWS[i].name), 0);
        cr_assert_eq(decode(&commit, made),
                     ROWS[i].may_be_absent ? ENC_ERR_OK : ENC_ERR_INVALID_COMMIT, "%s",
                     ROWS[i].name);
        cr_assert_eq(decode_with(ROWS[i].name, json_null()), ENC_ERR_INVALID_COMMIT, "%s is null",
                     ROWS[i].name);
    }
}

Test(commit_decode, another_alg_is_named_before_its_sig_is_looked_at)
{
    struct enc_commit commit;
    json_t *made = body();
    json_object_set_new(made, "alg", json_string("ed25519"));
    json_object_set_new(made, "sig", json_string("short"));
    EXPECT_ERR(decode(&commit, made), UNSUPPORTED_ALG);
    EXPECT_ERR(decode_with("alg", json_integer(1)), UNSUPPORTED_ALG);
    EXPECT_OK(decode_with("alg", json_string("schnorr")));
    EXPECT_OK(decode_with("unknown", json_null()));
}

Test(commit_decode, the_bound_of_content_can_be_lowered_but_not_raised)
{
    struct enc_commit commit;
    json_t *made = body();
    const struct enc_json *small = json_of(made);
    size_t len = vector_text("events.2.content").len;
    EXPECT_OK(enc_commit_decode(&commit, arena(), small, len));
    EXPECT_ERR(enc_commit_decode(&commit, arena(), small, len - 1), TOO_LARGE);
    for (int more = 0; more <= 1; more++) {
        struct enc_bytes content = text("%0*d", ENC_CONTENT_LEN_MAX + more, 0);
        json_object_set_new(made, "content", json_stringn((const char *)content.data, content.len));
        cr_assert_eq(enc_commit_decode(&commit, arena(), json_of(made), SIZE_MAX),
                     more ? ENC_ERR_TOO_LARGE : ENC_ERR_OK);
    }
    json_decref(made);
}
