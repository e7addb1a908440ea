#include "net/follow.h"

#include "proto/base/hex.h"
#include "proto/schnorr.h"

#include <stdlib.h>

enum { HEX_LEN = 64 };

bool enc_public_key_parse(uint8_t out32[32], const char *text)
{
    return enc_hex_decode(out32, 32, enc_bytes_of_text(text)) && enc_point_lifts(out32);
}

bool enc_follow_parse(struct enc_follow *out, const char *text)
{
    return strlen(text) == 2 * HEX_LEN + 1 && text[HEX_LEN] == '/' &&
           enc_hex_decode(out->enclave32, 32, enc_bytes_of(text, HEX_LEN)) &&
           enc_public_key_parse(out->pub32, text + HEX_LEN + 1);
}

static bool is_before(const struct enc_config_list *list, size_t end, const uint8_t enclave32[32])
{
    struct enc_follow other;
    for (size_t i = 0; i < end; i++)
        if (enc_follow_parse(&other, list->items[i]) && memcmp(other.enclave32, enclave32, 32) == 0)
            return true;
    return false;
}

const char *enc_follows_check(const struct enc_config_list *list, const char **item)
{
    struct enc_follow follow;
    for (size_t i = 0; i < list->count; i++) {
        *item = list->items[i];
        if (!enc_follow_parse(&follow, *item))
            return "not ENCLAVE/SEQUENCER, an id and a public key of 64 hex digits";
        if (is_before(list, i, follow.enclave32))
            return "an enclave that was given before";
    }
    return NULL;
}

struct enc_follow *enc_follows_new(const struct enc_config_list *list)
{
    if (list->count == 0)
        return NULL;
    struct enc_follow *follows = (struct enc_follow *)calloc(list->count, sizeof *follows);
    ENC_CHECK(follows != NULL);
    for (size_t i = 0; i < list->count; i++)
        ENC_CHECK(enc_follow_parse(&follows[i], list->items[i]));
    return follows;
}
