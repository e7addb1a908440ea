#include "proto/schnorr.h"

#include "proto/sha256.h"
#include "support.h"

#include <criterion/criterion.h>
#include <signal.h>

/* BIP-340, test vector 0. */
#define BIP340_0_PUB "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define BIP340_0_SIG                                                                               \
    "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215"                             \
    "25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0"
#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define ORDER_LESS_1 "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"
#define FIELD "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
#define ONE "0000000000000000000000000000000000000000000000000000000000000001"
#define TWO "0000000000000000000000000000000000000000000000000000000000000002"
#define THREE "0000000000000000000000000000000000000000000000000000000000000003"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define X_OF_G "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define X_OF_2G "c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define X_OF_3G "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"

Test(schnorr, bip340_vector_0)
{
    const uint8_t msg[32] = {0};
    uint8_t sig[64];
    struct enc_key key = key_of_hex(THREE);
    expect_hex(enc_bytes_of(key.pub32, 32), BIP340_0_PUB);
    enc_schnorr_sign(test_curve(), sig, &key, msg);
    expect_hex(enc_bytes_of(sig, 64), BIP340_0_SIG);
    cr_assert(enc_schnorr_verify(test_curve(), sig, msg, key.pub32));
}

Test(schnorr, vectors_of_the_events_sign_and_verify)
{
    static const struct {
        const char *key, *hash, *sig;
    } ROWS[] = {
        {"owner", "events.0.hash", "events.0.sig"},
        {"owner", "events.1.hash", "events.1.sig"},
        {"member", "events.2.hash", "events.2.sig"},
        {"member", "events.3.hash", "events.3.sig"},
        {"owner", "events.4.hash", "events.4.sig"},
        {"seq", "events.0.event_hash", "events.0.seq_sig"},
        {"seq", "events.1.event_hash", "events.1.seq_sig"},
        {"seq", "events.2.event_hash", "events.2.seq_sig"},
        {"seq", "events.3.event_hash", "events.3.seq_sig"},
        {"seq", "events.4.event_hash", "events.4.seq_sig"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint8_t msg[32], sig[64];
        struct enc_key key = vector_key(ROWS[i].key);
        vector_hex(msg, 32, ROWS[i].hash);
        enc_schnorr_sign(test_curve(), sig, &key, msg);
        expect_vector(enc_bytes_of(sig, 64), ROWS[i].sig);
        cr_assert(enc_schnorr_verify(test_curve(), sig, msg, key.pub32));
    }
}

Test(schnorr, public_halves_of_the_vectors)
{
    static const char *const NAMES[] = {"owner", "member", "seq"};
    for (size_t i = 0; i < 3; i++) {
        char path[64];
        struct enc_key key = vector_key(NAMES[i]);
        snprintf(path, sizeof path, "keys.%s_pub", NAMES[i]);
        expect_vector(enc_bytes_of(key.pub32, 32), path);
    }
}

Test(schnorr, any_changed_bit_is_refused)
{
    uint8_t msg[32], sig[64];
    struct enc_key key = vector_key("owner");
    enc_sha256(msg, ENC_LIT("any message"));
    enc_schnorr_sign(test_curve(), sig, &key, msg);
    for (unsigned bit = 0; bit < 512; bit += 7) {
        sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_not(enc_schnorr_verify(test_curve(), sig, msg, key.pub32), "sig bit %u", bit);
        sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (unsigned bit = 0; bit < 256; bit += 5) {
        msg[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_not(enc_schnorr_verify(test_curve(), sig, msg, key.pub32), "msg bit %u", bit);
        msg[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert(enc_schnorr_verify(test_curve(), sig, msg, key.pub32));
}

Test(schnorr, out_of_range_halves_of_a_signature_are_refused)
{
    uint8_t sig[64];
    const uint8_t msg[32] = {0};
    struct enc_key key = key_of_hex(THREE);
    unhex(sig, 64, BIP340_0_SIG);
    unhex(sig + 32, 32, ORDER);
    cr_assert_not(enc_schnorr_verify(test_curve(), sig, msg, key.pub32), "s = n");
    unhex(sig, 64, BIP340_0_SIG);
    unhex(sig, 32, FIELD);
    cr_assert_not(enc_schnorr_verify(test_curve(), sig, msg, key.pub32), "r = p");
}

Test(schnorr, only_scalars_of_the_group_are_private_keys)
{
    uint8_t priv[32];
    struct enc_key key, zero = {0};
    static const char *const BAD[] = {ZERO, ORDER, FIELD};
    for (size_t i = 0; i < 3; i++) {
        memset(&key, 0xaa, sizeof key);
        unhex(priv, 32, BAD[i]);
        cr_assert_not(enc_key_init(&key, test_curve(), priv), "%s", BAD[i]);
        cr_assert_eq(memcmp(&key, &zero, sizeof key), 0, "a refused key must be wiped");
    }
    key = key_of_hex(ORDER_LESS_1);
    expect_hex(enc_bytes_of(key.pub32, 32), X_OF_G);
    enc_key_wipe(&key);
    cr_assert_eq(memcmp(&key, &zero, sizeof key), 0);
}

Test(schnorr, what_lifts)
{
    static const struct {
        const char *x;
        bool lifts;
    } ROWS[] = {
        {X_OF_G, true},
        {ONE, true},
        {ZERO, false},
        {FIELD, false},
        /* BIP-340, vector 5: a public key not on the curve */
        {"eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34", false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint8_t x[32], sig[64] = {0};
        struct enc_point point;
        unhex(x, 32, ROWS[i].x);
        cr_assert_eq(enc_point_lifts(x), ROWS[i].lifts, "%s", ROWS[i].x);
        cr_assert_eq(enc_point_lift(&point, x), ROWS[i].lifts, "%s", ROWS[i].x);
        cr_assert_not(enc_schnorr_verify(test_curve(), sig, x, x));
    }
}

Test(schnorr, a_lifted_point_verifies_like_its_key)
{
    uint8_t msg[32], sig[64];
    struct enc_point point;
    struct enc_key key = vector_key("seq");
    enc_sha256(msg, ENC_LIT("lifted once"));
    enc_schnorr_sign(test_curve(), sig, &key, msg);
    cr_assert(enc_point_lift(&point, key.pub32));
    cr_assert(enc_schnorr_verify_point(test_curve(), sig, msg, &point));
    sig[0] ^= 1;
    cr_assert_not(enc_schnorr_verify_point(test_curve(), sig, msg, &point));
}

static void expect_add_mul(const char *base, const char *pub, const char *factor, const char *want)
{
    uint8_t b[32], p[32], f[32], out[32] = {0};
    unhex(b, 32, base);
    unhex(p, 32, pub);
    unhex(f, 32, factor);
    bool ok = enc_point_add_mul(test_curve(), out, b, p, f);
    cr_assert_eq(ok, want != NULL, "%s + %s * %s", base, factor, pub);
    expect_hex(enc_bytes_of(out, 32), want ? want : ZERO);
}

Test(schnorr, add_mul)
{
    expect_add_mul(X_OF_G, X_OF_G, ONE, X_OF_2G);
    expect_add_mul(X_OF_G, X_OF_G, TWO, X_OF_3G);
    expect_add_mul(X_OF_G, X_OF_G, ORDER_LESS_1, NULL); /* G - G = infinity */
    expect_add_mul(X_OF_G, X_OF_G, ZERO, NULL);
    expect_add_mul(X_OF_G, X_OF_G, ORDER, NULL); /* n = 0 */
    expect_add_mul(FIELD, X_OF_G, ONE, NULL);
    expect_add_mul(X_OF_G, FIELD, ONE, NULL);
    /* n + 1 = 1, n + 2 = 2: scalars are taken modulo the order */
    expect_add_mul(X_OF_G, X_OF_G,
                   "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364142", X_OF_2G);
    expect_add_mul(X_OF_G, X_OF_G,
                   "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364143", X_OF_3G);
}

/* 2G and 3G have even y, G too: x(G + 1*G), x(2G + 1*G). */
Test(schnorr, shift_of_a_point_and_of_its_key_agree)
{
    uint8_t shift[32], pub[32];
    struct enc_key shifted, key = key_of_hex(ONE);
    unhex(shift, 32, ONE);
    cr_assert(enc_point_shift(test_curve(), pub, key.pub32, shift));
    expect_hex(enc_bytes_of(pub, 32), X_OF_2G);
    cr_assert(enc_key_shift(test_curve(), &shifted, &key, shift));
    expect_hex(enc_bytes_of(shifted.pub32, 32), X_OF_2G);
    uint8_t sig[64];
    enc_schnorr_sign(test_curve(), sig, &shifted, shift);
    cr_assert(enc_schnorr_verify(test_curve(), sig, shift, pub));
}

Test(schnorr, keys_of_odd_y_are_negated_before_a_shift)
{
    uint8_t priv[32] = {0}, shift[32], pub[32];
    enc_sha256(shift, ENC_LIT("shift"));
    for (priv[31] = 1; priv[31] < 40; priv[31]++) { /* both parities occur */
        struct enc_key key, shifted;
        cr_assert(enc_key_init(&key, test_curve(), priv));
        cr_assert(enc_key_shift(test_curve(), &shifted, &key, shift));
        cr_assert(enc_point_shift(test_curve(), pub, key.pub32, shift));
        cr_assert_arr_eq(shifted.pub32, pub, 32);
    }
}

Test(schnorr, shifts_to_infinity_and_of_no_point_are_refused)
{
    uint8_t shift[32], pub[32] = {7}, bad[32], before[32] = {7};
    struct enc_key shifted, zero = {0}, key = key_of_hex(ONE);
    unhex(shift, 32, ORDER_LESS_1);
    cr_assert_not(enc_point_shift(test_curve(), pub, key.pub32, shift));
    cr_assert_not(enc_key_shift(test_curve(), &shifted, &key, shift));
    cr_assert_eq(memcmp(&shifted, &zero, sizeof zero), 0);
    unhex(bad, 32, FIELD);
    cr_assert_not(enc_point_shift(test_curve(), pub, bad, shift));
    cr_assert_arr_eq(pub, before, 32, "out stays unchanged");
}

Test(schnorr, ecdh_agrees_from_both_ends)
{
    uint8_t one[32], other[32];
    struct enc_key seq = vector_key("seq"), member = vector_key("member");
    cr_assert(enc_ecdh_x(test_curve(), one, &seq, member.pub32));
    cr_assert(enc_ecdh_x(test_curve(), other, &member, seq.pub32));
    cr_assert_arr_eq(one, other, 32);
    expect_vector(enc_bytes_of(one, 32), "push.shared_x");
}

Test(schnorr, ecdh_ignores_the_parity_of_the_own_key)
{
    uint8_t one[32], other[32];
    struct enc_key plus = key_of_hex(ONE), minus = key_of_hex(ORDER_LESS_1);
    struct enc_key peer = vector_key("owner");
    cr_assert(enc_ecdh_x(test_curve(), one, &plus, peer.pub32));
    cr_assert(enc_ecdh_x(test_curve(), other, &minus, peer.pub32));
    cr_assert_arr_eq(one, other, 32);
    cr_assert_arr_eq(one, peer.pub32, 32, "1 * P = P");
}

Test(schnorr, ecdh_with_no_point_is_refused)
{
    uint8_t shared[32], bad[32];
    const uint8_t zero[32] = {0};
    struct enc_key key = vector_key("seq");
    unhex(bad, 32, FIELD);
    memset(shared, 0xaa, sizeof shared);
    cr_assert_not(enc_ecdh_x(test_curve(), shared, &key, bad));
    cr_assert_arr_eq(shared, zero, 32);
}

Test(schnorr, a_finished_curve_is_wiped)
{
    static _Alignas(16) uint8_t memory[4096];
    const uint8_t seed[32] = {9};
    cr_assert_leq(enc_curve_size(), sizeof memory);
    struct enc_curve *curve = enc_curve_init(memory, seed);
    struct enc_key key;
    cr_assert(enc_key_init(&key, curve, (const uint8_t *)"thirty-two bytes of a secret key"));
    enc_curve_fini(curve);
    for (size_t i = 0; i < sizeof memory; i++)
        cr_assert_eq(memory[i], 0, "byte %zu", i);
}

/* An all-zero keypair is a key that was wiped or never made: a mistake of ours, not of a client. */
Test(schnorr, signing_with_a_wiped_key_aborts, .signal = SIGABRT)
{
    uint8_t sig[64];
    const uint8_t msg[32] = {0};
    struct enc_key key = key_of_hex(THREE);
    enc_key_wipe(&key);
    enc_schnorr_sign(test_curve(), sig, &key, msg);
}
