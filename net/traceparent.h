/** The field `traceparent` (W3C Trace Context, level 1). Pure; any thread. */
#pragma once

#include "services/runtime.h"

enum { ENC_TRACEPARENT_LEN = 55 };

/**
 * Read a field: lower-case hex, ids that are not zero, version 00 exactly, later versions as far as
 * they begin the same. False: there is none to follow, and out is as before. span8 of out is that
 * of the caller.
 */
ENC_MUST_USE bool enc_traceparent_parse(struct enc_trace_context *out, struct enc_bytes field);

/** Write it, with a NUL. */
void enc_traceparent_write(char out[ENC_TRACEPARENT_LEN + 1],
                           const struct enc_trace_context *context);
