/**
 * Network addresses: reading HOST:PORT, writing them back, and which ones the node never calls by
 * itself.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

#include <sys/socket.h>

enum { ENC_ADDRESS_TEXT_MAX = 64, ENC_HOST_TEXT_MAX = 256 };

/** An IPv4, IPv6 or IPv6-mapped address with its port, as the kernel takes it. */
struct enc_address {
    struct sockaddr_storage storage;
    socklen_t len;
};

/** HOST:PORT taken apart; an IPv6 host stands in brackets. */
struct enc_endpoint {
    char host[ENC_HOST_TEXT_MAX];
    uint16_t port;
};

/** Split text. False when it is not HOST:PORT with a port of at most 65535. Any thread. */
ENC_MUST_USE bool enc_endpoint_parse(struct enc_endpoint *out, const char *text);

/** Look the host up (may ask DNS: start only). Returns NULL, or why it has no address. */
ENC_MUST_USE const char *enc_endpoint_resolve(struct enc_address *out,
                                              const struct enc_endpoint *endpoint);

/** Write "127.0.0.1:8080" or "[::1]:8080", NUL-terminated. Any thread. */
void enc_address_text(char out[ENC_ADDRESS_TEXT_MAX], const struct enc_address *address);

/**
 * The 16 bytes under which an address is counted: a mapped IPv4 address, or the /64 of an IPv6
 * address, because one customer usually owns a whole /64. Any thread.
 */
void enc_address_bucket(uint8_t out16[16], const struct sockaddr *address);

/** All addresses that begin with the same bits. */
struct enc_network {
    uint8_t bytes16[16]; /* of IPv6; IPv4 in its mapped form */
    unsigned bits;
};

/** Read "10.0.0.0/8", "2001:db8::/32" or one address. Any thread. */
ENC_MUST_USE bool enc_network_parse(struct enc_network *out, const char *text);

/** Whether address lies in network. Any thread. */
ENC_MUST_USE bool enc_network_has(const struct enc_network *network,
                                  const struct sockaddr *address);

/**
 * Whether proto/endpoint.h lets an endpoint live at this address. Any thread. Source: protocol.md
 * 10.1
 */
ENC_MUST_USE bool enc_address_is_public(const struct sockaddr *address);
