/** Counters of the process and their text for Prometheus. One table; any thread. */
#pragma once

#include "proto/base/bytes.h"

#define ENC_METRIC(symbol, ...) ENC_METRIC_##symbol,
enum enc_metric {
#include "net/metric.def"
    ENC_METRIC_COUNT
};
#undef ENC_METRIC

/** Add to a counter or gauge (delta may be negative for a gauge). */
void enc_metric_add(enum enc_metric metric, int64_t delta);

/** Set a gauge. */
void enc_metric_set(enum enc_metric metric, int64_t value);

/** Count one answer by its status. */
void enc_metric_count_status(unsigned status);

/** The value now. */
int64_t enc_metric_get(enum enc_metric metric);

/** What a scrape asks for. */
struct enc_metric_format {
    bool is_open_metrics; /* else the text format of Prometheus */
};

/**
 * Every metric and the process's own figures as text. Returns a malloc'd text and its length in
 * *len; the caller frees it. NULL when memory is short.
 */
char *enc_metric_text(size_t *len, struct enc_metric_format format);
