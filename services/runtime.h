/**
 * The IO boundary of the services: all of the outside world they can reach (the seed's Runtime).
 * net implements it over h2o and libcurl, the simulation over a seeded queue and a virtual clock.
 * Nothing else fakes anything.
 */
#pragma once

#include "actors/rates.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "services/frame.h"

struct enc_exchange;
struct enc_trace;
struct enc_fetch_own;

/** An HTTP request that waits for its answer. Opaque here; outlives its client. Answered exactly
 * once. */
struct enc_call;

/** An open WebSocket. Opaque here; counted by the runtime through conn_hold and conn_drop. */
struct enc_conn;

enum enc_method { ENC_METHOD_GET, ENC_METHOD_POST, ENC_METHOD_OPTIONS, ENC_METHOD_OTHER };

/** What a loop has gathered in this turn, to be done together. One per loop, touched by its thread
 * only; zeroed memory is empty. */
struct enc_gathering {
    struct enc_exchange *first;
    struct enc_exchange *last;
    uint32_t count;
    bool is_done_here; /* by the loop itself, as far as it is quick; otherwise by a worker */
};

/** Where something stands in a trace (W3C Trace Context); zeroed = in none. */
struct enc_trace_context {
    uint8_t trace16[16];
    uint8_t span8[8]; /* of the request here: the parent of what follows from it */
    bool is_sampled;
};

/** What ties lines, answers and pushes of one request together: 1 to 64 of A-Z a-z 0-9 _ . - and a
 * NUL; empty = none. */
struct enc_request_id {
    char text[65];
    struct enc_trace_context trace;
};

/** What answers a request: a service and, counted from 1, one of its routes (enc_service_routes);
 * route 0 = none of them. */
struct enc_route_place {
    unsigned service;
    unsigned route;
    bool is_known; /* false: it never came to a service */
};

/** A complete request. All views die when the handler returns; call lives until it is answered. */
struct enc_request {
    enum enc_method method;
    bool is_upgrade;                /* asks for a WebSocket */
    bool is_stream;                 /* asks for server-sent events */
    struct enc_bytes last_event_id; /* where such a stream broke off; empty: nowhere */
    struct enc_bytes path;  /* below the service's mount, begins with '/', no query, not decoded */
    struct enc_bytes query; /* after '?', may be empty */
    struct enc_bytes body;
    struct enc_request_id id;
    struct enc_call *call;
    struct enc_gathering *gathering; /* of the loop, see enc_host_end_turn; NULL: none */
    uint64_t arrived_ns;             /* by now_ns */
    struct enc_trace **trace;        /* of net until it is taken, which leaves NULL; may be NULL */
};

/** What is left of a quota, for the RateLimit fields of an answer. */
struct enc_quota {
    const char *policy; /* its name; static; NULL: no quota is kept */
    struct enc_rate rate;
};

/** An answer. The body belongs to owner; release(owner) is called once, on any thread, when it is
 * no longer read. */
struct enc_reply {
    uint16_t status;
    uint16_t retry_s;              /* Retry-After; 0 = none */
    const char *content_type;      /* static */
    const char *allow;             /* Allow header of a 405; NULL = none; static */
    bool is_public;                /* holds nothing that only its reader may know */
    bool immutable;                /* the answer never changes: may be cached for ever */
    const struct enc_quota *quota; /* lives as long as the body; NULL: none is kept */
    struct enc_route_place place;
    struct enc_bytes body;
    void (*release)(void *owner);
    void *owner;
};

/** What goes out on a WebSocket, in order of the calls made for one conn from one thread. */
struct enc_outgoing {
    struct enc_frame *frame; /* one reference passes over; NULL = nothing, only the marks below */
    struct enc_frame *rest;  /* the same message goes on with it; NULL = frame is all of it */
    uint64_t stream; /* subscription generation the frame belongs to; 0 = the socket itself */
    bool is_last;    /* the stream ends with this frame */
    bool is_public;  /* holds nothing that only its reader may know */
    bool wants_ack;  /* tell enc_host_socket_written(stream) once all before it has left */
    bool has_seq;    /* it carries the event with this seq */
    uint64_t seq;
    uint16_t status;  /* of an Error: as which it would be answered over HTTP; 0: it is none */
    uint16_t retry_s; /* ... and its Retry-After; 0: none */
};

/** One outbound POST. The caller owns it until done is called, exactly once, on a loop thread. */
struct enc_fetch {
    struct enc_bytes url;             /* NUL-terminated behind len */
    struct enc_bytes body;            /* JSON */
    struct enc_request_id request_id; /* of the request it follows from; empty: it gets its own */
    uint32_t timeout_ms;              /* whole transfer */
    size_t answer_len_max; /* bytes of the answer's body that are worth having; 0: none */
    void (*done)(struct enc_fetch *fetch);
    const struct enc_fetch_own *own; /* of the runtime itself; the services leave NULL */
    uint32_t retry_s;                /* out: Retry-After, 0 = none */
    int status;                      /* out: HTTP status, 0 = no answer */
    const char *reason;              /* out: why there was none; static text */
    uint8_t *answer;   /* out: the body, malloc'd, the owner's to free; NULL: none, or too long */
    size_t answer_len; /* out */
};

struct enc_runtime {
    void *self;

    /** Wall clock in Unix ms. Any thread; read once per turn. */
    uint64_t (*now_ms)(void *self);

    /** A clock that only goes forward, in ns, for durations. Any thread. NULL: nothing is timed. */
    uint64_t (*now_ns)(void *self);

    /** Fill with cryptographically strong bytes; aborts when there are none. Any thread. */
    void (*random)(void *self, uint8_t *out, size_t len);

    /** Answer a call; ends it. A client that is gone makes this a no-op that still releases. Any
     * thread. */
    void (*reply)(void *self, struct enc_call *call, const struct enc_reply *reply);

    /** Queue bytes on a socket. A socket that is gone drops them. Any thread, never blocks. */
    void (*ws_send)(void *self, struct enc_conn *conn, const struct enc_outgoing *outgoing);

    /** Close a socket with a WebSocket status code after what is queued. Any thread. */
    void (*ws_close)(void *self, struct enc_conn *conn, uint16_t code);

    void (*conn_hold)(void *self, struct enc_conn *conn);
    void (*conn_drop)(void *self, struct enc_conn *conn);

    /** Start an outbound POST; never blocks, refuses private addresses unless configured. Any
     * thread. */
    void (*fetch)(void *self, struct enc_fetch *fetch);

    /** Decide whether a message that follows from no other is traced, and fill in its context:
     * memory of its own with began_ns set (trace.h), or NULL. Any thread. NULL: nothing is. */
    struct enc_trace *(*trace_begin)(void *self, struct enc_trace_context *context);

    /** Take over a trace that has ended. Any thread, never blocks. May be NULL where no request
     * brings a trace and trace_begin is NULL. */
    void (*trace_end)(void *self, struct enc_trace *trace);
};
