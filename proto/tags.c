#include "proto/commit.h"

static enum enc_err take_member(struct enc_bytes *out, const struct enc_json *json)
{
    if (!enc_json_text(json, out))
        return ENC_ERR_INVALID_COMMIT;
    return out->len > ENC_TAG_MEMBER_LEN_MAX ? ENC_ERR_TOO_LARGE : ENC_ERR_OK;
}

static enum enc_err take_tag(struct enc_tag *out, struct enc_arena *arena,
                             const struct enc_json *json)
{
    if (json->kind != ENC_JSON_ARRAY || json->count == 0 || json->count > ENC_TAG_MEMBER_COUNT_MAX)
        return ENC_ERR_INVALID_COMMIT;
    struct enc_bytes *members = ENC_ARENA_NEW(arena, struct enc_bytes, json->count);
    if (!members)
        return ENC_ERR_TOO_LARGE;
    *out = (struct enc_tag){.members = members, .count = json->count};
    for (const struct enc_json *child = json->child; child; child = child->next)
        ENC_TRY(take_member(members++, child));
    return ENC_ERR_OK;
}

enum enc_err enc_tags_take(struct enc_tags *out, struct enc_arena *arena,
                           const struct enc_json *json)
{
    *out = (struct enc_tags){0};
    if (!json)
        return ENC_ERR_OK;
    if (json->kind != ENC_JSON_ARRAY)
        return ENC_ERR_INVALID_COMMIT;
    if (json->count > ENC_TAG_COUNT_MAX)
        return ENC_ERR_TOO_LARGE;
    struct enc_tag *items = ENC_ARENA_NEW(arena, struct enc_tag, json->count);
    if (!items)
        return ENC_ERR_TOO_LARGE;
    *out = (struct enc_tags){.items = items, .count = json->count};
    for (const struct enc_json *child = json->child; child; child = child->next)
        ENC_TRY(take_tag(items++, arena, child));
    return enc_tags_are_bounded(out) ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}

/** Length of all members; more than any bound when the tag itself breaks one. */
static size_t tag_len(const struct enc_tag *tag)
{
    size_t len = 0;
    if (tag->count == 0 || tag->count > ENC_TAG_MEMBER_COUNT_MAX)
        return ENC_TAGS_LEN_MAX + 1;
    for (size_t i = 0; i < tag->count; i++)
        len += tag->members[i].len > ENC_TAG_MEMBER_LEN_MAX ? ENC_TAGS_LEN_MAX + 1
                                                            : tag->members[i].len;
    return len;
}

bool enc_tags_are_bounded(const struct enc_tags *tags)
{
    size_t len = 0;
    if (tags->count > ENC_TAG_COUNT_MAX)
        return false;
    for (size_t i = 0; i < tags->count; i++)
        len += tag_len(&tags->items[i]);
    return len <= ENC_TAGS_LEN_MAX;
}

static void put_tag(struct enc_buffer *buffer, const struct enc_tag *tag)
{
    enc_json_comma(buffer);
    enc_json_put_raw(buffer, "[");
    for (size_t i = 0; i < tag->count; i++) {
        enc_json_comma(buffer);
        enc_json_put_text(buffer, tag->members[i]);
    }
    enc_json_put_raw(buffer, "]");
}

void enc_tags_put(struct enc_buffer *buffer, const struct enc_tags *tags)
{
    enc_json_put_raw(buffer, "[");
    for (size_t i = 0; i < tags->count; i++)
        put_tag(buffer, &tags->items[i]);
    enc_json_put_raw(buffer, "]");
}
