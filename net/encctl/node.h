/**
 * The node at the other end: what it is, and questions in the form it wants them (protocol.md 8.3).
 * With a key, requests are sealed by a session of this process; without one they are clear and the
 * reader is the public.
 */
#pragma once

#include "net/encctl/http.h"
#include "proto/session.h"

enum { ENC_SESSION_LIFE_S = 3600, ENC_PATH_LEN_MAX = 128 };

/** Ask /info/node once. False, and told why, when there is no node. */
ENC_MUST_USE bool enc_node_know(struct enc_ctl *ctl);

/** A sealed channel between this process and the node, for one enclave. Wipe it. */
struct enc_line {
    struct enc_channel channel;
    uint8_t signer32[32];
    char session136[ENC_SESSION_TEXT_LEN];
};

/** Open a line; needs the key. Asks the node who it is when that is not known. */
ENC_MUST_USE bool enc_line_open(struct enc_ctl *ctl, struct enc_line *line,
                                const uint8_t enclave32[32]);
void enc_line_wipe(struct enc_line *line);

/** Append base64 of the sealed plain text as a JSON string member "content". */
void enc_line_seal(const struct enc_line *line, struct enc_buffer *out, struct enc_bytes plain);

/** Open what came back; the JSON lives in arena. False, and told why. */
ENC_MUST_USE bool enc_line_unseal(const struct enc_line *line, const struct enc_json **out,
                                  struct enc_arena *arena, struct enc_bytes base64);

/** A question about an enclave. */
struct enc_question {
    const char *type;   /* "Query", or NULL for proof requests */
    const char *action; /* of the path, such as "/state"; "" for a Query */
    const uint8_t *enclave32;
    struct enc_bytes sub_id;  /* of a WebSocket Query; empty: none */
    struct enc_bytes members; /* of content, without braces, after a possible session */
};

/** Append the envelope of a question. line is NULL in the clear form. */
void enc_question_put(struct enc_buffer *out, const struct enc_question *question,
                      const struct enc_ctl *ctl, const struct enc_line *line);

/**
 * Ask by POST. *content is the opened content of the Response. False, and told why, when there was
 * no answer or a refusal.
 */
ENC_MUST_USE bool enc_ask(struct enc_ctl *ctl, struct enc_arena *arena,
                          const struct enc_json **content, const struct enc_question *question);

/** GET /enclave/<id><action>. */
ENC_MUST_USE bool enc_fetch_public(struct enc_ctl *ctl, struct enc_answer *answer,
                                   const uint8_t enclave32[32], const char *action);
