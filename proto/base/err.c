#include "proto/base/err.h"

#define ENC_ERR_ROW(symbol, code, status, retry_s, message) {code, message, status, retry_s},
static const struct enc_err_row ROWS[ENC_ERR_COUNT] = {
#include "proto/base/err.def"
};
#undef ENC_ERR_ROW

const struct enc_err_row *enc_err_row(enum enc_err err)
{
    ENC_CHECK((unsigned)err < ENC_ERR_COUNT);
    return &ROWS[err];
}
