#include "net/head.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* What h2o accepts as a head, and whether we do. */
struct head_case {
    const char *text;
    bool is_sound;
};

static const struct head_case CASES[] = {
    {"GET / HTTP/1.1\r\nHost: t\r\n\r\n", true},
    {"\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n", true},
    {"GET / HTTP/1.0\r\n\r\n", true},
    {"GET / HTTP/1.1\r\nhost:t\r\ncontent-length:10\r\n\r\n", true},
    {"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: \t 10 \t\r\n\r\n", true},
    {"GET / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: ChunKed\r\n\r\n", true},
    {"GET / HTTP/1.1\r\nHost: t\r\nX-Empty:\r\n\r\n", true},
    {"GET / HTTP/1.1\r\nHost: t\r\nX: a: b\r\n\r\n", true},
    {"GET / HTTP/1.1\nHost: t\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\n\n", false},
    {"\nGET / HTTP/1.1\r\nHost: t\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\n folded\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\n\tfolded\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost : t\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\n: empty\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nX(y): 1\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nnothing\r\n\r\n", false},
    {"GET / HTTP/1.1\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nHOST: t\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 1, 1\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nContent-Length:\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 0x1\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 00000000000000000001\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: identity\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n",
     false},
    {"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nHost: t\r\n", false},
    {"GET / HTTP/1.1", false},
    {"", false},
};

Test(head, ambiguous_heads_are_refused)
{
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct enc_head head = enc_head_check(enc_bytes_of_text(CASES[i].text));
        cr_assert_eq(head.fault == NULL, CASES[i].is_sound, "%zu: %s", i,
                     head.fault ? head.fault : "sound");
    }
}

Test(head, its_end_is_found_before_a_body_and_the_next_request)
{
    static const char HEAD[] = "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n";
    char both[sizeof HEAD + 32];
    snprintf(both, sizeof both, "%s\n\n\n\nGET / HTTP/1.1\r\n", HEAD);
    struct enc_head head = enc_head_check(enc_bytes_of_text(both));
    cr_assert_null(head.fault);
    cr_assert_eq(head.len, sizeof HEAD - 1);
}

/* Cut anywhere, it is no head; and nothing behind the cut is read (AddressSanitizer looks on). */
Test(head, every_prefix_is_refused)
{
    static const char WHOLE[] =
        "\r\nPOST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nX: y\r\n\r\n";
    for (size_t len = 0; len < sizeof WHOLE - 1; len++) {
        char *copy = malloc(len + 1);
        memcpy(copy, WHOLE, len);
        cr_assert_not_null(enc_head_check(enc_bytes_of(copy, len)).fault, "%zu", len);
        free(copy);
    }
}
