#include "link.h"

#include <openssl/aead.h>
#include <openssl/crypto.h>
#include <openssl/digest.h>
#include <openssl/hkdf.h>
#include <openssl/mem.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static bool is_hex(const uint8_t *data, size_t len, const char *hex)
{
    for (size_t i = 0; i < len; i++) {
        char pair[3];
        snprintf(pair, sizeof pair, "%02x", data[i]);
        if (memcmp(pair, hex + 2 * i, 2) != 0)
            return false;
    }
    return strlen(hex) == 2 * len;
}

static void count_up(uint8_t *data, size_t len, uint8_t first)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(first + i);
}

static bool sha256_answers(void)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256((const uint8_t *)"abc", 3, digest);
    return is_hex(digest, sizeof digest,
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 5869, test case 1. */
static bool hkdf_answers(void)
{
    uint8_t key22[22], salt13[13], info10[10], out42[42];
    memset(key22, 0x0b, sizeof key22);
    count_up(salt13, sizeof salt13, 0x00);
    count_up(info10, sizeof info10, 0xf0);
    return HKDF(out42, sizeof out42, EVP_sha256(), key22, sizeof key22, salt13, sizeof salt13,
                info10, sizeof info10) &&
           is_hex(out42, sizeof out42,
                  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
                  "34007208d5b887185865");
}

static const char SUNSCREEN[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
                                "only one tip for the future, sunscreen would be it.";

/* draft-irtf-cfrg-xchacha-03, A.3.1. */
static const char SUNSCREEN_SEALED[] =
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e"
    "39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3"
    "fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";

static bool aead_answers(void)
{
    static const uint8_t AD[12] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1,
                                   0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
    uint8_t key32[32], nonce24[24], sealed[160], opened[160];
    size_t sealed_len, opened_len, len = strlen(SUNSCREEN);
    count_up(key32, sizeof key32, 0x80);
    count_up(nonce24, sizeof nonce24, 0x40);

    EVP_AEAD_CTX *ctx = EVP_AEAD_CTX_new(EVP_aead_xchacha20_poly1305(), key32, sizeof key32,
                                         EVP_AEAD_DEFAULT_TAG_LENGTH);
    bool ok = ctx &&
              EVP_AEAD_CTX_seal(ctx, sealed, &sealed_len, sizeof sealed, nonce24, sizeof nonce24,
                                (const uint8_t *)SUNSCREEN, len, AD, sizeof AD) &&
              is_hex(sealed, sealed_len, SUNSCREEN_SEALED) &&
              EVP_AEAD_CTX_open(ctx, opened, &opened_len, sizeof opened, nonce24, sizeof nonce24,
                                sealed, sealed_len, AD, sizeof AD) &&
              opened_len == len && memcmp(opened, SUNSCREEN, len) == 0;
    sealed[0] ^= 1;
    ok = ok && !EVP_AEAD_CTX_open(ctx, opened, &opened_len, sizeof opened, nonce24, sizeof nonce24,
                                  sealed, sealed_len, AD, sizeof AD);
    EVP_AEAD_CTX_free(ctx);
    return ok;
}

bool bssl_answers(void)
{
    return sha256_answers() && hkdf_answers() && aead_answers();
}
