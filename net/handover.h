/**
 * The predecessor's side of a handover, on the main thread's loop: start a successor, wait until it
 * is ready, and say so. One at a time; a successor that ends instead changes nothing. Main thread.
 */
#pragma once

#include "net/server.h"
#include "net/usher.h"

/** Called once, when a successor is ready to take over. */
typedef void enc_handover_fn(void *opaque);

struct enc_handover {
    uv_loop_t *uv;
    enc_handover_fn *done;
    void *opaque;
    const struct enc_usher *usher;
    uv_poll_t poll;
    int ready_fd;
    pid_t pid;
    bool is_waiting;
};

/** Remember whom to ask; the usher must outlive the handover. */
void enc_handover_init(struct enc_handover *handover, uv_loop_t *uv, const struct enc_usher *usher,
                       enc_handover_fn *done, void *opaque);

/** Start a successor with the server's listeners, unless one is on its way; tells the log. */
void enc_handover_start(struct enc_handover *handover, const struct enc_server *server);

/** Stop waiting; a successor that is not ready yet finds nobody to tell. */
void enc_handover_fini(struct enc_handover *handover);
