#include "services/text.h"

#include "proto/fold.h"

bool enc_text_take(struct enc_text *out, const struct enc_json *object,
                   const struct enc_text_rule *rule)
{
    const struct enc_json *json = enc_json_get(object, rule->name);
    *out = (struct enc_text){.is_given = json != NULL};
    if (!json)
        return !rule->is_required;
    if (!enc_json_text(json, &out->bytes))
        return false;
    size_t count = enc_text_count(out->bytes);
    return count >= rule->min && count <= rule->max;
}

void enc_text_put(struct enc_buffer *out, const char *name, const struct enc_text *text)
{
    if (text->is_given)
        enc_json_member_text(out, name, text->bytes);
    else
        enc_json_member_raw(out, name, ENC_LIT("null"));
}

bool enc_persona_take(struct enc_persona *out, const struct enc_json *object)
{
    static const struct enc_text_rule NAME = {"display_name", 1, ENC_TEXT_NAME_MAX, true};
    static const struct enc_text_rule BIO = {"bio", 0, ENC_TEXT_LONG_MAX, false};
    static const struct enc_text_rule AVATAR = {"avatar", 1, ENC_TEXT_AVATAR_MAX, false};
    return enc_text_take(&out->display_name, object, &NAME) &&
           enc_text_take(&out->bio, object, &BIO) && enc_text_take(&out->avatar, object, &AVATAR);
}
