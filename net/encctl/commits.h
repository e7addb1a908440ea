/** Making commits and reading their receipts, for create, commit and its batches. Main thread. */
#pragma once

#include "net/encctl/node.h"
#include "proto/event.h"

/** Sign: from, hashes, sig; exp ten minutes ahead. False, and told why. */
ENC_MUST_USE bool enc_commits_sign(const struct enc_ctl *ctl, struct enc_commit *commit);

/**
 * Sign, send and tell the Receipt; sealed where the service seals, so that nobody on the way reads
 * what is written.
 */
enum enc_exit enc_commits_send(struct enc_ctl *ctl, struct enc_commit *commit);

/** Append what is sent: the commit, or sealed in its envelope when line is not NULL. */
void enc_commits_put(struct enc_buffer *out, const struct enc_ctl *ctl, struct enc_commit *commit,
                     const struct enc_line *line);

/**
 * The Receipt in an answer or frame, opened when it is sealed, checked against the commit and the
 * node's key. NULL, and told why, when it is none or lies.
 */
ENC_MUST_USE const struct enc_json *enc_commits_receipt(const struct enc_ctl *ctl,
                                                        struct enc_arena *arena,
                                                        const struct enc_json *answer,
                                                        const struct enc_commit *commit,
                                                        const struct enc_line *line);

/** Read tags given as k=v. False, and told why. */
ENC_MUST_USE bool enc_commits_tags(struct enc_ctl *ctl, struct enc_tags *out,
                                   const struct enc_args *args);

/** commit --batch FILE: lines of {"type","content","tags"} over one WebSocket. */
enum enc_exit enc_commits_batch(struct enc_ctl *ctl, const uint8_t enclave32[32], const char *path);
