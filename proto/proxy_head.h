/**
 * The head that a load balancer puts before a connection's own bytes to say who is at its other end
 * (the PROXY protocol of HAProxy, versions 1 and 2). Pure; any thread.
 */
#pragma once

#include "proto/base/bytes.h"

#include <stdbool.h>

enum enc_proxy_status {
    ENC_PROXY_MORE,  /* so far it is one, and not whole */
    ENC_PROXY_WHOLE, /* out is filled */
    ENC_PROXY_WRONG  /* it is none, or a malformed one */
};

/** Views into the bytes that were read. */
struct enc_proxy_head {
    size_t len;               /* of the head; the connection's own bytes follow */
    unsigned family;          /* 4 or 6; 0: it does not say who is there */
    struct enc_bytes text;    /* the source address as version 1 writes it */
    struct enc_bytes address; /* the same as version 2 does: 4 or 16 bytes */
    uint16_t port;
};

/** Read the head at the beginning of bytes. At most 552 bytes of it are taken: version 2 may carry
 * 512 beside an address of IPv6. */
enum enc_proxy_status enc_proxy_head_read(struct enc_proxy_head *out, struct enc_bytes bytes);
