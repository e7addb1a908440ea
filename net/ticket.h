/**
 * What we know of a request beside h2o's own: its id, when it came, which service it was for. In
 * the request's pool; loop thread.
 */
#pragma once

#include "net/loop.h"
#include "services/trace.h"

struct enc_ticket {
    struct enc_request_id id;
    uint64_t begun_ns;
    const char *service; /* static; NULL = none yet */
    struct enc_route_place place;
    char code[ENC_TRACE_CODE_MAX]; /* of the error it was answered with, "" = none */
    struct enc_trace *trace;       /* until an exchange takes it; NULL: not traced */
    bool is_stream;                /* its answer has no end; stream.c sees to its patience */
};

/** The ticket of req, made when first asked for: with the id that the client gave, if it is safe,
 * or with 128 bits of chance. */
struct enc_ticket *enc_ticket_of(h2o_req_t *req);

/** Decide whether it is traced: its context becomes part of its id. Once; method is static. */
void enc_ticket_trace(h2o_req_t *req, const char *method);

/** Whether text may be an id: 1 to 64 of A-Z a-z 0-9 _ . - and nothing else. Pure. */
bool enc_request_id_is_safe(struct enc_bytes text);

/** Make an id. Any thread. */
void enc_request_id_make(struct enc_request_id *id);

/** Write the id into the head of the answer. Once. */
void enc_ticket_echo(h2o_req_t *req);

/** The code in the JSON of an error (protocol.md 8.7), or nothing. Pure. */
struct enc_bytes enc_error_code(struct enc_bytes body);
