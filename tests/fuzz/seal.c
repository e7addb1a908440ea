/* Sealed boxes: what was sealed opens to the same; of all other texts near it none opens. What
 * opens at all is what sealing its plain text with its nonce gives, so there is one text per box. */
#include "proto/seal.h"

#include "proto/base/hex.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"

enum { PLAIN_LEN_MAX = 48, TEXT_LEN_MAX = 512, CHANGES_MAX = 4 };

struct text {
    size_t len;
    uint8_t data[TEXT_LEN_MAX];
};

static void replace(struct text *text, struct feed *feed, size_t at)
{
    static const char NEAR[] = "A/+=-_ \n\r.0z";
    if (at < text->len)
        text->data[at] = (uint8_t)NEAR[feed_pick(feed, sizeof NEAR - 1)];
}

static void change_bits(struct text *text, struct feed *feed, size_t at)
{
    if (at < text->len)
        text->data[at] ^= feed_u8(feed);
}

static void insert(struct text *text, struct feed *feed, size_t at)
{
    if (text->len == TEXT_LEN_MAX || at > text->len)
        return;
    memmove(text->data + at + 1, text->data + at, text->len - at);
    text->len++;
    replace(text, feed, at);
}

static void cut(struct text *text, struct feed *feed, size_t at)
{
    size_t len = feed_pick(feed, 5);
    if (at + len > text->len)
        return;
    memmove(text->data + at, text->data + at + len, text->len - at - len);
    text->len -= len;
}

/* Mostly near the end: that is where base64 has more than one way to say something. */
static void change(struct text *text, struct feed *feed)
{
    static void (*const CHANGES[])(struct text *, struct feed *, size_t) = {replace, change_bits,
                                                                            insert, cut};
    unsigned how = feed_u8(feed);
    size_t at = feed_u8(feed);
    at = how & 0x80 ? at : text->len - (at % 8 < text->len ? at % 8 : text->len);
    CHANGES[how % 4](text, feed, at);
}

static void check_canonical(struct enc_arena *arena, const uint8_t key32[32], struct enc_bytes text)
{
    struct enc_bytes plain, raw, again;
    if (enc_seal_open(&plain, arena, key32, text) != ENC_ERR_OK)
        return;
    ENC_CHECK(enc_base64_decode(&raw, arena, text) == ENC_ERR_OK && raw.len == plain.len + 40);
    ENC_CHECK(enc_seal_close(&again, arena, key32, raw.data, plain) == ENC_ERR_OK);
    ENC_CHECK(enc_bytes_equal(again, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena;
    struct enc_bytes sealed, opened;
    struct text text = {.len = 0};
    struct feed feed = feed_of(data, len);
    uint8_t key32[32] = {feed_u8(&feed)}, other32[32], nonce24[24] = {feed_u8(&feed)};
    struct enc_bytes plain = feed_bytes(&feed, feed_pick(&feed, PLAIN_LEN_MAX));
    fuzz_arena(&arena, 0);
    ENC_CHECK(enc_seal_close(&sealed, &arena, key32, nonce24, plain) == ENC_ERR_OK);
    ENC_CHECK(enc_seal_open(&opened, &arena, key32, sealed) == ENC_ERR_OK);
    ENC_CHECK(enc_bytes_equal(opened, plain) && sealed.len <= TEXT_LEN_MAX);
    memcpy(text.data, sealed.data, text.len = sealed.len);
    for (unsigned i = feed_pick(&feed, CHANGES_MAX + 1); i > 0; i--)
        change(&text, &feed);
    struct enc_bytes changed = enc_bytes_of(text.data, text.len);
    bool is_same = enc_bytes_equal(changed, sealed);
    enum enc_err err = enc_seal_open(&opened, &arena, key32, changed);
    ENC_CHECK(err == (is_same ? ENC_ERR_OK : ENC_ERR_DECRYPT_FAILED));
    check_canonical(&arena, key32, feed_rest(&feed));
    memcpy(other32, key32, 32);
    other32[31] ^= 1;
    ENC_CHECK(enc_seal_open(&opened, &arena, other32, sealed) == ENC_ERR_DECRYPT_FAILED);
    return 0;
}
