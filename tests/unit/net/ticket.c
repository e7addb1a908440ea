#include "net/ticket.h"

#include <criterion/criterion.h>

Test(ticket, only_plain_characters_are_safe)
{
    char text[80];
    for (unsigned byte = 0; byte < 256; byte++) {
        char one = (char)byte;
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                        (byte >= 'A' && byte <= 'Z') || byte == '_' || byte == '.' || byte == '-';
        cr_assert_eq(enc_request_id_is_safe(enc_bytes_of(&one, 1)), is_plain, "%u", byte);
    }
    memset(text, 'x', sizeof text);
    for (size_t len = 0; len < sizeof text; len++)
        cr_assert_eq(enc_request_id_is_safe(enc_bytes_of(text, len)), len >= 1 && len <= 64);
}

Test(ticket, made_ids_are_safe_and_differ)
{
    enum { COUNT = 500 };
    static struct enc_request_id ids[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        enc_request_id_make(&ids[i]);
        cr_assert_eq(strlen(ids[i].text), 32);
        cr_assert(enc_request_id_is_safe(enc_bytes_of(ids[i].text, 32)));
        for (size_t k = 0; k < i; k++)
            cr_assert_str_neq(ids[k].text, ids[i].text);
    }
}

static void expect_code(const char *body, const char *code)
{
    struct enc_bytes found = enc_error_code(enc_bytes_of(body, strlen(body)));
    cr_assert(enc_bytes_is(found, code), "%s", body);
}

Test(ticket, codes_come_out_of_errors_only)
{
    expect_code("{\"type\":\"Error\",\"code\":\"TOO_LARGE\",\"message\":\"x\"}", "TOO_LARGE");
    expect_code("{\"type\":\"Error\",\"code\":\"TOO_LARGE", "");
    expect_code("{\"type\":\"Error\",\"code\":\"", "");
    expect_code("{\"type\":\"Receipt\"}", "");
    expect_code("", "");
}
