/** Traces as OTLP in JSON (the body of POST /v1/traces). Any thread. */
#pragma once

#include "net/otel.h"
#include "proto/base/arena.h"
#include "services/trace.h"

/** Append the resource: this process, as an object. Its instance id is made here, by chance. */
void enc_otlp_put_resource(struct enc_buffer *out, const struct enc_otel *otel);

/** Spans of a trace: its own and those noted. */
size_t enc_otlp_span_count(const struct enc_trace *trace);

/** Append the whole body: resource (JSON) and every trace of the list. wall_ns is to be added to
 * times of the traces to get Unix ns. Ids of the spans inside are made here. */
void enc_otlp_put(struct enc_buffer *out, struct enc_bytes resource, const struct enc_trace *list,
                  uint64_t wall_ns);
