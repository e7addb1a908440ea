#include "tests/fuzz/naive/commit.h"

static const uint64_t EXP_MAX = ((uint64_t)1 << 53) - 1;

/* ---- tags ---- */

enum tags { TAGS_GOOD = 0, TAGS_MALFORMED = 1, TAGS_LARGE = 2 };

static unsigned judge_tag(size_t *len, const json_t *tag)
{
    unsigned faults = 0;
    size_t i;
    json_t *member;
    if (!json_is_array(tag) || json_array_size(tag) < 1 || json_array_size(tag) > 8)
        faults |= TAGS_MALFORMED;
    json_array_foreach(tag, i, member)
    {
        *len += json_string_length(member);
        faults |= json_is_string(member) ? 0 : TAGS_MALFORMED;
        faults |= json_string_length(member) > 1024 ? TAGS_LARGE : 0;
    }
    return faults;
}

static unsigned judge_tags(const json_t *tags)
{
    unsigned faults = 0;
    size_t i, len = 0;
    json_t *tag;
    if (!tags)
        return TAGS_GOOD;
    if (!json_is_array(tags))
        return TAGS_MALFORMED;
    json_array_foreach(tags, i, tag) faults |= judge_tag(&len, tag);
    if (json_array_size(tags) > 64 || len > 8192)
        faults |= TAGS_LARGE;
    return faults;
}

/* ---- the whole ---- */

static bool is_malformed(const json_t *commit)
{
    const json_t *hash = json_object_get(commit, "hash");
    const json_t *type = json_object_get(commit, "type");
    return !json_is_object(commit) || (hash && !tree_hex(hash, NULL, 32)) ||
           !tree_hex(json_object_get(commit, "enclave"), NULL, 32) ||
           !tree_hex(json_object_get(commit, "from"), NULL, 32) || !json_is_string(type) ||
           json_string_length(type) > 64 || !json_is_string(json_object_get(commit, "content")) ||
           !tree_int(json_object_get(commit, "exp"), NULL, 0, EXP_MAX) ||
           !tree_hex(json_object_get(commit, "sig"), NULL, 64) ||
           (judge_tags(json_object_get(commit, "tags")) & TAGS_MALFORMED);
}

static bool is_large(const json_t *commit, size_t content_len_max)
{
    return json_string_length(json_object_get(commit, "content")) > content_len_max ||
           (judge_tags(json_object_get(commit, "tags")) & TAGS_LARGE);
}

static bool is_of_other_alg(const json_t *commit)
{
    const json_t *alg = json_object_get(commit, "alg");
    return alg && !tree_is(alg, "schnorr");
}

bool naive_commit_has_fault(const json_t *commit, enum enc_err err, size_t content_len_max)
{
    return (err == ENC_ERR_INVALID_COMMIT && is_malformed(commit)) ||
           (err == ENC_ERR_TOO_LARGE && is_large(commit, content_len_max)) ||
           (err == ENC_ERR_UNSUPPORTED_ALG && is_of_other_alg(commit));
}

bool naive_commit_is_good(const json_t *commit, size_t content_len_max)
{
    return !is_malformed(commit) && !is_large(commit, content_len_max) && !is_of_other_alg(commit);
}

/* ---- hashes ---- */

static void add_hex(struct naive_cbor *out, const json_t *commit, const char *name)
{
    uint8_t bytes32[32] = {0};
    tree_hex(json_object_get(commit, name), bytes32, 32);
    naive_cbor_string(out, NAIVE_BYTES, bytes32, 32);
}

static void add_content(struct naive_cbor *out, const json_t *commit)
{
    uint8_t digest32[32];
    naive_sha256(digest32, tree_text(json_object_get(commit, "content")));
    naive_cbor_string(out, NAIVE_BYTES, digest32, 32);
}

static void add_text(struct naive_cbor *out, const json_t *text)
{
    naive_cbor_string(out, NAIVE_TEXT, json_string_value(text), json_string_length(text));
}

static void add_tags(struct naive_cbor *out, const json_t *tags)
{
    size_t i, k;
    json_t *tag, *member;
    naive_cbor_head(out, NAIVE_ARRAY, json_array_size(tags));
    json_array_foreach(tags, i, tag)
    {
        naive_cbor_head(out, NAIVE_ARRAY, json_array_size(tag));
        json_array_foreach(tag, k, member) add_text(out, member);
    }
}

void naive_commit_hash(uint8_t out32[32], const json_t *commit)
{
    static struct naive_cbor cbor;
    uint64_t exp = 0;
    tree_int(json_object_get(commit, "exp"), &exp, 0, EXP_MAX);
    cbor.len = 0;
    naive_cbor_head(&cbor, NAIVE_ARRAY, 7);
    naive_cbor_head(&cbor, NAIVE_UINT, 0x10);
    add_hex(&cbor, commit, "enclave");
    add_hex(&cbor, commit, "from");
    add_text(&cbor, json_object_get(commit, "type"));
    add_content(&cbor, commit);
    naive_cbor_head(&cbor, NAIVE_UINT, exp);
    add_tags(&cbor, json_object_get(commit, "tags"));
    naive_sha256(out32, enc_bytes_of(cbor.data, cbor.len));
}

void naive_enclave_id(uint8_t out32[32], const json_t *commit)
{
    static struct naive_cbor cbor;
    cbor.len = 0;
    naive_cbor_head(&cbor, NAIVE_ARRAY, 5);
    naive_cbor_head(&cbor, NAIVE_UINT, 0x12);
    add_hex(&cbor, commit, "from");
    naive_cbor_string(&cbor, NAIVE_TEXT, "Manifest", 8);
    add_content(&cbor, commit);
    add_tags(&cbor, json_object_get(commit, "tags"));
    naive_sha256(out32, enc_bytes_of(cbor.data, cbor.len));
}

/* ---- shape ---- */

static bool has_target(const json_t *commit)
{
    size_t i;
    json_t *tag;
    json_array_foreach(json_object_get(commit, "tags"), i, tag)
    {
        if (tree_is(json_array_get(tag, 0), "r"))
            return tree_hex(json_array_get(tag, 1), NULL, 32);
    }
    return false;
}

bool naive_commit_has_shape(const json_t *commit)
{
    const json_t *type = json_object_get(commit, "type");
    bool is_change = tree_is(type, "Update") || tree_is(type, "Delete");
    bool is_reserved = tree_is(type, "Shared") || tree_is(type, "Own") || tree_is(type, "Transfer");
    return tree_type(type) && !is_reserved && (!is_change || has_target(commit));
}
