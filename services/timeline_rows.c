/* Keys and values of the timeline's rows. */
#include "services/timeline.h"

struct enc_place enc_place_of(const uint8_t enclave32[32], uint64_t seq)
{
    struct enc_place place;
    memcpy(place.key40, enclave32, 32);
    enc_be64_put(place.key40 + 32, seq);
    return place;
}

uint64_t enc_place_seq(const struct enc_place *place)
{
    return enc_be64_get(place->key40 + 32);
}

static void put_u64(struct enc_buffer *out, uint64_t value)
{
    uint8_t *at = enc_buffer_extend(out, 8);
    if (at)
        enc_be64_put(at, value);
}

static void put_32(struct enc_buffer *out, const uint8_t in32[32])
{
    enc_buffer_add(out, enc_bytes_of(in32, 32));
}

/* Take len bytes off the front of the value; NULL when there are fewer. */
static const uint8_t *cut(struct enc_bytes *value, size_t len)
{
    const uint8_t *at = value->data;
    if (value->len < len)
        return NULL;
    *value = enc_bytes_of(at + len, value->len - len);
    return at;
}

static bool take_32(uint8_t out32[32], struct enc_bytes *value)
{
    const uint8_t *at = cut(value, 32);
    if (at)
        memcpy(out32, at, 32);
    return at != NULL;
}

static bool take_u64(uint64_t *out, struct enc_bytes *value)
{
    const uint8_t *at = cut(value, 8);
    if (at)
        *out = enc_be64_get(at);
    return at != NULL;
}

/* ---- posts ---- */

void enc_post_put(struct enc_buffer *out, const struct enc_post *post)
{
    put_32(out, post->id32);
    put_32(out, post->from32);
    put_u64(out, post->timestamp_ms);
    put_u64(out, post->document);
    enc_buffer_add(out, post->text);
}

bool enc_post_take(struct enc_post *out, struct enc_bytes value)
{
    if (!take_32(out->id32, &value) || !take_32(out->from32, &value) ||
        !take_u64(&out->timestamp_ms, &value) || !take_u64(&out->document, &value))
        return false;
    out->text = value;
    return true;
}

/* ---- profiles: each text is a byte that says whether it is there, its length, itself ---- */

static void put_text(struct enc_buffer *out, const struct enc_text *text)
{
    uint8_t *at = enc_buffer_extend(out, 5);
    if (!at)
        return;
    at[0] = text->is_given;
    enc_be32_put(at + 1, (uint32_t)text->bytes.len);
    enc_buffer_add(out, text->bytes);
}

static bool take_text(struct enc_text *text, struct enc_bytes *value)
{
    const uint8_t *head = cut(value, 5);
    if (!head || head[0] > 1)
        return false;
    size_t len = enc_be32_get(head + 1);
    text->is_given = head[0] == 1;
    text->bytes = enc_bytes_of(cut(value, len), len);
    return text->bytes.data != NULL;
}

void enc_profile_put(struct enc_buffer *out, const struct enc_profile *profile)
{
    put_32(out, profile->id32);
    put_u64(out, profile->document);
    put_text(out, &profile->persona.display_name);
    put_text(out, &profile->persona.bio);
    put_text(out, &profile->persona.avatar);
}

bool enc_profile_take(struct enc_profile *out, struct enc_bytes value)
{
    struct enc_persona *persona = &out->persona;
    return take_32(out->id32, &value) && take_u64(&out->document, &value) &&
           take_text(&persona->display_name, &value) && take_text(&persona->bio, &value) &&
           take_text(&persona->avatar, &value) && persona->display_name.is_given && value.len == 0;
}

/* ---- origins ---- */

void enc_origin_put(struct enc_buffer *out, const struct enc_origin *origin)
{
    const uint8_t kind = (uint8_t)origin->kind;
    enc_buffer_add(out, enc_bytes_of(&kind, 1));
    enc_buffer_add(out, enc_bytes_of(origin->place.key40, sizeof origin->place.key40));
    put_32(out, origin->from32);
    put_32(out, origin->ref32);
}

bool enc_origin_take(struct enc_origin *out, struct enc_bytes value)
{
    const uint8_t *kind = cut(&value, 1);
    const uint8_t *place = kind ? cut(&value, sizeof out->place.key40) : NULL;
    if (!place || *kind > ENC_ORIGIN_PROFILE)
        return false;
    out->kind = (enum enc_origin_kind) * kind;
    memcpy(out->place.key40, place, sizeof out->place.key40);
    return take_32(out->from32, &value) && take_32(out->ref32, &value) && value.len == 0;
}

/* ---- follows ---- */

enum enc_err enc_timeline_followed(const struct enc_rows *rows, bool *found,
                                   struct enc_followed *out, const uint8_t enclave32[32])
{
    struct enc_bytes value;
    ENC_TRY(enc_rows_get(rows, found, &value, ENC_TIMELINE_FOLLOW, enc_bytes_of(enclave32, 32)));
    if (!*found)
        return ENC_ERR_OK;
    if (!take_32(out->pub32, &value))
        return ENC_ERR_INTERNAL;
    out->uri = value;
    return ENC_ERR_OK;
}
