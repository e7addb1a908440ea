#include "net/usher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the node asks; the descriptors come beside it. count 0: end the last one. */
struct request {
    unsigned count;
    char names[ENC_INHERIT_FDS_MAX][sizeof((struct enc_inherit *)0)->names[0]];
};

/* What it hears; the descriptor that becomes readable comes beside it. */
struct reply {
    pid_t pid;
    int error;
};

/* Room for the descriptors of one message. */
union passage {
    struct cmsghdr head;
    char room[CMSG_SPACE(ENC_INHERIT_FDS_MAX * sizeof(int))];
};

/* The usher's own state. */
struct usher {
    int fd;
    char path[PATH_MAX];
    char *const *argv;
    pid_t last;
};

/* ---- messages with descriptors ---- */

static bool send_with(int fd, struct iovec body, const int *fds, unsigned count)
{
    union passage passage = {.room = {0}};
    struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = passage.room;
        message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
        passage.head = (struct cmsghdr){CMSG_LEN(count * sizeof *fds), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(&passage.head), fds, count * sizeof *fds);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)body.iov_len;
}

/* How many descriptors came; -1 when the message is not of that size, which the end is. */
static int receive_with(int fd, struct iovec body, int fds[ENC_INHERIT_FDS_MAX])
{
    union passage passage;
    struct msghdr message = {.msg_iov = &body,
                             .msg_iovlen = 1,
                             .msg_control = passage.room,
                             .msg_controllen = sizeof passage.room};
    if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != (ssize_t)body.iov_len)
        return -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    size_t len = head ? head->cmsg_len - CMSG_LEN(0) : 0;
    if (len > 0)
        memcpy(fds, CMSG_DATA(head), len);
    return (int)(len / sizeof *fds);
}

/* ---- the usher ---- */

static void end_last(struct usher *usher)
{
    if (usher->last > 0) {
        kill(usher->last, SIGKILL);
        waitpid(usher->last, NULL, 0);
    }
    usher->last = 0;
}

static void start_next(struct usher *usher, const struct request *request, const int *fds)
{
    struct enc_legacy legacy = {.count = 0};
    int ready_fd = -1;
    if (usher->last > 0)
        waitpid(usher->last, NULL, WNOHANG);
    for (unsigned i = 0; i < request->count; i++)
        ENC_CHECK(enc_legacy_add(&legacy, fds[i], request->names[i]));
    pid_t pid = enc_successor_start(&legacy, &ready_fd, usher->path, usher->argv);
    struct reply reply = {pid, pid < 0 ? errno : 0};
    usher->last = pid;
    send_with(usher->fd, (struct iovec){&reply, sizeof reply}, &ready_fd, pid > 0);
    if (pid > 0)
        close(ready_fd);
}

static _Noreturn void serve(struct usher *usher)
{
    struct request request;
    int fds[ENC_INHERIT_FDS_MAX];
    for (;;) {
        int count = receive_with(usher->fd, (struct iovec){&request, sizeof request}, fds);
        if (count < 0 || (unsigned)count != request.count)
            _exit(EXIT_SUCCESS);
        if (count == 0)
            end_last(usher);
        else
            start_next(usher, &request, fds);
        while (count-- > 0)
            close(fds[count]);
    }
}

/* Signals are for the node, which lets us end; and none of its descriptors are ours, or its
 * predecessor would wait for us. */
static _Noreturn void become_usher(struct usher *usher)
{
    static const int OF_THE_NODE[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR2};
    enum { FIRST_FD = STDERR_FILENO + 1 };
    for (size_t i = 0; i < sizeof OF_THE_NODE / sizeof *OF_THE_NODE; i++)
        signal(OF_THE_NODE[i], SIG_IGN);
    prctl(PR_SET_NAME, "enclaved-usher", 0, 0, 0);
    if (usher->fd != FIRST_FD)
        dup2(usher->fd, FIRST_FD);
    usher->fd = FIRST_FD;
    fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC);
    close_range(FIRST_FD + 1, ~0U, 0);
    serve(usher);
}

/* ---- the node's end ---- */

bool enc_usher_open(struct enc_usher *usher, char *const *argv)
{
    struct usher child = {.argv = argv};
    int ends[2];
    *usher = (struct enc_usher){.fd = -1};
    /* Now, because a program that was replaced on the disk has no path any more. */
    if (readlink("/proc/self/exe", child.path, sizeof child.path - 1) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    child.fd = ends[1];
    pid_t pid = fork();
    if (pid == 0)
        become_usher(&child);
    int kept = errno;
    close(ends[1]);
    *usher = (struct enc_usher){.fd = ends[0], .is_open = true};
    if (pid < 0)
        enc_usher_close(usher);
    errno = kept;
    return pid > 0;
}

pid_t enc_usher_start(const struct enc_usher *usher, const struct enc_legacy *legacy, int *ready_fd)
{
    struct request request = {.count = legacy->count};
    struct reply reply;
    int fds[ENC_INHERIT_FDS_MAX];
    for (unsigned i = 0; i < legacy->count; i++)
        strncpy(request.names[i], legacy->names[i], sizeof *request.names - 1);
    if (!send_with(usher->fd, (struct iovec){&request, sizeof request}, legacy->fds, legacy->count))
        return -1;
    int count = receive_with(usher->fd, (struct iovec){&reply, sizeof reply}, fds);
    errno = count < 0 ? EPIPE : reply.error;
    if (count != 1)
        return -1;
    *ready_fd = fds[0];
    return reply.pid;
}

void enc_usher_end(const struct enc_usher *usher)
{
    struct request request = {.count = 0};
    send_with(usher->fd, (struct iovec){&request, sizeof request}, NULL, 0);
}

void enc_usher_close(struct enc_usher *usher)
{
    if (usher->is_open)
        close(usher->fd);
    *usher = (struct enc_usher){.fd = -1};
}
