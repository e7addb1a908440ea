/**
 * Sealed strings: base64 of nonce || XChaCha20-Poly1305 ciphertext || tag, no additional data
 * (protocol.md 1.4). Pure; any thread.
 */
#pragma once

#include "proto/base/arena.h"

enum {
    ENC_SEAL_EXTRA_LEN = 40, /* nonce and tag: bytes beyond the plain text, before base64 */
};

/**
 * Open a sealed string; plain lives in arena.
 * Errors: DECRYPT_FAILED (no strict base64, shorter than 40 bytes, not sealed with this key);
 *          TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_seal_open(struct enc_bytes *plain, struct enc_arena *arena,
                                        const uint8_t key32[32], struct enc_bytes base64);

/**
 * Seal plain; base64 lives in arena. nonce24 must be fresh randomness for every call under one key.
 * Errors: TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_seal_close(struct enc_bytes *base64, struct enc_arena *arena,
                                         const uint8_t key32[32], const uint8_t nonce24[24],
                                         struct enc_bytes plain);
