#include "proto/commit.h"

struct taking {
    struct enc_commit *out;
    struct enc_arena *arena;
    const uint8_t *default32;
    size_t content_len_max;
};

/** Reads one member; json is NULL when it is absent. */
typedef enum enc_err take_fn(const struct taking *taking, const struct enc_json *json);

static enum enc_err refuse_unless(bool good)
{
    return good ? ENC_ERR_OK : ENC_ERR_INVALID_COMMIT;
}

static enum enc_err take_hash(const struct taking *taking, const struct enc_json *json)
{
    taking->out->has_hash = json != NULL;
    return refuse_unless(!json || enc_json_hex(json, taking->out->hash32, 32));
}

static enum enc_err take_enclave(const struct taking *taking, const struct enc_json *json)
{
    if (!json && taking->default32) {
        memcpy(taking->out->enclave32, taking->default32, 32);
        return ENC_ERR_OK;
    }
    return refuse_unless(enc_json_hex(json, taking->out->enclave32, 32));
}

static enum enc_err take_from(const struct taking *taking, const struct enc_json *json)
{
    return refuse_unless(enc_json_hex(json, taking->out->from32, 32));
}

static enum enc_err take_type(const struct taking *taking, const struct enc_json *json)
{
    struct enc_bytes *type = &taking->out->type;
    return refuse_unless(enc_json_text(json, type) && type->len <= ENC_TYPE_LEN_MAX);
}

static enum enc_err take_content(const struct taking *taking, const struct enc_json *json)
{
    if (!enc_json_text(json, &taking->out->content))
        return ENC_ERR_INVALID_COMMIT;
    return taking->out->content.len > taking->content_len_max ? ENC_ERR_TOO_LARGE : ENC_ERR_OK;
}

static enum enc_err take_exp(const struct taking *taking, const struct enc_json *json)
{
    return refuse_unless(enc_json_u64(json, &taking->out->exp_ms));
}

static enum enc_err take_tags(const struct taking *taking, const struct enc_json *json)
{
    return enc_tags_take(&taking->out->tags, taking->arena, json);
}

static enum enc_err take_alg(const struct taking *taking, const struct enc_json *json)
{
    struct enc_bytes alg;
    (void)taking;
    bool is_known = !json || (enc_json_text(json, &alg) && enc_bytes_is(alg, "schnorr"));
    return is_known ? ENC_ERR_OK : ENC_ERR_UNSUPPORTED_ALG;
}

static enum enc_err take_sig(const struct taking *taking, const struct enc_json *json)
{
    return refuse_unless(enc_json_hex(json, taking->out->sig64, 64));
}

/* Whoever signs another way has another sig, so alg is looked at before sig. */
static const struct {
    const char *name;
    take_fn *take;
} MEMBERS[] = {
    {"hash", take_hash}, {"enclave", take_enclave}, {"from", take_from},
    {"type", take_type}, {"content", take_content}, {"exp", take_exp},
    {"tags", take_tags}, {"alg", take_alg},         {"sig", take_sig},
};

enum enc_err enc_commit_decode(struct enc_commit *out, struct enc_arena *arena,
                               const struct enc_json *body, size_t content_len_max)
{
    return enc_commit_decode_for(out, arena, body, NULL, content_len_max);
}

enum enc_err enc_commit_decode_for(struct enc_commit *out, struct enc_arena *arena,
                                   const struct enc_json *body, const uint8_t *default32,
                                   size_t content_len_max)
{
    struct taking taking = {out, arena, default32, content_len_max};
    if (taking.content_len_max > ENC_CONTENT_LEN_MAX)
        taking.content_len_max = ENC_CONTENT_LEN_MAX;
    *out = (struct enc_commit){0};
    if (!body || body->kind != ENC_JSON_OBJECT)
        return ENC_ERR_INVALID_COMMIT;
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++)
        ENC_TRY(MEMBERS[i].take(&taking, enc_json_get(body, MEMBERS[i].name)));
    return ENC_ERR_OK;
}
