/**
 * Traces on their way to the operator's collector (OTLP over HTTP, JSON). Whoever ends one queues
 * it and goes on; the first loop exports what waits, one POST at a time. What finds no room, and
 * what the collector does not take after some attempts, is dropped and counted.
 */
#pragma once

#include "net/loop.h"
#include "net/otel.h"
#include "services/trace.h"

struct enc_fetcher;
struct enc_tracer;

/** A tracer that exports through fetcher on loop; otel must outlive it. NULL when traces are off.
 * Main thread, before the loop starts. */
struct enc_tracer *enc_tracer_new(struct enc_loop *loop, struct enc_fetcher *fetcher,
                                  const struct enc_otel *otel);

/**
 * Begin a trace: fill in the context, under parent or, when that is NULL, as a root. Returns memory
 * of its own that enc_tracer_end takes, with began_ns set; NULL when it is not sampled. Any thread.
 */
struct enc_trace *enc_tracer_begin(const struct enc_tracer *tracer,
                                   struct enc_trace_context *context,
                                   const struct enc_trace_context *parent);

/** The same for something that follows from context, sampled if that is: context becomes its
 * own. */
struct enc_trace *enc_tracer_follow(struct enc_trace_context *context);

/** Queue a trace that has ended. Any thread; never blocks. */
void enc_tracer_end(struct enc_tracer *tracer, struct enc_trace *trace);

/** Export what waits, for patience_ms at most, then nothing any more. Main thread, while the loop
 * runs. NULL is ignored. */
void enc_tracer_stop(struct enc_tracer *tracer, uint64_t patience_ms);

/** Close its handles, as enc_fetcher_close. NULL is ignored. */
void enc_tracer_close(struct enc_tracer *tracer);

/** Free it, after that. NULL is ignored. */
void enc_tracer_free(struct enc_tracer *tracer);
