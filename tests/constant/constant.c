/* One operation with its secrets marked as undefined, for memcheck: a branch or an address that
 * depends on one is an error. The last rows are planted mistakes, which it must find. */
#include "proto/base/hex.h"
#include "proto/seal.h"
#include "proto/session.h"
#include "proto/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <valgrind/memcheck.h>

enum { KEY_LEN = 32, ARENA_LEN = 4096 };

static struct enc_curve *curve;
static uint8_t priv32[KEY_LEN], peer32[KEY_LEN];
static struct enc_key key;
static _Alignas(16) uint8_t room[ARENA_LEN];
static struct enc_arena arena;

static void hide(void *secret, size_t len)
{
    VALGRIND_MAKE_MEM_UNDEFINED(secret, len);
}

/* A result that everybody may see. */
static void show(void *known, size_t len)
{
    VALGRIND_MAKE_MEM_DEFINED(known, len);
}

/* The public half of a pair is no secret: in libsecp256k1's form it lies behind the scalar. */
static void hide_key(void)
{
    hide(key.opaque96, KEY_LEN);
}

static void make(void)
{
    struct enc_key made;
    hide(priv32, sizeof priv32);
    bool is_key = enc_key_init(&made, curve, priv32);
    show(&is_key, sizeof is_key);
    if (!is_key)
        abort();
}

static void sign(void)
{
    uint8_t sig64[64], message32[32] = {1};
    hide_key();
    enc_schnorr_sign(curve, sig64, &key, message32);
    show(sig64, sizeof sig64);
    if (sig64[0] == 0 && sig64[1] == 0 && sig64[2] == 0)
        abort();
}

static void agree(void)
{
    uint8_t shared32[32];
    hide_key();
    if (!enc_ecdh_x(curve, shared32, &key, peer32))
        abort();
}

static void derive(void)
{
    struct enc_channel channel;
    hide_key();
    if (!enc_channel_derive(curve, &channel, &key, peer32))
        abort();
}

static void seal(void)
{
    uint8_t cipher32[32] = {3}, nonce24[24] = {4};
    struct enc_bytes sealed, plain;
    hide(cipher32, sizeof cipher32);
    if (enc_seal_close(&sealed, &arena, cipher32, nonce24, ENC_LIT("text")) != ENC_ERR_OK)
        abort();
    show((void *)(uintptr_t)sealed.data, sealed.len);
    enum enc_err err = enc_seal_open(&plain, &arena, cipher32, sealed);
    show(&err, sizeof err);
    if (err != ENC_ERR_OK)
        abort();
}

static void encode(void)
{
    char text[2 * KEY_LEN];
    hide(priv32, sizeof priv32);
    enc_hex_encode(text, enc_bytes_of(priv32, sizeof priv32));
}

/* ---- planted ---- */

static volatile bool sink;

static void compare_early(void)
{
    uint8_t mine[16] = {1}, theirs[16] = {1};
    hide(mine, sizeof mine);
    for (size_t i = 0; i < sizeof mine; i++) {
        if (mine[i] != theirs[i])
            return;
    }
    sink = true;
}

static void look_up(void)
{
    static const uint8_t TABLE[256] = {1, 2, 3};
    hide(priv32, sizeof priv32);
    sink = TABLE[priv32[0]];
}

/* A nonce chosen by a bit of the key, before an honest signature. */
static void choose_by_key(void)
{
    hide_key();
    sink = (key.opaque96[KEY_LEN - 1] & 1) != 0;
    if (sink)
        sign();
    else
        agree();
}

static const struct {
    const char *name;
    void (*run)(void);
} ROWS[] = {
    {"enc_key_init", make},
    {"enc_schnorr_sign", sign},
    {"enc_ecdh_x", agree},
    {"enc_channel_derive", derive},
    {"enc_seal", seal},
    {"enc_hex_encode", encode},
    {"planted compare", compare_early},
    {"planted table", look_up},
    {"planted nonce", choose_by_key},
};

int main(int argc, char **argv)
{
    uint8_t seed32[32] = {5};
    struct enc_key peer;
    void *memory = aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15);
    ENC_CHECK(memory != NULL && argc == 2);
    curve = enc_curve_init(memory, seed32);
    enc_sha256(priv32, ENC_LIT("peer"));
    ENC_CHECK(enc_key_init(&peer, curve, priv32));
    memcpy(peer32, peer.pub32, sizeof peer32);
    enc_sha256(priv32, ENC_LIT("own"));
    ENC_CHECK(enc_key_init(&key, curve, priv32));
    enc_arena_init_fixed(&arena, room, sizeof room);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (strcmp(ROWS[i].name, argv[1]) == 0) {
            ROWS[i].run();
            return EXIT_SUCCESS;
        }
    }
    return EXIT_FAILURE;
}
