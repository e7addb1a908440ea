/**
 * Push endpoints: which URLs may be registered, and which addresses a node must not call (it would
 * be a request forger). Pure; any thread.
 * Source: protocol.md 10.1, 16.33
 */
#pragma once

#include "proto/base/bytes.h"

enum { ENC_URL_LEN_MAX = 2048 };

/** What the configuration allows beyond public https. */
struct enc_endpoint_policy {
    bool allow_http;
    bool allow_private;
};

/**
 * Whether url may be registered: printable ASCII, `https://` (or `http://` when allowed), a host,
 * an optional port 1-65535, anything behind '/' or '?'; no user, no fragment. A host that is an
 * address must be public unless private ones are allowed; a host whose last label is a number must
 * be a dotted quad; localhost counts as private. Other names are judged after resolution.
 */
bool enc_endpoint_is_allowed(struct enc_bytes url, const struct enc_endpoint_policy *policy);

/**
 * Whether an address of 4 or 16 bytes (network order) is anything but public unicast: this host,
 * loopback, private, shared, link-local, test and benchmark nets, multicast, reserved, and IPv6
 * forms that carry such an IPv4 address. Aborts on another len.
 */
bool enc_address_is_private(const uint8_t *address, size_t len);
