/** What a body or frame can be, and where it goes (protocol.md 8.3, 9.1). On the loop. */
#pragma once

#include "services/exchange.h"
#include "services/read.h"

/**
 * A plain or sealed commit in exchange->json: into the enclave's mailbox, in order of arrival, and
 * to a worker for steps 1-4. Takes the exchange over.
 */
void enc_commit_enter(struct enc_exchange *exchange);
void enc_sealed_commit_enter(struct enc_exchange *exchange);

/** The same for a decoded commit whose enclave is settled. Any thread. */
void enc_commit_post(struct enc_exchange *exchange);

/** A read with an envelope in exchange->json: to a worker, which answers it with fn. Takes the
 * exchange over. */
void enc_read_enter(struct enc_exchange *exchange, enum enc_body_kind kind, enc_read_fn *fn);

/** A Query frame: into the enclave's mailbox, and to a worker that finds out who asks. Takes the
 * exchange over. */
void enc_subscribe_enter(struct enc_exchange *exchange);

/** Post a mail that must keep its place, then prepare it by fn; answers BUSY by itself. Takes the
 * exchange over. */
void enc_exchange_post(struct enc_exchange *exchange, enum enc_mail_kind kind,
                       void (*fn)(struct enc_job *job));

/** Note in its trace, if there is one, that it was dispatched and then prepared from began_ns until
 * now: for what is no commit. */
void enc_exchange_trace_prepared(const struct enc_exchange *exchange, uint64_t began_ns);
