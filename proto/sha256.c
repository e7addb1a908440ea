#include "proto/sha256.h"

#include "proto/base/stack.h"

#include <openssl/digest.h>
#include <openssl/hkdf.h>
#include <openssl/sha.h>

void enc_sha256(uint8_t out32[32], struct enc_bytes bytes)
{
    SHA256(bytes.data, bytes.len, out32);
}

void enc_sha256_parts(uint8_t out32[32], const struct enc_bytes *parts, size_t count)
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    for (size_t i = 0; i < count; i++)
        SHA256_Update(&ctx, parts[i].data, parts[i].len);
    SHA256_Final(out32, &ctx);
}

void enc_hkdf(uint8_t *out, size_t out_len, struct enc_bytes ikm, struct enc_bytes info)
{
    ENC_CHECK(HKDF(out, out_len, EVP_sha256(), ikm.data, ikm.len, NULL, 0, info.data, info.len));
    enc_stack_wipe();
}

void enc_hkdf32(uint8_t out32[32], const uint8_t ikm32[32], const char *label)
{
    enc_hkdf(out32, 32, enc_bytes_of(ikm32, 32), enc_bytes_of_text(label));
}
