#include "net/address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>

struct split {
    const char *text;
    const char *host; /* NULL = refused */
    uint16_t port;
};
static const struct split SPLITS[] = {
    {"127.0.0.1:8080", "127.0.0.1", 8080},
    {"localhost:0", "localhost", 0},
    {"[::1]:65535", "::1", 65535},
    {"example.org:00080", "example.org", 80},
    {"127.0.0.1", NULL, 0},
    {":80", NULL, 0},
    {"::1:80", NULL, 0},
    {"[::1]", NULL, 0},
    {"[]:80", NULL, 0},
    {"a:", NULL, 0},
    {"a:65536", NULL, 0},
    {"a:-1", NULL, 0},
    {"a:+1", NULL, 0},
    {"a: 1", NULL, 0},
    {"a:000001", NULL, 0},
    {"", NULL, 0},
};

Test(address, endpoints_are_split_or_refused)
{
    for (size_t i = 0; i < sizeof SPLITS / sizeof *SPLITS; i++) {
        struct enc_endpoint got;
        bool is_taken = enc_endpoint_parse(&got, SPLITS[i].text);
        cr_assert_eq(is_taken, SPLITS[i].host != NULL, "%s", SPLITS[i].text);
        if (!is_taken)
            continue;
        cr_assert_str_eq(got.host, SPLITS[i].host);
        cr_assert_eq(got.port, SPLITS[i].port);
    }
}

Test(address, a_host_fits_or_is_refused)
{
    char text[ENC_HOST_TEXT_MAX + 8];
    struct enc_endpoint got;
    memset(text, 'a', sizeof text);
    strcpy(text + ENC_HOST_TEXT_MAX - 1, ":1");
    cr_assert(enc_endpoint_parse(&got, text));
    memset(text, 'a', sizeof text);
    strcpy(text + ENC_HOST_TEXT_MAX, ":1");
    cr_assert_not(enc_endpoint_parse(&got, text));
}

static struct enc_address resolved(const char *text)
{
    struct enc_endpoint endpoint;
    struct enc_address address;
    cr_assert(enc_endpoint_parse(&endpoint, text));
    cr_assert_null(enc_endpoint_resolve(&address, &endpoint));
    return address;
}

Test(address, text_is_what_was_resolved)
{
    static const char *const TEXTS[] = {"127.0.0.1:8080", "[::1]:0", "[2001:db8::5]:443"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        char text[ENC_ADDRESS_TEXT_MAX];
        struct enc_address address = resolved(TEXTS[i]);
        enc_address_text(text, &address);
        cr_assert_str_eq(text, TEXTS[i]);
    }
}

static bool share_a_bucket(const char *a, const char *b)
{
    uint8_t left[16], right[16];
    struct enc_address first = resolved(a), second = resolved(b);
    enc_address_bucket(left, (const struct sockaddr *)&first.storage);
    enc_address_bucket(right, (const struct sockaddr *)&second.storage);
    return memcmp(left, right, 16) == 0;
}

Test(address, buckets_are_ipv4_addresses_and_ipv6_networks)
{
    cr_assert(share_a_bucket("10.0.0.1:1", "10.0.0.1:2"));
    cr_assert_not(share_a_bucket("10.0.0.1:1", "10.0.0.2:1"));
    cr_assert(share_a_bucket("10.0.0.1:1", "[::ffff:10.0.0.1]:1"));
    cr_assert_not(share_a_bucket("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.2]:1"));
    cr_assert(share_a_bucket("[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::]:1"));
    cr_assert_not(share_a_bucket("[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1"));
}

static bool is_public(const char *text)
{
    struct enc_address address = resolved(text);
    return enc_address_is_public((const struct sockaddr *)&address.storage);
}

Test(address, only_the_internet_is_public)
{
    static const char *const OUTSIDE[] = {"1.1.1.1:1", "[2606:4700::1111]:1", "[::ffff:1.1.1.1]:1"};
    static const char *const INSIDE[] = {"127.0.0.1:1",         "10.1.2.3:1",  "169.254.169.254:1",
                                         "0.0.0.0:1",           "[::1]:1",     "[::]:1",
                                         "[::ffff:10.0.0.1]:1", "[fd00::1]:1", "[fe80::1]:1",
                                         "[64:ff9b::a00:1]:1",  "224.0.0.1:1"};
    for (size_t i = 0; i < sizeof OUTSIDE / sizeof *OUTSIDE; i++)
        cr_assert(is_public(OUTSIDE[i]), "%s", OUTSIDE[i]);
    for (size_t i = 0; i < sizeof INSIDE / sizeof *INSIDE; i++)
        cr_assert_not(is_public(INSIDE[i]), "%s", INSIDE[i]);
    struct sockaddr other = {.sa_family = AF_UNIX};
    cr_assert_not(enc_address_is_public(&other));
}

static bool has(const char *network, const char *endpoint)
{
    struct enc_network parsed;
    struct enc_endpoint where;
    struct enc_address address;
    cr_assert(enc_network_parse(&parsed, network), "%s", network);
    cr_assert(enc_endpoint_parse(&where, endpoint));
    cr_assert_null(enc_endpoint_resolve(&address, &where));
    return enc_network_has(&parsed, (const struct sockaddr *)&address.storage);
}

Test(address, networks)
{
    cr_assert(has("10.0.0.0/8", "10.255.1.2:1"));
    cr_assert_not(has("10.0.0.0/8", "11.0.0.0:1"));
    cr_assert(has("192.168.4.0/22", "192.168.7.255:1"));
    cr_assert_not(has("192.168.4.0/22", "192.168.8.0:1"));
    cr_assert(has("127.0.0.1", "127.0.0.1:1"));
    cr_assert_not(has("127.0.0.1", "127.0.0.2:1"));
    cr_assert(has("0.0.0.0/0", "8.8.8.8:1"));
    cr_assert_not(has("0.0.0.0/0", "[::1]:1"));
    cr_assert(has("2001:db8::/33", "[2001:db8:7fff::1]:1"));
    cr_assert_not(has("2001:db8::/33", "[2001:db8:8000::1]:1"));
    cr_assert(has("::/0", "[::1]:1"));
}

Test(address, what_is_no_network)
{
    static const char *const WRONG[] = {"",         "x",      "10.0.0.0/33",  "10.0.0.0/",
                                        "10.0.0/8", "::/129", "10.0.0.0/8/8", "10.0.0.0/-1",
                                        "/8"};
    struct enc_network network;
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        cr_assert_not(enc_network_parse(&network, WRONG[i]), "%s", WRONG[i]);
}
