#include "net/listener.h"

#include "net/log.h"
#include "net/peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, TURN_MAX = 64, REST_MS = 50 };

static void watch(struct enc_listener *listener);

static void on_rested(uv_timer_t *timer)
{
    watch(timer->data);
}

static bool is_of_one_client(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO;
}

/* libuv's own listener would ask again at once and for ever, and nobody else be served. */
static void rest(struct enc_listener *listener, int error)
{
    if (!listener->has_told)
        enc_log(NOT_ACCEPTING, enc_log_text("why", strerror(error)));
    listener->has_told = true;
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->rest, on_rested, REST_MS, 0);
}

/* Whether to go on at once. */
static bool take_one(struct enc_listener *listener)
{
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        listener->has_told = false;
        enc_peer_accept(listener, fd);
        return true;
    }
    if (is_of_one_client(errno))
        return true;
    if (errno != EAGAIN)
        rest(listener, errno);
    return false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status; /* accept says what is wrong */
    (void)events;
    struct enc_listener *listener = poll->data;
    for (unsigned i = 0; i < TURN_MAX && listener->is_open && take_one(listener); i++)
        ;
}

static void watch(struct enc_listener *listener)
{
    ENC_CHECK(uv_poll_start(&listener->poll, UV_READABLE, on_readable) == 0);
}

bool enc_listener_open(struct enc_listener *listener, struct enc_loop *loop, int fd)
{
    int rc = listen(fd, BACKLOG) == 0 ? 0 : -errno;
    if (rc == 0)
        rc = uv_poll_init_socket(&loop->uv, &listener->poll, fd);
    if (rc != 0) {
        close(fd);
        errno = -rc;
        return false;
    }
    uv_timer_init(&loop->uv, &listener->rest);
    listener->poll.data = listener->rest.data = listener;
    listener->loop = loop;
    listener->fd = fd;
    listener->accept.ctx = &loop->http;
    listener->is_open = true;
    watch(listener);
    return true;
}

int enc_listener_fd(const struct enc_listener *listener)
{
    return listener->fd;
}

void enc_listener_close(struct enc_listener *listener)
{
    if (!listener->is_open)
        return;
    listener->is_open = false;
    uv_close((uv_handle_t *)&listener->poll, NULL);
    uv_close((uv_handle_t *)&listener->rest, NULL);
    close(listener->fd);
}
