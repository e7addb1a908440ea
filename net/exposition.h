/**
 * Figures as text: the format of Prometheus 0.0.4 and OpenMetrics 1.0. The rows are the same; the
 * formats differ in the names of counter families, in units, in build info and in the end.
 */
#pragma once

#include "proto/base/bytes.h"
#include "services/figure.h"

#include <stdio.h>

/** A page being written. */
struct enc_exposition {
    FILE *out;
    bool is_open_metrics; /* else the text format of Prometheus */
};

/** Which format an Accept header asks for: OpenMetrics when it is named, with a q that is not 0. */
ENC_MUST_USE bool enc_exposition_is_open(struct enc_bytes accept);

/** The Content-Type of a page. Static storage. */
const char *enc_exposition_type(bool is_open_metrics);

/** The lines before a family's samples. */
void enc_expose_head(const struct enc_exposition *page, enum enc_figure_kind kind, const char *name,
                     const char *help);

/** A sample of a counter or gauge; labels may be empty. */
void enc_expose_sample(const struct enc_exposition *page, enum enc_figure_kind kind,
                       const char *name, const char *labels, double value);

/** One series that never changes: what this build is. */
void enc_expose_info(const struct enc_exposition *page, const char *name, const char *labels,
                     const char *help);

/** All rows of a ledger. */
void enc_expose_ledger(const struct enc_exposition *page, const struct enc_ledger *ledger);

/** The end of the page. */
void enc_expose_end(const struct enc_exposition *page);
