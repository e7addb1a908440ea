/** Tags of answers that never change, so that caches may keep them. Loop threads. */
#pragma once

#include "net/loop.h"

/**
 * Tag the answer of req, whose body is given and never changes: ETag is added, weak when the body
 * is sent in a coding. True when the client has it already: the answer is a 304 then.
 */
ENC_MUST_USE bool enc_cache_tag(h2o_req_t *req, struct enc_bytes body, bool is_coded);
