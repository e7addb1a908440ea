#include "net/bind.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool refuse(struct enc_bind_fault *fault, const char *text, const char *why)
{
    snprintf(fault->text, sizeof fault->text, "%s: %s", text, why);
    return false;
}

static bool set_options(int fd, int family, bool is_shared)
{
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return false;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return false;
    return !is_shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
}

/* -1 with errno when it cannot be had. */
static int open_bound(const struct enc_address *address, bool is_shared)
{
    int family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (set_options(fd, family, is_shared) &&
        bind(fd, (const struct sockaddr *)&address->storage, address->len) == 0)
        return fd;
    int kept = errno;
    close(fd);
    errno = kept;
    return -1;
}

/* A shared port lets a second process of ours in silently; an unshared attempt does not. */
static bool is_taken(const struct enc_address *address)
{
    int fd = open_bound(address, false);
    if (fd < 0)
        return true;
    close(fd);
    return false;
}

static bool learn_port(struct enc_bind *bind, int fd)
{
    bind->address.len = sizeof bind->address.storage;
    return getsockname(fd, (struct sockaddr *)&bind->address.storage, &bind->address.len) == 0;
}

static bool open_all(struct enc_bind *bind, unsigned count)
{
    bool is_shared = count > 1;
    if (is_shared && is_taken(&bind->address))
        return false;
    for (bind->count = 0; bind->count < count; bind->count++) {
        int fd = open_bound(&bind->address, is_shared);
        if (fd < 0)
            return false;
        bind->fds[bind->count] = fd;
        if (!learn_port(bind, fd))
            return false;
    }
    return true;
}

bool enc_bind_open(struct enc_bind *bind, struct enc_bind_fault *fault, const char *text,
                   unsigned count)
{
    struct enc_endpoint endpoint;
    *bind = (struct enc_bind){.fds = NULL};
    if (!enc_endpoint_parse(&endpoint, text))
        return refuse(fault, text, "not HOST:PORT");
    const char *why = enc_endpoint_resolve(&bind->address, &endpoint);
    if (why)
        return refuse(fault, text, why);
    bind->fds = calloc(count, sizeof *bind->fds);
    ENC_CHECK(bind->fds != NULL);
    if (open_all(bind, count))
        return true;
    refuse(fault, text, strerror(errno));
    enc_bind_fini(bind);
    return false;
}

static bool is_listening_stream(int fd)
{
    int type = 0, is_accepting = 0;
    socklen_t len = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM)
        return false;
    len = sizeof is_accepting;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_accepting, &len) == 0 && is_accepting;
}

/* The loops beyond the sockets share them: the kernel lets any of them accept. */
static bool fill_up(struct enc_bind *bind, unsigned fd_count, unsigned count)
{
    for (; bind->count < count; bind->count++) {
        int fd = fcntl(bind->fds[bind->count % fd_count], F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return false;
        bind->fds[bind->count] = fd;
    }
    return true;
}

bool enc_bind_adopt(struct enc_bind *bind, struct enc_bind_fault *fault, const int *fds,
                    unsigned fd_count, unsigned count)
{
    unsigned room = fd_count > count ? fd_count : count;
    *bind = (struct enc_bind){.fds = calloc(room, sizeof *bind->fds), .count = fd_count};
    ENC_CHECK(bind->fds != NULL);
    memcpy(bind->fds, fds, fd_count * sizeof *fds);
    if (fd_count > count)
        return refuse(fault, "passed sockets", "more than there are loops");
    for (unsigned i = 0; i < fd_count; i++) {
        if (!is_listening_stream(fds[i]))
            return refuse(fault, "passed sockets", "not a listening stream socket");
    }
    return (fill_up(bind, fd_count, count) && learn_port(bind, fds[0])) ||
           refuse(fault, "passed sockets", strerror(errno));
}

void enc_bind_fini(struct enc_bind *bind)
{
    for (unsigned i = 0; i < bind->count; i++) {
        if (bind->fds[i] >= 0)
            close(bind->fds[i]);
    }
    free(bind->fds);
    *bind = (struct enc_bind){.fds = NULL};
}
