#include "proto/endpoint.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <signal.h>

static const struct enc_endpoint_policy STRICT = {false, false}, HTTP = {true, false},
                                        PRIVATE = {false, true};

static void expect(const char *url, const struct enc_endpoint_policy *policy, bool is_allowed)
{
    cr_assert_eq(enc_endpoint_is_allowed(enc_bytes_of_text(url), policy), is_allowed, "%s", url);
}

Test(endpoint, public_https)
{
    static const char *const GOOD[] = {
        "https://example.org",
        "https://example.org/",
        "https://a.b-c.example.org./x?y=z&w",
        "https://example.org:443/push",
        "https://example.org:65535",
        "https://EXAMPLE.org?q",
        "https://8.8.8.8/",
        "https://8.8.8.8:8443",
        "https://[2606:4700:4700::1111]/",
        "https://[2606:4700:4700:0:0:0:0:1111]:8443/x",
        "https://[64:ff9b::8.8.8.8]",
        "https://1.example",
        "https://0xg.example",
        "https://localhost.example.org",
        "https://localhosx",
        "https://localhose.",
    };
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        expect(GOOD[i], &STRICT, true);
}

Test(endpoint, what_is_no_url)
{
    static const char *const BAD[] = {
        "",
        "https://",
        "https:///x",
        "https://?x",
        "https:/example.org",
        "HTTPS://example.org",
        "ftp://example.org",
        "//example.org",
        "example.org",
        "https://user@example.org",
        "https://user:pw@example.org",
        "https://example.org#x",
        "https://example.org/#x",
        "https://exa mple.org",
        "https://example.org/a b",
        "https://example.org/\n",
        "https://ex\xc3\xa4mple.org",
        "https://example..org",
        "https://.example.org",
        "https://example.org..",
        "https://.",
        "https://exa%6dple.org",
        "https://example.org:",
        "https://example.org:0",
        "https://example.org:65536",
        "https://example.org:99999999999999999999",
        "https://example.org:080",
        "https://example.org:8x",
        "https://example.org\\x",
        "https://1.2.3",
        "https://1.2.3.4.5",
        "https://1.2.3.256",
        "https://1.2.3.04",
        "https://1.2.3.4.",
        "https://134744072",
        "https://0x8080808",
        "https://8.8.8.0x8",
        "https://8.8.8.0X",
        "https://[::1",
        "https://[]",
        "https://[:::]",
        "https://[1:2:3:4:5:6:7]",
        "https://[1:2:3:4:5:6:7:8:9]",
        "https://[1:2:3:4:5:6:7:8::]",
        "https://[::1:2:3:4:5:6:7:8]",
        "https://[1::2::3]",
        "https://[12345::]",
        "https://[1:]",
        "https://[g::]",
        "https://[::1.2.3]",
        "https://[::1.2.3.4:5]",
        "https://[1:2:3:4:5:6:7:1.2.3.4]",
        "https://[fe80::1%25eth0]",
        "https://[2606:4700::1]x",
        "https://[2606:4700::1]:",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        expect(BAD[i], &STRICT, false);
        expect(BAD[i], &PRIVATE, false);
    }
    cr_assert_not(enc_endpoint_is_allowed(ENC_LIT("https://a\0.org"), &STRICT));
}

Test(endpoint, there_is_a_limit)
{
    char url[ENC_URL_LEN_MAX + 2];
    memset(url, 'a', sizeof url);
    memcpy(url, "https://example.org/", 20);
    cr_assert(enc_endpoint_is_allowed(enc_bytes_of(url, ENC_URL_LEN_MAX), &STRICT));
    cr_assert_not(enc_endpoint_is_allowed(enc_bytes_of(url, ENC_URL_LEN_MAX + 1), &STRICT));
    memset(url + 8, 'a', 300);
    cr_assert(enc_endpoint_is_allowed(enc_bytes_of(url, 8 + 253), &STRICT));
    cr_assert_not(enc_endpoint_is_allowed(enc_bytes_of(url, 8 + 254), &STRICT));
}

Test(endpoint, c33_http_only_when_allowed)
{
    expect("http://example.org/", &STRICT, false);
    expect("http://example.org/", &HTTP, true);
    expect("https://example.org/", &HTTP, true);
    expect("http://127.0.0.1/", &HTTP, false);
}

Test(endpoint, c33_private_addresses_only_when_allowed)
{
    static const char *const PRIVATES[] = {
        "https://127.0.0.1/",
        "https://10.0.0.1:8443/",
        "https://192.168.1.1",
        "https://169.254.169.254/latest",
        "https://172.31.255.255",
        "https://0.0.0.0",
        "https://100.64.0.1",
        "https://255.255.255.255",
        "https://localhost/",
        "https://LocalHost:8443",
        "https://push.localhost./",
        "https://[::1]/",
        "https://[::]",
        "https://[fe80::1]",
        "https://[fd00::1]",
        "https://[::ffff:127.0.0.1]",
        "https://[::ffff:7f00:1]",
        "https://[64:ff9b::10.0.0.1]",
        "https://[2002:7f00:1::]",
        "https://[2001:db8::1]",
        "https://[2001::1]",
        "https://[ff02::1]",
        "https://[::127.0.0.1]",
        "https://[64:ff9b:1::1]",
        "https://[::1.2.3.4]",
        "https://[0:0:0:0:0:0:0:1]",
    };
    for (size_t i = 0; i < sizeof PRIVATES / sizeof *PRIVATES; i++) {
        expect(PRIVATES[i], &STRICT, false);
        expect(PRIVATES[i], &PRIVATE, true);
    }
}

Test(endpoint, edges_of_the_private_nets)
{
    static const struct {
        uint8_t address[4];
        bool is_private;
    } ROWS[] = {
        {{9, 255, 255, 255}, false},   {{10, 0, 0, 0}, true},        {{11, 0, 0, 0}, false},
        {{172, 15, 255, 255}, false},  {{172, 16, 0, 0}, true},      {{172, 32, 0, 0}, false},
        {{100, 63, 255, 255}, false},  {{100, 127, 255, 255}, true}, {{100, 128, 0, 0}, false},
        {{198, 17, 255, 255}, false},  {{198, 19, 255, 255}, true},  {{198, 20, 0, 0}, false},
        {{223, 255, 255, 255}, false}, {{224, 0, 0, 0}, true},       {{1, 1, 1, 1}, false},
        {{192, 0, 0, 9}, true},        {{192, 0, 1, 0}, false},      {{203, 0, 113, 5}, true},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        cr_assert_eq(enc_address_is_private(ROWS[i].address, 4), ROWS[i].is_private, "row %zu", i);
    uint8_t address16[16] = {0x2a, 0x00};
    cr_assert_not(enc_address_is_private(address16, 16));
    address16[0] = 0x40;
    cr_assert(enc_address_is_private(address16, 16));
}

Test(endpoint, addresses_have_4_or_16_bytes, .signal = SIGABRT)
{
    enc_address_is_private((const uint8_t[8]){0}, 8);
}
