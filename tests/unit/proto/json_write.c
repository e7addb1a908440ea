#include "proto/json.h"

#include "support.h"

#include <criterion/criterion.h>

static struct enc_buffer fresh_buffer(void)
{
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, fresh_arena(8 << 20), 1 << 20);
    return buffer;
}

static struct enc_bytes written(const struct enc_buffer *buffer)
{
    struct enc_bytes bytes;
    cr_assert_eq(enc_buffer_bytes(buffer, &bytes), ENC_ERR_OK);
    return bytes;
}

static void expect_written(const struct enc_buffer *buffer, const char *want)
{
    struct enc_bytes got = written(buffer);
    cr_assert(enc_bytes_is(got, want), "got  %.*s\nwant %s", (int)got.len, (const char *)got.data,
              want);
}

Test(json_write, an_object)
{
    struct enc_buffer buffer = fresh_buffer();
    enc_json_put_raw(&buffer, "{");
    enc_json_member_text(&buffer, "type", ENC_LIT("Receipt"));
    enc_json_member_u64(&buffer, "seq", 2);
    enc_json_member_hex(&buffer, "id", ENC_LIT("\x08\xd9\x23"));
    enc_json_member_raw(&buffer, "next", ENC_LIT("null"));
    enc_json_member(&buffer, "events");
    enc_json_put_raw(&buffer, "[");
    for (uint64_t i = 0; i < 3; i++) {
        enc_json_comma(&buffer);
        enc_json_put_raw(&buffer, "{");
        enc_json_member_u64(&buffer, "n", i);
        enc_json_put_raw(&buffer, "}");
    }
    enc_json_put_raw(&buffer, "]}");
    expect_written(&buffer, "{\"type\":\"Receipt\",\"seq\":2,\"id\":\"08d923\",\"next\":null,"
                            "\"events\":[{\"n\":0},{\"n\":1},{\"n\":2}]}");
}

Test(json_write, commas_stand_between_values_only)
{
    struct enc_buffer buffer = fresh_buffer();
    enc_json_comma(&buffer);
    enc_json_put_raw(&buffer, "[");
    enc_json_comma(&buffer);
    enc_json_put_text(&buffer, ENC_LIT("["));
    enc_json_comma(&buffer);
    enc_json_comma(&buffer);
    enc_json_put_u64(&buffer, 1);
    enc_json_comma(&buffer);
    enc_json_put_raw(&buffer, "{\"a\":");
    enc_json_comma(&buffer);
    enc_json_put_raw(&buffer, "null}]");
    expect_written(&buffer, "[\"[\",1,{\"a\":null}]");
}

Test(json_write, numbers)
{
    static const struct {
        uint64_t value;
        const char *text;
    } ROWS[] = {{0, "0"},
                {9, "9"},
                {10, "10"},
                {1750000062000, "1750000062000"},
                {9007199254740991, "9007199254740991"},
                {UINT64_MAX, "18446744073709551615"}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct enc_buffer buffer = fresh_buffer();
        enc_json_put_u64(&buffer, ROWS[i].value);
        expect_written(&buffer, ROWS[i].text);
    }
}

Test(json_write, text)
{
    struct enc_buffer buffer = fresh_buffer();
    enc_json_put_text(&buffer, ENC_LIT(""));
    enc_json_put_text(&buffer, enc_bytes_of(NULL, 0));
    enc_json_put_text(&buffer, ENC_LIT("say \"hi\\\n\" / \x7f \xc3\xa9"));
    enc_json_put_text(&buffer, ENC_LIT("\"\""));
    expect_written(&buffer, "\"\"\"\"\"say \\\"hi\\\\\\n\\\" / \x7f \xc3\xa9\"\"\\\"\\\"\"");
}

Test(json_write, every_ascii_byte_is_escaped_as_it_must_be)
{
    for (unsigned value = 0; value < 128; value++) {
        static const char SHORT[] = "\bb\ff\nn\rr\tt\"\"\\\\";
        char want[16];
        uint8_t byte = (uint8_t)value;
        struct enc_buffer buffer = fresh_buffer();
        enc_json_put_text(&buffer, enc_bytes_of(&byte, 1));
        snprintf(want, sizeof want, value < 0x20 ? "\"\\u%04x\"" : "\"%c\"", value);
        for (size_t i = 0; SHORT[i]; i += 2)
            if ((unsigned)SHORT[i] == value)
                snprintf(want, sizeof want, "\"\\%c\"", SHORT[i + 1]);
        expect_written(&buffer, want);
    }
}

static size_t put_text(uint8_t out[256], const uint8_t *utf8, size_t len)
{
    _Alignas(16) uint8_t memory[2048];
    struct enc_arena arena;
    struct enc_buffer buffer;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_buffer_init(&buffer, &arena, 256);
    enc_json_put_text(&buffer, enc_bytes_of(utf8, len));
    struct enc_bytes bytes = written(&buffer);
    memcpy(out, bytes.data, bytes.len);
    return bytes.len;
}

/* A byte of any value at any two places of a longer text is written as it is alone. */
Test(json_write, escapes_are_found_wherever_they_are)
{
    enum { LEN = 21 };
    for (size_t case_ = 0; case_ < LEN * 256; case_++) {
        uint8_t text[LEN], whole[256], one[256];
        memset(text, 0xc3, LEN); /* stands for itself, and has its top bit */
        text[case_ / 256] = text[(case_ / 256 + 9) % LEN] = (uint8_t)case_;
        size_t whole_len = put_text(whole, text, LEN);
        size_t at = 1;
        for (size_t i = 0; i < LEN; i++) {
            size_t len = put_text(one, text + i, 1) - 2;
            cr_assert_arr_eq(whole + at, one + 1, len, "case %zu at %zu", case_, i);
            at += len;
        }
        cr_assert_eq(whole_len, at + 1);
    }
}

/* Every code point, in one string, comes back through the reader and through jansson. */
Test(json_write, what_is_written_reads_back)
{
    struct enc_json *out;
    struct enc_json_facts facts;
    struct enc_bytes back;
    struct enc_buffer all = fresh_buffer(), buffer;
    enc_json_put_raw(&all, "\"");
    for (unsigned unit = 0; unit < 0xd800; unit += 7) {
        char escape[8];
        snprintf(escape, sizeof escape, "\\u%04x", unit);
        enc_json_put_raw(&all, escape);
    }
    enc_json_put_raw(&all, "\"");
    cr_assert_eq(enc_json_parse(&out, all.arena, written(&all), &facts), ENC_ERR_OK);
    enc_buffer_init(&buffer, all.arena, 1 << 20);
    enc_json_put_text(&buffer, out->text);
    struct enc_bytes want = out->text, text = written(&buffer);
    cr_assert_eq(enc_json_parse(&out, all.arena, text, &facts), ENC_ERR_OK);
    cr_assert(enc_json_text(out, &back) && enc_bytes_equal(back, want));
    json_t *other =
        json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    cr_assert_not_null(other);
    cr_assert(
        enc_bytes_equal(enc_bytes_of(json_string_value(other), json_string_length(other)), want));
    json_decref(other);
}

Test(json_write, an_exhausted_buffer_says_so)
{
    struct enc_bytes bytes;
    for (size_t max_len = 0; max_len < 20; max_len++) {
        struct enc_buffer buffer;
        enc_buffer_init(&buffer, fresh_arena(1 << 16), max_len);
        enc_json_put_raw(&buffer, "{");
        enc_json_member_hex(&buffer, "id", ENC_LIT("\x01\x02\x03\x04"));
        enc_json_member_text(&buffer, "t", ENC_LIT("x"));
        cr_assert_eq(enc_buffer_bytes(&buffer, &bytes), ENC_ERR_TOO_LARGE, "%zu", max_len);
    }
}
