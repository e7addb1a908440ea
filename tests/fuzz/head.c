/* HTTP/1 heads: the verdict is that of a naive reader, which splits first and counts afterwards;
 * what is behind a sound head does not change it, and no part of one is sound. */
#include "net/head.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/naive/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_bytes raw = enc_bytes_of(data, len);
    struct enc_head head = enc_head_check(raw);
    struct naive_head naive = naive_head_read(raw);
    ENC_CHECK(naive.is_sound == (head.fault == NULL));
    ENC_CHECK(head.len <= len);
    if (head.fault)
        return 0;
    ENC_CHECK(head.len == naive.len);
    ENC_CHECK(!enc_head_check(enc_bytes_of(data, head.len)).fault);
    ENC_CHECK(enc_head_check(enc_bytes_of(data, head.len - 1)).fault != NULL);
    return 0;
}
