/**
 * Figures as rows: a family's name, kind and help, and which labels it has. A label's values are a
 * closed list, so that a family has a bounded number of series, each with cells of its own in a
 * tally. Whoever counts names a row and a place; whoever publishes walks over rows and places.
 */
#pragma once

#include "actors/tally.h"

enum enc_figure_kind { ENC_FIGURE_COUNTER, ENC_FIGURE_GAUGE, ENC_FIGURE_HISTOGRAM };

/** Labels of one series as text: name="value",... */
struct enc_labels {
    char text[256];
    size_t len;
    bool is_void; /* there is no such series */
};

/** Append a label. Values need no escapes; they are ours. */
void enc_labels_put(struct enc_labels *labels, const char *name, const char *value);

/** A list of label values: how many, and what the value at an index puts. */
struct enc_axis {
    size_t (*count)(void);
    void (*put)(struct enc_labels *labels, size_t at);
};

/** The buckets of a histogram: upper bounds, ascending, in the unit that is observed. */
struct enc_scale {
    const uint64_t *bounds;
    size_t count;
    double per_unit; /* what is observed, per unit of the family: 1e9 for ns and seconds */
};

/** 10 us to 10 s, observed in ns. */
extern const struct enc_scale ENC_SCALE_TIME;

/** 1, 2, 4 ... 1024. */
extern const struct enc_scale ENC_SCALE_COUNT;

enum { ENC_AXIS_MAX = 2 };

struct enc_figure {
    enum enc_figure_kind kind;
    const char *name;   /* of the family, without _total */
    const char *labels; /* the same in every series; NULL = none */
    const struct enc_axis *axes[ENC_AXIS_MAX];
    const struct enc_scale *scale; /* of a histogram */
    bool is_sparse;                /* series come into being when they are first counted */
    const char *help;              /* NULL: goes on with the family of the row before */
};

/** Rows and their cells. */
struct enc_ledger {
    const struct enc_figure *rows;
    size_t row_count;
    size_t *firsts; /* per row: its first cell */
    struct enc_tally tally;
};

/** False when memory is short; nothing is left behind then. rows must outlive the ledger. */
ENC_MUST_USE bool enc_ledger_open(struct enc_ledger *ledger, const struct enc_figure *rows,
                                  size_t row_count);
void enc_ledger_close(struct enc_ledger *ledger);

/** Number of series of a row. */
size_t enc_figure_places(const struct enc_figure *row);

/** The labels of the series at place. */
void enc_figure_labels(struct enc_labels *out, const struct enc_figure *row, size_t place);

/** The place for these indices of the row's two axes. */
static inline size_t enc_figure_place(const struct enc_figure *row, size_t first, size_t second)
{
    return first * row->axes[1]->count() + second;
}

/** Add to a counter or gauge. Any thread. */
static inline void enc_ledger_add(const struct enc_ledger *ledger, size_t row, size_t place,
                                  int64_t delta)
{
    enc_tally_add(&ledger->tally, ledger->firsts[row] + place, (uint64_t)delta);
}

/** Count a value into a histogram. Any thread. */
void enc_ledger_observe(const struct enc_ledger *ledger, size_t row, size_t place, uint64_t value);

/** A counter or gauge now. Any thread. */
int64_t enc_ledger_get(const struct enc_ledger *ledger, size_t row, size_t place);

/** A histogram now: counts per bucket, the last without bound, and the sum of all values. */
struct enc_histogram {
    uint64_t buckets[32]; /* not cumulative; scale->count + 1 of them */
    uint64_t count;
    uint64_t sum;
};

void enc_ledger_histogram(const struct enc_ledger *ledger, struct enc_histogram *out, size_t row,
                          size_t place);
