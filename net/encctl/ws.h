/**
 * A WebSocket to the node (RFC 6455), over a plain or TLS connection that libcurl makes. Main
 * thread.
 */
#pragma once

#include "net/encctl/ctl.h"

struct enc_ws;

/** One whole text message. The text dies with the call. */
typedef void enc_ws_text(void *opaque, struct enc_bytes text);

/** Connect to url + path. NULL, and told why, when the node does not speak WebSocket there. */
ENC_MUST_USE struct enc_ws *enc_ws_open(struct enc_ctl *ctl, const char *path, enc_ws_text *text,
                                        void *opaque);

/** Say goodbye, close, free. NULL is allowed. */
void enc_ws_close(struct enc_ws *ws);

/** Queue a text message; it is copied. */
void enc_ws_send(struct enc_ws *ws, struct enc_bytes text);

/** Bytes queued that the connection has not taken yet. */
size_t enc_ws_unsent(const struct enc_ws *ws);

/**
 * Send what is queued, wait until something comes in, or more_fd (-1: none) is readable, or the
 * time is over (-1: never), or a signal arrives; deliver what came in. False when the connection
 * has ended; told why unless the node said goodbye.
 */
ENC_MUST_USE bool enc_ws_wait(struct enc_ws *ws, int more_fd, int timeout_ms);
