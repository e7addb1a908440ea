#include "proto/seal.h"

#include "proto/base/hex.h"
#include "proto/base/stack.h"

#include <openssl/aead.h>
#include <openssl/mem.h>

enum { NONCE_LEN = 24, TAG_LEN = 16 };

static void start(EVP_AEAD_CTX *ctx, const uint8_t key32[32])
{
    ENC_CHECK(EVP_AEAD_CTX_init(ctx, EVP_aead_xchacha20_poly1305(), key32, 32, TAG_LEN, NULL));
}

static void stop(EVP_AEAD_CTX *ctx)
{
    EVP_AEAD_CTX_cleanup(ctx);
    OPENSSL_cleanse(ctx, sizeof *ctx);
    enc_stack_wipe(); /* the key of this nonce */
}

/* In place: the plain text replaces the ciphertext. */
static bool open_in_place(uint8_t *data, size_t *plain_len, size_t sealed_len,
                          const uint8_t key32[32])
{
    EVP_AEAD_CTX ctx;
    start(&ctx, key32);
    uint8_t *sealed = data + NONCE_LEN;
    size_t len = sealed_len - NONCE_LEN;
    int ok = EVP_AEAD_CTX_open(&ctx, sealed, plain_len, len, data, NONCE_LEN, sealed, len, NULL, 0);
    stop(&ctx);
    return ok == 1;
}

enum enc_err enc_seal_open(struct enc_bytes *plain, struct enc_arena *arena,
                           const uint8_t key32[32], struct enc_bytes base64)
{
    struct enc_bytes sealed;
    ENC_TRY(enc_base64_decode(&sealed, arena, base64));
    if (sealed.len < ENC_SEAL_EXTRA_LEN)
        return ENC_ERR_DECRYPT_FAILED;
    uint8_t *data = (uint8_t *)sealed.data; /* ours: decoded into the arena just now */
    size_t plain_len;
    if (!open_in_place(data, &plain_len, sealed.len, key32))
        return ENC_ERR_DECRYPT_FAILED;
    *plain = enc_bytes_of(data + NONCE_LEN, plain_len);
    return ENC_ERR_OK;
}

enum enc_err enc_seal_close(struct enc_bytes *base64, struct enc_arena *arena,
                            const uint8_t key32[32], const uint8_t nonce24[24],
                            struct enc_bytes plain)
{
    size_t len = plain.len + ENC_SEAL_EXTRA_LEN;
    uint8_t *sealed = (uint8_t *)enc_arena_take(arena, len);
    char *text = (char *)enc_arena_take(arena, enc_base64_len(len));
    if (!sealed || !text)
        return ENC_ERR_TOO_LARGE;
    memcpy(sealed, nonce24, NONCE_LEN);
    EVP_AEAD_CTX ctx;
    size_t got;
    start(&ctx, key32);
    ENC_CHECK(EVP_AEAD_CTX_seal(&ctx, sealed + NONCE_LEN, &got, len - NONCE_LEN, nonce24, NONCE_LEN,
                                plain.data, plain.len, NULL, 0));
    stop(&ctx);
    enc_base64_encode(text, enc_bytes_of(sealed, len));
    *base64 = enc_bytes_of(text, enc_base64_len(len));
    return ENC_ERR_OK;
}
