/* Exhaustive: which bytes are well-formed UTF-8 for the reader. */
#include "proto/json.h"

#include "support.h"

#include <criterion/criterion.h>

static bool is_string(const void *text, size_t len)
{
    struct enc_json *out;
    struct enc_json_facts facts;
    return enc_json_parse(&out, fresh_arena(256), enc_bytes_of(text, len), &facts) == ENC_ERR_OK;
}

static size_t put_point(char *out, uint32_t point)
{
    if (point < 0x80)
        return (size_t)sprintf(out, "%c", (int)point);
    if (point < 0x800)
        return (size_t)sprintf(out, "%c%c", (int)(0xc0 | point >> 6), (int)(0x80 | (point & 63)));
    if (point < 0x10000)
        return (size_t)sprintf(out, "%c%c%c", (int)(0xe0 | point >> 12),
                               (int)(0x80 | (point >> 6 & 63)), (int)(0x80 | (point & 63)));
    return (size_t)sprintf(out, "%c%c%c%c", (int)(0xf0 | point >> 18),
                           (int)(0x80 | (point >> 12 & 63)), (int)(0x80 | (point >> 6 & 63)),
                           (int)(0x80 | (point & 63)));
}

Test(json_utf8, every_code_point_is_accepted)
{
    for (uint32_t point = 0x80; point <= 0x10ffff; point++) {
        char text[8] = "\"";
        bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
        size_t len = 1 + put_point(text + 1, point);
        text[len++] = '"';
        bool ok = is_string(text, len);
        cr_assert_eq(ok, !is_surrogate, "U+%04X", point);
    }
}

/* Strings of one sequence of len bytes: lead and second byte are any, the rest comes from tails. */
static size_t count_accepted(size_t len, const uint8_t *tails, uint32_t tail_count)
{
    static const uint8_t FIRST_LEAD[] = {[2] = 0x80, [3] = 0xe0, [4] = 0xf0};
    size_t accepted = 0;
    uint32_t total = 1 << 16;
    for (size_t k = 3; k <= len; k++)
        total *= tail_count;
    for (uint32_t i = 0; i < total; i++) {
        uint8_t text[6] = {'"', (uint8_t)i, (uint8_t)(i >> 8)};
        uint32_t rest = i >> 16;
        for (size_t k = 3; k <= len; k++, rest /= tail_count)
            text[k] = tails[rest % tail_count];
        text[len + 1] = '"';
        accepted += text[1] >= FIRST_LEAD[len] && is_string(text, len + 2);
    }
    return accepted;
}

/* With the test above: no byte sequence but the one of a code point is accepted. */
Test(json_utf8, no_other_sequence_is_accepted)
{
    uint8_t all[256];
    const uint8_t edges[] = {0x00, 0x22, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    for (unsigned i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    cr_assert_eq(count_accepted(2, all, 1), 0x800 - 0x80);
    cr_assert_eq(count_accepted(3, all, 256), 0x10000 - 0x800 - 0x800);
    cr_assert_eq(count_accepted(4, edges, sizeof edges), 0x100000 / 4096 * 4);
}
