#include "net/metric.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static char *text_of(bool is_open_metrics)
{
    size_t len;
    char *text =
        enc_metric_text(&len, (struct enc_metric_format){.is_open_metrics = is_open_metrics});
    cr_assert_not_null(text);
    cr_assert_eq(strlen(text), len);
    return text;
}

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

Test(metric, gauges_go_both_ways)
{
    enc_metric_add(ENC_METRIC_SOCKETS_OPEN, 5);
    enc_metric_add(ENC_METRIC_SOCKETS_OPEN, -2);
    char *text = text_of(false);
    cr_assert_not_null(strstr(text, "\nenclaved_websockets_open 3\n"));
    free(text);
}

/* Every family has one head, before its samples, and the two formats name counters differently. */
Test(metric, text_has_a_head_per_family)
{
    for (int is_open = 0; is_open < 2; is_open++) {
        char *text = text_of(is_open);
        unsigned heads = 0;
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
            heads += strncmp(line, "# TYPE enclaved_refusals", 24) == 0;
            bool is_counter_head = strncmp(line, "# TYPE ", 7) == 0 && strstr(line, " counter");
            if (is_counter_head)
                cr_assert_eq(strstr(line, "_total ") != NULL, !is_open, "%s", line);
        }
        cr_assert_eq(heads, 1);
        free(text);
    }
}
