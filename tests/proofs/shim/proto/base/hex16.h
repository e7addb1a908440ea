/* proto/base/hex16.h by its contract: frama-c knows no vectors. Its unit test tries every byte at every place. */
#pragma once

#include <stdint.h>
#include <string.h>

/*@ requires \valid(out + (0 .. 31));
    requires \valid_read(in16 + (0 .. 15));
    requires \separated(out + (0 .. 31), in16 + (0 .. 15));
    assigns out[0 .. 31] \from in16[0 .. 15];
    ensures \forall integer i; 0 <= i < 16 ==>
        out[2 * i] == (in16[i] / 16 < 10 ? in16[i] / 16 + '0' : in16[i] / 16 - 10 + 'a') &&
        out[2 * i + 1] == (in16[i] % 16 < 10 ? in16[i] % 16 + '0' : in16[i] % 16 - 10 + 'a'); */
void enc_hex16_encode(char out[32], const uint8_t in16[16]);
