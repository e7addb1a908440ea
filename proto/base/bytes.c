#include "proto/base/bytes.h"

struct enc_bytes enc_bytes_cut(struct enc_bytes *left, char stop)
{
    const uint8_t *at = left->len ? (const uint8_t *)memchr(left->data, stop, left->len) : NULL;
    size_t len = at ? (size_t)(at - left->data) : left->len;
    struct enc_bytes head = enc_bytes_of(left->data, len);
    size_t eaten = at ? len + 1 : len;
    if (eaten)
        *left = enc_bytes_of(left->data + eaten, left->len - eaten);
    return head;
}
