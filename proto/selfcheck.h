/**
 * Known answers at startup: a node whose library was swapped or miscompiled must not sign history.
 */
#pragma once

#include <stdbool.h>

/**
 * SHA-256 (FIPS 180-4), HKDF-SHA256 and XChaCha20-Poly1305 give the published answers. Any thread,
 * microseconds.
 */
bool enc_crypto_self_check(void);
