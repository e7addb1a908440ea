/**
 * An open WebSocket. wslay takes frames apart and knows what the protocol allows; what goes out is
 * written by ourselves, because a server's frame is a few header bytes and a payload that all its
 * receivers share. Loop thread, except where noted.
 */
#pragma once

#include "net/peer.h"

#include <wslay/wslay.h>

enum { ENC_CONTROL_LEN_MAX = 2 + 125 };

struct enc_conn_item;
struct enc_stream;

/** Items in order. */
struct enc_conn_queue {
    struct enc_conn_item *head, *tail;
};

/** A message as it arrives, fragment by fragment. */
struct enc_conn_message {
    uint8_t *data;
    size_t len, cap;
};

/* What a frame on its way out touches comes first: with thousands of sockets none of it is in a
 * cache. */
struct enc_conn {
    _Atomic uint32_t holds; /* the open socket, the host, every item on its way to the loop */
    bool is_dirty;
    bool is_control;      /* the frame being received is a control frame */
    bool is_closing;      /* a close frame is queued or sent: no more messages, either way */
    bool is_closed;       /* our close frame has left */
    bool is_slow;         /* its queue was overrun */
    bool is_deaf;         /* wslay reads no more; bytes are thrown away until the client closes */
    uint8_t deflate_bits; /* permessage-deflate was agreed to, with this window; 0: not; fixed */
    struct enc_loop *loop;
    struct enc_conn *dirty_next;
    h2o_socket_t *sock;           /* NULL before and after */
    struct enc_stream *stream;    /* instead of sock, when place.is_stream */
    struct enc_socket *socket;    /* the host's side */
    struct enc_conn_queue queue;  /* not yet written */
    struct enc_conn_queue flight; /* being written */
    size_t queued_len;            /* bytes of queue and flight */
    struct enc_conn_item *pong;   /* in queue, at most one: a newer one replaces it */
    uint8_t *flat;                /* one flat copy of flight, for TLS */
    wslay_event_context_ptr wslay;
    struct enc_conn *prev, *next; /* loop->conns while open */
    struct enc_conn_message message;
    struct enc_ws_place place;
    uint64_t seen_ms; /* last sign of life */
    uint64_t pinged_ms;
    uint64_t give_up_ms; /* the socket is cut then; 0 = never */
    uint8_t bucket16[16];
    size_t control_len; /* of a control frame that wslay is handing over */
    uint8_t control[ENC_CONTROL_LEN_MAX];
};

/**
 * Answer req with 101 and open the WebSocket at place; call, which was opened for req, is
 * withdrawn. Refuses when the address has too many or the server is stopping.
 */
void enc_conn_upgrade(h2o_req_t *req, struct enc_call *call, const struct enc_ws_place *place);

/** Queue outgoing for conn. Any thread. */
void enc_conn_send(struct enc_conn *conn, const struct enc_outgoing *outgoing);

/** Close with code after what is queued. Any thread. */
void enc_conn_close(struct enc_conn *conn, uint16_t code);

/** Any thread. */
void enc_conn_hold(struct enc_conn *conn);
void enc_conn_drop(struct enc_conn *conn);

/** Write what conns marked dirty have queued. */
void enc_conn_flush_dirty(struct enc_loop *loop);

/** Pings, silence, patience. Every tick. */
void enc_conn_tick(struct enc_loop *loop);

/** End every subscription and close with 1001. */
void enc_conn_end_all(struct enc_loop *loop);

/* ---- between the files of the WebSocket ---- */

/** A conn for a request, counted for its address; NULL when it was refused, and answered so. */
struct enc_conn *enc_conn_admit(h2o_req_t *req, struct enc_call *call,
                                const struct enc_ws_place *place);

/** It is open from now on: linked, counted, known to the host. */
void enc_conn_enter(struct enc_conn *conn);

/** The reverse. conn may be freed. */
void enc_conn_leave(struct enc_conn *conn);

/** What was in flight has left: go on with what is queued. */
void enc_conn_go_on(struct enc_conn *conn);

/** Take over sock, whose upgrade is answered. */
void enc_conn_open(struct enc_conn *conn, h2o_socket_t *sock);

/** The socket is over, for whatever reason: tell the host, free all, close. conn may be freed. */
void enc_conn_gone(struct enc_conn *conn);

/** Flush at the end of this turn of the loop. */
void enc_conn_mark_dirty(struct enc_conn *conn);

/** Put a complete control frame before everything that is queued. */
void enc_conn_send_control(struct enc_conn *conn, const uint8_t *frame, size_t len);

/** Cut the socket unless it has ended by itself within wait_ms. */
void enc_conn_give_up_in(struct enc_conn *conn, uint64_t wait_ms);

/** Our close frame has left. conn may be freed. */
void enc_conn_after_farewell(struct enc_conn *conn);

/** Free items without writing them. */
void enc_conn_free_queue(struct enc_conn_queue *queue);
