/**
 * A filter over h2o's answers. h2o writes some errors itself (body too large, malformed body) as
 * plain text and closes at once, so that a client that still sends never reads them. Here they get
 * the shape and headers of ours, and the connection stays open for reading a little while after
 * the answer.
 */
#pragma once

#include "net/loop.h"

/** Install the filter on every answer of host. Main thread, before contexts exist. */
void enc_amend_register(h2o_hostconf_t *host);

/**
 * Close the connection after this answer, in the gentle way. Before h2o_start_response; loop
 * thread.
 */
void enc_amend_close(h2o_req_t *req);
