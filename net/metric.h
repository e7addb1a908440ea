/** Counters of net. Any thread; an addition waits for nobody. */
#pragma once

#include "services/figure.h"

#define ENC_METRIC(symbol, ...) ENC_METRIC_##symbol,
#define ENC_METRIC_TIME(symbol, ...) ENC_METRIC_##symbol,
enum enc_metric {
#include "net/metric.def"
    ENC_METRIC_COUNT
};
#undef ENC_METRIC
#undef ENC_METRIC_TIME

/** Add to a counter or gauge (delta may be negative for a gauge). */
void enc_metric_add(enum enc_metric metric, int64_t delta);

/** Set a gauge, of which one thread only may say so. */
void enc_metric_set(enum enc_metric metric, int64_t value);

/** Count a duration. */
void enc_metric_observe(enum enc_metric metric, uint64_t took_ns);

/** Count one answer by its status. */
void enc_metric_count_status(unsigned status);

/** The value now. */
int64_t enc_metric_get(enum enc_metric metric);

/** All of it. */
const struct enc_ledger *enc_metric_ledger(void);
