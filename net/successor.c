#include "net/successor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PID_DIGITS = 10,
    VARIABLES_ADDED = 3,
    ABOVE_FD = ENC_INHERIT_FIRST_FD + ENC_INHERIT_FDS_MAX, /* clear of where they go */
};

/* Everything the child needs, made before the fork: afterwards only calls that are safe in a
 * handler are allowed, since other threads may hold any lock. */
struct child {
    int fds[ENC_INHERIT_FDS_MAX];
    unsigned count;
    char pid[sizeof "LISTEN_PID=" + PID_DIGITS];
    char number[sizeof "LISTEN_FDS=" + PID_DIGITS];
    char names[sizeof "LISTEN_FDNAMES=" + ENC_INHERIT_FDS_MAX * 16];
    char **environment;
    sigset_t mask;
};

bool enc_legacy_add(struct enc_legacy *legacy, int fd, const char *name)
{
    if (legacy->count == ENC_INHERIT_FDS_MAX)
        return false;
    legacy->fds[legacy->count] = fd;
    legacy->names[legacy->count++] = name;
    return true;
}

static void write_names(struct child *child, const struct enc_legacy *legacy)
{
    size_t len = (size_t)snprintf(child->names, sizeof child->names, "LISTEN_FDNAMES=");
    for (unsigned i = 0; i < legacy->count; i++)
        len += (size_t)snprintf(child->names + len, sizeof child->names - len, "%s%s", i ? ":" : "",
                                legacy->names[i]);
}

static bool copy_environment(struct child *child)
{
    size_t count = 0;
    while (environ[count])
        count++;
    child->environment = calloc(count + VARIABLES_ADDED + 1, sizeof(char *));
    if (!child->environment)
        return false;
    memcpy(child->environment, environ, count * sizeof(char *));
    child->environment[count] = child->pid;
    child->environment[count + 1] = child->number;
    child->environment[count + 2] = child->names;
    return true;
}

static void close_copies(struct child *child)
{
    for (unsigned i = 0; i < child->count; i++)
        close(child->fds[i]);
    free(child->environment);
}

static bool prepare(struct child *child, const struct enc_legacy *legacy)
{
    *child = (struct child){.count = 0};
    snprintf(child->number, sizeof child->number, "LISTEN_FDS=%u", legacy->count);
    write_names(child, legacy);
    for (; child->count < legacy->count; child->count++) {
        int fd = fcntl(legacy->fds[child->count], F_DUPFD_CLOEXEC, ABOVE_FD);
        if (fd < 0)
            return false;
        child->fds[child->count] = fd;
    }
    return copy_environment(child);
}

/* "LISTEN_PID=" and the number; snprintf is not safe here. */
static void write_pid(struct child *child)
{
    static const char NAME[] = "LISTEN_PID=";
    char digits[PID_DIGITS];
    size_t count = 0;
    for (unsigned pid = (unsigned)getpid(); pid > 0 && count < PID_DIGITS; pid /= 10)
        digits[count++] = (char)('0' + pid % 10);
    memcpy(child->pid, NAME, sizeof NAME - 1);
    for (size_t i = 0; i < count; i++)
        child->pid[sizeof NAME - 1 + i] = digits[count - 1 - i];
}

static _Noreturn void become(struct child *child, const char *path, char *const *argv)
{
    static const int OF_THE_NODE[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR2}; /* ignored by the usher */
    for (unsigned i = 0; i < child->count; i++) {
        if (dup2(child->fds[i], ENC_INHERIT_FIRST_FD + (int)i) < 0)
            _exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < sizeof OF_THE_NODE / sizeof *OF_THE_NODE; i++)
        signal(OF_THE_NODE[i], SIG_DFL);
    write_pid(child);
    sigprocmask(SIG_SETMASK, &child->mask, NULL);
    execve(path, argv, child->environment);
    _exit(EXIT_FAILURE);
}

/* Signals wait meanwhile: our handlers would run in the child and speak to our loops. */
static pid_t spawn(struct child *child, const char *path, char *const *argv)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &child->mask);
    pid_t pid = fork();
    if (pid == 0)
        become(child, path, argv);
    int kept = errno;
    pthread_sigmask(SIG_SETMASK, &child->mask, NULL);
    errno = kept;
    return pid;
}

static pid_t start(const struct enc_legacy *legacy, const char *path, char *const *argv)
{
    struct child child;
    pid_t pid = prepare(&child, legacy) ? spawn(&child, path, argv) : -1;
    int kept = errno;
    close_copies(&child);
    errno = kept;
    return pid;
}

pid_t enc_successor_start(const struct enc_legacy *legacy, int *ready_fd, const char *path,
                          char *const *argv)
{
    struct enc_legacy with_pipe = *legacy;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    bool fits = enc_legacy_add(&with_pipe, ends[1], ENC_SUCCESSOR_PIPE);
    errno = EMFILE;
    pid_t pid = fits ? start(&with_pipe, path, argv) : -1;
    close(ends[1]);
    if (pid < 0)
        close(ends[0]);
    *ready_fd = ends[0];
    return pid;
}

bool enc_successor_is(const struct enc_inherit *inherit)
{
    for (unsigned i = 0; i < inherit->count; i++) {
        if (inherit->fds[i] >= 0 && strcmp(inherit->names[i], ENC_SUCCESSOR_PIPE) == 0)
            return true;
    }
    return false;
}

void enc_successor_ready(struct enc_inherit *inherit)
{
    int fd;
    while (enc_inherit_take(inherit, &fd, 1, ENC_SUCCESSOR_PIPE) > 0) {
        /* A predecessor that has ended meanwhile needs no telling: SIGPIPE is ignored. */
        ssize_t written = write(fd, "R", 1);
        (void)written;
        close(fd);
    }
}
