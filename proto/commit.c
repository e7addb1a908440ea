#include "proto/commit.h"

#include "proto/base/hex.h"
#include "proto/cbor.h"
#include "proto/sha256.h"

enum {
    PREFIX_COMMIT = 0x10,
    PREFIX_ENCLAVE = 0x12,
    /* Heads of at most 3 bytes before each string, 256 for everything of fixed length. */
    PREIMAGE_LEN_MAX = 256 + ENC_TYPE_LEN_MAX + ENC_TAGS_LEN_MAX +
                       ENC_TAG_COUNT_MAX * (1 + 3 * ENC_TAG_MEMBER_COUNT_MAX),
};

/** A buffer over memory that is large enough for every bounded commit. */
static struct enc_buffer preimage_over(uint8_t memory[PREIMAGE_LEN_MAX])
{
    return (struct enc_buffer){
        .data = memory, .cap = PREIMAGE_LEN_MAX, .max_len = PREIMAGE_LEN_MAX};
}

static void hash_preimage(uint8_t out32[32], const struct enc_buffer *preimage)
{
    struct enc_bytes bytes = {0};
    ENC_CHECK(enc_buffer_bytes(preimage, &bytes) == ENC_ERR_OK);
    enc_sha256(out32, bytes);
}

static void add32(struct enc_buffer *preimage, const uint8_t bytes32[32])
{
    enc_cbor_bytes(preimage, enc_bytes_of(bytes32, 32));
}

static void add_tag(struct enc_buffer *preimage, const struct enc_tag *tag)
{
    enc_cbor_array(preimage, tag->count);
    for (size_t i = 0; i < tag->count; i++)
        enc_cbor_text(preimage, tag->members[i]);
}

static void add_tags(struct enc_buffer *preimage, const struct enc_tags *tags)
{
    enc_cbor_array(preimage, tags->count);
    for (size_t i = 0; i < tags->count; i++)
        add_tag(preimage, &tags->items[i]);
}

void enc_commit_hash(uint8_t out32[32], const struct enc_commit *commit)
{
    uint8_t memory[PREIMAGE_LEN_MAX];
    struct enc_buffer preimage = preimage_over(memory);
    enc_cbor_array(&preimage, 7);
    enc_cbor_uint(&preimage, PREFIX_COMMIT);
    add32(&preimage, commit->enclave32);
    add32(&preimage, commit->from32);
    enc_cbor_text(&preimage, commit->type);
    add32(&preimage, commit->content_hash32);
    enc_cbor_uint(&preimage, commit->exp_ms);
    add_tags(&preimage, &commit->tags);
    hash_preimage(out32, &preimage);
}

void enc_enclave_id(uint8_t out32[32], const struct enc_commit *commit)
{
    uint8_t memory[PREIMAGE_LEN_MAX];
    struct enc_buffer preimage = preimage_over(memory);
    enc_cbor_array(&preimage, 5);
    enc_cbor_uint(&preimage, PREFIX_ENCLAVE);
    add32(&preimage, commit->from32);
    enc_cbor_text(&preimage, ENC_LIT("Manifest"));
    add32(&preimage, commit->content_hash32);
    add_tags(&preimage, &commit->tags);
    hash_preimage(out32, &preimage);
}

bool enc_commit_target(const struct enc_commit *commit, uint8_t out32[32])
{
    for (size_t i = 0; i < commit->tags.count; i++) {
        const struct enc_tag *tag = &commit->tags.items[i];
        if (enc_bytes_is(tag->members[0], "r"))
            return tag->count > 1 && enc_hex_decode(out32, 32, tag->members[1]);
    }
    return false;
}

static bool has_shape(const struct enc_commit *commit)
{
    uint8_t target32[32];
    if (!enc_type_is_well_formed(commit->type))
        return false;
    enum enc_family family = enc_type_row(enc_type_of(commit->type))->family;
    return family != ENC_FAMILY_RESERVED &&
           (family != ENC_FAMILY_CHANGE || enc_commit_target(commit, target32));
}

void enc_commit_lift(struct enc_commit *commit)
{
    commit->has_author = enc_point_lift(&commit->author, commit->from32);
}

enum enc_err enc_commit_check(const struct enc_commit *commit)
{
    bool is_good = has_shape(commit) && (commit->has_author || enc_point_lifts(commit->from32));
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_COMMIT;
}

enum enc_err enc_commit_expiry(const struct enc_commit *commit, uint64_t now_ms)
{
    if (commit->exp_ms + ENC_EXP_PAST_MS < now_ms)
        return ENC_ERR_EXPIRED;
    return commit->exp_ms > now_ms + ENC_EXP_AHEAD_MS ? ENC_ERR_EXP_TOO_FAR : ENC_ERR_OK;
}

void enc_commit_hash_fill(struct enc_commit *commit)
{
    enc_sha256(commit->content_hash32, commit->content);
    enc_commit_hash(commit->hash32, commit);
}

enum enc_err enc_commit_hash_check(struct enc_commit *commit)
{
    uint8_t claimed32[32];
    memcpy(claimed32, commit->hash32, 32);
    enc_commit_hash_fill(commit);
    bool is_good = !commit->has_hash || memcmp(claimed32, commit->hash32, 32) == 0;
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_HASH;
}

enum enc_err enc_commit_signature(const struct enc_curve *curve, const struct enc_commit *commit)
{
    const uint8_t *sig64 = commit->sig64, *hash32 = commit->hash32;
    bool is_good = commit->has_author
                       ? enc_schnorr_verify_point(curve, sig64, hash32, &commit->author)
                       : enc_schnorr_verify(curve, sig64, hash32, commit->from32);
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_SIGNATURE;
}

enum enc_err enc_commit_sign(const struct enc_curve *curve, struct enc_commit *commit,
                             const struct enc_key *key)
{
    if (commit->content.len > ENC_CONTENT_LEN_MAX || !enc_tags_are_bounded(&commit->tags))
        return ENC_ERR_TOO_LARGE;
    if (!has_shape(commit))
        return ENC_ERR_INVALID_COMMIT;
    memcpy(commit->from32, key->pub32, 32);
    enc_sha256(commit->content_hash32, commit->content);
    if (enc_type_of(commit->type) == ENC_TYPE_MANIFEST)
        enc_enclave_id(commit->enclave32, commit);
    enc_commit_hash(commit->hash32, commit);
    commit->has_hash = true;
    enc_schnorr_sign(curve, commit->sig64, key, commit->hash32);
    return ENC_ERR_OK;
}

void enc_commit_put_json(struct enc_buffer *buffer, const struct enc_commit *commit)
{
    enc_json_put_raw(buffer, "{");
    enc_json_member_hex(buffer, "hash", enc_bytes_of(commit->hash32, 32));
    enc_json_member_hex(buffer, "enclave", enc_bytes_of(commit->enclave32, 32));
    enc_json_member_hex(buffer, "from", enc_bytes_of(commit->from32, 32));
    enc_json_member_text(buffer, "type", commit->type);
    enc_json_member_text(buffer, "content", commit->content);
    enc_json_member_u64(buffer, "exp", commit->exp_ms);
    enc_json_member(buffer, "tags");
    enc_tags_put(buffer, &commit->tags);
    enc_json_member_hex(buffer, "sig", enc_bytes_of(commit->sig64, 64));
    enc_json_put_raw(buffer, "}");
}
