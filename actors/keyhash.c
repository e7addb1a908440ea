#include "actors/keyhash.h"

#include "actors/splitmix.h"

void enc_keyhash_init(struct enc_keyhash *hash, uint64_t seed)
{
    for (unsigned i = 0; i < 9; i++)
        hash->factors[i] = enc_splitmix(&seed);
}

/* Multilinear over 32-bit words with 64-bit factors, upper half: strongly universal. */
uint32_t enc_keyhash_of(const struct enc_keyhash *hash, const uint8_t key32[32])
{
    uint64_t sum = hash->factors[0];
    for (size_t i = 0; i < 8; i++)
        sum += hash->factors[i + 1] * enc_be32_get(key32 + 4 * i);
    return (uint32_t)(sum >> 32);
}
