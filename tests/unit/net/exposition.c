#include "net/exposition.h"
#include "net/metric.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *text_of(bool is_open_metrics, void (*write)(const struct enc_exposition *page))
{
    size_t len;
    char *text = NULL;
    struct enc_exposition page = {open_memstream(&text, &len), is_open_metrics};
    write(&page);
    enc_expose_end(&page);
    fclose(page.out);
    cr_assert_eq(strlen(text), len);
    return text;
}

static void expect(bool is_open_metrics, void (*write)(const struct enc_exposition *page),
                   const char *expected)
{
    char *text = text_of(is_open_metrics, write);
    cr_assert_str_eq(text, expected);
    free(text);
}

static void write_counter(const struct enc_exposition *page)
{
    enc_expose_head(page, ENC_FIGURE_COUNTER, "a_cpu_seconds", "Used.");
    enc_expose_sample(page, ENC_FIGURE_COUNTER, "a_cpu_seconds", "", 1.5);
}

Test(exposition, a_counter_has_total_where_the_format_wants_it)
{
    expect(false, write_counter,
           "# HELP a_cpu_seconds_total Used.\n# TYPE a_cpu_seconds_total counter\n"
           "a_cpu_seconds_total 1.5\n");
    expect(true, write_counter,
           "# HELP a_cpu_seconds Used.\n# TYPE a_cpu_seconds counter\n"
           "# UNIT a_cpu_seconds seconds\na_cpu_seconds_total 1.5\n# EOF\n");
}

static void write_gauge(const struct enc_exposition *page)
{
    enc_expose_head(page, ENC_FIGURE_GAUGE, "map_bytes", "Room.");
    enc_expose_sample(page, ENC_FIGURE_GAUGE, "map_bytes", "shard=\"0\"", 1099511627776.0);
}

Test(exposition, a_gauge_has_no_suffix_and_whole_numbers_stay_whole)
{
    expect(true, write_gauge,
           "# HELP map_bytes Room.\n# TYPE map_bytes gauge\n# UNIT map_bytes bytes\n"
           "map_bytes{shard=\"0\"} 1099511627776\n# EOF\n");
}

static void write_info(const struct enc_exposition *page)
{
    enc_expose_info(page, "a_build", "version=\"1\"", "What.");
}

Test(exposition, build_info_is_an_info_or_a_gauge)
{
    expect(false, write_info,
           "# HELP a_build_info What.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n");
    expect(true, write_info,
           "# HELP a_build What.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n# EOF\n");
}

static const uint64_t BOUNDS[] = {500, 1000};
static const struct enc_scale SCALE = {BOUNDS, 2, 1000};
static const struct enc_figure ROWS[] = {
    {ENC_FIGURE_HISTOGRAM, "t_seconds", "of=\"x\"", {NULL, NULL}, &SCALE, false, "Times."},
    {ENC_FIGURE_COUNTER, "rare", NULL, {NULL, NULL}, NULL, true, "Rare."},
};

static void write_histogram(const struct enc_exposition *page)
{
    struct enc_ledger ledger;
    cr_assert(enc_ledger_open(&ledger, ROWS, 2));
    static const uint64_t VALUES[] = {500, 700, 5000};
    for (size_t i = 0; i < 3; i++)
        enc_ledger_observe(&ledger, 0, 0, VALUES[i]);
    enc_expose_ledger(page, &ledger);
    enc_ledger_close(&ledger);
}

Test(exposition, buckets_are_cumulative_and_what_never_happened_has_no_series)
{
    expect(false, write_histogram,
           "# HELP t_seconds Times.\n# TYPE t_seconds histogram\n"
           "t_seconds_bucket{of=\"x\",le=\"0.5\"} 1\n"
           "t_seconds_bucket{of=\"x\",le=\"1.0\"} 2\n"
           "t_seconds_bucket{of=\"x\",le=\"+Inf\"} 3\n"
           "t_seconds_sum{of=\"x\"} 6.2\nt_seconds_count{of=\"x\"} 3\n"
           "# HELP rare_total Rare.\n# TYPE rare_total counter\n");
}

static void write_net(const struct enc_exposition *page)
{
    enc_expose_ledger(page, enc_metric_ledger());
}

Test(exposition, rows_of_one_name_have_one_head)
{
    unsigned heads = 0;
    char *text = text_of(false, write_net);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        heads += strcmp(line, "# TYPE enclaved_refusals_total counter") == 0;
    cr_assert_eq(heads, 1);
    free(text);
}

Test(exposition, accept_decides_the_format)
{
    static const struct {
        const char *accept;
        bool is_open;
    } ROWS_OF_ACCEPT[] = {
        {"", false},
        {"*/*", false},
        {"text/plain", false},
        {"application/openmetrics-text", true},
        {"Application/OpenMetrics-Text; version=1.0.0", true},
        {"application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         true},
        {"text/plain;q=0.5 , application/openmetrics-text;version=1.0.0;q=0.7", true},
        {"application/openmetrics-text;q=0", false},
        {"application/openmetrics-text; q=0.000", false},
        {"application/openmetrics-text;q=0.001", true},
        {"application/openmetrics-textual", false},
        {"text/plain;note=application/openmetrics-text", false},
    };
    for (size_t i = 0; i < sizeof ROWS_OF_ACCEPT / sizeof *ROWS_OF_ACCEPT; i++) {
        struct enc_bytes accept = enc_bytes_of_text(ROWS_OF_ACCEPT[i].accept);
        cr_assert_eq(enc_exposition_is_open(accept), ROWS_OF_ACCEPT[i].is_open, "%s",
                     ROWS_OF_ACCEPT[i].accept);
    }
}
