/** A small generator of 64-bit numbers, a function of its state alone. Not for secrets. */
#pragma once

#include <stdint.h>

static inline uint64_t enc_splitmix(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}
