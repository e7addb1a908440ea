#include "services/matrix.h"

#include "services/host.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { COLUMNS = 4 };

/* The table of the seed's section V, as it stands there. */
static const struct {
    const char *name;
    const char *cells[COLUMNS];
} SEED[] = {
    {"", {"enc-node", "registry", "chat", "timeline"}},
    {"schema", {"dynamic", "static", "static", "static"}},
    {"hasDataView", {"✗", "✓", "✗", "✓"}},
    {"hasPush", {"✓", "✗", "✗", "✗"}},
    {"hasBootstrap", {"✗", "✗", "✓", "✓"}},
    {"addressing", {"perReq 1", "singleton", "perReq", "perReq"}},
    {"encrypted", {"✓", "✗", "✗", "✗"}},
    {"extraRoutes", {"2", "6", "0", "8"}},
    {"reads (GET)", {"0", "5", "0", "7"}},
};

/* Its last two "perReq" are short for the ".perRequest 1" of section IV. */
static const char *in_full(const char *cell)
{
    return strcmp(cell, "perReq") == 0 ? "perReq 1" : cell;
}

static const struct enc_service *service_of(const char *name)
{
    for (size_t i = 0; i < enc_service_count(); i++)
        if (strcmp(enc_service_at(i)->name, name) == 0)
            return enc_service_at(i);
    return NULL;
}

static void compare(size_t row, size_t column)
{
    char cell[ENC_MATRIX_CELL_MAX];
    const char *name = SEED[0].cells[column];
    const char *seed = in_full(SEED[row + 1].cells[column]);
    enc_matrix_cell(cell, row, &service_of(name)->enclave);
    cr_assert_str_eq(cell, seed, "%s of %s is %s, the seed says %s", enc_matrix_name(row), name,
                     cell, seed);
    printf("%-10s", cell);
}

Test(matrix, every_cell_is_the_seeds)
{
    for (size_t row = 0; row < ENC_MATRIX_ROW_COUNT; row++) {
        cr_assert_str_eq(enc_matrix_name(row), SEED[row + 1].name);
        printf("\n%-14s", enc_matrix_name(row));
        for (size_t column = 0; column < COLUMNS; column++)
            compare(row, column);
    }
    printf("\n");
}

Test(matrix, the_columns_are_the_services_of_the_build_in_their_order)
{
    cr_assert_eq(enc_service_count(), COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++)
        cr_assert_str_eq(enc_service_at(i)->name, SEED[0].cells[i]);
}
