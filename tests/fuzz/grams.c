/* Any bytes as a block and a query: an error, or documents in order; none from what passed the check. */
#include "proto/grams.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_grams_docs docs;
    if (len == 0 || data[0] >= len)
        return 0;
    struct enc_bytes query = enc_bytes_of(data + 1, data[0]);
    struct enc_bytes block = enc_bytes_of(data + 1 + query.len, len - 1 - query.len);
    bool is_good = enc_grams_check(block) == ENC_ERR_OK;
    if (enc_grams_find(&docs, block, query) != ENC_ERR_OK) {
        ENC_CHECK(!is_good);
        return 0;
    }
    ENC_CHECK(docs.count <= ENC_GRAMS_DOCS_MAX && docs.count <= enc_be32_get(block.data + 4));
    for (size_t i = 0; i < docs.count; i++)
        ENC_CHECK(docs.docs[i] < enc_be32_get(block.data + 4) &&
                  (i == 0 || docs.docs[i - 1] < docs.docs[i]));
    return 0;
}
