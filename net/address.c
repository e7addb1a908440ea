#include "net/address.h"

#include "proto/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t MAPPED12[12] = {[10] = 0xff, [11] = 0xff};

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
    else if (strcspn(text, ":[]") < host.len)
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

bool enc_address_is_public(const struct sockaddr *address)
{
    uint8_t bytes16[16];
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
        return false;
    to_v6(bytes16, address);
    return !enc_address_is_private(bytes16, sizeof bytes16);
}

static bool parse_bits(unsigned *out, const char *text, unsigned max)
{
    size_t len = strlen(text);
    if (len == 0 || len > 3 || strspn(text, "0123456789") != len)
        return false;
    *out = (unsigned)strtoul(text, NULL, 10);
    return *out <= max;
}

bool enc_network_parse(struct enc_network *out, const char *text)
{
    char host[INET6_ADDRSTRLEN] = "";
    size_t len = strcspn(text, "/");
    *out = (struct enc_network){.bits = 128};
    if (len >= sizeof host)
        return false;
    memcpy(host, text, len);
    bool is_v4 = inet_pton(AF_INET, host, out->bytes16 + sizeof MAPPED12) == 1;
    if (is_v4)
        memcpy(out->bytes16, MAPPED12, sizeof MAPPED12);
    else if (inet_pton(AF_INET6, host, out->bytes16) != 1)
        return false;
    if (text[len] == '\0')
        return true;
    unsigned bits = 0;
    if (!parse_bits(&bits, text + len + 1, is_v4 ? 32 : 128))
        return false;
    out->bits = is_v4 ? 96 + bits : bits;
    return true;
}

bool enc_network_has(const struct enc_network *network, const struct sockaddr *address)
{
    uint8_t bytes16[16];
    unsigned whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
        return false;
    to_v6(bytes16, address);
    if (memcmp(bytes16, network->bytes16, whole) != 0)
        return false;
    return rest == 0 || (bytes16[whole] ^ network->bytes16[whole]) >> (8 - rest) == 0;
}
