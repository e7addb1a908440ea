#include "services/figure.h"

#include <stdio.h>
#include <stdlib.h>

static const uint64_t TIMES_NS[] = {
    10000,     25000,      50000,      100000,     250000,      500000,    1000000,
    2500000,   5000000,    10000000,   25000000,   50000000,    100000000, 250000000,
    500000000, 1000000000, 2500000000, 5000000000, 10000000000,
};
static const uint64_t COUNTS[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

const struct enc_scale ENC_SCALE_TIME = {TIMES_NS, sizeof TIMES_NS / sizeof *TIMES_NS, 1e9};
const struct enc_scale ENC_SCALE_COUNT = {COUNTS, sizeof COUNTS / sizeof *COUNTS, 1};

void enc_labels_put(struct enc_labels *labels, const char *name, const char *value)
{
    size_t room = sizeof labels->text - labels->len;
    int len = snprintf(labels->text + labels->len, room, "%s%s=\"%s\"", labels->len ? "," : "",
                       name, value);
    ENC_CHECK(len > 0 && (size_t)len < room);
    labels->len += (size_t)len;
}

size_t enc_figure_places(const struct enc_figure *row)
{
    size_t places = 1;
    for (size_t i = 0; i < ENC_AXIS_MAX && row->axes[i]; i++)
        places *= row->axes[i]->count();
    return places;
}

void enc_figure_labels(struct enc_labels *out, const struct enc_figure *row, size_t place)
{
    *out = (struct enc_labels){.len = 0};
    if (row->labels)
        out->len = (size_t)snprintf(out->text, sizeof out->text, "%s", row->labels);
    size_t below = row->axes[1] ? row->axes[1]->count() : 1;
    if (row->axes[0])
        row->axes[0]->put(out, place / below);
    if (row->axes[1])
        row->axes[1]->put(out, place % below);
}

/* A histogram: its buckets, the one without bound, the sum. */
static size_t cells_per_place(const struct enc_figure *row)
{
    return row->kind == ENC_FIGURE_HISTOGRAM ? row->scale->count + 2 : 1;
}

bool enc_ledger_open(struct enc_ledger *ledger, const struct enc_figure *rows, size_t row_count)
{
    size_t count = 0;
    *ledger = (struct enc_ledger){.rows = rows, .row_count = row_count};
    ledger->firsts = (size_t *)calloc(row_count, sizeof *ledger->firsts);
    for (size_t i = 0; ledger->firsts && i < row_count; i++) {
        ledger->firsts[i] = count;
        count += enc_figure_places(&rows[i]) * cells_per_place(&rows[i]);
    }
    if (ledger->firsts && enc_tally_init(&ledger->tally, count))
        return true;
    enc_ledger_close(ledger);
    return false;
}

void enc_ledger_close(struct enc_ledger *ledger)
{
    enc_tally_fini(&ledger->tally);
    free(ledger->firsts);
    ledger->firsts = NULL;
}

void enc_ledger_observe(const struct enc_ledger *ledger, size_t row, size_t place, uint64_t value)
{
    const struct enc_scale *scale = ledger->rows[row].scale;
    size_t first = ledger->firsts[row] + place * (scale->count + 2);
    size_t bucket = 0;
    while (bucket < scale->count && value > scale->bounds[bucket])
        bucket++;
    enc_tally_add(&ledger->tally, first + bucket, 1);
    enc_tally_add(&ledger->tally, first + scale->count + 1, value);
}

int64_t enc_ledger_get(const struct enc_ledger *ledger, size_t row, size_t place)
{
    return (int64_t)enc_tally_sum(&ledger->tally, ledger->firsts[row] + place);
}

void enc_ledger_histogram(const struct enc_ledger *ledger, struct enc_histogram *out, size_t row,
                          size_t place)
{
    size_t count = ledger->rows[row].scale->count;
    size_t first = ledger->firsts[row] + place * (count + 2);
    ENC_CHECK(count < sizeof out->buckets / sizeof *out->buckets);
    out->count = 0;
    for (size_t i = 0; i <= count; i++) {
        out->buckets[i] = enc_tally_sum(&ledger->tally, first + i);
        out->count += out->buckets[i];
    }
    out->sum = enc_tally_sum(&ledger->tally, first + count + 1);
}
