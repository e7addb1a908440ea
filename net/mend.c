/* A repair of libh2o 2.2.5 from outside: libh2o finds uv_write through the dynamic linker, and so
 * finds this one.
 *
 * libh2o relies on every write to end in its callback. It does not when libuv refuses the write at
 * once:
 * - After a reset was read, libuv refuses further writes. libh2o ignores that, waits for ever to
 *   have said goodbye over TLS, and a descriptor is lost for every client that resets its
 *   connection.
 * - After a TLS record that does not decrypt, OpenSSL produces no output, and libh2o asks libuv to
 *   write no buffers at all. libuv aborts the process then: any client could end the node.
 * Here a refused write fails a moment later, through its callback, which is what libh2o
 * understands. */
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

/* ---- writes that leave at once ----
 *
 * libuv ends every write with a change of what epoll watches, though nothing has changed: a system
 * call per write. What the kernel takes whole does without; its callback comes before the loop
 * sleeps, as libuv's would. */

enum { BUFS_MAX = 128 };

static void note_written(uv_write_t *req, const uv_stream_t *stream, uv_write_cb done)
{
    struct enc_peer *peer = enc_peer_of_socket(stream->data);
    ENC_CHECK(!peer->written); /* libh2o writes once at a time */
    peer->written = req;
    peer->written_done = done;
    peer->written_next = peer->loop->written;
    peer->loop->written = peer;
    enc_peer_hold(peer);
}

static struct enc_peer *pop_written(struct enc_loop *loop)
{
    struct enc_peer *peer = loop->written;
    if (peer)
        loop->written = peer->written_next;
    return peer;
}

/* Callbacks write more; after some rounds the loop looks at others first. */
void enc_mend_deliver(struct enc_loop *loop)
{
    enum { ROUNDS_MAX = 1024 };
    struct enc_peer *peer = pop_written(loop);
    for (unsigned i = 0; peer; peer = i++ < ROUNDS_MAX ? pop_written(loop) : NULL) {
        uv_write_t *req = peer->written;
        peer->written = NULL;
        if (peer->sock)
            peer->written_done(req, 0);
        enc_peer_drop(peer);
    }
    if (loop->written)
        uv_async_send(&loop->wake);
}

/* The buffers behind the first len bytes; returns their number. */
static unsigned skip(uv_buf_t rest[BUFS_MAX], const uv_buf_t bufs[], unsigned count, size_t len)
{
    unsigned first = 0;
    while (first < count && len >= bufs[first].len)
        len -= bufs[first++].len;
    for (unsigned i = first; i < count; i++)
        rest[i - first] = bufs[i];
    if (first < count)
        rest[0] = uv_buf_init(bufs[first].base + len, (unsigned)(bufs[first].len - len));
    return count - first;
}

int enc_mend_uv_write(uv_write_t *req, uv_stream_t *stream, const uv_buf_t bufs[], unsigned count,
                      uv_write_cb done)
{
    uv_buf_t rest[BUFS_MAX];
    int len = count > 0 && count <= BUFS_MAX ? uv_try_write(stream, bufs, count) : 0;
    unsigned left = len > 0 ? skip(rest, bufs, count, (size_t)len) : count;
    if (len > 0 && left == 0)
        note_written(req, stream, done);
    else if (left == 0 || uv_write2(req, stream, len > 0 ? rest : bufs, left, NULL, done) != 0)
        fail_later(req, stream, done);
    return 0;
}

bool enc_mend_is_in_place(void)
{
    return dlsym(RTLD_DEFAULT, "uv_write") == (void *)enc_mend_uv_write;
}
