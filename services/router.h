/** From a path to a route of a service (protocol.md 8.1). Pure; any thread. */
#pragma once

#include "services/enclave.h"
#include "services/host.h"

/** What a path asks for. Views into the path. */
struct enc_target {
    bool has_enclave;
    uint8_t enclave32[32];
    struct enc_bytes action; /* below the enclave, begins with '/'; "/" for the enclave itself */
};

/** What the route table says of it. */
struct enc_routed {
    const struct enc_route *route;
    unsigned number;     /* of the route, as in struct enc_route_place */
    uint8_t param32[32]; /* the ':' segment: an id or key, 64 hex digits */
    const char *allow;   /* METHOD_NOT_ALLOWED: the methods that the path has; static */
};

/**
 * Split a path into enclave and action. Errors: INVALID_ROUTE (an id that is not hex64)
 */
ENC_MUST_USE enum enc_err
enc_target_parse(struct enc_target *out, const struct enc_enclave *enclave, struct enc_bytes path);

/** The number of the WebSocket's row, as in struct enc_route_place. */
unsigned enc_route_ws(const struct enc_service *service);

/**
 * The row for method and action; a ':' segment must be hex64 (16.42). A path without enclave
 * reaches the root row and worker-level rows only, unless the service is a singleton. Errors:
 * INVALID_ROUTE (path unknown for every method), METHOD_NOT_ALLOWED (16.44)
 */
ENC_MUST_USE enum enc_err enc_route_find(struct enc_routed *out, const struct enc_service *service,
                                         const struct enc_target *target,
                                         const struct enc_request *request);
