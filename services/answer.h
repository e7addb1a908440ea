/**
 * How answers leave: every exchange ends in exactly one call of this header, which takes it over.
 * Any thread. On HTTP the call is answered; on a WebSocket a frame is queued in the form of
 * protocol.md 9.2.
 */
#pragma once

#include "proto/wire.h"
#include "services/exchange.h"

/** An error. sub_id and hash of a frame are filled in from the exchange. */
void enc_answer_refusal(struct enc_exchange *exchange, const struct enc_refusal *refusal);

/** Send the answer of an exchange that kept it. */
void enc_answer_send(struct enc_exchange *exchange);

/** An error without further members. */
void enc_answer_err(struct enc_exchange *exchange, enum enc_err err);

/**
 * The answer of a read in three steps, the second the caller's: start, append the members of its
 * object, finish. After start an error may still be answered instead: nothing has left. The
 * envelope is opened by then: a GET gets {members}, anything else
 * {"type":"Response","content":{members}}, sealed when the request was. HTTP only.
 */
void enc_answer_start(struct enc_exchange *exchange, struct enc_buffer *out);
void enc_answer_finish(struct enc_exchange *exchange, struct enc_buffer *out);

/** A bare JSON value with status 200 (the GET routes). json grew in the exchange's arena. HTTP
 * only. */
void enc_answer_json(struct enc_exchange *exchange, const struct enc_buffer *json);

/** The Receipt of an accepted commit, sealed when the commit was. */
void enc_answer_receipt(struct enc_exchange *exchange, const struct enc_event *event);

/** The Manifest of an enclave that the asker has already, as a bootstrap answers it, with status
 * 200 (protocol.md 11.6). HTTP only. */
void enc_answer_existing(struct enc_exchange *exchange, const struct enc_event *manifest);

/** Queue a frame of text on a socket; drops it when memory is short (the socket is then closed).
 * Does not end an exchange. stream and is_last as in struct enc_outgoing. */
void enc_send_text(const struct enc_host *host, struct enc_conn *conn, struct enc_bytes text,
                   uint64_t stream, bool is_last);

/** The same with the other marks that struct enc_outgoing can carry. */
void enc_send_marked(const struct enc_host *host, struct enc_conn *conn, struct enc_bytes text,
                     const struct enc_outgoing *marks);
