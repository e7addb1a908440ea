/* Included before every source that frama-c reads: what it does not know of gnu17 and of glibc. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bits.h"

#define _Noreturn __attribute__((noreturn))
#define _Alignas(alignment)
#define _Static_assert(condition, text) struct enc_static_assert
#define __builtin_clz enc_model_clz
#define __builtin_clzll enc_model_clzll

/*@ requires x != 0;
    assigns \result \from x;
    ensures 0 <= \result <= 31 && (x < 16777216 ==> \result >= 8);
    ensures 2147483648 <= x ==> \result == 0;
    ensures 1073741824 <= x < 2147483648 ==> \result == 1;
    ensures 536870912 <= x < 1073741824 ==> \result == 2;
    ensures 268435456 <= x < 536870912 ==> \result == 3;
    ensures 134217728 <= x < 268435456 ==> \result == 4;
    ensures 67108864 <= x < 134217728 ==> \result == 5;
    ensures 33554432 <= x < 67108864 ==> \result == 6;
    ensures 16777216 <= x < 33554432 ==> \result == 7; */
int enc_model_clz(unsigned x);

/*@ requires x != 0;
    assigns \result \from x;
    ensures 0 <= \result <= 63;
    ensures (1 << (63 - \result)) <= x < (1 << (64 - \result)); */
int enc_model_clzll(unsigned long long x);

/* A check is a promise to keep. */
/*@ requires \false;
    assigns \nothing;
    exits \true;
    ensures \false; */
_Noreturn void enc_check_failed(const char *condition, const char *file, int line);

/* WP's memory has types, so what the C library says of char is said again of bytes. */
/*@ requires \valid(out + (0 .. len - 1)) && \valid_read(in + (0 .. len - 1));
    requires \separated(out + (0 .. len - 1), in + (0 .. len - 1));
    assigns out[0 .. len - 1] \from in[0 .. len - 1];
    ensures \forall integer i; 0 <= i < len ==> out[i] == \old(in[i]); */
void enc_model_copy(uint8_t *out, const uint8_t *in, size_t len);

/*@ requires \valid(out + (0 .. len - 1));
    assigns out[0 .. len - 1] \from byte;
    ensures \forall integer i; 0 <= i < len ==> out[i] == (uint8_t)byte; */
void enc_model_set(uint8_t *out, int byte, size_t len);

/*@ predicate enc_before8{L}(uint8_t *a, uint8_t *b) =
      a[0] < b[0] || (a[0] == b[0] && (a[1] < b[1] || (a[1] == b[1] && (a[2] < b[2] || (a[2] == b[2] && (
        a[3] < b[3] || (a[3] == b[3] && (a[4] < b[4] || (a[4] == b[4] && (a[5] < b[5] || (a[5] == b[5] && (
        a[6] < b[6] || (a[6] == b[6] && (a[7] < b[7])))))))))))))); */

/*@ requires \valid_read(a + (0 .. len - 1)) && \valid_read(b + (0 .. len - 1));
    assigns \result \from a[0 .. len - 1], b[0 .. len - 1];
    ensures \result == 0 <==> \forall integer i; 0 <= i < len ==> a[i] == b[i];
    ensures \result < 0 ==> \exists integer i; 0 <= i < len && a[i] < b[i] &&
                            \forall integer j; 0 <= j < i ==> a[j] == b[j];
    ensures \result > 0 ==> \exists integer i; 0 <= i < len && a[i] > b[i] &&
                            \forall integer j; 0 <= j < i ==> a[j] == b[j];
    ensures len == 8 ==> (\result < 0 <==> enc_before8(a, b)) && (\result > 0 <==> enc_before8(b, a)); */
int enc_model_compare(const uint8_t *a, const uint8_t *b, size_t len);

/*@ requires \valid_read(in + (0 .. len - 1));
    assigns \result \from in, in[0 .. len - 1], byte;
    ensures \result == \null ==> \forall integer i; 0 <= i < len ==> in[i] != (uint8_t)byte;
    ensures \result != \null ==> \exists integer i; 0 <= i < len && \result == in + i &&
        in[i] == (uint8_t)byte && \forall integer j; 0 <= j < i ==> in[j] != (uint8_t)byte; */
const uint8_t *enc_model_find(const uint8_t *in, int byte, size_t len);

#define memcpy(out, in, len) enc_model_copy((uint8_t *)(out), (const uint8_t *)(in), (len))
#define memset(out, byte, len) enc_model_set((uint8_t *)(out), (byte), (len))
#define memcmp(a, b, len) enc_model_compare((const uint8_t *)(a), (const uint8_t *)(b), (len))
#define memchr(in, byte, len) enc_model_find((const uint8_t *)(in), (byte), (len))
