/** The one closed list of outcomes. Rows live in err.def. Pure; any thread. */
#pragma once

#include "proto/base/check.h"

#include <stdint.h>

#define ENC_ERR_ROW(symbol, code, status, retry_s, message) ENC_ERR_##symbol,
enum enc_err {
#include "proto/base/err.def"
    ENC_ERR_COUNT
};
#undef ENC_ERR_ROW

/** One row of the catalogue. Static storage. */
struct enc_err_row {
    const char *code;    /* wire name, "INVALID_HASH" */
    const char *message; /* default text for people */
    uint16_t http_status;
    uint16_t retry_s; /* Retry-After, 0 = none */
};

/** The row of an outcome; aborts on a value outside the list. */
const struct enc_err_row *enc_err_row(enum enc_err err);

/** An outcome with the pipeline step (1-14) that refused; step 0 = outside the pipeline. */
struct enc_verdict {
    enum enc_err err;
    uint8_t step;
};

/** Hand an error of an inner call to the caller, unchanged. The one control-flow macro. */
#define ENC_TRY(call)                                                                              \
    do {                                                                                           \
        enum enc_err enc_try_err = (call);                                                         \
        if (enc_try_err != ENC_ERR_OK)                                                             \
            return enc_try_err;                                                                    \
    } while (0)
