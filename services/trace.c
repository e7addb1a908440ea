#include "services/trace.h"

#include <stdio.h>

static uint64_t later(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns > b_ns ? a_ns : b_ns;
}

void enc_trace_note(struct enc_trace *trace, const char *name, uint64_t began_ns, uint64_t ended_ns)
{
    if (!trace || trace->span_count == ENC_TRACE_SPANS_MAX)
        return;
    struct enc_trace_span *span = &trace->spans[trace->span_count++];
    span->name = name;
    span->began_ns = later(began_ns, later(trace->noted_ns, trace->began_ns));
    span->ended_ns = later(ended_ns, span->began_ns);
    trace->noted_ns = span->ended_ns;
}

void enc_trace_refuse(struct enc_trace *trace, enum enc_err err, unsigned step)
{
    if (!trace)
        return;
    const struct enc_err_row *row = enc_err_row(err);
    snprintf(trace->code, sizeof trace->code, "%s", row->code);
    trace->has_failed = row->http_status >= 500;
    trace->step = step;
}

void enc_trace_end(struct enc_trace *trace, const struct enc_runtime *runtime)
{
    if (!trace)
        return;
    uint64_t now_ns = runtime->now_ns ? runtime->now_ns(runtime->self) : 0;
    trace->ended_ns = later(now_ns, later(trace->noted_ns, trace->began_ns));
    runtime->trace_end(runtime->self, trace);
}
