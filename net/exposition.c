#include "net/exposition.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char OPEN_TYPE[] = "application/openmetrics-text";

/* ---- negotiation ---- */

static struct enc_bytes trim(struct enc_bytes text)
{
    while (text.len && strchr(" \t", text.data[0]))
        text = enc_bytes_of(text.data + 1, text.len - 1);
    while (text.len && strchr(" \t", text.data[text.len - 1]))
        text.len--;
    return text;
}

/* Cut off what stands before the mark. */
static struct enc_bytes part(struct enc_bytes *rest, char mark)
{
    const uint8_t *end = rest->len ? memchr(rest->data, mark, rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    struct enc_bytes first = enc_bytes_of(rest->data, len);
    *rest = enc_bytes_of(rest->data + len + (end != NULL), rest->len - len - (end != NULL));
    return trim(first);
}

static bool is_word(struct enc_bytes text, const char *word)
{
    return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

static bool is_refused(struct enc_bytes parameter)
{
    struct enc_bytes value = parameter;
    struct enc_bytes name = part(&value, '=');
    value = trim(value);
    if (!is_word(name, "q") || value.len == 0 || value.data[0] != '0')
        return false;
    for (size_t i = 1; i < value.len; i++)
        if (value.data[i] != '.' && value.data[i] != '0')
            return false;
    return true;
}

static bool asks(struct enc_bytes item)
{
    bool is_asked = is_word(part(&item, ';'), OPEN_TYPE);
    while (is_asked && item.len)
        is_asked = !is_refused(part(&item, ';'));
    return is_asked;
}

bool enc_exposition_is_open(struct enc_bytes accept)
{
    bool is_open = false;
    while (accept.len && !is_open)
        is_open = asks(part(&accept, ','));
    return is_open;
}

const char *enc_exposition_type(bool is_open_metrics)
{
    return is_open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                           : "text/plain; version=0.0.4; charset=utf-8";
}

/* ---- lines ---- */

static const char *const KINDS[] = {"counter", "gauge", "histogram"};
static const char *const UNITS[] = {"seconds", "bytes"};

/* OpenMetrics names the family of a counter without the suffix of its samples. */
static const char *family_suffix(const struct enc_exposition *page, enum enc_figure_kind kind)
{
    return kind == ENC_FIGURE_COUNTER && !page->is_open_metrics ? "_total" : "";
}

static void write_unit(const struct enc_exposition *page, const char *name)
{
    const char *last = strrchr(name, '_');
    for (size_t i = 0; last && i < sizeof UNITS / sizeof *UNITS; i++)
        if (strcmp(last + 1, UNITS[i]) == 0)
            fprintf(page->out, "# UNIT %s %s\n", name, UNITS[i]);
}

void enc_expose_head(const struct enc_exposition *page, enum enc_figure_kind kind, const char *name,
                     const char *help)
{
    const char *suffix = family_suffix(page, kind);
    fprintf(page->out, "# HELP %s%s %s\n", name, suffix, help);
    fprintf(page->out, "# TYPE %s%s %s\n", name, suffix, KINDS[kind]);
    if (page->is_open_metrics)
        write_unit(page, name);
}

static void write_line(const struct enc_exposition *page, const char *name, const char *suffix,
                       const char *labels)
{
    fprintf(page->out, "%s%s", name, suffix);
    if (labels[0])
        fprintf(page->out, "{%s}", labels);
}

void enc_expose_sample(const struct enc_exposition *page, enum enc_figure_kind kind,
                       const char *name, const char *labels, double value)
{
    write_line(page, name, kind == ENC_FIGURE_COUNTER ? "_total" : "", labels);
    fprintf(page->out, " %.15g\n", value);
}

void enc_expose_info(const struct enc_exposition *page, const char *name, const char *labels,
                     const char *help)
{
    const char *suffix = page->is_open_metrics ? "" : "_info";
    const char *kind = page->is_open_metrics ? "info" : "gauge";
    fprintf(page->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix, kind);
    write_line(page, name, "_info", labels);
    fputs(" 1\n", page->out);
}

/* ---- ledgers ---- */

/* Whole numbers with a fraction: both formats then have the same label. */
static void write_bound(char *out, size_t len, double bound)
{
    int used = snprintf(out, len, "%.15g", bound);
    ENC_CHECK(used > 0 && (size_t)used + sizeof ".0" <= len);
    if (!strpbrk(out, ".e"))
        memcpy(out + used, ".0", sizeof ".0");
}

static void write_bucket(const struct enc_exposition *page, const char *name,
                         const struct enc_labels *labels, const char *bound, uint64_t count)
{
    struct enc_labels with = *labels;
    enc_labels_put(&with, "le", bound);
    write_line(page, name, "_bucket", with.text);
    fprintf(page->out, " %llu\n", (unsigned long long)count);
}

static void write_histogram(const struct enc_exposition *page, const struct enc_figure *row,
                            const struct enc_labels *labels, const struct enc_histogram *histogram)
{
    uint64_t below = 0;
    char bound[32];
    for (size_t i = 0; i < row->scale->count; i++) {
        below += histogram->buckets[i];
        write_bound(bound, sizeof bound, (double)row->scale->bounds[i] / row->scale->per_unit);
        write_bucket(page, row->name, labels, bound, below);
    }
    write_bucket(page, row->name, labels, "+Inf", histogram->count);
    write_line(page, row->name, "_sum", labels->text);
    fprintf(page->out, " %.15g\n", (double)histogram->sum / row->scale->per_unit);
    write_line(page, row->name, "_count", labels->text);
    fprintf(page->out, " %llu\n", (unsigned long long)histogram->count);
}

static void expose_histogram(const struct enc_exposition *page, const struct enc_ledger *ledger,
                             size_t row, size_t place)
{
    struct enc_histogram histogram;
    struct enc_labels labels;
    enc_ledger_histogram(ledger, &histogram, row, place);
    if (ledger->rows[row].is_sparse && histogram.count == 0)
        return;
    enc_figure_labels(&labels, &ledger->rows[row], place);
    if (!labels.is_void)
        write_histogram(page, &ledger->rows[row], &labels, &histogram);
}

static void expose_value(const struct enc_exposition *page, const struct enc_ledger *ledger,
                         size_t row, size_t place)
{
    struct enc_labels labels;
    const struct enc_figure *figure = &ledger->rows[row];
    int64_t value = enc_ledger_get(ledger, row, place);
    if (figure->is_sparse && value == 0)
        return;
    enc_figure_labels(&labels, figure, place);
    if (!labels.is_void)
        enc_expose_sample(page, figure->kind, figure->name, labels.text, (double)value);
}

void enc_expose_ledger(const struct enc_exposition *page, const struct enc_ledger *ledger)
{
    for (size_t row = 0; row < ledger->row_count; row++) {
        const struct enc_figure *figure = &ledger->rows[row];
        size_t places = enc_figure_places(figure);
        if (figure->help)
            enc_expose_head(page, figure->kind, figure->name, figure->help);
        for (size_t place = 0; place < places; place++) {
            if (figure->kind == ENC_FIGURE_HISTOGRAM)
                expose_histogram(page, ledger, row, place);
            else
                expose_value(page, ledger, row, place);
        }
    }
}

void enc_expose_end(const struct enc_exposition *page)
{
    if (page->is_open_metrics)
        fputs("# EOF\n", page->out);
}
