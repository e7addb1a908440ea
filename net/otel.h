/** What the environment says about traces, in the names of OpenTelemetry. Main thread. */
#pragma once

#include "net/sampler.h"

#define ENC_OTEL(symbol, ...) ENC_OTEL_##symbol,
enum enc_otel_name {
#include "net/otel.def"
    ENC_OTEL_COUNT
};
#undef ENC_OTEL

enum enc_otel_kind {
    ENC_OTEL_KIND_CHOICE,
    ENC_OTEL_KIND_URL,
    ENC_OTEL_KIND_HEADERS,
    ENC_OTEL_KIND_ATTRIBUTES,
    ENC_OTEL_KIND_NUMBER,
    ENC_OTEL_KIND_TEXT,
    ENC_OTEL_KIND_RATIO,
};

struct enc_otel_row {
    enum enc_otel_kind kind;
    const char *name;
    const char *preset; /* "": none */
    const char *values;
    const char *help;
};

/** The rows of otel.def, ENC_OTEL_COUNT of them. */
const struct enc_otel_row *enc_otel_rows(void);

/** What the values of row are, in words. */
void enc_otel_values(char out[160], const struct enc_otel_row *row);

enum { ENC_OTEL_URL_MAX = 2048 };

/** Texts are those of the environment and live as long. */
struct enc_otel {
    bool is_on;
    const char *why_off; /* NULL: on, or nobody asked for it; static */
    char url[ENC_OTEL_URL_MAX];
    const char *headers;
    const char *ca_file; /* "": the system's */
    const char *service_name;
    const char *attributes;
    struct enc_sampler sampler;
    uint64_t timeout_ms;
    uint64_t queue_max; /* spans */
    uint64_t batch_max; /* spans */
    uint64_t delay_ms;
};

/**
 * Read environ_kv, "NAME=value" and NULL at the end. blame is called for every value that is no
 * good, with static texts; out is then a mixture.
 */
void enc_otel_read(struct enc_otel *out, char **environ_kv,
                   void (*blame)(void *opaque, const char *name, const char *wrong), void *opaque);

struct enc_otel_pair {
    char key[128];
    char value[1024];
};

/** Take the first KEY=VALUE off *rest, decoded. False: *rest is empty, or (then *wrong says why,
 * static) malformed. */
ENC_MUST_USE bool enc_otel_pair_take(struct enc_otel_pair *out, const char **rest,
                                     const char **wrong);
