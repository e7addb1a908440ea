#include "proto/utf8.h"

#include <criterion/criterion.h>

TestSuite(utf8);

Test(utf8, every_code_point_is_valid_in_its_shortest_form_only)
{
    for (uint32_t point = 0x80; point<0x110000; point += point> 0x10000 ? 14 : 1) {
        uint8_t text[4];
        size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        for (size_t i = len; i-- > 1;)
            text[i] = (uint8_t)(0x80 | (point >> (6 * (len - 1 - i)) & 0x3f));
        text[0] = (uint8_t)((len == 2 ? 0xc0 : len == 3 ? 0xe0 : 0xf0) | point >> (6 * (len - 1)));
        bool is_surrogate = point >= 0xd800 && point < 0xe000;
        cr_assert_eq(enc_utf8_len(text, text + len), is_surrogate ? 0 : len, "%x", point);
        cr_assert_eq(enc_utf8_is_valid(enc_bytes_of(text, len)), !is_surrogate);
        cr_assert_not(enc_utf8_is_valid(enc_bytes_of(text, len - 1)), "%x cut short", point);
    }
}

Test(utf8, what_is_not_utf8_is_refused)
{
    static const char *const BAD[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xfe",
        "\xff",
        "a\xc3",
        "\xc3(",
        "\xf0\x80\x80\x80",
        "\xe2\x28\xa1",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        cr_assert_not(enc_utf8_is_valid(enc_bytes_of_text(BAD[i])), "case %zu", i);
    cr_assert(enc_utf8_is_valid((struct enc_bytes){NULL, 0}));
    cr_assert(enc_utf8_is_valid(ENC_LIT("plain \xc3\xbc \xf0\x9f\x98\x80")));
}
