/* What shifts and masks are in numbers. WP's own theory of bits is thin, so these are admitted, each group where it is of use;
 * tests/proofs/bits.smt2 has each of them again over vectors of bits, where z3 proves it. */
#pragma once

#include <stdint.h>

#ifdef ENC_BITS_HEX
/*@ admit lemma shl_4: \forall integer x; 0 <= x < 1152921504606846976 ==> (x << 4) == x * 16;
    admit lemma shr_4: \forall integer x; 0 <= x < 18446744073709551616 ==> (x >> 4) == x / 16;
    admit lemma shr_6: \forall integer x; 0 <= x < 18446744073709551616 ==> (x >> 6) == x / 64;
    admit lemma shr_12: \forall integer x; 0 <= x < 18446744073709551616 ==> (x >> 12) == x / 4096;
    admit lemma shr_18: \forall integer x; 0 <= x < 18446744073709551616 ==> (x >> 18) == x / 262144;
    admit lemma and_15: \forall integer x; 0 <= x < 18446744073709551616 ==> (x & 15) == x % 16;
    admit lemma and_63: \forall integer x; 0 <= x < 18446744073709551616 ==> (x & 63) == x % 64;
    admit lemma or_4: \forall integer x, y;
        0 <= x < 18446744073709551616 && x % 16 == 0 && 0 <= y < 16 ==> (x | y) == x + y;
    admit lemma or_below_24: \forall integer x, y;
        0 <= x < 16777216 && 0 <= y < 16777216 ==> 0 <= (x | y) < 16777216; */
#endif
#ifdef ENC_BITS_WALK
/*@ admit lemma and_1: \forall integer x; 0 <= x < 18446744073709551616 ==> (x & 1) == x % 2;
    admit lemma shr_1: \forall integer x; 0 <= x < 18446744073709551616 ==> (x >> 1) == x / 2;
    admit lemma pow_none: \forall integer n; n == 0 ==> (1 << n) == 1;
    admit lemma pow_all: \forall integer n; n == 64 ==> (1 << n) == 18446744073709551616;
    admit lemma pow_next: \forall integer n; 0 < n <= 64 ==> (1 << n) == 2 * (1 << (n - 1)); */
#endif
#ifdef ENC_BITS_CBOR
/*@ admit lemma or_5: \forall integer x, y;
        0 <= x < 18446744073709551616 && x % 32 == 0 && 0 <= y < 32 ==> (x | y) == x + y; */
#endif
#ifdef ENC_BITS_SMT
/*@ admit lemma xor_byte: \forall integer x, y; 0 <= x < 256 && 0 <= y < 256 ==> 0 <= (x ^ y) < 256;
    admit lemma xor_some: \forall integer x, y; 0 <= x < 256 && 0 <= y < 256 && x != y ==> 1 <= (x ^ y);
    admit lemma xor_top_0: \forall integer x, y; 0 <= x < 256 && 0 <= y < 256 && 1 <= (x ^ y) < 2 ==>
        x / 2 == y / 2 && x / 1 != y / 1;
    admit lemma xor_top_1: \forall integer x, y; 0 <= x < 256 && 0 <= y < 256 && 2 <= (x ^ y) < 4 ==>
        x / 4 == y / 4 && x / 2 != y / 2;
    admit lemma xor_top_2: \forall integer x, y; 0 <= x < 256 && 0 <= y < 256 && 4 <= (x ^ y) < 8 ==>
        x / 8 == y / 8 && x / 4 != y / 4;
    admit lemma xor_top_3: \forall integer x, y; 0 <= x < 256 && 0 <= y < 256 && 8 <= (x ^ y) < 16 ==>
        x / 16 == y / 16 && x / 8 != y / 8;
    admit lemma xor_top_4: \forall integer x, y; 0 <= x < 256 && 0 <= y < 256 && 16 <= (x ^ y) < 32 ==>
        x / 32 == y / 32 && x / 16 != y / 16;
    admit lemma xor_top_5: \forall integer x, y; 0 <= x < 256 && 0 <= y < 256 && 32 <= (x ^ y) < 64 ==>
        x / 64 == y / 64 && x / 32 != y / 32;
    admit lemma xor_top_6: \forall integer x, y; 0 <= x < 256 && 0 <= y < 256 && 64 <= (x ^ y) < 128 ==>
        x / 128 == y / 128 && x / 64 != y / 64;
    admit lemma xor_top_7: \forall integer x, y; 0 <= x < 256 && 0 <= y < 256 && 128 <= (x ^ y) < 256 ==>
        x / 256 == y / 256 && x / 128 != y / 128;
    admit lemma bit_0: \forall integer x, m; 0 <= x < 256 && m == 0 ==> ((x >> m) & 1) == x / 1 % 2;
    admit lemma bit_1: \forall integer x, m; 0 <= x < 256 && m == 1 ==> ((x >> m) & 1) == x / 2 % 2;
    admit lemma bit_2: \forall integer x, m; 0 <= x < 256 && m == 2 ==> ((x >> m) & 1) == x / 4 % 2;
    admit lemma bit_3: \forall integer x, m; 0 <= x < 256 && m == 3 ==> ((x >> m) & 1) == x / 8 % 2;
    admit lemma bit_4: \forall integer x, m; 0 <= x < 256 && m == 4 ==> ((x >> m) & 1) == x / 16 % 2;
    admit lemma bit_5: \forall integer x, m; 0 <= x < 256 && m == 5 ==> ((x >> m) & 1) == x / 32 % 2;
    admit lemma bit_6: \forall integer x, m; 0 <= x < 256 && m == 6 ==> ((x >> m) & 1) == x / 64 % 2;
    admit lemma bit_7: \forall integer x, m; 0 <= x < 256 && m == 7 ==> ((x >> m) & 1) == x / 128 % 2;
    admit lemma mask32_0: \forall integer x, m; 0 <= x < 256 && m == 0 ==> (uint8_t)(x & (uint32_t)~(255 >> m)) == x - x % 256;
    admit lemma mask32_1: \forall integer x, m; 0 <= x < 256 && m == 1 ==> (uint8_t)(x & (uint32_t)~(255 >> m)) == x - x % 128;
    admit lemma mask32_2: \forall integer x, m; 0 <= x < 256 && m == 2 ==> (uint8_t)(x & (uint32_t)~(255 >> m)) == x - x % 64;
    admit lemma mask32_3: \forall integer x, m; 0 <= x < 256 && m == 3 ==> (uint8_t)(x & (uint32_t)~(255 >> m)) == x - x % 32;
    admit lemma mask32_4: \forall integer x, m; 0 <= x < 256 && m == 4 ==> (uint8_t)(x & (uint32_t)~(255 >> m)) == x - x % 16;
    admit lemma mask32_5: \forall integer x, m; 0 <= x < 256 && m == 5 ==> (uint8_t)(x & (uint32_t)~(255 >> m)) == x - x % 8;
    admit lemma mask32_6: \forall integer x, m; 0 <= x < 256 && m == 6 ==> (uint8_t)(x & (uint32_t)~(255 >> m)) == x - x % 4;
    admit lemma mask32_7: \forall integer x, m; 0 <= x < 256 && m == 7 ==> (uint8_t)(x & (uint32_t)~(255 >> m)) == x - x % 2;
    admit lemma shr_less: \forall integer x, m; 0 <= x < 256 && 0 <= m < 8 ==> 0 <= (x >> m) <= x; */
#endif
#ifdef ENC_BITS_BYTES
/*@ admit lemma shl_8: \forall integer x; 0 <= x < 72057594037927936 ==> (x << 8) == x * 256;
    admit lemma shl_16: \forall integer x; 0 <= x < 281474976710656 ==> (x << 16) == x * 65536;
    admit lemma shl_24: \forall integer x; 0 <= x < 1099511627776 ==> (x << 24) == x * 16777216;
    admit lemma shl_32: \forall integer x; 0 <= x < 4294967296 ==> (x << 32) == x * 4294967296;
    admit lemma or_8: \forall integer x, y;
        0 <= x < 18446744073709551616 && x % 256 == 0 && 0 <= y < 256 ==> (x | y) == x + y;
    admit lemma or_16: \forall integer x, y;
        0 <= x < 18446744073709551616 && x % 65536 == 0 && 0 <= y < 65536 ==> (x | y) == x + y;
    admit lemma or_24: \forall integer x, y;
        0 <= x < 18446744073709551616 && x % 16777216 == 0 && 0 <= y < 16777216 ==> (x | y) == x + y;
    admit lemma or_32: \forall integer x, y;
        0 <= x < 18446744073709551616 && x % 4294967296 == 0 && 0 <= y < 4294967296 ==> (x | y) == x + y;
    admit lemma ro_8: \forall integer x, y;
        0 <= x < 18446744073709551616 && x % 256 == 0 && 0 <= y < 256 ==> (y | x) == x + y;
    admit lemma ro_16: \forall integer x, y;
        0 <= x < 18446744073709551616 && x % 65536 == 0 && 0 <= y < 65536 ==> (y | x) == x + y;
    admit lemma ro_24: \forall integer x, y;
        0 <= x < 18446744073709551616 && x % 16777216 == 0 && 0 <= y < 16777216 ==> (y | x) == x + y;
    admit lemma ro_32: \forall integer x, y;
        0 <= x < 18446744073709551616 && x % 4294967296 == 0 && 0 <= y < 4294967296 ==> (y | x) == x + y;
    admit lemma shr_8: \forall integer x; 0 <= x < 18446744073709551616 ==> (x >> 8) == x / 256;
    admit lemma shr_16: \forall integer x; 0 <= x < 18446744073709551616 ==> (x >> 16) == x / 65536;
    admit lemma shr_24: \forall integer x; 0 <= x < 18446744073709551616 ==> (x >> 24) == x / 16777216;
    admit lemma low_8: \forall integer x; 0 <= x ==> (uint8_t)x == x % 256;
    admit lemma sum_64: \forall integer x; 0 <= x < 18446744073709551616 ==> x ==
        72057594037927936 * (uint8_t)(x >> 56) + 281474976710656 * (uint8_t)(x >> 48) + 1099511627776 * (uint8_t)(x >> 40) +
        4294967296 * (uint8_t)(x >> 32) + 16777216 * (uint8_t)(x >> 24) + 65536 * (uint8_t)(x >> 16) + 256 * (uint8_t)(x >> 8) + (uint8_t)x;
    admit lemma join_64: \forall integer x, y;
        0 <= x < 4294967296 && 0 <= y < 4294967296 ==> (y | (uint64_t)(x << 32)) == 4294967296 * x + y; */
#endif
