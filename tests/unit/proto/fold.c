#include "proto/fold.h"

#include "logic.h"
#include "texts.h"

#include <criterion/criterion.h>

static struct enc_bytes folded(struct enc_bytes utf8)
{
    struct enc_bytes out;
    EXPECT_OK(enc_fold(&out, fresh_arena(1 << 20), utf8));
    return out;
}

static void expect_folded(const char *text, const char *expected)
{
    struct enc_bytes got = folded(enc_bytes_of_text(text));
    cr_assert(enc_bytes_is(got, expected), "%s: %.*s instead of %s", text, (int)got.len,
              (const char *)got.data, expected);
}

Test(fold, knows_the_letters_of_many_scripts)
{
    static const char *const ROWS[][2] = {
        {"", ""},
        {"Hello, World 42", "hello, world 42"},
        {"@AZ[`az{\x7f", "@az[`az{\x7f"},
        {"Straße", "strasse"},
        {"STRASSE", "strasse"},
        {"STRAẞE", "strasse"},
        {"ÉCOLE Ñandú", "école ñandú"},
        {"ὈΔΥΣΣΕΎΣ", "ὀδυσσεύσ"},
        {"σς", "σσ"},
        {"ΐ", "ι\u0308\u0301"},
        {"ᾳ ᾼ", "αι αι"},
        {"ПРИВЕТ, Ёлка", "привет, ёлка"},
        {"ԱՐԵՒ և", "արեւ եւ"},
        {"İstanbul ISPARTA ı", "i\u0307stanbul isparta ı"},
        {"ﬁn ﬃ Ǆ", "fin ffi ǆ"},
        {"Ⅷ Ⓐ Ａ", "ⅷ ⓐ ａ"},
        {"𐐀𐐨", "𐐨𐐨"},
        {"ꭰᎠ", "ᎠᎠ"},
        {"日本語 한글 عربي עברית", "日本語 한글 عربي עברית"},
        {"🙂👩‍👩‍👧 🇦🇶", "🙂👩‍👩‍👧 🇦🇶"},
        {"K Å µ", "k å μ"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        expect_folded(ROWS[i][0], ROWS[i][1]);
}

Test(fold, composes_and_decomposes_nothing)
{
    expect_folded("\u00e9", "\u00e9");
    expect_folded("e\u0301", "e\u0301");
    expect_folded("\uac00", "\uac00");
    expect_folded("\u1100\u1161", "\u1100\u1161");
    expect_folded("a\u0323\u0307 a\u0307\u0323", "a\u0323\u0307 a\u0307\u0323");
    expect_folded("\u200b\u00ad", "\u200b\u00ad");
}

Test(fold, keeps_zeros)
{
    cr_assert(enc_bytes_equal(folded(ENC_LIT("A\0\0B")), ENC_LIT("a\0\0b")));
}

static bool is_surrogate(uint32_t point)
{
    return point >= 0xd800 && point <= 0xdfff;
}

Test(fold, every_code_point_folds_to_what_is_folded_and_not_much_longer)
{
    size_t longest = 0;
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        uint8_t utf8[4];
        struct enc_bytes once, twice, one = enc_bytes_of(utf8, put_utf8(utf8, point));
        struct enc_arena *memory = fresh_arena(1 << 12);
        enum enc_err err = enc_fold(&once, memory, one);
        cr_assert_eq(err, is_surrogate(point) ? ENC_ERR_INVALID_REQUEST : ENC_ERR_OK);
        if (is_surrogate(point))
            continue;
        EXPECT_OK(enc_fold(&twice, memory, once));
        cr_assert(enc_bytes_equal(once, twice), "U+%04X", point);
        cr_assert_leq(once.len, ENC_FOLD_GROWTH_MAX * one.len);
        longest = once.len > longest * one.len ? once.len / one.len : longest;
    }
    cr_assert_eq(longest, ENC_FOLD_GROWTH_MAX);
}

Test(fold, a_part_of_a_text_is_a_part_of_the_folded_text)
{
    for (size_t round = 0; round < 3000; round++) {
        static uint8_t utf8[3][128];
        size_t before = random_text(utf8[0], random_below(12));
        size_t part = random_text(utf8[1], random_below(12));
        size_t after = random_text(utf8[2], random_below(12));
        struct enc_bytes whole = text("%.*s%.*s%.*s", (int)before, (char *)utf8[0], (int)part,
                                      (char *)utf8[1], (int)after, (char *)utf8[2]);
        struct enc_arena *memory = fresh_arena(1 << 16);
        struct enc_bytes folded_whole, folded_part;
        EXPECT_OK(enc_fold(&folded_whole, memory, whole));
        EXPECT_OK(enc_fold(&folded_part, memory, enc_bytes_of(utf8[1], part)));
        cr_assert(enc_fold_contains(folded_whole, folded_part));
    }
}

Test(fold, what_is_not_utf8_is_refused)
{
    static const struct enc_bytes ROWS[] = {
        {(const uint8_t *)"\x80", 1},
        {(const uint8_t *)"a\xff", 2},
        {(const uint8_t *)"\xc3", 1},
        {(const uint8_t *)"\xc3(", 2},
        {(const uint8_t *)"\xc0\x80", 2},
        {(const uint8_t *)"\xe2\x82", 2},
        {(const uint8_t *)"\xed\xa0\x80", 3},
        {(const uint8_t *)"\xe0\x80\x80", 3},
        {(const uint8_t *)"\xf0\x9f\x99", 3},
        {(const uint8_t *)"\xf0\x80\x80\x80", 4},
        {(const uint8_t *)"\xf4\x90\x80\x80", 4},
        {(const uint8_t *)"ok \xfe ok", 7},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct enc_bytes out;
        EXPECT_ERR(enc_fold(&out, fresh_arena(1 << 12), ROWS[i]), INVALID_REQUEST);
    }
}

Test(fold, says_when_memory_ends)
{
    struct enc_bytes out;
    struct enc_bytes grows = text("%s", "ΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐ"
                                        "ΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐ"
                                        "ΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐ"
                                        "ΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐΐ");
    EXPECT_OK(enc_fold(&out, fresh_arena(3 * grows.len), grows));
    cr_assert_eq(out.len, 3 * grows.len);
    EXPECT_ERR(enc_fold(&out, fresh_arena(2 * grows.len), grows), TOO_LARGE);
    EXPECT_ERR(enc_fold(&out, fresh_arena(128), grows), TOO_LARGE);
}

Test(fold, counts_code_points)
{
    static const struct {
        const char *text;
        size_t count;
    } ROWS[] = {{"", 0},       {"a", 1},        {"Straße", 6}, {"привет", 6},
                {"日本語", 3}, {"🙂🙂", 2}, {"e\u0301", 2}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        cr_assert_eq(enc_text_count(enc_bytes_of_text(ROWS[i].text)), ROWS[i].count);
    for (size_t count = 0; count < 500; count++) {
        uint8_t utf8[2000];
        cr_assert_eq(enc_text_count(enc_bytes_of(utf8, random_text(utf8, count))), count);
    }
}

static bool contains_slowly(struct enc_bytes text, struct enc_bytes query)
{
    for (size_t i = 0; i + query.len <= text.len; i++)
        if (query.len == 0 || memcmp(text.data + i, query.data, query.len) == 0)
            return true;
    return false;
}

Test(fold, finds_what_is_there)
{
    cr_assert(enc_fold_contains(enc_bytes_of(NULL, 0), enc_bytes_of(NULL, 0)));
    cr_assert(enc_fold_contains(ENC_LIT("a"), enc_bytes_of(NULL, 0)));
    cr_assert_not(enc_fold_contains(enc_bytes_of(NULL, 0), ENC_LIT("a")));
    cr_assert_not(enc_fold_contains(ENC_LIT("ab"), ENC_LIT("abc")));
    cr_assert(enc_fold_contains(ENC_LIT("a\0b"), ENC_LIT("\0b")));
    size_t found = 0;
    for (size_t round = 0; round < 20000; round++) {
        uint8_t utf8[2][128];
        struct enc_bytes whole = enc_bytes_of(utf8[0], random_text(utf8[0], random_below(30)));
        struct enc_bytes query = enc_bytes_of(utf8[1], random_text(utf8[1], random_below(4)));
        cr_assert_eq(enc_fold_contains(whole, query), contains_slowly(whole, query));
        found += query.len && contains_slowly(whole, query);
    }
    cr_assert_gt(found, 1000);
}
