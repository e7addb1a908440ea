/**
 * The second look at a request's head in HTTP/1. h2o accepts what lets two programs disagree about
 * where a request ends; behind a load balancer that smuggles requests. Pure; any thread.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

/** What the head says about itself. */
struct enc_head {
    size_t len;        /* up to and with the empty line */
    const char *fault; /* why it is refused, static text; NULL = sound */
};

/**
 * Read a raw head; h2o has parsed it before, so it is complete and its request line is well
 * formed. Names may be in either case. Refused: a line that ends in a bare LF, a folded line, a
 * blank before the colon, a name that is no token, more than one Content-Length, Transfer-Encoding
 * or Host, no Host in HTTP/1.1, Content-Length beside Transfer-Encoding, a Content-Length that is
 * not digits, a Transfer-Encoding other than chunked.
 *
 * Source: RFC 9112 2.2, 3.2, 5.1, 5.2, 6.3
 */
struct enc_head enc_head_check(struct enc_bytes raw);
