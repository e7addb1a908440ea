/** The capability matrix (seed V): what the seven fields of a service come to. Pure; any thread. */
#pragma once

#include "services/enclave.h"

enum { ENC_MATRIX_ROW_COUNT = 8, ENC_MATRIX_CELL_MAX = 24 };

/** The seed's name of a row, "hasDataView"; an index out of range aborts. Static storage. */
const char *enc_matrix_name(size_t row);

/** The cell of a service in that row, as UTF-8; computed from its fields. */
void enc_matrix_cell(char out[ENC_MATRIX_CELL_MAX], size_t row, const struct enc_enclave *enclave);
