#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

/* Where the host ends and the port begins: the last colon, outside of brackets. */
static const char *port_colon(const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *bracket = strrchr(text, ']');
    return colon && (!bracket || bracket < colon) ? colon : NULL;
}

static bool parse_port(uint16_t *out, const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    *out = (uint16_t)port;
    return port <= UINT16_MAX;
}

bool enc_endpoint_parse(struct enc_endpoint *out, const char *text)
{
    const char *colon = port_colon(text);
    if (!colon || colon == text || !parse_port(&out->port, colon + 1))
        return false;
    struct enc_bytes host = enc_bytes_of(text, (size_t)(colon - text));
    bool bracketed = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    if (bracketed)
        host = enc_bytes_of(text + 1, host.len - 2);
    else if (memchr(host.data, ':', host.len))
        return false;
    if (host.len >= sizeof out->host)
        return false;
    memcpy(out->host, host.data, host.len);
    out->host[host.len] = '\0';
    return true;
}

const char *enc_endpoint_resolve(struct enc_address *out, const struct enc_endpoint *endpoint)
{
    char port[8];
    snprintf(port, sizeof port, "%u", endpoint->port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int status = getaddrinfo(endpoint->host, port, &hints, &found);
    if (status != 0)
        return gai_strerror(status);
    memset(out, 0, sizeof *out);
    memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
    out->len = found->ai_addrlen;
    freeaddrinfo(found);
    return NULL;
}

void enc_address_text(char out[ENC_ADDRESS_TEXT_MAX], const struct enc_address *address)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->storage.ss_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)&address->storage;
        inet_ntop(AF_INET, &in4->sin_addr, host, sizeof host);
        snprintf(out, ENC_ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(in4->sin_port));
        return;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    snprintf(out, ENC_ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(in6->sin6_port));
}

static const uint8_t MAPPED12[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* The IPv6 form of any address; an IPv4 address becomes its mapped form. */
static void to_v6(uint8_t out16[16], const struct sockaddr *address)
{
    memset(out16, 0, 16);
    if (address->sa_family == AF_INET) {
        memcpy(out16, MAPPED12, sizeof MAPPED12);
        memcpy(out16 + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        memcpy(out16, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    }
}

void enc_address_bucket(uint8_t out16[16], const struct sockaddr *address)
{
    to_v6(out16, address);
    if (memcmp(out16, MAPPED12, sizeof MAPPED12) != 0)
        memset(out16 + 8, 0, 8);
}

/* A range of addresses by its first bits. */
struct range {
    uint8_t prefix[16];
    unsigned bits;
};

/* RFC 6890 and its successors: what is not globally reachable, or never a destination. */
static const struct range NOT_PUBLIC_V4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};
static const struct range NOT_PUBLIC_V6[] = {
    {{0x01, 0x00}, 64},             /* discard */
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocol assignments, Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff, 0x00}, 20},       /* documentation */
    {{0x5f, 0x00}, 16},             /* segment routing */
};

/* Where an IPv4 address hides inside an IPv6 address: mapped, translated (two prefixes), 6to4. */
struct embedding {
    struct range range;
    size_t offset;
};
static const struct embedding EMBEDDED_V4[] = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12},
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},
    {{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, 12},
    {{{0x20, 0x02}, 16}, 2},
};

static bool in_range(const uint8_t *bytes, const struct range *range)
{
    size_t whole = range->bits / 8;
    unsigned rest = range->bits % 8;
    if (memcmp(bytes, range->prefix, whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ range->prefix[whole]) >> (8 - rest) == 0;
}

static bool in_any(const uint8_t *bytes, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (in_range(bytes, &ranges[i]))
            return true;
    }
    return false;
}

static bool is_public_v4(const uint8_t bytes4[4])
{
    return !in_any(bytes4, NOT_PUBLIC_V4, sizeof NOT_PUBLIC_V4 / sizeof *NOT_PUBLIC_V4);
}

/* Only 2000::/3 is handed out to the internet. */
static bool is_public_v6(const uint8_t bytes16[16])
{
    return bytes16[0] >> 5 == 1 &&
           !in_any(bytes16, NOT_PUBLIC_V6, sizeof NOT_PUBLIC_V6 / sizeof *NOT_PUBLIC_V6);
}

bool enc_address_is_public(const struct sockaddr *address)
{
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
        return false;
    uint8_t bytes16[16];
    to_v6(bytes16, address);
    for (size_t i = 0; i < sizeof EMBEDDED_V4 / sizeof *EMBEDDED_V4; i++) {
        if (in_range(bytes16, &EMBEDDED_V4[i].range))
            return is_public_v4(bytes16 + EMBEDDED_V4[i].offset);
    }
    return is_public_v6(bytes16);
}
