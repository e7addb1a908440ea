#include "net/notify.h"

#include "net/log.h"
#include "proto/base/check.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_LEN_MAX = 128, USEC_PER_SEC = 1000000, NSEC_PER_USEC = 1000, USEC_PER_MSEC = 1000 };

/* '@' stands for the NUL of an abstract name. Returns the address's length; 0: not an address. */
static socklen_t address_of(struct sockaddr_un *address, const char *path)
{
    size_t len = strlen(path);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((path[0] != '/' && path[0] != '@') || len >= sizeof address->sun_path)
        return 0;
    memcpy(address->sun_path, path, len);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address;
    socklen_t len = address_of(&address, path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && len && connect(fd, (const struct sockaddr *)&address, len) == 0)
        return fd;
    enc_log(NO_MANAGER, enc_log_text("path", path));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* WATCHDOG_PID says whose watchdog it is, when it is inherited. */
static bool is_watched(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    return usec && (!pid || strtoll(pid, NULL, 10) == getpid());
}

void enc_notify_open(struct enc_notify *notify)
{
    const char *path = getenv("NOTIFY_SOCKET");
    notify->fd = path && path[0] ? connect_to(path) : -1;
    notify->is_watched = notify->fd >= 0 && is_watched();
    unsetenv("WATCHDOG_PID");
}

void enc_notify_close(struct enc_notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}

static void send_text(const struct enc_notify *notify, const char *text)
{
    if (notify->fd >= 0 && send(notify->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        enc_log(MANAGER_NOT_TOLD, enc_log_text("why", strerror(errno)));
}

void enc_notify_ready(const struct enc_notify *notify)
{
    send_text(notify, "READY=1\nSTATUS=serving");
}

void enc_notify_reloading(const struct enc_notify *notify)
{
    char text[TEXT_LEN_MAX];
    struct timespec now;
    ENC_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    long long usec = now.tv_sec * (long long)USEC_PER_SEC + now.tv_nsec / NSEC_PER_USEC;
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading", usec);
    send_text(notify, text);
}

void enc_notify_stopping(const struct enc_notify *notify, uint64_t timeout_ms)
{
    char text[TEXT_LEN_MAX];
    unsigned long long usec = timeout_ms * USEC_PER_MSEC;
    snprintf(text, sizeof text, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu\nSTATUS=draining", usec);
    send_text(notify, text);
}

void enc_notify_succeeded(const struct enc_notify *notify, pid_t successor)
{
    char text[TEXT_LEN_MAX];
    snprintf(text, sizeof text, "MAINPID=%lld\nSTATUS=handing over", (long long)successor);
    send_text(notify, text);
}

void enc_notify_alive(const struct enc_notify *notify)
{
    if (notify->is_watched)
        send_text(notify, "WATCHDOG=1");
}
