/* Offers of permessage-deflate: what is taken is in bounds, and our answer to it is an offer that
 * says the same. */
#include "proto/deflate_offer.h"
#include "proto/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_deflate_terms terms, again;
    char answer[ENC_DEFLATE_ANSWER_MAX];
    if (!enc_deflate_offer_take(&terms, enc_bytes_of(data, len)))
        return 0;
    ENC_CHECK(terms.window_bits >= 8 && terms.window_bits <= 15);
    ENC_CHECK(terms.has_window_bits || terms.window_bits == 15);
    size_t answer_len = enc_deflate_offer_answer(answer, &terms);
    ENC_CHECK(answer_len < sizeof answer);
    ENC_CHECK(enc_deflate_offer_take(&again, enc_bytes_of(answer, answer_len)));
    ENC_CHECK(again.window_bits == terms.window_bits);
    ENC_CHECK(again.has_window_bits == terms.has_window_bits);
    return 0;
}
