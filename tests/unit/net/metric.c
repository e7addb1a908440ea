#include "net/metric.h"

#include <criterion/criterion.h>

Test(metric, statuses_are_counted_by_class)
{
    const unsigned statuses[] = {101, 200, 204, 404, 503, 99, 600};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        enc_metric_count_status(statuses[i]);
    cr_assert_eq(enc_metric_get(ENC_METRIC_HTTP_1XX), 1);
    cr_assert_eq(enc_metric_get(ENC_METRIC_HTTP_2XX), 2);
    cr_assert_eq(enc_metric_get(ENC_METRIC_HTTP_3XX), 0);
    cr_assert_eq(enc_metric_get(ENC_METRIC_HTTP_4XX), 1);
    cr_assert_eq(enc_metric_get(ENC_METRIC_HTTP_5XX), 1);
}

Test(metric, gauges_go_both_ways_and_can_be_set)
{
    enc_metric_add(ENC_METRIC_SOCKETS_OPEN, 5);
    enc_metric_add(ENC_METRIC_SOCKETS_OPEN, -2);
    cr_assert_eq(enc_metric_get(ENC_METRIC_SOCKETS_OPEN), 3);
    enc_metric_set(ENC_METRIC_DISK_FREE, 1000);
    enc_metric_set(ENC_METRIC_DISK_FREE, 7);
    cr_assert_eq(enc_metric_get(ENC_METRIC_DISK_FREE), 7);
}

Test(metric, values_go_into_buckets)
{
    struct enc_histogram histogram;
    enc_metric_observe(ENC_METRIC_SCRAPE, 10000);
    enc_metric_observe(ENC_METRIC_SCRAPE, 10001);
    enc_ledger_histogram(enc_metric_ledger(), &histogram, ENC_METRIC_SCRAPE, 0);
    cr_assert_eq(histogram.buckets[0], 1);
    cr_assert_eq(histogram.buckets[1], 1);
    cr_assert_eq(histogram.sum, 20001);
}
