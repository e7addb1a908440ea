#include "net/metric.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum kind { COUNTER, GAUGE };

struct row {
    enum kind kind;
    const char *name;
    const char *labels;
    const char *help;
};

#define ENC_METRIC(symbol, kind, name, labels, help) {kind, name, labels, help},
static const struct row ROWS[] = {
#include "net/metric.def"
};
#undef ENC_METRIC

static _Atomic int64_t values[ENC_METRIC_COUNT];

/* All orders here are relaxed: each figure stands alone and orders nothing else. */
void enc_metric_add(enum enc_metric metric, int64_t delta)
{
    atomic_fetch_add_explicit(&values[metric], delta, memory_order_relaxed);
}

void enc_metric_set(enum enc_metric metric, int64_t value)
{
    atomic_store_explicit(&values[metric], value, memory_order_relaxed);
}

int64_t enc_metric_get(enum enc_metric metric)
{
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

void enc_metric_count_status(unsigned status)
{
    unsigned class = status / 100;
    if (class >= 1 && class <= 5)
        enc_metric_add((enum enc_metric)(ENC_METRIC_HTTP_1XX + (class - 1)), 1);
}

/* OpenMetrics names the family of a counter without the suffix of its samples. */
static const char *family_suffix(enum kind kind, struct enc_metric_format format)
{
    return kind == COUNTER && !format.is_open_metrics ? "_total" : "";
}

static void write_help(FILE *out, const struct row *row, struct enc_metric_format format)
{
    const char *suffix = family_suffix(row->kind, format);
    fprintf(out, "# HELP %s%s %s\n", row->name, suffix, row->help);
    fprintf(out, "# TYPE %s%s %s\n", row->name, suffix, row->kind == COUNTER ? "counter" : "gauge");
}

static void write_sample(FILE *out, const struct row *row, double value)
{
    fprintf(out, "%s%s", row->name, row->kind == COUNTER ? "_total" : "");
    if (row->labels)
        fprintf(out, "{%s}", row->labels);
    fprintf(out, " %.15g\n", value);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double resident_bytes(void)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    const char *pages = fgets(line, sizeof line, file) ? strchr(line, ' ') : NULL; /* 2nd word */
    fclose(file);
    return pages ? (double)strtoul(pages, NULL, 10) * (double)sysconf(_SC_PAGESIZE) : 0;
}

/* Taken at the first scrape less the time since then would be a lie; a constructor runs at the
 * start. */
static time_t started_s;
__attribute__((constructor)) static void remember_start(void)
{
    started_s = time(NULL);
}

static double start_seconds(void)
{
    return (double)started_s;
}

static double files_max(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    return (double)files.rlim_cur;
}

struct process_row {
    struct row row;
    double (*value)(void);
};
static const struct process_row PROCESS[] = {
    {{COUNTER, "process_cpu_seconds", NULL, "Processor time used, user and system."}, cpu_seconds},
    {{GAUGE, "process_resident_memory_bytes", NULL, "Memory in use."}, resident_bytes},
    {{GAUGE, "process_start_time_seconds", NULL, "Start of the process, Unix time."},
     start_seconds},
    {{GAUGE, "process_max_fds", NULL, "Limit of open files."}, files_max},
};

static void write_all(FILE *out, struct enc_metric_format format)
{
    for (size_t i = 0; i < ENC_METRIC_COUNT; i++) {
        if (ROWS[i].help)
            write_help(out, &ROWS[i], format);
        write_sample(out, &ROWS[i], (double)enc_metric_get((enum enc_metric)i));
    }
    for (size_t i = 0; i < sizeof PROCESS / sizeof *PROCESS; i++) {
        write_help(out, &PROCESS[i].row, format);
        write_sample(out, &PROCESS[i].row, PROCESS[i].value());
    }
    if (format.is_open_metrics)
        fputs("# EOF\n", out);
}

char *enc_metric_text(size_t *len, struct enc_metric_format format)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (!out)
        return NULL;
    write_all(out, format);
    fclose(out);
    return text;
}
