#include "net/metric.h"

#define ENC_METRIC(symbol, kind, name, labels, help)                                               \
    {ENC_FIGURE_##kind, name, labels, {NULL, NULL}, NULL, false, help},
#define ENC_METRIC_TIME(symbol, name, help)                                                        \
    {ENC_FIGURE_HISTOGRAM, name, NULL, {NULL, NULL}, &ENC_SCALE_TIME, false, help},
static const struct enc_figure ROWS[] = {
#include "net/metric.def"
};
#undef ENC_METRIC
#undef ENC_METRIC_TIME

static struct enc_ledger ledger;

/* One per process, before anybody counts. */
__attribute__((constructor)) static void open_ledger(void)
{
    ENC_CHECK(enc_ledger_open(&ledger, ROWS, ENC_METRIC_COUNT));
}

__attribute__((destructor)) static void close_ledger(void)
{
    enc_ledger_close(&ledger);
}

const struct enc_ledger *enc_metric_ledger(void)
{
    return &ledger;
}

void enc_metric_add(enum enc_metric metric, int64_t delta)
{
    enc_ledger_add(&ledger, metric, 0, delta);
}

void enc_metric_set(enum enc_metric metric, int64_t value)
{
    enc_metric_add(metric, value - enc_metric_get(metric));
}

void enc_metric_observe(enum enc_metric metric, uint64_t took_ns)
{
    enc_ledger_observe(&ledger, metric, 0, took_ns);
}

int64_t enc_metric_get(enum enc_metric metric)
{
    return enc_ledger_get(&ledger, metric, 0);
}

void enc_metric_count_status(unsigned status)
{
    unsigned class = status / 100;
    if (class >= 1 && class <= 5)
        enc_metric_add((enum enc_metric)(ENC_METRIC_HTTP_1XX + (class - 1)), 1);
}
