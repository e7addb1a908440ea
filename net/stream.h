/**
 * Server-sent events: a subscription as an HTTP answer that does not end, for who cannot open a
 * WebSocket. A conn without a socket of its own: queue, bounds and marks are those of conn_out.c,
 * its frames leave through h2o over HTTP/1.1 and HTTP/2. The answer begins with the first frame, so
 * that a refusal is an HTTP error. Loop thread, except where noted.
 */
#pragma once

#include "net/conn.h"

#include <sys/uio.h>

enum { ENC_STREAM_HEAD_MAX = 96, ENC_STREAM_TAIL_LEN = 2 };

#define ENC_STREAM_TAIL "\n\n"

/** Whether req wants text/event-stream. */
bool enc_stream_is_asked(const h2o_req_t *req);

/** The Last-Event-ID of req; empty when there is none. */
struct enc_bytes enc_stream_last_id(const h2o_req_t *req);

/** Open the stream of req at place. request->call is withdrawn, now or when the answer begins. */
void enc_stream_open(h2o_req_t *req, const struct enc_request *request,
                     const struct enc_ws_place *place);

/** What leaves together; ends: nothing follows. */
struct enc_stream_flight {
    const struct iovec *vector; /* what it points at lives until it has left */
    size_t count;
    const struct enc_outgoing *first;
    bool ends;
};

/** Send flight; enc_conn_go_on follows when it has left. The stream may be gone afterwards. */
void enc_stream_write(struct enc_conn *conn, const struct enc_stream_flight *flight);

/** Heartbeat, patience, clients that are gone. conn may be freed. */
void enc_stream_tick(struct enc_conn *conn, uint64_t now_ms);

/** The type of a frame, as its JSON begins with it; empty when it does not. Pure; any thread. */
struct enc_bytes enc_stream_kind(struct enc_bytes frame);

/** What stands before a frame of this kind; returns its length. Pure; any thread. */
size_t enc_stream_head(uint8_t out[ENC_STREAM_HEAD_MAX], struct enc_bytes kind,
                       const struct enc_outgoing *outgoing);
