/**
 * BIP-340 on secp256k1: keys, signatures, ECDH and the point arithmetic of session tokens. Public
 * keys are x-only: 32 bytes, big-endian, even y. Nothing here allocates; secrets in temporaries are
 * wiped.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

/**
 * Precomputed, blinded curve context in the caller's memory. Read-only after init: share it among
 * all threads.
 */
struct enc_curve;

/** Bytes of memory a curve needs. */
size_t enc_curve_size(void);

/**
 * Build a curve in memory of enc_curve_size() bytes, aligned to 16. seed32 is random and blinds the
 * work with secrets against side channels; the caller wipes it. Runs the library's self test. One
 * thread.
 */
ENC_MUST_USE struct enc_curve *enc_curve_init(void *memory, const uint8_t seed32[32]);

/** Wipe the blinding. The memory is the caller's again; nobody may use the curve any more. */
void enc_curve_fini(struct enc_curve *curve);

/**
 * A private key with its public half. Secret: wipe it, keep it out of arenas and logs. May be
 * copied.
 */
struct enc_key {
    uint8_t pub32[32];
    _Alignas(16) uint8_t opaque96[96];
};

/**
 * A public key that was lifted once, so that verifying does not lift it again. Not secret. May be
 * copied.
 */
struct enc_point {
    _Alignas(16) uint8_t opaque64[64];
};

/**
 * Make key from a private scalar. False, and key is wiped, when it is 0 or not below the group
 * order.
 */
ENC_MUST_USE bool enc_key_init(struct enc_key *key, const struct enc_curve *curve,
                               const uint8_t priv32[32]);

/** Overwrite the whole key so that the compiler cannot leave it out. */
void enc_key_wipe(struct enc_key *key);

/**
 * Deterministic signature of a digest: BIP-340 with 32 zero bytes of auxiliary randomness
 * (protocol.md 1.1).
 */
void enc_schnorr_sign(const struct enc_curve *curve, uint8_t sig64[64], const struct enc_key *key,
                      const uint8_t msg32[32]);

/**
 * Whether sig64 is any valid BIP-340 signature of msg32 under pub32. False also when pub32 does not
 * lift.
 */
ENC_MUST_USE bool enc_schnorr_verify(const struct enc_curve *curve, const uint8_t sig64[64],
                                     const uint8_t msg32[32], const uint8_t pub32[32]);

/** enc_schnorr_verify under a key that was lifted before; saves about a seventh of the work. */
ENC_MUST_USE bool enc_schnorr_verify_point(const struct enc_curve *curve, const uint8_t sig64[64],
                                           const uint8_t msg32[32], const struct enc_point *point);

/** lift_x: the point of even y with this x coordinate. False when there is none. */
ENC_MUST_USE bool enc_point_lift(struct enc_point *out, const uint8_t pub32[32]);

/** Whether pub32 lifts, i.e. is a public key at all. */
ENC_MUST_USE bool enc_point_lifts(const uint8_t pub32[32]);

/**
 * The x coordinate of priv * lift_x(pub), raw; the parity of either key does not matter. The caller
 * wipes shared32. False when pub32 does not lift; shared32 is then zero.
 * Source: protocol.md 1.4
 */
ENC_MUST_USE bool enc_ecdh_x(const struct enc_curve *curve, uint8_t shared32[32],
                             const struct enc_key *key, const uint8_t pub32[32]);

/**
 * x(lift_x(base) + factor * lift_x(pub)), factor taken modulo the group order. Variable time: no
 * secrets in here. False when either does not lift, factor is 0 or the sum is infinity; out32 is
 * then unchanged.
 */
ENC_MUST_USE bool enc_point_add_mul(const struct enc_curve *curve, uint8_t out32[32],
                                    const uint8_t base32[32], const uint8_t pub32[32],
                                    const uint8_t factor32[32]);

/**
 * x(lift_x(pub) + shift * G), shift modulo the group order. False: does not lift or infinity; out32
 * unchanged.
 */
ENC_MUST_USE bool enc_point_shift(const struct enc_curve *curve, uint8_t out32[32],
                                  const uint8_t pub32[32], const uint8_t shift32[32]);

/**
 * The key whose public half is enc_point_shift of key's. False, and out is wiped, when that is
 * infinity.
 */
ENC_MUST_USE bool enc_key_shift(const struct enc_curve *curve, struct enc_key *out,
                                const struct enc_key *key, const uint8_t shift32[32]);
