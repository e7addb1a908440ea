/**
 * The header fields that answers carry whatever they answer: security, CORS, transport. Built once
 * from the configuration, then appended as one block. Loop threads, except where noted.
 */
#pragma once

#include "net/loop.h"

struct enc_config;

enum { ENC_FIELDS_MAX = 8, ENC_FIELDS_HSTS_LEN_MAX = 48 };

struct enc_fields {
    h2o_header_t items[ENC_FIELDS_MAX];
    size_t count;
    char hsts[ENC_FIELDS_HSTS_LEN_MAX];
};

/** Fill in for answers over TLS or in clear. config must outlive it. Main thread, before the loops
 * start. */
void enc_fields_init(struct enc_fields *fields, const struct enc_config *config, bool is_tls);

/** Append the fields to the answer of req; what depends on who asks is judged here. */
void enc_fields_add(h2o_req_t *req);

/** Whether an answer has them, so that it is one of ours. */
bool enc_fields_are_in(const h2o_headers_t *headers);

/** Append what a preflight asks for. */
void enc_fields_add_preflight(h2o_req_t *req);

/** Whether text may stand in cors.origins: scheme, host and perhaps port. */
ENC_MUST_USE bool enc_fields_origin_is_valid(const char *text);
