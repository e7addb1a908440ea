#include "proto/deflate_offer.h"

#include <criterion/criterion.h>

#define PMD "permessage-deflate"

static struct enc_deflate_terms terms;

static bool take(const char *field)
{
    return enc_deflate_offer_take(&terms, enc_bytes_of_text(field));
}

TestSuite(deflate_offer);

Test(deflate_offer, what_is_taken)
{
    static const struct {
        const char *field;
        unsigned bits;
        bool has_bits;
    } ROWS[] = {
        {PMD, 15, false},
        {"Permessage-Deflate", 15, false},
        {" ,\t, " PMD " , ", 15, false},
        {PMD "; client_max_window_bits", 15, false},
        {PMD ";client_max_window_bits=8", 15, false},
        {PMD "; client_max_window_bits = 15", 15, false},
        {PMD "; server_no_context_takeover; client_no_context_takeover", 15, false},
        {PMD "; SERVER_MAX_WINDOW_BITS=9", 9, true},
        {PMD "; server_max_window_bits=8", 8, true},
        {PMD "; server_max_window_bits=15", 15, true},
        {PMD "; server_max_window_bits=\"10\"", 10, true},
        {PMD "; server_max_window_bits=\"1\\0\"", 10, true},
        {"x-webkit-deflate-frame, " PMD, 15, false},
        {"other; a; b=c; d=\"e\", " PMD "; server_max_window_bits=12", 12, true},
        {PMD "; server_max_window_bits=16, " PMD "; server_max_window_bits=11, " PMD, 11, true},
        {PMD "; what, " PMD, 15, false},
        {PMD ", " PMD "; server_max_window_bits=9", 15, false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        cr_assert(take(ROWS[i].field), "%s", ROWS[i].field);
        cr_assert_eq(terms.window_bits, ROWS[i].bits, "%s", ROWS[i].field);
        cr_assert_eq(terms.has_window_bits, ROWS[i].has_bits, "%s", ROWS[i].field);
    }
}

Test(deflate_offer, what_is_not)
{
    static const char *const ROWS[] = {
        "",
        " ",
        ",",
        "permessage-deflat",
        "permessage-deflate2",
        PMD "; what",
        PMD "; server_no_context_takeover=1",
        PMD "; client_no_context_takeover=\"x\"",
        PMD "; server_no_context_takeover; server_no_context_takeover",
        PMD "; client_max_window_bits; client_max_window_bits=9",
        PMD "; server_max_window_bits=9; server_max_window_bits=9",
        PMD "; server_max_window_bits",
        PMD "; server_max_window_bits=7",
        PMD "; server_max_window_bits=16",
        PMD "; server_max_window_bits=08",
        PMD "; server_max_window_bits=010",
        PMD "; server_max_window_bits=100",
        PMD "; server_max_window_bits=1000",
        PMD "; server_max_window_bits=+9",
        PMD "; server_max_window_bits=9x",
        PMD "; client_max_window_bits=7",
        PMD "; client_max_window_bits=0",
        /* no grammar */
        PMD ";",
        PMD "; ;",
        PMD "; =9",
        PMD "; client_max_window_bits=",
        PMD "; server_max_window_bits=\"\"",
        PMD "; server_max_window_bits=\"9",
        PMD "; server_max_window_bits=\"9\\",
        PMD "; server_max_window_bits=\"9 \"",
        PMD " x",
        PMD ", @",
        "; a, " PMD,
        "a=b, " PMD,
        PMD ", b; c=\x7f",
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        cr_assert_not(take(ROWS[i]), "%s", ROWS[i]);
    cr_assert_not(enc_deflate_offer_take(&terms, enc_bytes_of(PMD "\0", sizeof PMD)));
}

Test(deflate_offer, answer)
{
    char out[ENC_DEFLATE_ANSWER_MAX];
    cr_assert(take(PMD "; client_max_window_bits"));
    cr_assert_eq(enc_deflate_offer_answer(out, &terms), strlen(out));
    cr_assert_str_eq(out, PMD "; server_no_context_takeover; client_no_context_takeover");
    cr_assert(take(PMD "; server_max_window_bits=10"));
    cr_assert_eq(enc_deflate_offer_answer(out, &terms), strlen(out));
    cr_assert_str_eq(out, PMD "; server_no_context_takeover; client_no_context_takeover; "
                              "server_max_window_bits=10");
}
