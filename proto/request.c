#include "proto/request.h"

static const struct {
    const char *type;
    enum enc_body_kind kind;
} KINDS[] = {
    {"Query", ENC_BODY_QUERY},
    {"Pull", ENC_BODY_PULL},
    {"Commit", ENC_BODY_SEALED_COMMIT},
    {"Close", ENC_BODY_CLOSE},
};

static enum enc_body_kind kind_of_type(const struct enc_json *type)
{
    struct enc_bytes name;
    if (!enc_json_text(type, &name))
        return ENC_BODY_UNKNOWN;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (enc_bytes_is(name, KINDS[i].type))
            return KINDS[i].kind;
    return ENC_BODY_UNKNOWN;
}

enum enc_body_kind enc_body_kind(const struct enc_json *body)
{
    return enc_json_get(body, "exp") ? ENC_BODY_COMMIT : kind_of_type(enc_json_get(body, "type"));
}

static enum enc_err query_unless(bool good)
{
    return good ? ENC_ERR_OK : ENC_ERR_INVALID_QUERY;
}

/** Proof requests have the envelope of a Query; its type may be left out, but not be another. */
static bool is_type_good(const struct enc_json *type, enum enc_body_kind kind)
{
    return !type || kind_of_type(type) == kind;
}

/** An optional hex64. */
static bool take_hex32(uint8_t out32[32], bool *is_set, const struct enc_json *json)
{
    *is_set = json != NULL;
    return !json || enc_json_hex(json, out32, 32);
}

static bool take_sealed(struct enc_envelope *out, const struct enc_json *body)
{
    out->is_sealed = true;
    return enc_json_text(enc_json_get(body, "content"), &out->sealed_base64) && out->has_from &&
           enc_json_hex(enc_json_get(body, "signer"), out->signer32, 32);
}

enum enc_err enc_envelope_parse(struct enc_envelope *out, const struct enc_json *body,
                                enum enc_body_kind kind)
{
    *out = (struct enc_envelope){0};
    if (!body || body->kind != ENC_JSON_OBJECT)
        return ENC_ERR_INVALID_REQUEST;
    const struct enc_json *content = enc_json_get(body, "content");
    bool is_good = is_type_good(enc_json_get(body, "type"), kind) &&
                   take_hex32(out->enclave32, &out->has_enclave, enc_json_get(body, "enclave")) &&
                   take_hex32(out->from32, &out->has_from, enc_json_get(body, "from")) && content;
    if (!is_good)
        return ENC_ERR_INVALID_QUERY;
    if (content->kind == ENC_JSON_STRING)
        return query_unless(take_sealed(out, body));
    out->content = content;
    return query_unless(content->kind == ENC_JSON_OBJECT && kind != ENC_BODY_SEALED_COMMIT);
}

static enum enc_err open_content(struct enc_envelope *envelope, struct enc_sealed *out,
                                 struct enc_arena *arena)
{
    struct enc_json_facts facts;
    struct enc_json *content;
    ENC_TRY(enc_channel_open(&out->opened, arena, &out->channel, envelope->sealed_base64));
    ENC_TRY(enc_json_parse(&content, arena, out->opened.plain, &facts));
    envelope->content = content;
    return query_unless(content->kind == ENC_JSON_OBJECT);
}

enum enc_err enc_envelope_open(struct enc_envelope *envelope, struct enc_sealed *out,
                               struct enc_arena *arena, const struct enc_node_side *node)
{
    ENC_CHECK(envelope->is_sealed);
    *out = (struct enc_sealed){0};
    if (!enc_channel_derive(node->curve, &out->channel, node->key, envelope->signer32))
        return ENC_ERR_INVALID_SESSION;
    enum enc_err err = open_content(envelope, out, arena);
    if (err != ENC_ERR_OK)
        enc_channel_wipe(&out->channel);
    return err;
}

static enum enc_err take_claim(struct enc_claim *out, const struct enc_envelope *envelope,
                               const struct enc_node_side *node)
{
    struct enc_session session;
    struct enc_bytes text;
    if (!enc_json_text(enc_json_get(envelope->content, "session"), &text))
        return ENC_ERR_INVALID_SESSION;
    ENC_TRY(enc_session_parse(&session, text));
    return enc_session_check(node->curve, out, &session, envelope->from32, node->now_ms);
}

/** Who asks in the clear with from, session, at and proof. */
static enum enc_err known_reader(struct enc_reader *out, const struct enc_envelope *envelope,
                                 const struct enc_node_side *node)
{
    struct enc_claim claim;
    struct enc_proof proof;
    if (node->is_encrypted || !envelope->has_from ||
        !enc_json_u64(enc_json_get(envelope->content, "at"), &proof.at_ms) ||
        !enc_json_hex(enc_json_get(envelope->content, "proof"), proof.sig64, 64))
        return ENC_ERR_INVALID_SESSION;
    ENC_TRY(take_claim(&claim, envelope, node));
    return enc_session_proof_check(node->curve, out, &claim, &node->scope, &proof);
}

static enum enc_err clear_reader(struct enc_reader *out, const struct enc_envelope *envelope,
                                 const struct enc_node_side *node)
{
    const struct enc_json *content = envelope->content;
    bool is_public = !envelope->has_from && !enc_json_get(content, "session") &&
                     !enc_json_get(content, "at") && !enc_json_get(content, "proof");
    return is_public ? ENC_ERR_OK : known_reader(out, envelope, node);
}

enum enc_err enc_envelope_reader(struct enc_reader *out, const struct enc_envelope *envelope,
                                 const struct enc_sealed *sealed, const struct enc_node_side *node)
{
    struct enc_claim claim;
    *out = (struct enc_reader){0};
    ENC_CHECK(envelope->is_sealed == (sealed != NULL));
    if (!sealed)
        return clear_reader(out, envelope, node);
    ENC_TRY(take_claim(&claim, envelope, node));
    return enc_session_sealed_check(node->curve, out, &claim, &node->scope, &sealed->opened);
}

enum enc_err enc_envelope_commit_check(const struct enc_envelope *envelope,
                                       const struct enc_commit *inner)
{
    bool is_same =
        memcmp(envelope->from32, inner->from32, 32) == 0 &&
        (!envelope->has_enclave || memcmp(envelope->enclave32, inner->enclave32, 32) == 0);
    return is_same ? ENC_ERR_OK : ENC_ERR_INVALID_REQUEST;
}

/** Code points: bytes that do not continue one. */
static size_t count_characters(struct enc_bytes utf8)
{
    size_t count = 0;
    for (size_t i = 0; i < utf8.len; i++)
        count += (utf8.data[i] & 0xc0) != 0x80;
    return count;
}

enum enc_err enc_sub_id_take(struct enc_bytes *out, const struct enc_json *frame)
{
    bool is_good = enc_json_text(enc_json_get(frame, "sub_id"), out) && out->len > 0 &&
                   count_characters(*out) <= ENC_SUB_ID_LEN_MAX;
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_REQUEST;
}
