/** The page of /metrics: everything that is counted, and what is looked up for it. */
#pragma once

#include "net/server.h"

/**
 * The page as a malloc'd text, its length in *len; the caller frees it. NULL when memory is short.
 * Costs the same however many enclaves there are. Any thread while the server lives.
 */
ENC_MUST_USE char *enc_page_metrics(size_t *len, const struct enc_server *server,
                                    bool is_open_metrics);
