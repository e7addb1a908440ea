#include "proto/proxy_head.h"

#include <criterion/criterion.h>

static struct enc_proxy_head head;

static enum enc_proxy_status read_text(const char *text)
{
    return enc_proxy_head_read(&head, enc_bytes_of_text(text));
}

/* Every part of a good head is the beginning of one. */
static void whole(const uint8_t *data, size_t len, size_t more)
{
    for (size_t cut = 0; cut < len; cut++)
        cr_assert_eq(enc_proxy_head_read(&head, enc_bytes_of(data, cut)), ENC_PROXY_MORE, "%zu",
                     cut);
    cr_assert_eq(enc_proxy_head_read(&head, enc_bytes_of(data, len + more)), ENC_PROXY_WHOLE);
    cr_assert_eq(head.len, len);
}

TestSuite(proxy_head);

Test(proxy_head, lines)
{
    static const char FOUR[] = "PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\nGET /";
    whole((const uint8_t *)FOUR, strlen(FOUR) - 5, 5);
    cr_assert_eq(head.family, 4);
    cr_assert(enc_bytes_is(head.text, "192.0.2.7"));
    cr_assert_eq(head.port, 51234);
    static const char SIX[] = "PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n";
    whole((const uint8_t *)SIX, strlen(SIX), 0);
    cr_assert_eq(head.family, 6);
    cr_assert(enc_bytes_is(head.text, "2001:db8::7"));
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(read_text(i ? "PROXY UNKNOWN\r\n" : "PROXY UNKNOWN a b c d\r\n"),
                     ENC_PROXY_WHOLE);
        cr_assert_eq(head.family, 0);
    }
}

Test(proxy_head, lines_that_are_none)
{
    static const char *const WRONG[] = {
        "GET / HTTP/1.1\r\n",
        "PROXZ",
        "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 123456 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
        "PROXY TCP4  1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n",
        "PROXY \r\n",
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        cr_assert_eq(read_text(WRONG[i]), ENC_PROXY_WRONG, "%s", WRONG[i]);
}

Test(proxy_head, a_line_is_bounded)
{
    char text[256];
    memset(text, 'x', sizeof text);
    memcpy(text, "PROXY UNKNOWN ", 14);
    cr_assert_eq(enc_proxy_head_read(&head, enc_bytes_of(text, 106)), ENC_PROXY_MORE);
    cr_assert_eq(enc_proxy_head_read(&head, enc_bytes_of(text, 107)), ENC_PROXY_WRONG);
    memcpy(text + 105, "\r\n", 2);
    cr_assert_eq(enc_proxy_head_read(&head, enc_bytes_of(text, 200)), ENC_PROXY_WHOLE);
    cr_assert_eq(head.len, 107);
}

static uint8_t binary[1024];

static void start(uint8_t command, uint8_t kind, uint16_t rest_len)
{
    static const uint8_t SIGNATURE12[] = "\r\n\r\n\0\r\nQUIT\n";
    memcpy(binary, SIGNATURE12, 12);
    binary[12] = command;
    binary[13] = kind;
    binary[14] = (uint8_t)(rest_len >> 8);
    binary[15] = (uint8_t)rest_len;
    for (size_t i = 16; i < sizeof binary; i++)
        binary[i] = (uint8_t)i;
}

Test(proxy_head, structs)
{
    start(0x21, 0x11, 12);
    whole(binary, 28, 9);
    cr_assert(head.family == 4 && head.address.len == 4 && head.address.data == binary + 16);
    cr_assert_eq(head.port, 24 << 8 | 25);
    start(0x21, 0x21, 36 + 100);
    whole(binary, 16 + 136, 100);
    cr_assert(head.family == 6 && head.address.len == 16 && head.port == (48 << 8 | 49));
    start(0x20, 0x00, 0);
    whole(binary, 16, 0);
    cr_assert_eq(head.family, 0);
    start(0x21, 0x31, 216); /* a Unix socket */
    whole(binary, 232, 0);
    cr_assert_eq(head.family, 0);
    start(0x21, 0x11, 536);
    whole(binary, 552, 0);
}

Test(proxy_head, structs_that_are_none)
{
    static const struct {
        uint8_t command, kind;
        uint16_t rest_len;
    } WRONG[] = {{0x11, 0x11, 12}, {0x22, 0x11, 12},  {0x21, 0x11, 11},
                 {0x21, 0x21, 35}, {0x21, 0x11, 537}, {0x21, 0x11, 0}};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        start(WRONG[i].command, WRONG[i].kind, WRONG[i].rest_len);
        cr_assert_eq(enc_proxy_head_read(&head, enc_bytes_of(binary, sizeof binary)),
                     ENC_PROXY_WRONG, "%zu", i);
    }
    start(0x21, 0x11, 12);
    binary[5] ^= 1;
    cr_assert_eq(enc_proxy_head_read(&head, enc_bytes_of(binary, 28)), ENC_PROXY_WRONG);
}
