/**
 * The message: one request on its way through the house. It is a mail, a job and the place of
 * everything parsed from it; all of it lies in one arena and dies when the answer has left (house:
 * the walk of a commit).
 *
 * Owned by the loop until it is posted or submitted, then by the worker that prepares it, then by
 * the turn or run that took it, then by the answer.
 */
#pragma once

#include "actors/mail.h"
#include "actors/pool.h"
#include "actors/turnstile.h"
#include "proto/commit.h"
#include "proto/filter.h"
#include "proto/request.h"
#include "proto/session.h"
#include "proto/wire.h"
#include "services/host.h"
#include "services/trace.h"

/** Kinds of mail that enclaves get. */
enum enc_mail_kind {
    ENC_MAIL_COMMIT,      /* struct enc_exchange */
    ENC_MAIL_SUBSCRIBE,   /* struct enc_exchange */
    ENC_MAIL_UNSUBSCRIBE, /* struct enc_stream_mail */
    ENC_MAIL_WRITTEN,     /* struct enc_stream_mail: what was queued has left */
    ENC_MAIL_TIMER,       /* struct enc_timer_mail */
    ENC_MAIL_FETCHED,     /* struct enc_push_mail */
    ENC_MAIL_PUSHED,      /* struct enc_exchange: a payload of another node */
    ENC_MAIL_PULLED,      /* struct enc_pull: what was missing has come, or not (gap.h) */
};

/** Kinds of timers, also of the store's alarms. */
enum enc_timer_kind { ENC_TIMER_BUNDLE = 1, ENC_TIMER_PUSH = 2, ENC_TIMER_SUBS = 3 };

/** Who waits for the answer: an HTTP call or a WebSocket. */
struct enc_asker {
    struct enc_call *call;   /* NULL on a WebSocket */
    struct enc_conn *conn;   /* held; NULL on HTTP */
    uint64_t stream;         /* subscription generation of a Query frame, else 0 */
    struct enc_bytes sub_id; /* of a Query frame, else empty */
    bool is_stream;          /* server-sent events: the stored part has no limit */
    bool resumes;            /* ... all behind this seq follows as if it were live */
    uint64_t resume_seq;
};

/** How the answer is dressed. */
struct enc_dress {
    bool is_sealed; /* the request was, so the answer is: under channel.key_response32 */
    struct enc_sealed sealed;
};

struct enc_arrival;

struct enc_exchange {
    struct enc_mail mail; /* first */
    struct enc_job job;
    struct enc_host *host;
    struct enc_arena arena;
    const struct enc_route *route;
    unsigned service;
    unsigned route_number; /* 0 = none; as in struct enc_route_place */
    uint64_t arrived_ns;   /* 0 = never: the node's own */
    uint64_t marked_ns;    /* when its last stage ended */
    bool is_commit;
    bool is_told; /* its end is in the figures */
    bool has_enclave;
    uint8_t enclave32[32];
    uint8_t param32[32]; /* the ':' segment of the route */
    struct enc_bytes query;
    struct enc_request_id request_id; /* of an HTTP request; text empty otherwise */
    struct enc_trace *trace;          /* NULL: it is not traced */
    struct enc_asker asker;
    struct enc_bytes body;
    const struct enc_json *json;  /* the body, parsed */
    const char *allow;            /* of a METHOD_NOT_ALLOWED */
    struct enc_envelope envelope; /* of a Query, Pull, proof request or sealed commit */
    struct enc_dress dress;
    struct enc_reader reader;        /* who asks, once the envelope is opened */
    enc_read_fn *read;               /* what a read does */
    struct enc_gathering *gathering; /* of the loop that it came in on; loop thread only */
    struct enc_exchange *together;   /* the next of those that are one job */
    bool is_on_loop;                 /* the job is done by the loop: only what is quick */
    bool keeps_answer; /* until those of the whole job are there: enc_answer_send sends it */
    struct enc_reply answer;
    struct enc_filter filter;    /* of a Query frame */
    bool is_founding;            /* the commit is a Manifest of the node's own: answered 201 */
    bool is_group;               /* ... and the enclave is called a group */
    struct enc_pass pass;        /* of who wants an enclave of their own; key32 is of the owner */
    bool is_leading;             /* it went through the host's turnstile: others may wait for it */
    struct enc_arrival *arrival; /* of a PUSHED; receive.h */
    struct enc_commit commit;
    uint8_t claimed_hash32[32]; /* what the client said, when commit.has_hash */
    bool has_hash;              /* commit.hash32 is given or computed: errors about it name it */
    struct enc_verdict verdict; /* of the steps done so far */
    bool is_immutable;          /* the answer never changes and is for everybody */
    uint64_t begun_ms;          /* when it was admitted; 0: the shed is not told of it */
    bool is_counted;            /* against the quota of its key */
    struct enc_quota quota;     /* the tightest that it was counted against */
};

/** A word about a stream to its enclave, in memory of its own: UNSUBSCRIBE and WRITTEN. */
struct enc_stream_mail {
    struct enc_mail mail; /* first */
    uint64_t stream;
};

/** The stream of such a mail, which is freed. */
uint64_t enc_stream_mail_take(struct enc_mail *mail);

/**
 * An exchange in an arena of its own, zeroed, bounded by a multiple of the body limit. NULL when
 * memory is short or exchange_len_max is taken. Any thread.
 */
ENC_MUST_USE struct enc_exchange *enc_exchange_new(struct enc_host *host);

/** It was admitted (shed.h): how long its answer takes is noted. */
void enc_exchange_begin(struct enc_exchange *exchange);

/** Time for a span of its trace; 0 without one. */
uint64_t enc_exchange_trace_ns(const struct enc_exchange *exchange);

/** Its trace ends, if there is one. What is not ended so ends when the exchange is freed. */
void enc_exchange_end_trace(struct enc_exchange *exchange);

/** Its answer is made. */
void enc_exchange_note_answer(const struct enc_exchange *exchange);

/** An exchange for an HTTP request; when memory is short or the node has too much to do the call is
 * answered 503 and NULL returned. Loop thread. */
ENC_MUST_USE struct enc_exchange *enc_exchange_open(struct enc_host *host, unsigned service,
                                                    const struct enc_request *request);

/** Wipe the channel, let the conn go, give the arena back. For exchanges that are not answered. Any
 * thread. */
void enc_exchange_free(struct enc_exchange *exchange);

/**
 * A copy of a subscription's exchange that holds only what lives on with it: asker, dress, reader,
 * filter. On success exchange is gone. Errors: BUSY, TOO_LARGE; exchange is then as before
 */
ENC_MUST_USE enum enc_err enc_exchange_compact(struct enc_exchange **out,
                                               struct enc_exchange *exchange);

/** The exchange of a job or a mail that is part of one. */
struct enc_exchange *enc_exchange_of_job(struct enc_job *job);
struct enc_exchange *enc_exchange_of_mail(struct enc_mail *mail);

/** Parse the body into json. Errors: INVALID_REQUEST, TOO_LARGE */
ENC_MUST_USE enum enc_err enc_exchange_parse(struct enc_exchange *exchange);

/** Settle which enclave is meant: the path's and the body's must agree (8.3). Errors:
 * INVALID_REQUEST */
ENC_MUST_USE enum enc_err enc_exchange_aim(struct enc_exchange *exchange,
                                           const uint8_t enclave32[32]);

/** The enclave of a service that has only one; NULL for the others (protocol.md 8.1). */
const uint8_t *enc_exchange_default(const struct enc_exchange *exchange);

/** Read the envelope and settle the enclave. Errors: INVALID_QUERY, INVALID_REQUEST */
ENC_MUST_USE enum enc_err enc_exchange_envelope(struct enc_exchange *exchange,
                                                enum enc_body_kind kind);

/** Open a sealed envelope; a clear one is left alone. On a worker. Errors: as enc_envelope_open */
ENC_MUST_USE enum enc_err enc_exchange_unseal(struct enc_exchange *exchange, uint64_t now_ms);

/** After unseal: who asks, and not too often. On a worker. Errors: INVALID_SESSION,
 * SESSION_EXPIRED, RATE_LIMITED */
ENC_MUST_USE enum enc_err enc_exchange_identify(struct enc_exchange *exchange, uint64_t now_ms);

/** Run fn on any worker; answers BUSY by itself when too many wait. */
void enc_exchange_submit(struct enc_exchange *exchange, void (*fn)(struct enc_job *job));
