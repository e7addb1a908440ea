/**
 * What is noted of a request that is traced (W3C Trace Context): when it came and was answered, and
 * the spans in between. Its owner is whoever has the request: net until an exchange is opened, then
 * the exchange, which moves between threads, and at the end the runtime (trace_end). A request that
 * is not sampled has none: NULL, and every function here takes that.
 */
#pragma once

#include "services/runtime.h"

enum { ENC_TRACE_SPANS_MAX = 12, ENC_TRACE_CODE_MAX = 32 };

/** What a trace is about. */
enum enc_trace_kind {
    ENC_TRACE_REQUEST, /* of HTTP */
    ENC_TRACE_MESSAGE, /* of a WebSocket */
    ENC_TRACE_POST,    /* of ours to others */
};

/** By a clock that only goes forward. */
struct enc_trace_span {
    const char *name; /* static */
    uint64_t began_ns;
    uint64_t ended_ns;
};

struct enc_trace {
    struct enc_trace *next;           /* of whoever has it */
    struct enc_trace_context context; /* span8 is its own */
    bool has_parent;
    uint8_t parent8[8];
    enum enc_trace_kind kind;
    bool is_tls;
    const char *method;            /* of the request, or the kind of the message; static */
    const char *version;           /* of HTTP; static; NULL: none */
    struct enc_route_place place;  /* that answered */
    uint16_t status;               /* of HTTP; 0: none */
    bool has_failed;               /* on our side, or on that of who got our POST */
    char code[ENC_TRACE_CODE_MAX]; /* of the error it was answered with; "": none */
    unsigned step;                 /* that refused; 0: none */
    uint64_t began_ns;
    uint64_t ended_ns;
    uint64_t noted_ns; /* when the last span ended */
    size_t span_count;
    struct enc_trace_span spans[ENC_TRACE_SPANS_MAX];
};

/**
 * Note a span. Spans of one trace follow each other: what would begin before the last one ended
 * begins there, because clocks are read by several threads. Those beyond the bound are left out.
 * NULL is ignored.
 */
void enc_trace_note(struct enc_trace *trace, const char *name, uint64_t began_ns,
                    uint64_t ended_ns);

/** Note the error that answers it, with the step that refused. NULL is ignored. */
void enc_trace_refuse(struct enc_trace *trace, enum enc_err err, unsigned step);

/** Hand it to the runtime, which owns it from then on. NULL is ignored. */
void enc_trace_end(struct enc_trace *trace, const struct enc_runtime *runtime);
