#include "services/matrix.h"

#include <stdio.h>

static void put_text(char out[ENC_MATRIX_CELL_MAX], const char *text)
{
    snprintf(out, ENC_MATRIX_CELL_MAX, "%s", text);
}

static void put_flag(char out[ENC_MATRIX_CELL_MAX], bool flag)
{
    put_text(out, flag ? "✓" : "✗");
}

static void put_count(char out[ENC_MATRIX_CELL_MAX], size_t count)
{
    snprintf(out, ENC_MATRIX_CELL_MAX, "%zu", count);
}

static void schema(char out[ENC_MATRIX_CELL_MAX], const struct enc_enclave *enclave)
{
    put_text(out, enclave->schema.fixed_json ? "static" : "dynamic");
}

static void has_dataview(char out[ENC_MATRIX_CELL_MAX], const struct enc_enclave *enclave)
{
    put_flag(out, enclave->has_dataview);
}

static void has_push(char out[ENC_MATRIX_CELL_MAX], const struct enc_enclave *enclave)
{
    put_flag(out, enclave->has_push);
}

static void has_bootstrap(char out[ENC_MATRIX_CELL_MAX], const struct enc_enclave *enclave)
{
    put_flag(out, enclave->has_bootstrap);
}

static void addressing(char out[ENC_MATRIX_CELL_MAX], const struct enc_enclave *enclave)
{
    if (enclave->addressing.segment == 0)
        put_text(out, "singleton");
    else
        snprintf(out, ENC_MATRIX_CELL_MAX, "perReq %u", enclave->addressing.segment);
}

static void encrypted(char out[ENC_MATRIX_CELL_MAX], const struct enc_enclave *enclave)
{
    put_flag(out, enclave->encrypted);
}

static void extra_routes(char out[ENC_MATRIX_CELL_MAX], const struct enc_enclave *enclave)
{
    put_count(out, enclave->extra_routes.count);
}

static void reads(char out[ENC_MATRIX_CELL_MAX], const struct enc_enclave *enclave)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    put_count(out, enc_enclave_reads(enclave, rows));
}

static const struct {
    const char *name;
    void (*put)(char out[ENC_MATRIX_CELL_MAX], const struct enc_enclave *enclave);
} ROWS[] = {
    {"schema", schema},
    {"hasDataView", has_dataview},
    {"hasPush", has_push},
    {"hasBootstrap", has_bootstrap},
    {"addressing", addressing},
    {"encrypted", encrypted},
    {"extraRoutes", extra_routes},
    {"reads (GET)", reads},
};
_Static_assert(sizeof ROWS / sizeof ROWS[0] == ENC_MATRIX_ROW_COUNT, "the seed's eight rows");

const char *enc_matrix_name(size_t row)
{
    ENC_CHECK(row < ENC_MATRIX_ROW_COUNT);
    return ROWS[row].name;
}

void enc_matrix_cell(char out[ENC_MATRIX_CELL_MAX], size_t row, const struct enc_enclave *enclave)
{
    ENC_CHECK(row < ENC_MATRIX_ROW_COUNT);
    ROWS[row].put(out, enclave);
}
