/** How an answer looks on the wire: headers, HEAD, errors of net's own. Loop thread only. */
#pragma once

#include "net/loop.h"

/** An error that net itself answers, before the services see the request. */
struct enc_refusal {
    enum enc_err err;    /* gives code, status and Retry-After */
    uint16_t status;     /* instead of the row's, 0 = the row's */
    const char *message; /* instead of the row's, NULL = the row's; static, needs no escapes */
    uint32_t retry_s;    /* instead of the row's, 0 = the row's */
    bool must_close;     /* the connection cannot be trusted to be in step any more */
};

/** Send reply. Its body must live until the request ends. */
void enc_respond(h2o_req_t *req, const struct enc_reply *reply);

/** The body of a reply in another coding. */
struct enc_coded {
    bool is_possible; /* whether it is coded depends on the client, and caches are told */
    uint8_t *data;    /* NULL: it is sent as it is */
    size_t len;
    const char *name; /* static */
};

/** The same with a coded body, which must live as long. */
void enc_respond_coded(h2o_req_t *req, const struct enc_reply *reply,
                       const struct enc_coded *coded);

/** Send refusal in the shape of protocol.md 8.7. */
void enc_respond_refusal(h2o_req_t *req, const struct enc_refusal *refusal);

/** Begin an endless answer of server-sent events; generator sends its body. */
void enc_respond_stream(h2o_req_t *req, h2o_generator_t *generator);

/** 204 with what CORS preflights ask for (protocol.md 8). */
void enc_respond_options(h2o_req_t *req);

/** Write the JSON of refusal (8.7) into the request's pool, and its code into the ticket. */
h2o_iovec_t enc_refusal_json(h2o_req_t *req, const struct enc_refusal *refusal);

/** The status refusal is sent with. */
uint16_t enc_refusal_status(const struct enc_refusal *refusal);

/** The reason phrase of an HTTP/1 status line. */
const char *enc_status_reason(unsigned status);

/** Content type, cache, security, CORS. content_type NULL = no body. */
void enc_respond_headers(h2o_req_t *req, const char *content_type, bool immutable);
