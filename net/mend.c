/* A repair of libh2o 2.2.5 from outside: libh2o finds uv_write through the dynamic linker, and so
 * finds this one.
 *
 * libh2o relies on every write to end in its callback. It does not when libuv refuses the write at
 * once:
 * - After a reset was read, libuv refuses further writes. libh2o ignores that, waits
 *   for ever to have said
 * goodbye over TLS, and a descriptor is lost for every client that resets its connection.
 * - After a TLS record that does not decrypt, OpenSSL produces no output, and libh2o asks libuv to
 *   write no buffers at
 * all. libuv aborts the process then: any client could end the node. Here a refused write fails a
 * moment later, through its callback, which is what libh2o understands. */
#include "net/mend.h"

#include "net/peer.h"

#include <dlfcn.h>
#include <stdlib.h>

int enc_mend_uv_write(uv_write_t *req, uv_stream_t *stream, const uv_buf_t bufs[], unsigned count,
                      uv_write_cb done) __asm__("uv_write");

/* A write on its way to fail. */
struct failure {
    struct enc_task task; /* first */
    struct enc_peer *peer;
    uv_write_t *req; /* lives in the socket, as long as the peer has one */
    uv_write_cb done;
};

static void deliver(struct enc_loop *loop, struct enc_task *task)
{
    (void)loop;
    struct failure *failure = (struct failure *)task;
    if (failure->peer->sock)
        failure->done(failure->req, UV_EPIPE);
    enc_peer_drop(failure->peer);
    free(failure);
}

/* Every stream of libh2o's is a socket of a peer. */
static void fail_later(uv_write_t *req, const uv_stream_t *stream, uv_write_cb done)
{
    struct failure *failure = enc_net_new(sizeof *failure);
    failure->task.run = deliver;
    failure->peer = enc_peer_of_socket(stream->data);
    failure->req = req;
    failure->done = done;
    enc_peer_hold(failure->peer);
    enc_loop_post(failure->peer->loop, &failure->task);
}

int enc_mend_uv_write(uv_write_t *req, uv_stream_t *stream, const uv_buf_t bufs[], unsigned count,
                      uv_write_cb done)
{
    if (count == 0 || uv_write2(req, stream, bufs, count, NULL, done) != 0)
        fail_later(req, stream, done);
    return 0;
}

bool enc_mend_is_in_place(void)
{
    return dlsym(RTLD_DEFAULT, "uv_write") == (void *)enc_mend_uv_write;
}
