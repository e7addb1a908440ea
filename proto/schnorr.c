#include "proto/schnorr.h"

#include "proto/base/stack.h"

#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_schnorrsig.h>

struct enc_curve {
    secp256k1_context *ctx; /* in the memory behind this struct */
    _Alignas(16) uint8_t memory[];
};

_Static_assert(sizeof(secp256k1_keypair) == 96, "struct enc_key stores a keypair");
_Static_assert(sizeof(secp256k1_xonly_pubkey) == 64, "struct enc_point stores an x-only key");

/* Called when we broke the library's contract or memory is corrupt, never because of input. */
static void give_up(const char *message, void *opaque)
{
    (void)opaque;
    enc_check_failed(message, "libsecp256k1", 0);
}

size_t enc_curve_size(void)
{
    return sizeof(struct enc_curve) + secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE);
}

struct enc_curve *enc_curve_init(void *memory, const uint8_t seed32[32])
{
    secp256k1_selftest();
    struct enc_curve *curve = (struct enc_curve *)memory;
    curve->ctx = secp256k1_context_preallocated_create(curve->memory, SECP256K1_CONTEXT_NONE);
    secp256k1_context_set_illegal_callback(curve->ctx, give_up, NULL);
    secp256k1_context_set_error_callback(curve->ctx, give_up, NULL);
    ENC_CHECK(secp256k1_context_randomize(curve->ctx, seed32));
    return curve;
}

void enc_curve_fini(struct enc_curve *curve)
{
    secp256k1_context_preallocated_destroy(curve->ctx);
    explicit_bzero(curve, enc_curve_size());
}

/* ---- keys ---- */

static const secp256k1_keypair *keypair_of(const struct enc_key *key)
{
    return (const secp256k1_keypair *)key->opaque96;
}

static const secp256k1_xonly_pubkey *xonly_of(const struct enc_point *point)
{
    return (const secp256k1_xonly_pubkey *)point->opaque64;
}

static void set_public_half(struct enc_key *key, const struct enc_curve *curve)
{
    secp256k1_xonly_pubkey xonly;
    ENC_CHECK(secp256k1_keypair_xonly_pub(curve->ctx, &xonly, NULL, keypair_of(key)));
    ENC_CHECK(secp256k1_xonly_pubkey_serialize(curve->ctx, key->pub32, &xonly));
}

bool enc_key_init(struct enc_key *key, const struct enc_curve *curve, const uint8_t priv32[32])
{
    secp256k1_keypair *keypair = (secp256k1_keypair *)key->opaque96;
    bool is_key = secp256k1_keypair_create(curve->ctx, keypair, priv32) == 1;
    enc_stack_wipe();
    if (is_key)
        set_public_half(key, curve);
    else
        enc_key_wipe(key);
    return is_key;
}

void enc_key_wipe(struct enc_key *key)
{
    explicit_bzero(key, sizeof *key);
}

bool enc_point_lift(struct enc_point *out, const uint8_t pub32[32])
{
    secp256k1_xonly_pubkey *xonly = (secp256k1_xonly_pubkey *)out->opaque64;
    return secp256k1_xonly_pubkey_parse(secp256k1_context_static, xonly, pub32) == 1;
}

bool enc_point_lifts(const uint8_t pub32[32])
{
    struct enc_point point;
    return enc_point_lift(&point, pub32);
}

/* ---- signatures ---- */

void enc_schnorr_sign(const struct enc_curve *curve, uint8_t sig64[64], const struct enc_key *key,
                      const uint8_t msg32[32])
{
    ENC_CHECK(secp256k1_schnorrsig_sign32(curve->ctx, sig64, msg32, keypair_of(key), NULL));
    enc_stack_wipe(); /* the key and the nonce, which is as good */
}

bool enc_schnorr_verify_point(const struct enc_curve *curve, const uint8_t sig64[64],
                              const uint8_t msg32[32], const struct enc_point *point)
{
    return secp256k1_schnorrsig_verify(curve->ctx, sig64, msg32, 32, xonly_of(point)) == 1;
}

bool enc_schnorr_verify(const struct enc_curve *curve, const uint8_t sig64[64],
                        const uint8_t msg32[32], const uint8_t pub32[32])
{
    struct enc_point point;
    return enc_point_lift(&point, pub32) && enc_schnorr_verify_point(curve, sig64, msg32, &point);
}

/* ---- point arithmetic ---- */

/* lift_x as a point of full form, for the functions that know no x-only keys. */
static bool lift_full(const struct enc_curve *curve, secp256k1_pubkey *out, const uint8_t pub32[32])
{
    uint8_t even33[33] = {0x02};
    memcpy(even33 + 1, pub32, 32);
    return secp256k1_ec_pubkey_parse(curve->ctx, out, even33, sizeof even33) == 1;
}

static void put_x(const struct enc_curve *curve, uint8_t out32[32], const secp256k1_pubkey *point)
{
    uint8_t raw33[33];
    size_t len = sizeof raw33;
    ENC_CHECK(
        secp256k1_ec_pubkey_serialize(curve->ctx, raw33, &len, point, SECP256K1_EC_COMPRESSED));
    memcpy(out32, raw33 + 1, 32);
}

/* One subtraction is enough: a 32-byte value is below twice the group order. */
static void reduce(uint8_t out32[32], const uint8_t in32[32])
{
    static const uint8_t ORDER[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                                      0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
                                      0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
    bool is_reduced = memcmp(in32, ORDER, 32) < 0;
    int borrow = 0;
    for (size_t i = 32; i-- > 0;) {
        int digit = in32[i] - (is_reduced ? 0 : ORDER[i]) - borrow;
        borrow = digit < 0;
        out32[i] = (uint8_t)digit;
    }
}

bool enc_point_add_mul(const struct enc_curve *curve, uint8_t out32[32], const uint8_t base32[32],
                       const uint8_t pub32[32], const uint8_t factor32[32])
{
    uint8_t factor[32];
    secp256k1_pubkey base, product, sum;
    const secp256k1_pubkey *const terms[] = {&base, &product};
    reduce(factor, factor32);
    if (!lift_full(curve, &base, base32) || !lift_full(curve, &product, pub32) ||
        !secp256k1_ec_pubkey_tweak_mul(curve->ctx, &product, factor) ||
        !secp256k1_ec_pubkey_combine(curve->ctx, &sum, terms, 2))
        return false;
    put_x(curve, out32, &sum);
    return true;
}

bool enc_point_shift(const struct enc_curve *curve, uint8_t out32[32], const uint8_t pub32[32],
                     const uint8_t shift32[32])
{
    uint8_t shift[32];
    struct enc_point point;
    secp256k1_pubkey shifted;
    reduce(shift, shift32);
    if (!enc_point_lift(&point, pub32) ||
        !secp256k1_xonly_pubkey_tweak_add(curve->ctx, &shifted, xonly_of(&point), shift))
        return false;
    put_x(curve, out32, &shifted);
    return true;
}

bool enc_key_shift(const struct enc_curve *curve, struct enc_key *out, const struct enc_key *key,
                   const uint8_t shift32[32])
{
    uint8_t shift[32];
    reduce(shift, shift32);
    *out = *key;
    secp256k1_keypair *keypair = (secp256k1_keypair *)out->opaque96;
    bool is_key = secp256k1_keypair_xonly_tweak_add(curve->ctx, keypair, shift) == 1;
    enc_stack_wipe();
    if (is_key)
        set_public_half(out, curve);
    else
        enc_key_wipe(out);
    return is_key;
}

/* ---- ECDH ---- */

static int copy_x(unsigned char *out, const unsigned char *x32, const unsigned char *y32,
                  void *opaque)
{
    (void)y32;
    (void)opaque;
    memcpy(out, x32, 32);
    return 1;
}

bool enc_ecdh_x(const struct enc_curve *curve, uint8_t shared32[32], const struct enc_key *key,
                const uint8_t pub32[32])
{
    uint8_t priv[32];
    secp256k1_pubkey point;
    memset(shared32, 0, 32);
    if (!lift_full(curve, &point, pub32))
        return false;
    ENC_CHECK(secp256k1_keypair_sec(curve->ctx, priv, keypair_of(key)));
    ENC_CHECK(secp256k1_ecdh(curve->ctx, shared32, &point, priv, copy_x, NULL));
    explicit_bzero(priv, sizeof priv);
    enc_stack_wipe();
    return true;
}
