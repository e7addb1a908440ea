/* Heads of the PROXY protocol: what is whole lies in the bytes, and no more bytes make it another. */
#include "proto/proxy_head.h"
#include "proto/base/check.h"

static bool lies_in(struct enc_bytes part, const uint8_t *data, size_t len)
{
    return part.len == 0 || (part.data >= data && part.data + part.len <= data + len);
}

static void check_whole(const struct enc_proxy_head *head, const uint8_t *data, size_t len)
{
    struct enc_proxy_head again;
    ENC_CHECK(head->len > 0 && head->len <= len);
    ENC_CHECK(head->family == 0 || head->family == 4 || head->family == 6);
    ENC_CHECK(lies_in(head->text, data, head->len) && lies_in(head->address, data, head->len));
    ENC_CHECK(enc_proxy_head_read(&again, enc_bytes_of(data, head->len)) == ENC_PROXY_WHOLE);
    ENC_CHECK(again.len == head->len && again.port == head->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_proxy_head head;
    enum enc_proxy_status status = enc_proxy_head_read(&head, enc_bytes_of(data, len));
    if (status == ENC_PROXY_WHOLE)
        check_whole(&head, data, len);
    ENC_CHECK(status != ENC_PROXY_MORE || len < 552);
    return 0;
}
