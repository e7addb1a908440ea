#include "services/timeline_rules.h"

#include "proto/endpoint.h"
#include "proto/fold.h"
#include "proto/json.h"

static enum enc_err content_unless(bool is_good)
{
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

/* A text of at most count_max code points. */
static bool take_text(struct enc_bytes *text, const struct enc_json *member, size_t count_max)
{
    return enc_json_text(member, text) && enc_text_count(*text) <= count_max;
}

/* One that may be left out, but is a text when it is there. */
static bool take_optional(bool *is_there, struct enc_bytes *text, const struct enc_json *member,
                          size_t count_max)
{
    *is_there = member != NULL;
    *text = (struct enc_bytes){NULL, 0};
    return !member || take_text(text, member, count_max);
}

enum enc_err enc_post_read(struct enc_bytes *text, const struct enc_json *content)
{
    return content_unless(take_text(text, enc_json_get(content, "text"), ENC_POST_TEXT_MAX) &&
                          text->len > 0);
}

static bool take_name(struct enc_profile *profile, const struct enc_json *content)
{
    const struct enc_json *name = enc_json_get(content, "display_name");
    return take_text(&profile->display_name, name, ENC_PROFILE_NAME_MAX) &&
           profile->display_name.len > 0;
}

enum enc_err enc_profile_read(struct enc_profile *profile, const struct enc_json *content)
{
    const struct enc_json *bio = enc_json_get(content, "bio");
    const struct enc_json *avatar = enc_json_get(content, "avatar");
    return content_unless(
        take_name(profile, content) &&
        take_optional(&profile->has_bio, &profile->bio, bio, ENC_PROFILE_BIO_MAX) &&
        take_optional(&profile->has_avatar, &profile->avatar, avatar, ENC_PROFILE_AVATAR_MAX));
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
    bool has_uri = false;
    if (!enc_json_hex(enc_json_get(content, "enclave"), enclave32, 32) ||
        !enc_json_hex(enc_json_get(content, "pub"), followed->pub32, 32) ||
        !enc_point_lifts(followed->pub32) ||
        !take_optional(&has_uri, &followed->uri, enc_json_get(content, "uri"),
                       ENC_FOLLOW_URI_LEN_MAX))
        return ENC_ERR_INVALID_CONTENT;
    return content_unless(!has_uri || is_uri(followed->uri));
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
