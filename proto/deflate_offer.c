#include "proto/deflate_offer.h"

enum { BITS_MIN = 8, BITS_MAX = 15, VALUE_MAX = 3 };

/* A value with its quotes taken off. What is longer is no number of ours, whatever it says. */
struct value {
    bool is_given;
    size_t len;
    char text[VALUE_MAX];
};

struct param {
    struct enc_bytes name;
    struct value value;
};

static bool is_token_char(uint8_t c)
{
    return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}

static void skip_space(struct enc_bytes *left)
{
    while (left->len > 0 && (*left->data == ' ' || *left->data == '\t'))
        *left = enc_bytes_of(left->data + 1, left->len - 1);
}

static bool take_char(struct enc_bytes *left, char c)
{
    skip_space(left);
    if (left->len == 0 || *left->data != (uint8_t)c)
        return false;
    *left = enc_bytes_of(left->data + 1, left->len - 1);
    return true;
}

static bool take_token(struct enc_bytes *out, struct enc_bytes *left)
{
    size_t len = 0;
    skip_space(left);
    while (len < left->len && is_token_char(left->data[len]))
        len++;
    *out = enc_bytes_of(left->data, len);
    *left = enc_bytes_of(left->data + len, left->len - len);
    return len > 0;
}

static void add_char(struct value *value, uint8_t c)
{
    if (value->len < VALUE_MAX)
        value->text[value->len++] = (char)c;
}

/* RFC 6455 9.1: what is in the quotes must be a token once they are off. */
static bool take_quoted(struct value *out, struct enc_bytes *left)
{
    size_t at = 0;
    for (; at < left->len && left->data[at] != '"'; at++) {
        at += left->data[at] == '\\';
        if (at == left->len || !is_token_char(left->data[at]))
            return false;
        add_char(out, left->data[at]);
    }
    if (at == left->len)
        return false;
    *left = enc_bytes_of(left->data + at + 1, left->len - at - 1);
    return out->len > 0;
}

static bool take_value(struct value *out, struct enc_bytes *left)
{
    struct enc_bytes token;
    *out = (struct value){.is_given = take_char(left, '=')};
    if (!out->is_given)
        return true;
    if (take_char(left, '"'))
        return take_quoted(out, left);
    if (!take_token(&token, left))
        return false;
    for (size_t i = 0; i < token.len; i++)
        add_char(out, token.data[i]);
    return true;
}

/* ---- the four parameters ---- */

static bool take_bits(uint8_t *out, const struct value *value)
{
    unsigned bits = 0;
    if (value->len == 0 || value->len == VALUE_MAX || value->text[0] == '0')
        return false;
    for (size_t i = 0; i < value->len; i++) {
        if (value->text[i] < '0' || value->text[i] > '9')
            return false;
        bits = bits * 10 + (unsigned)(value->text[i] - '0');
    }
    *out = (uint8_t)bits;
    return bits >= BITS_MIN && bits <= BITS_MAX;
}

static bool on_no_takeover(struct enc_deflate_terms *terms, const struct value *value)
{
    (void)terms;
    return !value->is_given;
}

static bool on_server_bits(struct enc_deflate_terms *terms, const struct value *value)
{
    terms->has_window_bits = true;
    return value->is_given && take_bits(&terms->window_bits, value);
}

/* What the client could be held to. Any window is read, so it is not. */
static bool on_client_bits(struct enc_deflate_terms *terms, const struct value *value)
{
    uint8_t bits;
    (void)terms;
    return !value->is_given || take_bits(&bits, value);
}

static const struct {
    const char *name;
    bool (*take)(struct enc_deflate_terms *terms, const struct value *value);
} PARAMS[] = {
    {"server_no_context_takeover", on_no_takeover},
    {"client_no_context_takeover", on_no_takeover},
    {"server_max_window_bits", on_server_bits},
    {"client_max_window_bits", on_client_bits},
};
enum { PARAM_COUNT = sizeof PARAMS / sizeof *PARAMS };

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* word is in small letters. */
static bool is_word(struct enc_bytes text, const char *word)
{
    size_t at = 0;
    while (at < text.len && word[at] && lower(text.data[at]) == (uint8_t)word[at])
        at++;
    return at == text.len && !word[at];
}

/* seen has a bit for each parameter that was there. */
static bool apply(struct enc_deflate_terms *terms, unsigned *seen, const struct param *param)
{
    for (unsigned i = 0; i < PARAM_COUNT; i++) {
        if (!is_word(param->name, PARAMS[i].name))
            continue;
        bool is_first = !(*seen & 1U << i);
        *seen |= 1U << i;
        return is_first && PARAMS[i].take(terms, &param->value);
    }
    return false;
}

/* ---- offers ---- */

/* One extension of the list. False when it breaks the grammar; can_take says whether it is ours and
 * good. */
static bool read_offer(struct enc_deflate_terms *out, bool *can_take, struct enc_bytes *left)
{
    struct enc_bytes name;
    struct param param;
    unsigned seen = 0;
    *out = (struct enc_deflate_terms){.window_bits = BITS_MAX};
    if (!take_token(&name, left))
        return false;
    *can_take = is_word(name, "permessage-deflate");
    while (take_char(left, ';')) {
        if (!take_token(&param.name, left) || !take_value(&param.value, left))
            return false;
        *can_take = *can_take && apply(out, &seen, &param);
    }
    return true;
}

/* RFC 9110 5.6.1: elements of a list may be empty. */
static void skip_empty(struct enc_bytes *left)
{
    while (take_char(left, ','))
        continue;
}

bool enc_deflate_offer_take(struct enc_deflate_terms *out, struct enc_bytes field)
{
    bool is_taken = false;
    skip_empty(&field);
    while (field.len > 0) {
        struct enc_deflate_terms terms;
        bool can_take = false;
        if (!read_offer(&terms, &can_take, &field))
            return false;
        if (can_take && !is_taken)
            *out = terms;
        is_taken |= can_take;
        skip_space(&field);
        if (field.len > 0 && *field.data != ',')
            return false;
        skip_empty(&field);
    }
    return is_taken;
}

static size_t put(char *out, const char *text)
{
    size_t len = strlen(text);
    memcpy(out, text, len + 1);
    return len;
}

size_t enc_deflate_offer_answer(char out[ENC_DEFLATE_ANSWER_MAX],
                                const struct enc_deflate_terms *terms)
{
    char digits[3] = {(char)('0' + terms->window_bits / 10), (char)('0' + terms->window_bits % 10)};
    size_t len =
        put(out, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    if (!terms->has_window_bits)
        return len;
    len += put(out + len, "; server_max_window_bits=");
    return len + put(out + len, terms->window_bits < 10 ? digits + 1 : digits);
}
