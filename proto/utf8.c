#include "proto/utf8.h"

static size_t wide_len(const uint8_t *at, const uint8_t *end)
{
    size_t len = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (at[0] < 0xc2 || at[0] > 0xf4 || (size_t)(end - at) < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool is_overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool is_surrogate = at[0] == 0xed && at[1] > 0x9f;
    bool is_beyond = at[0] == 0xf4 && at[1] > 0x8f;
    return is_overlong || is_surrogate || is_beyond ? 0 : len;
}

size_t enc_utf8_len(const uint8_t *at, const uint8_t *end)
{
    return at[0] < 0x80 ? 1 : wide_len(at, end);
}

bool enc_utf8_is_valid(struct enc_bytes text)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.len ? text.data + text.len : at;
    while (at < end) {
        size_t len = enc_utf8_len(at, end);
        if (len == 0)
            return false;
        at += len;
    }
    return true;
}
