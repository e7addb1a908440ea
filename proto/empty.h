/** The hash that stands for "nothing" in every tree. Constant; any thread. */
#pragma once

#include <stdint.h>

/**
 * SHA-256 of the empty string: an empty SMT subtree and the root of an empty log (protocol.md 6,
 * 7.2).
 */
extern const uint8_t enc_empty32[32];
