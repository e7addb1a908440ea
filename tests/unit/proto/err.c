#include "proto/base/err.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

Test(err, every_row_is_complete)
{
    for (unsigned err = ENC_ERR_OK + 1; err < ENC_ERR_COUNT; err++) {
        const struct enc_err_row *row = enc_err_row((enum enc_err)err);
        cr_assert_gt(strlen(row->code), 0);
        cr_assert_eq(strspn(row->code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), strlen(row->code));
        cr_assert_gt(strlen(row->message), 0);
        cr_assert(row->http_status >= 400 && row->http_status <= 503, "%s", row->code);
    }
}

/* protocol.md 8.7; RATE_LIMITED has two rows, one of them for a busy node. */
Test(err, statuses_of_the_catalogue)
{
    static const struct {
        enum enc_err err;
        const char *code;
        uint16_t status;
    } ROWS[] = {
        {ENC_ERR_OK, "OK", 200},
        {ENC_ERR_INVALID_REQUEST, "INVALID_REQUEST", 400},
        {ENC_ERR_DECRYPT_FAILED, "DECRYPT_FAILED", 400},
        {ENC_ERR_SESSION_EXPIRED, "SESSION_EXPIRED", 401},
        {ENC_ERR_UNAUTHORIZED, "UNAUTHORIZED", 403},
        {ENC_ERR_ENCLAVE_NOT_FOUND, "ENCLAVE_NOT_FOUND", 404},
        {ENC_ERR_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", 405},
        {ENC_ERR_DUPLICATE, "DUPLICATE", 409},
        {ENC_ERR_ENCLAVE_MIGRATED, "ENCLAVE_MIGRATED", 410},
        {ENC_ERR_TOO_LARGE, "TOO_LARGE", 413},
        {ENC_ERR_RATE_LIMITED, "RATE_LIMITED", 429},
        {ENC_ERR_INTERNAL, "INTERNAL_ERROR", 500},
        {ENC_ERR_PUSH_UNSUPPORTED, "PUSH_UNSUPPORTED", 501},
        {ENC_ERR_BUSY, "RATE_LIMITED", 503},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        cr_assert_str_eq(enc_err_row(ROWS[i].err)->code, ROWS[i].code);
        cr_assert_eq(enc_err_row(ROWS[i].err)->http_status, ROWS[i].status);
    }
    cr_assert_gt(enc_err_row(ENC_ERR_BUSY)->retry_s, 0);
}

Test(err, a_value_outside_the_list_aborts, .signal = SIGABRT)
{
    enc_err_row(ENC_ERR_COUNT);
}

static enum enc_err hand_on(enum enc_err err, bool *went_on)
{
    ENC_TRY(err);
    *went_on = true;
    return ENC_ERR_OK;
}

Test(err, try_hands_errors_on)
{
    bool went_on = false;
    cr_assert_eq(hand_on(ENC_ERR_TOO_LARGE, &went_on), ENC_ERR_TOO_LARGE);
    cr_assert_not(went_on);
    cr_assert_eq(hand_on(ENC_ERR_OK, &went_on), ENC_ERR_OK);
    cr_assert(went_on);
}
