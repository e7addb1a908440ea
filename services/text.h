/** Texts in contents: what they must be, and how a column shows them. Pure; any thread. */
#pragma once

#include "proto/json.h"

/** Code points (protocol.md 16.101). */
enum {
    ENC_TEXT_NAME_MAX = 100,  /* display_name, app */
    ENC_TEXT_LONG_MAX = 5000, /* of a post, bio, desc */
    ENC_TEXT_AVATAR_MAX = 2048,
};

/** A text that may be left out. */
struct enc_text {
    bool is_given;
    struct enc_bytes bytes;
};

struct enc_text_rule {
    const char *name; /* of the member */
    size_t min, max;  /* code points */
    bool is_required;
};

/** The member of an object, a view into it. False: it breaks the rule. */
ENC_MUST_USE bool enc_text_take(struct enc_text *out, const struct enc_json *object,
                                const struct enc_text_rule *rule);

/** Append the member; null when the text is left out. */
void enc_text_put(struct enc_buffer *out, const char *name, const struct enc_text *text);

/** How somebody shows themselves: {"display_name","bio?","avatar?"}. */
struct enc_persona {
    struct enc_text display_name; /* given */
    struct enc_text bio;
    struct enc_text avatar;
};
ENC_MUST_USE bool enc_persona_take(struct enc_persona *out, const struct enc_json *object);
