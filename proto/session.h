/**
 * Session tokens: how a reader proves who it is without a signature per request (protocol.md 1.5).
 *
 * The equation of a token proves nothing: anybody can make a token that satisfies it for a victim's
 * key. Only who knows the session's private key can prove possession. The types follow that: a
 * parsed token is a struct enc_session, a token whose window and equation hold is a struct
 * enc_claim, and a struct enc_reader, the only thing that may be asked for rights, comes out of
 * exactly two functions, enc_session_proof_check and enc_session_sealed_check. Nothing else may
 * fill one in. A zeroed reader is the Public reader.
 *
 *     clear:   parse -> check -> proof_check
 *     sealed:  channel_derive -> channel_open -> (JSON) -> parse -> check -> sealed_check
 *
 * Pure; any thread.
 */
#pragma once

#include "proto/schnorr.h"
#include "proto/seal.h"

enum { ENC_SESSION_TEXT_LEN = 136 };

/** What a token says. Worth nothing yet. */
struct enc_session {
    uint8_t r32[32];           /* x-only nonce point */
    uint8_t session_pub32[32]; /* x-only session key */
    uint32_t expires_s;        /* Unix seconds */
};

/** A token that fits from32 at now_ms. Still only a claim. For one request: never keep it. */
struct enc_claim {
    struct enc_session session;
    uint8_t from32[32];
    uint64_t now_ms;
};

/** Who asks. Made by the two *_check functions below, or zeroed: nobody in particular (Public). */
struct enc_reader {
    bool is_known;     /* false: Public, the rest is zero */
    uint8_t pub32[32]; /* the proved identity */
    uint64_t until_ms; /* first millisecond at which the session no longer counts */
};

/**
 * The node and the enclave a signer key is bound to. enclave32 is zero where none exists yet
 * (bootstrap).
 */
struct enc_scope {
    uint8_t seq_pub32[32];
    uint8_t enclave32[32];
};

/** Proof of possession for clear requests (protocol.md 1.5.1). */
struct enc_proof {
    uint64_t at_ms;
    uint8_t sig64[64];
};

/** Keys between a node and one signer. Secret: wipe it. */
struct enc_channel {
    uint8_t key_query32[32];    /* client -> node */
    uint8_t key_response32[32]; /* node -> client */
    uint8_t peer_pub32[32];     /* the other side's key the channel was derived with */
};

/**
 * Something that only the holder of signer32's private key (or the node itself) can have sealed.
 */
struct enc_opened {
    struct enc_bytes plain;
    uint8_t signer32[32];
};

/* ---- node side ---- */

/** Read a token from its hex136. Errors: INVALID_SESSION */
ENC_MUST_USE enum enc_err enc_session_parse(struct enc_session *out, struct enc_bytes text);

/**
 * Check the window (first), then the equation, of a token presented by from32.
 *
 * Errors: INVALID_SESSION (expires beyond now + 7260 s, equation, a point that does not lift),
 *          SESSION_EXPIRED
 * Source: protocol.md 1.5, 16.50
 */
ENC_MUST_USE enum enc_err enc_session_check(const struct enc_curve *curve, struct enc_claim *out,
                                            const struct enc_session *session,
                                            const uint8_t from32[32], uint64_t now_ms);

/**
 * Turn a claim into a reader by a proof of possession whose time is within 60 s of the claim's
 * now_ms.
 * Errors: INVALID_SESSION; out is then unchanged
 */
ENC_MUST_USE enum enc_err enc_session_proof_check(const struct enc_curve *curve,
                                                  struct enc_reader *out,
                                                  const struct enc_claim *claim,
                                                  const struct enc_scope *scope,
                                                  const struct enc_proof *proof);

/**
 * Turn a claim into a reader because it came inside something sealed by the very signer that its
 * token derives.
 * Errors: INVALID_SESSION when opened's signer is another; out is then unchanged
 */
ENC_MUST_USE enum enc_err enc_session_sealed_check(const struct enc_curve *curve,
                                                   struct enc_reader *out,
                                                   const struct enc_claim *claim,
                                                   const struct enc_scope *scope,
                                                   const struct enc_opened *opened);

/**
 * Whether a reader's session still counts at now_ms; Public always does. For long-lived sockets.
 */
bool enc_reader_lives(const struct enc_reader *reader, uint64_t now_ms);

/**
 * Open what a client sealed with key_query; plain lives in arena.
 * Errors: DECRYPT_FAILED, TOO_LARGE as enc_seal_open
 */
ENC_MUST_USE enum enc_err enc_channel_open(struct enc_opened *out, struct enc_arena *arena,
                                           const struct enc_channel *channel,
                                           struct enc_bytes base64);

/* ---- both sides ---- */

/**
 * The channel between own and peer: node key and signer_pub on the node, signer key and seq_pub on
 * the client. False when peer32 does not lift (INVALID_SESSION for a signer, protocol.md 16.48).
 * Answers are sealed with enc_seal_close under key_response32.
 */
ENC_MUST_USE bool enc_channel_derive(const struct enc_curve *curve, struct enc_channel *out,
                                     const struct enc_key *own, const uint8_t peer32[32]);

/** Overwrite the keys. */
void enc_channel_wipe(struct enc_channel *channel);

/**
 * The public signer key that a token derives for a scope. False when its session_pub does not lift.
 */
ENC_MUST_USE bool enc_session_signer(const struct enc_curve *curve, uint8_t signer32[32],
                                     const struct enc_session *session,
                                     const struct enc_scope *scope);

/**
 * The key of push payloads between a node and an identity, the same from both ends (protocol.md
 * 10.4). False: lift.
 */
ENC_MUST_USE bool enc_push_key(const struct enc_curve *curve, uint8_t out32[32],
                               const struct enc_key *own, const uint8_t peer32[32]);

/* ---- client side ---- */

/** Make a token of identity and the private key of its session. The caller wipes session_key. */
void enc_session_make(const struct enc_curve *curve, struct enc_session *session,
                      struct enc_key *session_key, const struct enc_key *identity,
                      uint32_t expires_s);

/** Write a token as hex136, no terminator. */
void enc_session_write(char out136[ENC_SESSION_TEXT_LEN], const struct enc_session *session);

/** The private signer key for a scope; its pub32 equals enc_session_signer. The caller wipes it. */
void enc_session_signer_key(const struct enc_curve *curve, struct enc_key *signer_key,
                            const struct enc_key *session_key, const struct enc_scope *scope);

/** Prove possession at at_ms with the signer key of the scope. */
void enc_session_prove(const struct enc_curve *curve, struct enc_proof *out,
                       const struct enc_key *signer_key, const struct enc_scope *scope,
                       uint64_t at_ms);
