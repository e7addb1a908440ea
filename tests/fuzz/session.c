/* Sessions: a token, its proof and all that they are bound to are made here, valid; then an input
 * changes some of it. Only what was not changed is let in, and the window is that of protocol.md
 * 1.5, computed with wide numbers. */
#include "proto/session.h"

#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"

enum { EXPIRIES = 3, CHANGES_MAX = 3 };

/** Everything that a clear request says, as one run of bytes. */
struct claim {
    uint8_t token68[68];
    uint8_t from32[32];
    uint8_t seq_pub32[32];
    uint8_t enclave32[32];
    uint8_t at8[8];
    uint8_t sig64[64];
};

static const uint32_t EXPIRES_S[EXPIRIES] = {7200, 1800000000, UINT32_MAX - 10};

static uint64_t made_ms(unsigned expiry)
{
    return ((uint64_t)EXPIRES_S[expiry] - 3600) * 1000 + 7;
}

static void make(struct claim *claim, unsigned who, unsigned expiry)
{
    struct enc_session session;
    struct enc_key session_key, signer_key;
    struct enc_scope scope;
    struct enc_proof proof;
    memset(scope.enclave32, 0x5a, 32);
    memcpy(scope.seq_pub32, fuzz_key(3)->pub32, 32);
    enc_session_make(fuzz_curve(), &session, &session_key, fuzz_key(who), EXPIRES_S[expiry]);
    enc_session_signer_key(fuzz_curve(), &signer_key, &session_key, &scope);
    enc_session_prove(fuzz_curve(), &proof, &signer_key, &scope, made_ms(expiry));
    memcpy(claim->token68, session.r32, 32);
    memcpy(claim->token68 + 32, session.session_pub32, 32);
    enc_be32_put(claim->token68 + 64, session.expires_s);
    memcpy(claim->from32, fuzz_key(who)->pub32, 32);
    memcpy(claim->seq_pub32, scope.seq_pub32, 32);
    memcpy(claim->enclave32, scope.enclave32, 32);
    enc_be64_put(claim->at8, proof.at_ms);
    memcpy(claim->sig64, proof.sig64, 64);
}

/* Signing is dear: each is made once. */
static const struct claim *made(unsigned who, unsigned expiry)
{
    static struct claim claims[3][EXPIRIES];
    static bool are_made[3][EXPIRIES];
    if (!are_made[who][expiry])
        make(&claims[who][expiry], who, expiry);
    are_made[who][expiry] = true;
    return &claims[who][expiry];
}

/* ---- changes ---- */

/* s becomes n - s: the other root of ECDSA, no root of BIP-340. */
static void negate(uint8_t s32[32])
{
    static const uint8_t ORDER[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                                      0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
                                      0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
    int borrow = 0;
    for (unsigned i = 32; i-- > 0;) {
        int digit = ORDER[i] - s32[i] - borrow;
        borrow = digit < 0;
        s32[i] = (uint8_t)digit;
    }
}

static void change(struct claim *claim, struct feed *feed)
{
    uint8_t *bytes = (uint8_t *)claim;
    const struct claim *other = made(feed_pick(feed, 3), feed_pick(feed, EXPIRIES));
    switch (feed_pick(feed, 5)) {
    case 0:
        bytes[feed_u8(feed) % sizeof *claim] ^= feed_u8(feed);
        return;
    case 1:
        negate(claim->sig64 + 32);
        return;
    case 2: /* somebody else's token */
        memcpy(claim->token68, other->token68, sizeof claim->token68);
        return;
    case 3: /* somebody else's name */
        memcpy(claim->from32, other->from32, 32);
        return;
    default: /* a proof of another moment */
        memcpy(claim->sig64, other->sig64, 64);
    }
}

/* ---- verdicts ---- */

static enum enc_err judge_window(const struct claim *claim, uint64_t now_ms)
{
    __int128 expires_s = enc_be32_get(claim->token68 + 64), now = now_ms;
    if (expires_s > now / 1000 + 7260)
        return ENC_ERR_INVALID_SESSION;
    return now >= (expires_s + 60) * 1000 ? ENC_ERR_SESSION_EXPIRED : ENC_ERR_OK;
}

static bool is_near(const struct claim *claim, uint64_t now_ms)
{
    __int128 far = (__int128)enc_be64_get(claim->at8) - now_ms;
    return far <= 60000 && far >= -60000;
}

static enum enc_err present(struct enc_reader *reader, const struct claim *claim, uint64_t now_ms)
{
    static const char DIGITS[] = "0123456789abcdefABCDEF";
    char hex[136];
    struct enc_session session;
    struct enc_claim held;
    struct enc_scope scope;
    struct enc_proof proof = {.at_ms = enc_be64_get(claim->at8)};
    for (unsigned i = 0; i < 136; i++)
        hex[i] = DIGITS[claim->token68[i / 2] >> (i % 2 ? 0 : 4) & 15];
    memcpy(proof.sig64, claim->sig64, 64);
    memcpy(scope.seq_pub32, claim->seq_pub32, 32);
    memcpy(scope.enclave32, claim->enclave32, 32);
    ENC_CHECK(enc_session_parse(&session, enc_bytes_of(hex, 136)) == ENC_ERR_OK);
    ENC_CHECK(enc_session_parse(&session, enc_bytes_of(hex, 135)) == ENC_ERR_INVALID_SESSION);
    enum enc_err err = enc_session_check(fuzz_curve(), &held, &session, claim->from32, now_ms);
    return err == ENC_ERR_OK ? enc_session_proof_check(fuzz_curve(), reader, &held, &scope, &proof)
                             : err;
}

static uint64_t choose_now(struct feed *feed, unsigned expiry)
{
    static const int64_t STEPS_MS[] = {0, 60000, 60001, -60000, -60001, 3659999, 3660000, -3660000};
    unsigned how = feed_u8(feed);
    if (how < 128)
        return made_ms(expiry);
    if (how < 160)
        return feed_u64(feed);
    uint64_t base_ms = how < 200 ? made_ms(expiry) : (uint64_t)EXPIRES_S[expiry] * 1000;
    return base_ms + (uint64_t)STEPS_MS[how % 8] + (feed_u8(feed) & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct feed feed = feed_of(data, len);
    unsigned who = feed_pick(&feed, 3), expiry = feed_pick(&feed, EXPIRIES);
    const struct claim *valid = made(who, expiry);
    struct claim claim = *valid;
    struct enc_reader reader = {.is_known = false};
    uint64_t now_ms = choose_now(&feed, expiry);
    for (unsigned i = feed_pick(&feed, CHANGES_MAX + 1); i > 0; i--)
        change(&claim, &feed);
    bool is_same = memcmp(&claim, valid, sizeof claim) == 0;
    for (unsigned i = 0; i < 3 && !is_same; i++) /* or it has become somebody else's valid one */
        for (unsigned k = 0; k < EXPIRIES; k++)
            is_same |= memcmp(&claim, made(i, k), sizeof claim) == 0;
    enum enc_err want = judge_window(&claim, now_ms);
    if (want == ENC_ERR_OK && !(is_same && is_near(&claim, now_ms)))
        want = ENC_ERR_INVALID_SESSION;
    ENC_CHECK(present(&reader, &claim, now_ms) == want);
    ENC_CHECK(reader.is_known == (want == ENC_ERR_OK));
    if (want != ENC_ERR_OK)
        return 0;
    uint64_t until_ms = ((uint64_t)enc_be32_get(claim.token68 + 64) + 60) * 1000;
    ENC_CHECK(memcmp(reader.pub32, claim.from32, 32) == 0 && reader.until_ms == until_ms);
    ENC_CHECK(enc_reader_lives(&reader, until_ms - 1) && !enc_reader_lives(&reader, until_ms));
    return 0;
}
