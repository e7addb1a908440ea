#include "services/timeline_rules.h"

#include "proto/endpoint.h"

static enum enc_err content_unless(bool is_good)
{
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

enum enc_err enc_post_read(struct enc_bytes *text, const struct enc_json *content)
{
    static const struct enc_text_rule RULE = {"text", 1, ENC_TEXT_LONG_MAX, true};
    struct enc_text taken;
    bool is_good = enc_text_take(&taken, content, &RULE);
    *text = taken.bytes;
    return content_unless(is_good);
}

enum enc_err enc_profile_read(struct enc_profile *profile, const struct enc_json *content)
{
    return content_unless(enc_persona_take(&profile->persona, content));
}

enum enc_err enc_ref_read(uint8_t ref32[32], const struct enc_json *content)
{
    return content_unless(enc_json_hex(enc_json_get(content, "ref_id"), ref32, 32));
}

/* Only its shape is judged here: whether it may be called is the policy of whoever calls it. */
static bool is_uri(struct enc_bytes uri)
{
    const struct enc_endpoint_policy any = {.allow_http = true, .allow_private = true};
    return enc_endpoint_is_allowed(uri, &any); /* ASCII: as many bytes as code points */
}

enum enc_err enc_follow_read(uint8_t enclave32[32], struct enc_followed *followed,
                             const struct enc_json *content)
{
    static const struct enc_text_rule URI = {"uri", 1, ENC_FOLLOW_URI_LEN_MAX, false};
    struct enc_text uri;
    if (!enc_json_hex(enc_json_get(content, "enclave"), enclave32, 32) ||
        !enc_json_hex(enc_json_get(content, "pub"), followed->pub32, 32) ||
        !enc_point_lifts(followed->pub32) || !enc_text_take(&uri, content, &URI))
        return ENC_ERR_INVALID_CONTENT;
    followed->uri = uri.bytes;
    return content_unless(!uri.is_given || is_uri(uri.bytes));
}

enum enc_err enc_rule_post(const struct enc_fact *fact)
{
    struct enc_bytes text;
    return enc_post_read(&text, fact->content);
}

enum enc_err enc_rule_profile(const struct enc_fact *fact)
{
    struct enc_profile profile;
    return enc_profile_read(&profile, fact->content);
}

enum enc_err enc_rule_ref(const struct enc_fact *fact)
{
    uint8_t ref32[32];
    return enc_ref_read(ref32, fact->content);
}

enum enc_err enc_rule_follow(const struct enc_fact *fact)
{
    uint8_t enclave32[32];
    struct enc_followed followed;
    return enc_follow_read(enclave32, &followed, fact->content);
}
