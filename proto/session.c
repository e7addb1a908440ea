#include "proto/session.h"

#include "proto/base/hex.h"
#include "proto/sha256.h"

enum { TOKEN_LEN = 68, LIFE_MAX_S = 7200, SKEW_S = 60, PROOF_WINDOW_MS = 60000 };

/* ---- what is hashed ---- */

static void hash_message(uint8_t out32[32], uint32_t expires_s)
{
    uint8_t expires4[4];
    enc_be32_put(expires4, expires_s);
    const struct enc_bytes parts[] = {ENC_LIT("enc:session:"), {expires4, sizeof expires4}};
    enc_sha256_parts(out32, parts, 2);
}

static void hash_challenge(uint8_t out32[32], const struct enc_session *session,
                           const uint8_t from32[32])
{
    uint8_t tag[32], message[32];
    enc_sha256(tag, ENC_LIT("BIP0340/challenge"));
    hash_message(message, session->expires_s);
    const struct enc_bytes parts[] = {
        {tag, 32}, {tag, 32}, {session->r32, 32}, {from32, 32}, {message, 32}};
    enc_sha256_parts(out32, parts, 5);
}

static void hash_shift(uint8_t out32[32], const uint8_t session_pub32[32],
                       const struct enc_scope *scope)
{
    const struct enc_bytes parts[] = {
        {session_pub32, 32}, {scope->seq_pub32, 32}, {scope->enclave32, 32}};
    enc_sha256_parts(out32, parts, 3);
}

static void hash_proof(uint8_t out32[32], const struct enc_scope *scope, uint64_t at_ms)
{
    uint8_t at8[8];
    enc_be64_put(at8, at_ms);
    const struct enc_bytes parts[] = {
        ENC_LIT("enc:proof:"), {scope->seq_pub32, 32}, {scope->enclave32, 32}, {at8, sizeof at8}};
    enc_sha256_parts(out32, parts, 4);
}

/* ---- token ---- */

enum enc_err enc_session_parse(struct enc_session *out, struct enc_bytes text)
{
    uint8_t raw[TOKEN_LEN];
    if (!enc_hex_decode(raw, sizeof raw, text))
        return ENC_ERR_INVALID_SESSION;
    memcpy(out->r32, raw, 32);
    memcpy(out->session_pub32, raw + 32, 32);
    out->expires_s = enc_be32_get(raw + 64);
    return ENC_ERR_OK;
}

void enc_session_write(char out136[ENC_SESSION_TEXT_LEN], const struct enc_session *session)
{
    uint8_t expires4[4];
    enc_be32_put(expires4, session->expires_s);
    enc_hex_encode(out136, enc_bytes_of(session->r32, 32));
    enc_hex_encode(out136 + 64, enc_bytes_of(session->session_pub32, 32));
    enc_hex_encode(out136 + 128, enc_bytes_of(expires4, sizeof expires4));
}

static uint64_t until_ms(const struct enc_session *session)
{
    return ((uint64_t)session->expires_s + SKEW_S) * 1000;
}

static enum enc_err check_window(const struct enc_session *session, uint64_t now_ms)
{
    if (session->expires_s > now_ms / 1000 + LIFE_MAX_S + SKEW_S)
        return ENC_ERR_INVALID_SESSION;
    return now_ms < until_ms(session) ? ENC_ERR_OK : ENC_ERR_SESSION_EXPIRED;
}

/* s*G = R + e*P in BIP-340, so the token's key is recomputed without s. */
static bool equation_holds(const struct enc_curve *curve, const struct enc_session *session,
                           const uint8_t from32[32])
{
    uint8_t challenge[32], sum[32];
    hash_challenge(challenge, session, from32);
    return enc_point_add_mul(curve, sum, session->r32, from32, challenge) &&
           memcmp(sum, session->session_pub32, 32) == 0;
}

enum enc_err enc_session_check(const struct enc_curve *curve, struct enc_claim *out,
                               const struct enc_session *session, const uint8_t from32[32],
                               uint64_t now_ms)
{
    ENC_TRY(check_window(session, now_ms));
    if (!equation_holds(curve, session, from32))
        return ENC_ERR_INVALID_SESSION;
    *out = (struct enc_claim){.session = *session, .now_ms = now_ms};
    memcpy(out->from32, from32, 32);
    return ENC_ERR_OK;
}

bool enc_session_signer(const struct enc_curve *curve, uint8_t signer32[32],
                        const struct enc_session *session, const struct enc_scope *scope)
{
    uint8_t shift[32];
    hash_shift(shift, session->session_pub32, scope);
    return enc_point_shift(curve, signer32, session->session_pub32, shift);
}

/* ---- from claim to reader ---- */

static struct enc_reader reader_of(const struct enc_claim *claim)
{
    struct enc_reader reader = {.is_known = true, .until_ms = until_ms(&claim->session)};
    memcpy(reader.pub32, claim->from32, 32);
    return reader;
}

static bool is_near(uint64_t a_ms, uint64_t b_ms)
{
    return (a_ms < b_ms ? b_ms - a_ms : a_ms - b_ms) <= PROOF_WINDOW_MS;
}

enum enc_err enc_session_proof_check(const struct enc_curve *curve, struct enc_reader *out,
                                     const struct enc_claim *claim, const struct enc_scope *scope,
                                     const struct enc_proof *proof)
{
    uint8_t signer[32], message[32];
    hash_proof(message, scope, proof->at_ms);
    if (!is_near(proof->at_ms, claim->now_ms) ||
        !enc_session_signer(curve, signer, &claim->session, scope) ||
        !enc_schnorr_verify(curve, proof->sig64, message, signer))
        return ENC_ERR_INVALID_SESSION;
    *out = reader_of(claim);
    return ENC_ERR_OK;
}

enum enc_err enc_session_sealed_check(const struct enc_curve *curve, struct enc_reader *out,
                                      const struct enc_claim *claim, const struct enc_scope *scope,
                                      const struct enc_opened *opened)
{
    uint8_t signer[32];
    if (!enc_session_signer(curve, signer, &claim->session, scope) ||
        memcmp(signer, opened->signer32, 32) != 0)
        return ENC_ERR_INVALID_SESSION;
    *out = reader_of(claim);
    return ENC_ERR_OK;
}

bool enc_reader_lives(const struct enc_reader *reader, uint64_t now_ms)
{
    return !reader->is_known || now_ms < reader->until_ms;
}

/* ---- channel ---- */

bool enc_channel_derive(const struct enc_curve *curve, struct enc_channel *out,
                        const struct enc_key *own, const uint8_t peer32[32])
{
    uint8_t shared[32];
    if (!enc_ecdh_x(curve, shared, own, peer32))
        return false;
    enc_hkdf32(out->key_query32, shared, "enc:query");
    enc_hkdf32(out->key_response32, shared, "enc:response");
    memcpy(out->peer_pub32, peer32, 32);
    explicit_bzero(shared, sizeof shared);
    return true;
}

void enc_channel_wipe(struct enc_channel *channel)
{
    explicit_bzero(channel, sizeof *channel);
}

enum enc_err enc_channel_open(struct enc_opened *out, struct enc_arena *arena,
                              const struct enc_channel *channel, struct enc_bytes base64)
{
    ENC_TRY(enc_seal_open(&out->plain, arena, channel->key_query32, base64));
    memcpy(out->signer32, channel->peer_pub32, 32);
    return ENC_ERR_OK;
}

bool enc_push_key(const struct enc_curve *curve, uint8_t out32[32], const struct enc_key *own,
                  const uint8_t peer32[32])
{
    uint8_t shared[32];
    if (!enc_ecdh_x(curve, shared, own, peer32))
        return false;
    enc_hkdf32(out32, shared, "enc:push");
    explicit_bzero(shared, sizeof shared);
    return true;
}

/* ---- client side ---- */

void enc_session_make(const struct enc_curve *curve, struct enc_session *session,
                      struct enc_key *session_key, const struct enc_key *identity,
                      uint32_t expires_s)
{
    uint8_t message[32], sig[64];
    hash_message(message, expires_s);
    enc_schnorr_sign(curve, sig, identity, message);
    ENC_CHECK(enc_key_init(session_key, curve, sig + 32)); /* zero has odds of 2^-256 */
    session->expires_s = expires_s;
    memcpy(session->r32, sig, 32);
    memcpy(session->session_pub32, session_key->pub32, 32);
    explicit_bzero(sig, sizeof sig);
}

void enc_session_signer_key(const struct enc_curve *curve, struct enc_key *signer_key,
                            const struct enc_key *session_key, const struct enc_scope *scope)
{
    uint8_t shift[32];
    hash_shift(shift, session_key->pub32, scope);
    ENC_CHECK(enc_key_shift(curve, signer_key, session_key, shift)); /* infinity: as above */
}

void enc_session_prove(const struct enc_curve *curve, struct enc_proof *out,
                       const struct enc_key *signer_key, const struct enc_scope *scope,
                       uint64_t at_ms)
{
    uint8_t message[32];
    hash_proof(message, scope, at_ms);
    enc_schnorr_sign(curve, out->sig64, signer_key, message);
    out->at_ms = at_ms;
}
