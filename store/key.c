#include "store/key.h"

void enc_row_key_init(struct enc_row_key *key)
{
    key->len = 0;
}

void enc_row_key_bytes(struct enc_row_key *key, struct enc_bytes part)
{
    ENC_CHECK(part.len <= (size_t)(ENC_ROW_KEY_LEN_MAX - key->len));
    if (part.len)
        memcpy(key->data + key->len, part.data, part.len);
    key->len = (uint16_t)(key->len + part.len);
}

void enc_row_key_u8(struct enc_row_key *key, uint8_t value)
{
    enc_row_key_bytes(key, enc_bytes_of(&value, 1));
}

void enc_row_key_u32(struct enc_row_key *key, uint32_t value)
{
    uint8_t part[4];
    enc_be32_put(part, value);
    enc_row_key_bytes(key, enc_bytes_of(part, sizeof part));
}

void enc_row_key_u64(struct enc_row_key *key, uint64_t value)
{
    uint8_t part[8];
    enc_be64_put(part, value);
    enc_row_key_bytes(key, enc_bytes_of(part, sizeof part));
}

void enc_row_key_top(struct enc_row_key *key)
{
    memset(key->data + key->len, 0xff, (size_t)(ENC_ROW_KEY_LEN_MAX - key->len));
    key->len = ENC_ROW_KEY_LEN_MAX;
}

struct enc_bytes enc_row_key_view(const struct enc_row_key *key)
{
    return enc_bytes_of(key->data, key->len);
}

int enc_row_key_compare(struct enc_bytes a, struct enc_bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

void enc_row_key_numbered(struct enc_row_key *key, uint64_t ord, uint64_t number)
{
    enc_row_key_init(key);
    enc_row_key_u64(key, ord);
    enc_row_key_u64(key, number);
}

void enc_row_key_queued(struct enc_row_key *key, uint64_t ord, const uint8_t queue16[16],
                        uint64_t number)
{
    enc_row_key_init(key);
    enc_row_key_u64(key, ord);
    enc_row_key_bytes(key, enc_bytes_of(queue16, 16));
    enc_row_key_u64(key, number);
}
