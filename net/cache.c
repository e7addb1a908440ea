#include "net/cache.h"

#include "proto/base/hex.h"
#include "proto/sha256.h"

enum { TAG_HASH_LEN = 16, WEAK_LEN = 2, TAG_LEN = WEAK_LEN + 2 + 2 * TAG_HASH_LEN };

/* W/"hex"; the strong form begins behind W/. */
static char *tag_of(h2o_req_t *req, struct enc_bytes body)
{
    uint8_t hash32[32];
    char *tag = h2o_mem_alloc_pool(&req->pool, TAG_LEN);
    enc_sha256(hash32, body);
    memcpy(tag, "W/\"", 3);
    enc_hex_encode(tag + 3, enc_bytes_of(hash32, TAG_HASH_LEN));
    tag[TAG_LEN - 1] = '"';
    return tag;
}

static struct enc_bytes trim(struct enc_bytes text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = enc_bytes_of(text.data + 1, text.len - 1);
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* RFC 9110 13.1.2: any of a list, compared weakly. */
static bool names(struct enc_bytes list, struct enc_bytes strong)
{
    while (list.len > 0) {
        struct enc_bytes item = trim(enc_bytes_cut(&list, ','));
        if (item.len > WEAK_LEN && memcmp(item.data, "W/", WEAK_LEN) == 0)
            item = enc_bytes_of(item.data + WEAK_LEN, item.len - WEAK_LEN);
        if (enc_bytes_equal(item, strong) || enc_bytes_is(item, "*"))
            return true;
    }
    return false;
}

bool enc_cache_tag(h2o_req_t *req, struct enc_bytes body, bool is_coded)
{
    char *tag = tag_of(req, body);
    size_t skipped = is_coded ? 0 : WEAK_LEN;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_ETAG, NULL, tag + skipped,
                   TAG_LEN - skipped);
    ssize_t at = h2o_find_header(&req->headers, H2O_TOKEN_IF_NONE_MATCH, -1);
    if (at == -1)
        return false;
    h2o_iovec_t asked = req->headers.entries[at].value;
    return names(enc_bytes_of(asked.base, asked.len),
                 enc_bytes_of(tag + WEAK_LEN, TAG_LEN - WEAK_LEN));
}
