#include "proto/endpoint.h"

enum { HOST_LEN_MAX = 253, NO_BYTE = -1 };

/** A view that is eaten from the front. */
struct text {
    const uint8_t *at;
    const uint8_t *end;
};

static int peek(const struct text *text)
{
    return text->at < text->end ? *text->at : NO_BYTE;
}

static bool eat(struct text *text, char c)
{
    if (peek(text) != c)
        return false;
    text->at++;
    return true;
}

static bool eat_word(struct text *text, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(text->end - text->at) < len || memcmp(text->at, word, len) != 0)
        return false;
    text->at += len;
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(int c)
{
    if (is_digit(c))
        return c - '0';
    int lower = c | 0x20;
    return c != NO_BYTE && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/** Decimal digits without a leading zero, at most max. */
static bool eat_number(struct text *text, unsigned *out, unsigned max)
{
    const uint8_t *start = text->at;
    *out = 0;
    while (is_digit(peek(text)) && *out <= max)
        *out = *out * 10 + (unsigned)(*text->at++ - '0');
    bool has_leading_zero = text->at - start > 1 && *start == '0';
    return text->at > start && !has_leading_zero && *out <= max;
}

static bool eat_quad(struct text *text, uint8_t address4[4])
{
    unsigned value;
    for (unsigned i = 0; i < 4; i++) {
        if ((i && !eat(text, '.')) || !eat_number(text, &value, 255))
            return false;
        address4[i] = (uint8_t)value;
    }
    return true;
}

/** Groups of an IPv6 address; where the double colon stood, or NO_BYTE. */
struct groups {
    uint8_t bytes[16];
    unsigned len;
    int gap;
};

/** One group of 1-4 hex digits, or a dotted quad, which can only be the last. */
static bool eat_group(struct text *text, struct groups *groups)
{
    const struct text start = *text;
    unsigned value = 0, digits = 0;
    while (digits < 5 && hex_value(peek(text)) >= 0) {
        value = value << 4 | (unsigned)hex_value(*text->at++);
        digits++;
    }
    if (peek(text) == '.' && groups->len <= 12) {
        *text = start;
        groups->len += 4;
        return eat_quad(text, groups->bytes + groups->len - 4) && text->at == text->end;
    }
    if (digits == 0 || digits > 4 || groups->len == 16)
        return false;
    groups->bytes[groups->len++] = (uint8_t)(value >> 8);
    groups->bytes[groups->len++] = (uint8_t)value;
    return true;
}

static bool eat_groups(struct text *text, struct groups *groups)
{
    if (eat_word(text, "::"))
        groups->gap = 0;
    while (text->at < text->end) {
        if (!eat_group(text, groups))
            return false;
        if (text->at == text->end)
            return true;
        if (groups->gap == NO_BYTE && eat_word(text, "::"))
            groups->gap = (int)groups->len;
        else if (!eat(text, ':') || text->at == text->end)
            return false;
    }
    return true;
}

static bool parse_6(struct text text, uint8_t address16[16])
{
    struct groups groups = {.gap = NO_BYTE};
    if (!eat_groups(&text, &groups) || (groups.gap == NO_BYTE) != (groups.len == 16))
        return false;
    unsigned head = groups.gap == NO_BYTE ? 16 : (unsigned)groups.gap;
    unsigned tail = groups.len - head;
    memset(address16, 0, 16);
    memcpy(address16, groups.bytes, head);
    memcpy(address16 + 16 - tail, groups.bytes + head, tail);
    return true;
}

static bool is_name_byte(int c)
{
    int lower = c | 0x20;
    return is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '-' || c == '_';
}

/** Labels between single dots; one dot may follow the last. label is the last one. */
static bool split_name(struct text text, struct text *label)
{
    while (text.at < text.end) {
        *label = (struct text){text.at, text.at};
        while (text.at < text.end && is_name_byte(*text.at))
            text.at++;
        label->end = text.at;
        if (label->at == label->end || (text.at < text.end && !eat(&text, '.')))
            return false;
    }
    return true;
}

/** A label that resolvers take for a number: digits, or 0x and hex digits. */
static bool is_number(struct text label)
{
    bool is_hex = label.end - label.at > 1 && label.at[0] == '0' && (label.at[1] | 0x20) == 'x';
    if (is_hex)
        label.at += 2;
    for (; label.at < label.end; label.at++)
        if (!(is_hex ? hex_value(*label.at) >= 0 : is_digit(*label.at)))
            return false;
    return true;
}

static bool is_localhost(struct text label)
{
    static const char NAME[] = "localhost";
    if (label.end - label.at != (ptrdiff_t)sizeof NAME - 1)
        return false;
    for (size_t i = 0; i < sizeof NAME - 1; i++)
        if ((label.at[i] | 0x20) != NAME[i])
            return false;
    return true;
}

static bool is_name_allowed(struct text host, const struct enc_endpoint_policy *policy)
{
    struct text label = host;
    uint8_t address4[4];
    if (host.at == host.end || host.end - host.at > HOST_LEN_MAX || !split_name(host, &label))
        return false;
    if (!is_number(label))
        return policy->allow_private || !is_localhost(label);
    return eat_quad(&host, address4) && host.at == host.end &&
           (policy->allow_private || !enc_address_is_private(address4, 4));
}

static bool is_6_allowed(struct text host, const struct enc_endpoint_policy *policy)
{
    uint8_t address16[16];
    return parse_6(host, address16) &&
           (policy->allow_private || !enc_address_is_private(address16, 16));
}

/** Cut the text up to, not including, the first of the stop bytes. */
static struct text cut(struct text *text, const char *stops)
{
    struct text head = {text->at, text->at};
    while (text->at < text->end && !strchr(stops, *text->at))
        text->at++;
    head.end = text->at;
    return head;
}

static bool is_host_allowed(struct text *authority, const struct enc_endpoint_policy *policy)
{
    if (!eat(authority, '['))
        return is_name_allowed(cut(authority, ":"), policy);
    struct text host = cut(authority, "]");
    return eat(authority, ']') && is_6_allowed(host, policy);
}

static bool is_port_good(struct text *authority)
{
    unsigned port = 0;
    if (authority->at == authority->end)
        return true;
    return eat(authority, ':') && eat_number(authority, &port, 65535) && port > 0 &&
           authority->at == authority->end;
}

static bool is_plain(struct text text)
{
    for (; text.at < text.end; text.at++)
        if (*text.at <= 0x20 || *text.at >= 0x7f || strchr("\"#<>\\^`{|}", *text.at))
            return false;
    return true;
}

bool enc_endpoint_is_allowed(struct enc_bytes url, const struct enc_endpoint_policy *policy)
{
    struct text text = {url.data, url.data + url.len};
    if (url.len == 0 || url.len > ENC_URL_LEN_MAX || !is_plain(text))
        return false;
    if (!eat_word(&text, "https://") && !(policy->allow_http && eat_word(&text, "http://")))
        return false;
    struct text authority = cut(&text, "/?");
    return is_host_allowed(&authority, policy) && is_port_good(&authority);
}
