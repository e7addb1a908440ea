#include "proto/session.h"

#include "proto/sha256.h"
#include "support.h"

#include <criterion/criterion.h>

enum { EXPIRES_S = 1750003600 };
static const uint64_t NOW_MS = 1750000000000;

static struct enc_scope vector_scope(void)
{
    struct enc_scope scope;
    vector_hex(scope.seq_pub32, 32, "keys.seq_pub");
    vector_hex(scope.enclave32, 32, "events.0.enclave");
    return scope;
}

static struct enc_session vector_session(const char *path)
{
    struct enc_session session;
    cr_assert_eq(enc_session_parse(&session, vector_text(path)), ENC_ERR_OK);
    return session;
}

static struct enc_proof vector_proof(void)
{
    struct enc_proof proof = {.at_ms = vector_u64("session.proof.at")};
    vector_hex(proof.sig64, 64, "session.proof.proof");
    return proof;
}

static struct enc_claim claim_of(const struct enc_session *session, const char *who)
{
    struct enc_claim claim;
    struct enc_key key = vector_key(who);
    cr_assert_eq(enc_session_check(test_curve(), &claim, session, key.pub32, NOW_MS), ENC_ERR_OK);
    return claim;
}

static void expect_public(const struct enc_reader *reader)
{
    const uint8_t nobody[32] = {0};
    cr_assert_not(reader->is_known, "a refusal must not name a reader");
    cr_assert_arr_eq(reader->pub32, nobody, 32);
    cr_assert_eq(reader->until_ms, 0);
}

static void expect_member(const struct enc_reader *reader)
{
    cr_assert(reader->is_known);
    expect_vector(enc_bytes_of(reader->pub32, 32), "keys.member_pub");
    cr_assert_eq(reader->until_ms, (EXPIRES_S + 60) * 1000ull);
}

Test(session, token_of_the_vectors)
{
    char text[ENC_SESSION_TEXT_LEN];
    struct enc_session session;
    struct enc_key session_key, identity = vector_key("member");
    enc_session_make(test_curve(), &session, &session_key, &identity, EXPIRES_S);
    enc_session_write(text, &session);
    cr_assert(enc_bytes_equal(enc_bytes_of(text, sizeof text), vector_text("session.token")));
    expect_vector(enc_bytes_of(session.session_pub32, 32), "session.session_pub");
    cr_assert_arr_eq(session.session_pub32, session_key.pub32, 32);
}

Test(session, signer_of_the_vectors)
{
    uint8_t signer[32];
    struct enc_session made;
    struct enc_key session_key, signer_key, identity = vector_key("member");
    const struct enc_scope scope = vector_scope();
    const struct enc_session session = vector_session("session.token");
    cr_assert(enc_session_signer(test_curve(), signer, &session, &scope));
    expect_vector(enc_bytes_of(signer, 32), "session.signer_pub");
    enc_session_make(test_curve(), &made, &session_key, &identity, EXPIRES_S);
    enc_session_signer_key(test_curve(), &signer_key, &session_key, &scope);
    cr_assert_arr_eq(signer_key.pub32, signer, 32);
    struct enc_key want = key_of_hex((const char *)vector_text("session.signer_priv").data);
    cr_assert_arr_eq(&signer_key, &want, sizeof want, "the private halves are equal too");
}

Test(session, channel_of_the_vectors_from_both_ends)
{
    uint8_t shared[32];
    struct enc_channel node, client;
    struct enc_key seq = vector_key("seq");
    struct enc_key signer = key_of_hex((const char *)vector_text("session.signer_priv").data);
    cr_assert(enc_ecdh_x(test_curve(), shared, &seq, signer.pub32));
    expect_vector(enc_bytes_of(shared, 32), "session.shared_x");
    cr_assert(enc_channel_derive(test_curve(), &node, &seq, signer.pub32));
    cr_assert(enc_channel_derive(test_curve(), &client, &signer, seq.pub32));
    expect_vector(enc_bytes_of(node.key_query32, 32), "session.key_query");
    expect_vector(enc_bytes_of(node.key_response32, 32), "session.key_response");
    cr_assert_arr_eq(node.key_query32, client.key_query32, 32);
    cr_assert_arr_eq(node.key_response32, client.key_response32, 32);
    cr_assert_arr_eq(node.peer_pub32, signer.pub32, 32);
    enc_channel_wipe(&node);
    const struct enc_channel zero = {0};
    cr_assert_eq(memcmp(&node, &zero, sizeof zero), 0);
}

Test(session, push_key_of_the_vectors_from_both_ends)
{
    uint8_t one[32], other[32], bad[32];
    struct enc_key seq = vector_key("seq"), member = vector_key("member");
    cr_assert(enc_push_key(test_curve(), one, &seq, member.pub32));
    cr_assert(enc_push_key(test_curve(), other, &member, seq.pub32));
    expect_vector(enc_bytes_of(one, 32), "push.key_push");
    cr_assert_arr_eq(one, other, 32);
    memset(bad, 0xff, sizeof bad);
    cr_assert_not(enc_push_key(test_curve(), one, &seq, bad));
}

Test(session, a_channel_needs_a_point)
{
    struct enc_channel channel;
    struct enc_key seq = vector_key("seq");
    uint8_t bad[32];
    memset(bad, 0xff, sizeof bad);
    cr_assert_not(enc_channel_derive(test_curve(), &channel, &seq, bad));
}

/* ---- clear form ---- */

Test(session, proof_of_the_vectors_makes_a_reader)
{
    struct enc_reader reader = {0};
    const struct enc_scope scope = vector_scope();
    const struct enc_proof proof = vector_proof();
    const struct enc_session session = vector_session("session.token");
    const struct enc_claim claim = claim_of(&session, "member");
    cr_assert_eq(enc_session_proof_check(test_curve(), &reader, &claim, &scope, &proof),
                 ENC_ERR_OK);
    expect_member(&reader);
}

Test(session, prove_gives_the_vector)
{
    struct enc_proof proof;
    const struct enc_scope scope = vector_scope();
    const uint64_t at_ms = vector_u64("session.proof.at");
    struct enc_key signer = key_of_hex((const char *)vector_text("session.signer_priv").data);
    enc_session_prove(test_curve(), &proof, &signer, &scope, at_ms);
    cr_assert_eq(proof.at_ms, at_ms);
    expect_vector(enc_bytes_of(proof.sig64, 64), "session.proof.proof");
}

static enum enc_err prove_at(uint64_t at_ms)
{
    struct enc_proof proof;
    struct enc_reader reader = {0};
    const struct enc_scope scope = vector_scope();
    const struct enc_session session = vector_session("session.token");
    const struct enc_claim claim = claim_of(&session, "member");
    struct enc_key signer = key_of_hex((const char *)vector_text("session.signer_priv").data);
    enc_session_prove(test_curve(), &proof, &signer, &scope, at_ms);
    enum enc_err err = enc_session_proof_check(test_curve(), &reader, &claim, &scope, &proof);
    cr_assert_eq(reader.is_known, err == ENC_ERR_OK);
    return err;
}

Test(session, a_proof_counts_sixty_seconds_either_way)
{
    cr_assert_eq(prove_at(NOW_MS - 60001), ENC_ERR_INVALID_SESSION);
    cr_assert_eq(prove_at(NOW_MS - 60000), ENC_ERR_OK);
    cr_assert_eq(prove_at(NOW_MS + 60000), ENC_ERR_OK);
    cr_assert_eq(prove_at(NOW_MS + 60001), ENC_ERR_INVALID_SESSION);
    cr_assert_eq(prove_at(0), ENC_ERR_INVALID_SESSION);
    cr_assert_eq(prove_at(UINT64_MAX), ENC_ERR_INVALID_SESSION);
}

static void expect_proof_refused(struct enc_scope scope, struct enc_proof proof)
{
    struct enc_reader reader = {0};
    const struct enc_session session = vector_session("session.token");
    const struct enc_claim claim = claim_of(&session, "member");
    cr_assert_eq(enc_session_proof_check(test_curve(), &reader, &claim, &scope, &proof),
                 ENC_ERR_INVALID_SESSION);
    expect_public(&reader);
}

Test(session, a_proof_is_bound_to_node_enclave_and_time)
{
    struct enc_scope scope = vector_scope();
    struct enc_proof proof = vector_proof();
    proof.at_ms++;
    expect_proof_refused(scope, proof);
    proof = vector_proof();
    proof.sig64[63] ^= 1;
    expect_proof_refused(scope, proof);
    scope.enclave32[0] ^= 1;
    expect_proof_refused(scope, vector_proof());
    scope = vector_scope();
    memset(scope.enclave32, 0, 32);
    expect_proof_refused(scope, vector_proof());
    scope = vector_scope();
    vector_hex(scope.seq_pub32, 32, "keys.owner_pub");
    expect_proof_refused(scope, vector_proof());
}

Test(session, the_identity_key_cannot_stand_in_for_the_session_key)
{
    struct enc_proof proof;
    const struct enc_scope scope = vector_scope();
    struct enc_key member = vector_key("member");
    enc_session_prove(test_curve(), &proof, &member, &scope, NOW_MS);
    expect_proof_refused(scope, proof);
}

/* ---- the token itself ---- */

static enum enc_err check_at(uint64_t now_ms)
{
    struct enc_claim claim;
    const struct enc_session session = vector_session("session.token");
    struct enc_key member = vector_key("member");
    return enc_session_check(test_curve(), &claim, &session, member.pub32, now_ms);
}

Test(session, window)
{
    cr_assert_eq(check_at((EXPIRES_S - 7261) * 1000ull + 999), ENC_ERR_INVALID_SESSION);
    cr_assert_eq(check_at((EXPIRES_S - 7260) * 1000ull), ENC_ERR_OK);
    cr_assert_eq(check_at(EXPIRES_S * 1000ull), ENC_ERR_OK);
    cr_assert_eq(check_at((EXPIRES_S + 60) * 1000ull - 1), ENC_ERR_OK);
    cr_assert_eq(check_at((EXPIRES_S + 60) * 1000ull), ENC_ERR_SESSION_EXPIRED);
    cr_assert_eq(check_at(UINT64_MAX), ENC_ERR_SESSION_EXPIRED);
    cr_assert_eq(check_at(0), ENC_ERR_INVALID_SESSION);
}

Test(session, window_comes_before_the_equation)
{
    struct enc_claim claim;
    struct enc_session session = vector_session("session.token");
    struct enc_key owner = vector_key("owner"); /* the equation does not hold for owner */
    session.expires_s = 1;
    cr_assert_eq(enc_session_check(test_curve(), &claim, &session, owner.pub32, NOW_MS),
                 ENC_ERR_SESSION_EXPIRED);
}

Test(session, expiry_near_the_end_of_32_bits_does_not_wrap)
{
    struct enc_claim claim;
    struct enc_session session;
    struct enc_key session_key, member = vector_key("member");
    enc_session_make(test_curve(), &session, &session_key, &member, UINT32_MAX);
    const uint64_t last_ms = (UINT32_MAX + 60ull) * 1000 - 1;
    cr_assert_eq(enc_session_check(test_curve(), &claim, &session, member.pub32, last_ms),
                 ENC_ERR_OK);
    cr_assert_eq(enc_session_check(test_curve(), &claim, &session, member.pub32, last_ms + 1),
                 ENC_ERR_SESSION_EXPIRED);
}

static void expect_no_claim(struct enc_session session, const uint8_t from32[32])
{
    struct enc_claim claim;
    cr_assert_eq(enc_session_check(test_curve(), &claim, &session, from32, NOW_MS),
                 ENC_ERR_INVALID_SESSION);
}

Test(session, the_equation_binds_every_field)
{
    uint8_t nowhere[32];
    struct enc_key member = vector_key("member"), owner = vector_key("owner");
    memset(nowhere, 0xff, sizeof nowhere);
    struct enc_session session = vector_session("session.token");
    expect_no_claim(session, owner.pub32);
    expect_no_claim(session, nowhere);
    session.expires_s--;
    expect_no_claim(session, member.pub32);
    session = vector_session("session.token");
    session.session_pub32[31] ^= 1;
    expect_no_claim(session, member.pub32);
    session = vector_session("session.token");
    memset(session.r32, 0xff, 32);
    expect_no_claim(session, member.pub32);
    session = vector_session("session.token");
    memcpy(session.r32, owner.pub32, 32);
    expect_no_claim(session, member.pub32);
}

Test(session, parse_wants_136_hex_digits)
{
    struct enc_session session;
    char text[138];
    struct enc_bytes token = vector_text("session.token");
    memcpy(text, token.data, token.len);
    text[136] = text[137] = '0';
    cr_assert_eq(enc_session_parse(&session, enc_bytes_of(text, 135)), ENC_ERR_INVALID_SESSION);
    cr_assert_eq(enc_session_parse(&session, enc_bytes_of(text, 134)), ENC_ERR_INVALID_SESSION);
    cr_assert_eq(enc_session_parse(&session, enc_bytes_of(text, 138)), ENC_ERR_INVALID_SESSION);
    cr_assert_eq(enc_session_parse(&session, enc_bytes_of(NULL, 0)), ENC_ERR_INVALID_SESSION);
    text[70] = 'g';
    cr_assert_eq(enc_session_parse(&session, enc_bytes_of(text, 136)), ENC_ERR_INVALID_SESSION);
    for (size_t i = 0; i < 136; i++) /* either case is accepted */
        text[i] = (char)(token.data[i] >= 'a' ? token.data[i] - 'a' + 'A' : token.data[i]);
    cr_assert_eq(enc_session_parse(&session, enc_bytes_of(text, 136)), ENC_ERR_OK);
    cr_assert_eq(session.expires_s, EXPIRES_S);
}

/* ---- the forged token of section 13 ---- */

Test(session, the_forged_token_satisfies_the_equation_and_is_worth_nothing)
{
    struct enc_reader reader = {0};
    struct enc_proof proof;
    const struct enc_scope scope = vector_scope();
    const struct enc_session forged = vector_session("session.forged_token_that_passes_equation");
    const struct enc_claim claim =
        claim_of(&forged, "owner"); /* this is why a claim is no reader */
    static const char *const ATTACKERS[] = {"member", "seq", "owner"};
    for (size_t i = 0; i < 3; i++) {
        struct enc_key attacker = vector_key(ATTACKERS[i]), shifted;
        enc_session_prove(test_curve(), &proof, &attacker, &scope, NOW_MS);
        cr_assert_eq(enc_session_proof_check(test_curve(), &reader, &claim, &scope, &proof),
                     ENC_ERR_INVALID_SESSION);
        enc_session_signer_key(test_curve(), &shifted, &attacker, &scope);
        enc_session_prove(test_curve(), &proof, &shifted, &scope, NOW_MS);
        cr_assert_eq(enc_session_proof_check(test_curve(), &reader, &claim, &scope, &proof),
                     ENC_ERR_INVALID_SESSION);
    }
    expect_public(&reader);
}

Test(session, the_forged_token_inside_a_seal_is_refused)
{
    struct enc_opened opened;
    struct enc_channel channel, attackers;
    struct enc_bytes sealed;
    struct enc_reader reader = {0};
    const uint8_t nonce[24] = {1};
    const struct enc_scope scope = vector_scope();
    const struct enc_session forged = vector_session("session.forged_token_that_passes_equation");
    const struct enc_claim claim = claim_of(&forged, "owner");
    struct enc_key seq = vector_key("seq"), attacker = vector_key("member");
    struct enc_arena *arena = fresh_arena(1 << 16);
    cr_assert(enc_channel_derive(test_curve(), &attackers, &attacker, seq.pub32));
    cr_assert_eq(enc_seal_close(&sealed, arena, attackers.key_query32, nonce, ENC_LIT("{}")),
                 ENC_ERR_OK);

    /* The attacker names his own key as signer: the seal opens, but the token derives another. */
    cr_assert(enc_channel_derive(test_curve(), &channel, &seq, attacker.pub32));
    cr_assert_eq(enc_channel_open(&opened, arena, &channel, sealed), ENC_ERR_OK);
    cr_assert_eq(enc_session_sealed_check(test_curve(), &reader, &claim, &scope, &opened),
                 ENC_ERR_INVALID_SESSION);
    expect_public(&reader);

    /* He names the signer that the token derives: then he cannot have sealed anything. */
    uint8_t signer[32];
    cr_assert(enc_session_signer(test_curve(), signer, &forged, &scope));
    cr_assert(enc_channel_derive(test_curve(), &channel, &seq, signer));
    cr_assert_eq(enc_channel_open(&opened, arena, &channel, sealed), ENC_ERR_DECRYPT_FAILED);
}

/* Anybody can make such a token: r is any point, the key follows. It must stay worthless. */
Test(session, fresh_forgeries_pass_the_equation_only)
{
    struct enc_reader reader = {0};
    const struct enc_scope scope = vector_scope();
    struct enc_key victim = vector_key("owner"), attacker = vector_key("member");
    uint8_t expires4[4], message[32], tag[32], challenge[32];
    struct enc_session forged = {.expires_s = EXPIRES_S};
    memcpy(forged.r32, attacker.pub32, 32);
    enc_be32_put(expires4, EXPIRES_S);
    const struct enc_bytes said[] = {ENC_LIT("enc:session:"), {expires4, 4}};
    enc_sha256_parts(message, said, 2);
    expect_vector(enc_bytes_of(message, 32), "session.message_hash");
    enc_sha256(tag, ENC_LIT("BIP0340/challenge"));
    const struct enc_bytes asked[] = {
        {tag, 32}, {tag, 32}, {forged.r32, 32}, {victim.pub32, 32}, {message, 32}};
    enc_sha256_parts(challenge, asked, 5);
    cr_assert(
        enc_point_add_mul(test_curve(), forged.session_pub32, forged.r32, victim.pub32, challenge));
    const struct enc_claim claim = claim_of(&forged, "owner");
    struct enc_proof proof;
    enc_session_prove(test_curve(), &proof, &attacker, &scope, NOW_MS);
    cr_assert_eq(enc_session_proof_check(test_curve(), &reader, &claim, &scope, &proof),
                 ENC_ERR_INVALID_SESSION);
    expect_public(&reader);
}

/* ---- sealed form ---- */

static struct enc_opened opened_vector(struct enc_arena *arena)
{
    uint8_t signer[32];
    struct enc_opened opened;
    struct enc_channel channel;
    struct enc_key seq = vector_key("seq");
    vector_hex(signer, 32, "session.signer_pub");
    cr_assert(enc_channel_derive(test_curve(), &channel, &seq, signer));
    cr_assert_eq(enc_channel_open(&opened, arena, &channel, vector_text("session.content_b64")),
                 ENC_ERR_OK);
    return opened;
}

Test(session, sealed_request_of_the_vectors_makes_a_reader)
{
    struct enc_reader reader = {0};
    const struct enc_scope scope = vector_scope();
    const struct enc_session session = vector_session("session.token");
    const struct enc_claim claim = claim_of(&session, "member");
    const struct enc_opened opened = opened_vector(fresh_arena(1 << 16));
    cr_assert(enc_bytes_equal(opened.plain, vector_text("session.plaintext")));
    cr_assert_eq(enc_session_sealed_check(test_curve(), &reader, &claim, &scope, &opened),
                 ENC_ERR_OK);
    expect_member(&reader);
}

Test(session, a_seal_for_another_scope_is_refused)
{
    struct enc_reader reader = {0};
    struct enc_scope scope = vector_scope();
    const struct enc_session session = vector_session("session.token");
    const struct enc_claim claim = claim_of(&session, "member");
    const struct enc_opened opened = opened_vector(fresh_arena(1 << 16));
    scope.enclave32[31] ^= 1;
    cr_assert_eq(enc_session_sealed_check(test_curve(), &reader, &claim, &scope, &opened),
                 ENC_ERR_INVALID_SESSION);
    expect_public(&reader);
}

Test(session, a_seal_of_another_direction_does_not_open)
{
    struct enc_bytes sealed;
    struct enc_opened opened;
    struct enc_channel channel;
    const uint8_t nonce[24] = {0};
    struct enc_arena *arena = fresh_arena(1 << 16);
    struct enc_key seq = vector_key("seq"), member = vector_key("member");
    cr_assert(enc_channel_derive(test_curve(), &channel, &seq, member.pub32));
    cr_assert_eq(enc_seal_close(&sealed, arena, channel.key_response32, nonce, ENC_LIT("answer")),
                 ENC_ERR_OK);
    cr_assert_eq(enc_channel_open(&opened, arena, &channel, sealed), ENC_ERR_DECRYPT_FAILED);
}

Test(session, a_token_whose_key_does_not_lift_derives_no_signer)
{
    uint8_t signer[32];
    struct enc_reader reader = {0};
    const struct enc_scope scope = vector_scope();
    const struct enc_proof proof = vector_proof();
    const struct enc_opened opened = opened_vector(fresh_arena(1 << 16));
    struct enc_claim claim = {.now_ms = NOW_MS};
    memset(claim.session.session_pub32, 0xff, 32);
    cr_assert_not(enc_session_signer(test_curve(), signer, &claim.session, &scope));
    cr_assert_eq(enc_session_proof_check(test_curve(), &reader, &claim, &scope, &proof),
                 ENC_ERR_INVALID_SESSION);
    cr_assert_eq(enc_session_sealed_check(test_curve(), &reader, &claim, &scope, &opened),
                 ENC_ERR_INVALID_SESSION);
    expect_public(&reader);
}

Test(session, a_reader_lives_until_its_session_ends)
{
    const struct enc_reader nobody = {0};
    const struct enc_reader member = {.is_known = true, .until_ms = 1000};
    cr_assert(enc_reader_lives(&nobody, UINT64_MAX));
    cr_assert(enc_reader_lives(&member, 999));
    cr_assert_not(enc_reader_lives(&member, 1000));
}
