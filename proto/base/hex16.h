/** Sixteen bytes as hex in one go. Apart from hex.c: verifiers know no vectors. Pure. */
#pragma once

#include <stdint.h>
#include <string.h>

/* As the compiler's vectors: every processor has them in some form. */
typedef uint8_t enc_hex16 __attribute__((vector_size(16)));

static inline enc_hex16 enc_hex16_digits(enc_hex16 values)
{
    return values + '0' + ((enc_hex16)(values > 9) & ('a' - '0' - 10));
}

/** Write the 32 lowercase digits of 16 bytes. */
static inline void enc_hex16_encode(char out[32], const uint8_t in16[16])
{
    enc_hex16 in;
    memcpy(&in, in16, sizeof in);
    enc_hex16 high = enc_hex16_digits(in >> 4);
    enc_hex16 low = enc_hex16_digits(in & 15);
    enc_hex16 first =
        __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    enc_hex16 second = __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                               29, 14, 30, 15, 31);
    memcpy(out, &first, sizeof first);
    memcpy(out + sizeof first, &second, sizeof second);
}
