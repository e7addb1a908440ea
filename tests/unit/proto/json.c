#include "proto/json.h"

#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct enc_json_facts facts;

static enum enc_err parse_in(struct enc_json **out, struct enc_arena *arena, struct enc_bytes text)
{
    return enc_json_parse(out, arena, text, &facts);
}

static const struct enc_json *parsed(struct enc_bytes text)
{
    struct enc_json *out = NULL;
    cr_assert_eq(parse_in(&out, fresh_arena(16 << 20), text), ENC_ERR_OK, "refused: %.*s",
                 (int)text.len, (const char *)text.data);
    return out;
}

static bool accepts(struct enc_bytes text)
{
    struct enc_json *out;
    enum enc_err err = parse_in(&out, fresh_arena(16 << 20), text);
    cr_assert(err == ENC_ERR_OK || err == ENC_ERR_INVALID_REQUEST);
    return err == ENC_ERR_OK;
}

/* ---- what is refused, and its legal neighbour ---- */

struct row {
    const char *what;
    struct enc_bytes bad, good;
};

#define ROW(what, bad, good)                                                                       \
    {                                                                                              \
        what, ENC_LIT(bad), ENC_LIT(good)                                                          \
    }

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cr_assert_not(accepts(rows[i].bad), "%s: accepted", rows[i].what);
        cr_assert(accepts(rows[i].good), "%s: neighbour refused", rows[i].what);
    }
}

#define EXPECT_ROWS(rows) expect_rows(rows, sizeof(rows) / sizeof *(rows))

Test(json, structure)
{
    const struct row rows[] = {
        ROW("nothing", "", "0"),
        ROW("blanks only", " \t\r\n", " \t\r\n0 \t\r\n"),
        ROW("form feed is no blank", "\f0", "\n0"),
        ROW("vertical tab is no blank", "0\v", "0\t"),
        ROW("no-break space is no blank",
            "\xc2\xa0"
            "0",
            " 0"),
        ROW("trailing value", "1 2", "[1,2]"),
        ROW("trailing bracket", "[]]", "[]"),
        ROW("trailing NUL", "0\0", "0"),
        ROW("byte order mark", "\xef\xbb\xbf{}", "{}"),
        ROW("UTF-16", "{\0}\0", "{}"),
        ROW("comment", "/**/0", "0"),
        ROW("open array", "[", "[]"),
        ROW("open array with value", "[1", "[1]"),
        ROW("array closed as object", "[1}", "[1]"),
        ROW("object closed as array", "{\"a\":1]", "{\"a\":1}"),
        ROW("trailing comma in array", "[1,]", "[1]"),
        ROW("leading comma in array", "[,1]", "[1]"),
        ROW("double comma", "[1,,2]", "[1,2]"),
        ROW("missing comma", "[1 2]", "[1 ,2]"),
        ROW("open object", "{", "{}"),
        ROW("name alone", "{\"a\"}", "{\"a\":0}"),
        ROW("name and colon", "{\"a\":}", "{\"a\":0}"),
        ROW("no colon", "{\"a\" 0}", "{\"a\" : 0}"),
        ROW("two colons", "{\"a\"::0}", "{\"a\":0}"),
        ROW("comma for colon", "{\"a\",0}", "{\"a\":0}"),
        ROW("trailing comma in object", "{\"a\":0,}", "{\"a\":0}"),
        ROW("leading comma in object", "{,\"a\":0}", "{\"a\":0}"),
        ROW("name without quotes", "{a:0}", "{\"a\":0}"),
        ROW("name in single quotes", "{'a':0}", "{\"a\":0}"),
        ROW("number as name", "{1:0}", "{\"1\":0}"),
        ROW("null as name", "{null:0}", "{\"null\":0}"),
        ROW("value without name", "{0}", "[0]"),
        ROW("colon in array", "[\"a\":0]", "[\"a\",0]"),
    };
    EXPECT_ROWS(rows);
}

Test(json, literals_and_numbers)
{
    const struct row rows[] = {
        ROW("upper case", "True", "true"),
        ROW("cut short", "tru", "true"),
        ROW("too long", "truee", "true"),
        ROW("false cut short", "fals", "false"),
        ROW("null cut short", "nul", "null"),
        ROW("null with tail", "null0", "null"),
        ROW("NaN", "NaN", "null"),
        ROW("Infinity", "Infinity", "1e999"),
        ROW("minus infinity", "-Infinity", "-1e999"),
        ROW("undefined", "undefined", "null"),
        ROW("leading zero", "01", "10"),
        ROW("double zero", "00", "0"),
        ROW("negative leading zero", "-01", "-10"),
        ROW("minus alone", "-", "-0"),
        ROW("two minus", "--1", "-1"),
        ROW("plus", "+1", "1"),
        ROW("point first", ".5", "0.5"),
        ROW("point last", "5.", "5.0"),
        ROW("point then exponent", "5.e1", "5.0e1"),
        ROW("two points", "5.5.5", "5.55"),
        ROW("exponent alone", "1e", "1e1"),
        ROW("exponent sign alone", "1e+", "1e+1"),
        ROW("exponent minus alone", "1E-", "1E-1"),
        ROW("exponent two signs", "1e+-1", "1e-1"),
        ROW("fraction in exponent", "1e1.5", "1e15"),
        ROW("hex", "0x10", "10"),
        ROW("underscore", "1_000", "1000"),
        ROW("blank inside", "1 000", "1000"),
        ROW("minus blank", "- 1", "-1"),
        ROW("Arabic digits", "\xd9\xa1", "1"),
    };
    EXPECT_ROWS(rows);
}

Test(json, strings)
{
    const struct row rows[] = {
        ROW("open", "\"a", "\"a\""),
        ROW("lone quote", "\"", "\"\""),
        ROW("single quotes", "'a'", "\"a\""),
        ROW("open after backslash", "\"\\\"", "\"\\\"\""),
        ROW("cut in an escape", "\"\\", "\"\\\\\""),
        ROW("cut after an escape", "\"\\n", "\"\\n\""),
        ROW("raw newline", "\"\n\"", "\"\\n\""),
        ROW("raw tab", "\"\t\"", "\"\\t\""),
        ROW("raw NUL", "\"\0\"", "\"\\u0000\""),
        ROW("raw unit separator", "\"\x1f\"", "\"\x7f\""),
        ROW("raw newline after an escape", "\"\\n\n\"", "\"\\n\\n\""),
        ROW("unknown escape", "\"\\a\"", "\"\\b\""),
        ROW("escape in upper case", "\"\\N\"", "\"\\n\""),
        ROW("octal escape", "\"\\012\"", "\"\\u0012\""),
        ROW("hex escape", "\"\\x41\"", "\"\\u0041\""),
        ROW("escaped NUL byte", "\"\\\0\"", "\"\\u0000\""),
        ROW("escaped newline", "\"\\\n\"", "\"\\n\""),
        ROW("three digits", "\"\\u004\"", "\"\\u0041\""),
        ROW("no digits", "\"\\u\"", "\"\\u0041\""),
        ROW("no hex digit", "\"\\u004g\"", "\"\\u004f\""),
        ROW("upper case U", "\"\\U0041\"", "\"\\u0041\""),
        ROW("digits cut by the end", "\"\\u00", "\"\\u0041\""),
        ROW("low half cut by the end", "\"\\ud83d\\ude", "\"\\ud83d\\ude00\""),
        ROW("low half with bad digit", "\"\\ud83d\\udg00\"", "\"\\ud83d\\ude00\""),
        ROW("high half then bad escape", "\"\\ud83d\\x\"", "\"\\ud83d\\n\""),
    };
    EXPECT_ROWS(rows);
}

Test(json, utf8)
{
    const struct row rows[] = {
        ROW("lone continuation", "\"\x80\"", "\"\xc2\x80\""),
        ROW("lone lead", "\"\xc3\"", "\"\xc3\xa9\""),
        ROW("overlong slash, 2 bytes", "\"\xc0\xaf\"", "\"/\""),
        ROW("overlong U+007F", "\"\xc1\xbf\"", "\"\x7f\""),
        ROW("overlong NUL", "\"\xc0\x80\"", "\"\\u0000\""),
        ROW("overlong slash, 3 bytes", "\"\xe0\x80\xaf\"", "\"\xe0\xa0\x80\""),
        ROW("overlong U+07FF", "\"\xe0\x9f\xbf\"", "\"\xdf\xbf\""),
        ROW("overlong U+FFFF", "\"\xf0\x8f\xbf\xbf\"", "\"\xef\xbf\xbf\""),
        ROW("high surrogate", "\"\xed\xa0\x80\"", "\"\xed\x9f\xbf\""),
        ROW("low surrogate", "\"\xed\xbf\xbf\"", "\"\xee\x80\x80\""),
        ROW("surrogate pair in six bytes", "\"\xed\xa0\xbd\xed\xb8\x80\"", "\"\xf0\x9f\x98\x80\""),
        ROW("above U+10FFFF", "\"\xf4\x90\x80\x80\"", "\"\xf4\x8f\xbf\xbf\""),
        ROW("lead F5", "\"\xf5\x80\x80\x80\"", "\"\xf4\x80\x80\x80\""),
        ROW("five bytes", "\"\xf8\x88\x80\x80\x80\"", "\"\xf0\x90\x80\x80\""),
        ROW("FE and FF", "\"\xfe\xff\"", "\"\xef\xbf\xbe\""),
        ROW("cut by the quote", "\"\xe2\x82\"", "\"\xe2\x82\xac\""),
        ROW("cut by the end", "\"\xf0\x9f\x98", "\"\xf0\x9f\x98\x80\""),
        ROW("third byte wrong", "\"\xf0\x9f\x28\x80\"", "\"\xf0\x9f\xa8\x80\""),
        ROW("fourth byte wrong", "\"\xf0\x9f\x98\xc0\"", "\"\xf0\x9f\x98\xbf\""),
        ROW("in a name", "{\"\xff\":0}", "{\"\xc3\xbf\":0}"),
        ROW("after an escape", "\"\\n\xff\"", "\"\\n\xc3\xbf\""),
        ROW("outside a string", "[\xc3\xa9]", "[\"\xc3\xa9\"]"),
    };
    EXPECT_ROWS(rows);
}

Test(json, duplicate_names)
{
    const struct row rows[] = {
        ROW("same", "{\"a\":0,\"a\":0}", "{\"a\":0,\"b\":0}"),
        ROW("same value kind differs", "{\"a\":0,\"a\":[]}", "{\"a\":0,\"A\":[]}"),
        ROW("empty", "{\"\":0,\"\":1}", "{\"\":0,\" \":1}"),
        ROW("escaped alike", "{\"\\u0061\":0,\"\\u0061\":0}", "{\"\\u0061\":0,\"\\u0062\":0}"),
        ROW("escaped and plain", "{\"a\":0,\"\\u0061\":0}", "{\"a\":0,\"\\\\u0061\":0}"),
        ROW("pair and UTF-8", "{\"\\ud83d\\ude00\":0,\"\xf0\x9f\x98\x80\":0}",
            "{\"\\ud83d\\ude01\":0,\"\xf0\x9f\x98\x80\":0}"),
        ROW("with U+0000", "{\"a\\u0000b\":0,\"a\\u0000b\":0}", "{\"a\\u0000b\":0,\"a\":0}"),
        ROW("lone surrogates alike", "{\"\\ud800\":0,\"\\uD800\":0}",
            "{\"\\ud800\":0,\"\\ud801\":0}"),
        ROW("nested in an array", "[[{\"a\":0,\"a\":0}]]", "[[{\"a\":0},{\"a\":0}]]"),
        ROW("nested in an object", "{\"a\":{\"b\":0,\"b\":0}}", "{\"a\":{\"a\":0}}"),
        ROW("apart", "{\"a\":0,\"b\":0,\"c\":0,\"a\":0}", "{\"a\":0,\"b\":0,\"c\":0,\"d\":0}"),
    };
    EXPECT_ROWS(rows);
}

Test(json, names_are_not_normalised)
{
    cr_assert(accepts(ENC_LIT("{\"\xc3\xa9\":0,\"e\xcc\x81\":0}")));
}

/* An object of count members, whose member `again` has the name of member `first`. */
static struct enc_bytes large_object(size_t count, size_t first, size_t again)
{
    static char text[6 << 20];
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        size_t number = i == again ? first : i;
        cr_assert_lt(len + 64, sizeof text);
        len += (size_t)sprintf(text + len, "%s\"common-prefix-%zu\":0", i ? "," : "{",
                               number * 7919 % 1000003);
    }
    text[len++] = '}';
    return enc_bytes_of(text, len);
}

Test(json, duplicates_in_objects_of_every_small_size)
{
    for (size_t count = 2; count < 40; count++) {
        cr_assert(accepts(large_object(count, 0, count)));
        for (size_t first = 0; first < count; first++)
            for (size_t again = first + 1; again < count; again++)
                cr_assert_not(accepts(large_object(count, first, again)), "%zu: %zu = %zu", count,
                              first, again);
    }
}

/* Comparing all pairs of so many names would take minutes. */
Test(json, duplicates_in_large_objects_are_found_fast, .timeout = 30)
{
    const size_t count = 200000;
    cr_assert(enc_json_get(parsed(large_object(20000, 0, 20000)), "common-prefix-0") != NULL);
    struct enc_json *out;
    cr_assert_eq(parse_in(&out, fresh_arena(40 << 20), large_object(count, 0, count)), ENC_ERR_OK);
    cr_assert_eq(out->count, count);
    cr_assert_eq(parse_in(&out, fresh_arena(40 << 20), large_object(count, 0, count - 1)),
                 ENC_ERR_INVALID_REQUEST);
    cr_assert_eq(parse_in(&out, fresh_arena(40 << 20), large_object(count, 777, 778)),
                 ENC_ERR_INVALID_REQUEST);
}

/* ---- depth ---- */

static struct enc_bytes nested(const char *open, const char *inner, const char *close, size_t depth)
{
    static char text[8192];
    size_t len = 0;
    for (size_t i = 0; i < depth; i++)
        len += (size_t)sprintf(text + len, "%s", open);
    len += (size_t)sprintf(text + len, "%s", inner);
    for (size_t i = 0; i < depth; i++)
        len += (size_t)sprintf(text + len, "%s", close);
    return enc_bytes_of(text, len);
}

Test(json, depth)
{
    cr_assert(accepts(nested("[", "", "]", 64)));
    cr_assert_not(accepts(nested("[", "", "]", 65)));
    cr_assert(accepts(nested("{\"a\":", "{}", "}", 63)));
    cr_assert_not(accepts(nested("{\"a\":", "{}", "}", 64)));
    cr_assert(accepts(nested("[{\"a\":", "0", "}]", 32)), "a number is no level");
    cr_assert_not(accepts(nested("[{\"a\":", "[]", "}]", 32)));
    cr_assert_not(accepts(nested("[", "", "]", 1000)));
    cr_assert_not(accepts(nested("[", "", "", 1000)));
    cr_assert(accepts(nested("[[],", "0", "]", 63)), "siblings do not add up");
}

/* ---- values ---- */

Test(json, kinds_and_raw_text)
{
    const struct enc_json *array =
        parsed(ENC_LIT(" [null, false,true ,-1.50E+3,\"s\", [ 1 ] ,{ \"k\" : 2 }] "));
    static const struct {
        enum enc_json_kind kind;
        const char *text;
    } WANT[] = {
        {ENC_JSON_NULL, "null"},           {ENC_JSON_FALSE, "false"}, {ENC_JSON_TRUE, "true"},
        {ENC_JSON_NUMBER, "-1.50E+3"},     {ENC_JSON_STRING, "s"},    {ENC_JSON_ARRAY, "[ 1 ]"},
        {ENC_JSON_OBJECT, "{ \"k\" : 2 }"}};
    cr_assert_eq(array->kind, ENC_JSON_ARRAY);
    cr_assert_eq(array->count, 7);
    const struct enc_json *value = array->child;
    for (size_t i = 0; i < 7; i++, value = value->next) {
        cr_assert_eq(value->kind, WANT[i].kind, "element %zu", i);
        cr_assert(enc_bytes_is(value->text, WANT[i].text), "element %zu", i);
        cr_assert_eq(value->key.len, 0);
    }
    cr_assert_null(value);
    cr_assert(
        enc_bytes_is(array->text, "[null, false,true ,-1.50E+3,\"s\", [ 1 ] ,{ \"k\" : 2 }]"));
}

static void expect_text(struct enc_bytes json, struct enc_bytes want)
{
    struct enc_bytes got;
    cr_assert(enc_json_text(parsed(json), &got));
    cr_assert(enc_bytes_equal(got, want), "%.*s", (int)json.len, (const char *)json.data);
    cr_assert_not(facts.has_lone_surrogate);
}

Test(json, escapes)
{
    expect_text(ENC_LIT("\"\""), ENC_LIT(""));
    expect_text(ENC_LIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), ENC_LIT("\"\\/\b\f\n\r\t"));
    expect_text(ENC_LIT("\"a\\nb\""), ENC_LIT("a\nb"));
    expect_text(ENC_LIT("\"\\n\""), ENC_LIT("\n"));
    expect_text(ENC_LIT("\"a\\u0000b\""), ENC_LIT("a\0b"));
    expect_text(ENC_LIT("\"\\u0041\\u00e9\\u20AC\""), ENC_LIT("A\xc3\xa9\xe2\x82\xac"));
    expect_text(ENC_LIT("\"\\ud83d\\ude00\""), ENC_LIT("\xf0\x9f\x98\x80"));
    expect_text(ENC_LIT("\"\\uD800\\uDC00\""), ENC_LIT("\xf0\x90\x80\x80"));
    expect_text(ENC_LIT("\"\\udbff\\udfff\""), ENC_LIT("\xf4\x8f\xbf\xbf"));
    expect_text(ENC_LIT("\"\\uffff\""), ENC_LIT("\xef\xbf\xbf"));
    expect_text(ENC_LIT("\"\xf0\x9f\x98\x80\\n\xe2\x82\xac\""),
                ENC_LIT("\xf0\x9f\x98\x80\n\xe2\x82\xac"));
    expect_text(ENC_LIT("\"long enough for words, then \\\\ and more of the same length\""),
                ENC_LIT("long enough for words, then \\ and more of the same length"));
}

Test(json, every_bmp_escape)
{
    for (unsigned unit = 0; unit < 0x10000; unit++) {
        char text[16];
        struct enc_bytes got;
        int len = sprintf(text, "\"\\u%04x\"", unit);
        const struct enc_json *value = parsed(enc_bytes_of(text, (size_t)len));
        bool is_surrogate = unit >= 0xd800 && unit <= 0xdfff;
        cr_assert_eq(enc_json_text(value, &got), !is_surrogate);
        cr_assert_eq(facts.has_lone_surrogate, is_surrogate);
        if (is_surrogate)
            continue;
        sprintf(text, "\"%.*s\"", (int)got.len, (const char *)got.data);
        if (unit >= 0x20 && unit != '"' && unit != '\\')
            cr_assert(accepts(enc_bytes_of(text, got.len + 2)), "%04x made no UTF-8", unit);
        cr_assert_eq(got.len, unit < 0x80 ? 1u : unit < 0x800 ? 2u : 3u);
    }
}

Test(json, lone_surrogates_are_kept_but_are_no_text)
{
    static const char *const LONE[] = {
        "\"\\ud800\"",        "\"\\udfff\"",    "\"\\udc00\\ud800\"",
        "\"\\ud800x\"",       "\"\\ud800\\n\"", "\"\\ud800\\u0041\"",
        "\"\\ud800\\ud800\"", "\"a\\ude00b\"",  "\"\\ud83d\\ud83d\\ude00\""};
    for (size_t i = 0; i < sizeof LONE / sizeof *LONE; i++) {
        struct enc_bytes text;
        uint8_t out[1];
        const struct enc_json *value = parsed(enc_bytes_of_text(LONE[i]));
        cr_assert_eq(value->kind, ENC_JSON_STRING);
        cr_assert(facts.has_lone_surrogate, "%s", LONE[i]);
        cr_assert_not(enc_json_text(value, &text), "%s", LONE[i]);
        cr_assert_not(enc_json_hex(value, out, 1));
    }
}

Test(json, lone_surrogates_in_names_are_facts_too)
{
    uint64_t number;
    const struct enc_json *object = parsed(ENC_LIT("{\"\\ud800\":1,\"a\":2}"));
    cr_assert(facts.has_lone_surrogate);
    cr_assert(enc_json_u64(enc_json_get(object, "a"), &number) && number == 2);
    struct enc_bytes text;
    cr_assert(enc_json_text(parsed(ENC_LIT("\"sane\"")), &text));
    cr_assert_not(facts.has_lone_surrogate, "facts are those of the last parse");
}

/* Around the eight bytes that are looked at together. */
Test(json, every_byte_at_every_place_of_a_string)
{
    for (size_t len = 1; len <= 24; len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[26];
                memset(text, 'a', sizeof text);
                text[0] = text[len + 1] = '"';
                text[1 + at] = (char)byte;
                bool is_plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
                cr_assert_eq(accepts(enc_bytes_of(text, len + 2)), is_plain, "%02x at %zu of %zu",
                             byte, at, len);
            }
        }
    }
}

/* ---- asking a tree ---- */

Test(json, get)
{
    const struct enc_json *object =
        parsed(ENC_LIT("{\"a\":1,\"\\u0062\":[],\"\":2,\"a\\u0000\":3}"));
    cr_assert_eq(object->count, 4);
    cr_assert_eq(enc_json_get(object, "a"), object->child);
    cr_assert_eq(enc_json_get(object, "b")->kind, ENC_JSON_ARRAY);
    cr_assert(enc_bytes_is(enc_json_get(object, "")->text, "2"));
    cr_assert_null(enc_json_get(object, "c"));
    cr_assert_null(enc_json_get(NULL, "a"));
    cr_assert_null(enc_json_get(enc_json_get(object, "b"), "a"));
    cr_assert_null(enc_json_get(enc_json_get(object, "a"), "a"));
    cr_assert_null(enc_json_get(parsed(ENC_LIT("{}")), ""));
}

Test(json, u64)
{
    static const struct {
        const char *json;
        uint64_t value;
        bool ok;
    } ROWS[] = {
        {"0", 0, true},
        {"7", 7, true},
        {"1750000062000", 1750000062000, true},
        {"9007199254740991", 9007199254740991, true},
        {"9007199254740992", 0, false},
        {"9999999999999999", 0, false},
        {"10000000000000000", 0, false},
        {"18446744073709551616", 0, false},
        {"100000000000000000000000000000000000000", 0, false},
        {"-0", 0, false},
        {"-1", 0, false},
        {"1.0", 0, false},
        {"1e3", 0, false},
        {"1E0", 0, false},
        {"\"1\"", 0, false},
        {"null", 0, false},
        {"true", 0, false},
        {"[1]", 0, false},
        {"{}", 0, false},
    };
    uint64_t value;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        bool ok = enc_json_u64(parsed(enc_bytes_of_text(ROWS[i].json)), &value);
        cr_assert_eq(ok, ROWS[i].ok, "%s", ROWS[i].json);
        if (ok)
            cr_assert_eq(value, ROWS[i].value, "%s", ROWS[i].json);
    }
    cr_assert_not(enc_json_u64(NULL, &value));
}

Test(json, text_hex_and_bool)
{
    uint8_t out[2];
    bool flag;
    struct enc_bytes text;
    cr_assert(enc_json_hex(parsed(ENC_LIT("\"0aFf\"")), out, 2));
    cr_assert(out[0] == 0x0a && out[1] == 0xff);
    cr_assert(enc_json_hex(parsed(ENC_LIT("\"\\u0030aFf\"")), out, 2));
    cr_assert_not(enc_json_hex(parsed(ENC_LIT("\"0aF\"")), out, 2));
    cr_assert_not(enc_json_hex(parsed(ENC_LIT("\"0aFf00\"")), out, 2));
    cr_assert_not(enc_json_hex(parsed(ENC_LIT("\"0aFg\"")), out, 2));
    cr_assert_not(enc_json_hex(parsed(ENC_LIT("1234")), out, 2));
    cr_assert_not(enc_json_hex(NULL, out, 2));
    cr_assert_not(enc_json_text(NULL, &text));
    cr_assert_not(enc_json_text(parsed(ENC_LIT("1")), &text));
    cr_assert(enc_json_bool(parsed(ENC_LIT("true")), &flag) && flag);
    cr_assert(enc_json_bool(parsed(ENC_LIT("false")), &flag) && !flag);
    cr_assert_not(enc_json_bool(parsed(ENC_LIT("null")), &flag));
    cr_assert_not(enc_json_bool(NULL, &flag));
}

Test(json, a_plain_string_is_a_view_of_the_text)
{
    struct enc_bytes got, text = ENC_LIT("[\"no copy\"]");
    cr_assert(enc_json_text(parsed(text)->child, &got));
    cr_assert_eq(got.data, text.data + 2);
}

/* ---- memory ---- */

static void expect_bound(struct enc_bytes text)
{
    struct enc_json *out;
    cr_assert_eq(parse_in(&out, fresh_arena(32 * text.len + 64), text), ENC_ERR_OK, "%.*s...",
                 (int)(text.len < 20 ? text.len : 20), (const char *)text.data);
}

static struct enc_bytes repeated(const char *first, const char *more, const char *last)
{
    static char text[1 << 16];
    size_t len = (size_t)sprintf(text, "%s", first);
    while (len < sizeof text - 64)
        len += (size_t)sprintf(text + len, "%s", more);
    len += (size_t)sprintf(text + len, "%s", last);
    return enc_bytes_of(text, len);
}

Test(json, memory_is_bounded_by_the_length)
{
    expect_bound(ENC_LIT("0"));
    expect_bound(ENC_LIT("[0]"));
    expect_bound(ENC_LIT("\"\\n\""));
    expect_bound(repeated("[0", ",0", "]"));
    expect_bound(repeated("[[]", ",[]", "]"));
    expect_bound(repeated("[\"\\n\"", ",\"\\n\"", "]"));
    expect_bound(repeated("\"", "\\u0041", "\""));
    expect_bound(large_object(5000, 0, 5000));
}

Test(json, too_little_memory_is_said_wherever_it_ends)
{
    struct enc_json *out;
    struct enc_bytes text = large_object(20, 0, 20);
    struct enc_bytes escaped = ENC_LIT("{\"a\":[\"\\n\",\"\\t\"],\"\\u0062\":\"\\u0063\"}");
    size_t len = 0;
    while (parse_in(&out, fresh_arena(len), text) != ENC_ERR_OK) {
        cr_assert_eq(parse_in(&out, fresh_arena(len), text), ENC_ERR_TOO_LARGE);
        len += 16;
    }
    cr_assert_leq(len, 32 * text.len + 64);
    for (len = 0; parse_in(&out, fresh_arena(len), escaped) != ENC_ERR_OK; len += 16)
        cr_assert_eq(parse_in(&out, fresh_arena(len), escaped), ENC_ERR_TOO_LARGE);
}

Test(json, every_prefix_is_refused)
{
    struct enc_bytes text = vector_text("manifest_content");
    cr_assert(accepts(text));
    for (size_t len = 0; len < text.len; len++) {
        uint8_t *copy = (uint8_t *)malloc(len ? len : 1); /* exact: reading past it is an error */
        memcpy(copy, text.data, len);
        cr_assert_not(accepts(enc_bytes_of(copy, len)), "prefix of %zu", len);
        free(copy);
    }
}

Test(json, manifest_of_the_vectors)
{
    uint64_t number;
    struct enc_bytes text;
    const struct enc_json *manifest = parsed(vector_text("manifest_content"));
    cr_assert(enc_json_u64(enc_json_get(manifest, "enc_v"), &number) && number == 1);
    cr_assert(enc_json_u64(enc_json_get(enc_json_get(manifest, "bundle"), "timeout"), &number));
    cr_assert_eq(number, 5000);
    const struct enc_json *rows = enc_json_get(enc_json_get(manifest, "RBAC"), "schema");
    cr_assert_eq(rows->count, 5);
    cr_assert(enc_json_text(enc_json_get(rows->child->next, "role"), &text));
    cr_assert(enc_bytes_is(text, "Member"));
}
