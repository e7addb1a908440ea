/** The WebSocket handshake of RFC 6455 4.2. Loop thread. */
#pragma once

#include "net/respond.h"

/** Whether req asks for a WebSocket (HTTP/1.1 only; h2o 2.2.5 knows no RFC 8441). */
bool enc_upgrade_is_asked(const h2o_req_t *req);

/**
 * Why such a request cannot be upgraded, NULL = it can. Version and key; the origin is free, as
 * CORS is.
 */
const struct enc_refusal *enc_upgrade_check(const h2o_req_t *req);
