#include "proto/endpoint.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

static bool is_private(const char *address)
{
    uint8_t bytes[16];
    bool is_6 = strchr(address, ':') != NULL;
    cr_assert_eq(inet_pton(is_6 ? AF_INET6 : AF_INET, address, bytes), 1, "%s", address);
    return enc_address_is_private(bytes, is_6 ? 16 : 4);
}

/** First and last address of every closed block, with the neighbours that are open. */
Test(address, blocks_of_ipv4_end_where_they_end)
{
    const struct {
        const char *before, *first, *last, *after;
    } BLOCKS[] = {
        {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
        {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
        {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
        {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
        {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
        {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
        {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
        {"223.255.255.255", "224.0.0.0", "255.255.255.255", "1.0.0.0"},
    };
    for (size_t i = 0; i < sizeof BLOCKS / sizeof *BLOCKS; i++) {
        cr_assert_not(is_private(BLOCKS[i].before), "%s", BLOCKS[i].before);
        cr_assert(is_private(BLOCKS[i].first), "%s", BLOCKS[i].first);
        cr_assert(is_private(BLOCKS[i].last), "%s", BLOCKS[i].last);
        cr_assert_not(is_private(BLOCKS[i].after), "%s", BLOCKS[i].after);
    }
}

Test(address, only_global_unicast_of_ipv6_is_public)
{
    const char *const PRIVATE[] = {
        "::",      "::1",     "fe80::1", "fc00::1", "fdff::1", "ff02::1",    "2001:db8::1",
        "2001::1", "3fff::1", "4000::",  "100::1",  "1fff::",  "2001:1ff::1"};
    const char *const PUBLIC[] = {"2000::1", "2600::1", "2001:200::1", "2a00::1", "3ffe::1"};
    for (size_t i = 0; i < sizeof PRIVATE / sizeof *PRIVATE; i++)
        cr_assert(is_private(PRIVATE[i]), "%s", PRIVATE[i]);
    for (size_t i = 0; i < sizeof PUBLIC / sizeof *PUBLIC; i++)
        cr_assert_not(is_private(PUBLIC[i]), "%s", PUBLIC[i]);
}

Test(address, a_carried_ipv4_address_counts)
{
    const char *const CARRIERS[][2] = {
        {"::ffff:127.0.0.1", "::ffff:8.8.8.8"},
        {"64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8"},
        {"2002:c0a8:0101::", "2002:0808:0808::"},
    };
    for (size_t i = 0; i < sizeof CARRIERS / sizeof *CARRIERS; i++) {
        cr_assert(is_private(CARRIERS[i][0]), "%s", CARRIERS[i][0]);
        cr_assert_not(is_private(CARRIERS[i][1]), "%s", CARRIERS[i][1]);
    }
}
