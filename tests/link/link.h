/** Two TLS and crypto libraries with equal names in one process: each half proves that it calls its own. */
#pragma once

#include <stdbool.h>

/** Known answers of BoringSSL: SHA-256, HKDF-SHA256, XChaCha20-Poly1305. */
bool bssl_answers(void);

/** A TLS 1.3 handshake of OpenSSL with itself, over memory, and a known answer of its SHA-256. */
bool openssl_shakes_hands(void);
