#include "services/params.h"

#include "proto/base/hex.h"
#include "proto/utf8.h"

static enum enc_err query_unless(bool is_good)
{
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_QUERY;
}

static enum enc_err find(struct enc_bytes query, const char *name, bool *given,
                         struct enc_bytes *value)
{
    *given = false;
    while (query.len > 0) {
        struct enc_bytes rest = enc_bytes_cut(&query, '&');
        struct enc_bytes key = enc_bytes_cut(&rest, '=');
        if (!enc_bytes_is(key, name))
            continue;
        if (*given)
            return ENC_ERR_INVALID_QUERY;
        *given = true;
        *value = rest;
    }
    return ENC_ERR_OK;
}

static bool parse_number(uint64_t *out, struct enc_bytes text)
{
    enum { DIGITS_MAX = 16 }; /* below 2^64 whatever they are */
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.len > 0 && text.len <= DIGITS_MAX;
}

enum enc_err enc_param_u64(struct enc_bytes query, const char *name,
                           const struct enc_param_range *range, bool *given, uint64_t *value)
{
    struct enc_bytes text;
    uint64_t number = 0;
    ENC_TRY(find(query, name, given, &text));
    if (!*given)
        return ENC_ERR_OK;
    if (!parse_number(&number, text) || number < range->min || number > range->max)
        return ENC_ERR_INVALID_QUERY;
    *value = number;
    return ENC_ERR_OK;
}

enum enc_err enc_param_hex32(struct enc_bytes query, const char *name, bool *given,
                             uint8_t out32[32])
{
    struct enc_bytes text;
    ENC_TRY(find(query, name, given, &text));
    return query_unless(!*given || enc_hex_decode(out32, 32, text));
}

/* One byte of the decoded text from the front of left. */
static bool decode_byte(uint8_t *out, struct enc_bytes *left)
{
    size_t len = left->data[0] == '%' ? 3 : 1;
    if (left->len < len)
        return false;
    *out = left->data[0] == '+' ? ' ' : left->data[0];
    if (len == 3 && !enc_hex_decode(out, 1, enc_bytes_of(left->data + 1, 2)))
        return false;
    *left = enc_bytes_of(left->data + len, left->len - len);
    return *out != 0;
}

enum enc_err enc_param_text(struct enc_bytes query, const char *name, struct enc_arena *arena,
                            bool *given, struct enc_bytes *text)
{
    struct enc_bytes left = {NULL, 0};
    *text = (struct enc_bytes){NULL, 0};
    ENC_TRY(find(query, name, given, &left));
    uint8_t *bytes = (uint8_t *)enc_arena_take(arena, left.len + 1);
    if (!bytes)
        return ENC_ERR_TOO_LARGE;
    size_t len = 0;
    while (left.len > 0)
        if (!decode_byte(&bytes[len++], &left))
            return ENC_ERR_INVALID_QUERY;
    *text = enc_bytes_of(bytes, len);
    return query_unless(enc_utf8_is_valid(*text));
}
