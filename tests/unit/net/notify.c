#include "net/notify.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64];
static char path[96];
static int manager = -1;

static void listen_at(const char *name, size_t len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, len);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(manager, (struct sockaddr *)&address,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                 0);
}

static void be_manager(void)
{
    strcpy(folder, "/tmp/enclaved-notify-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    listen_at(path, strlen(path));
    setenv("NOTIFY_SOCKET", path, 1);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static void leave(void)
{
    close(manager);
    unlink(path);
    rmdir(folder);
}

TestSuite(notify, .init = be_manager, .fini = leave);

/* The next datagram; "" when there is none. */
static const char *told(void)
{
    static char text[256];
    ssize_t len = recv(manager, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

Test(notify, every_change_is_one_datagram)
{
    struct enc_notify notify;
    unsigned long long usec = 0;
    enc_notify_open(&notify);
    enc_notify_ready(&notify);
    cr_expect_str_eq(told(), "READY=1\nSTATUS=serving");
    enc_notify_reloading(&notify);
    cr_expect_eq(sscanf(told(), "RELOADING=1\nMONOTONIC_USEC=%llu\n", &usec), 1);
    cr_expect_gt(usec, 0);
    enc_notify_succeeded(&notify, 4711);
    cr_expect_str_eq(told(), "MAINPID=4711\nSTATUS=handing over");
    enc_notify_stopping(&notify, 1500);
    cr_expect_str_eq(told(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=1500000\nSTATUS=draining");
    cr_expect_str_eq(told(), "");
    enc_notify_close(&notify);
}

static bool barks(const char *usec, long pid)
{
    struct enc_notify notify;
    char text[32];
    snprintf(text, sizeof text, "%ld", pid);
    setenv("WATCHDOG_USEC", usec, 1);
    if (pid)
        setenv("WATCHDOG_PID", text, 1);
    enc_notify_open(&notify);
    enc_notify_alive(&notify);
    enc_notify_close(&notify);
    return strcmp(told(), "WATCHDOG=1") == 0;
}

Test(notify, a_watchdog_that_is_ours_is_fed)
{
    struct enc_notify notify;
    enc_notify_open(&notify);
    enc_notify_alive(&notify);
    cr_expect_str_eq(told(), "");
    enc_notify_close(&notify);
    cr_expect(barks("1000000", 0));
    cr_expect(barks("1000000", getpid()));
    cr_expect_not(barks("1000000", getpid() + 1L));
}

Test(notify, an_abstract_name_begins_with_at)
{
    struct enc_notify notify;
    char name[64];
    int len = snprintf(name, sizeof name, "@enclaved-notify-%d", getpid());
    setenv("NOTIFY_SOCKET", name, 1);
    name[0] = '\0';
    close(manager);
    listen_at(name, (size_t)len);
    enc_notify_open(&notify);
    enc_notify_ready(&notify);
    cr_expect_str_eq(told(), "READY=1\nSTATUS=serving");
    enc_notify_close(&notify);
}

Test(notify, without_a_manager_nothing_happens)
{
    static const char *const BAD[] = {"", "relative", "vsock:2:1", "/nobody/listens/here"};
    char long_path[300];
    struct enc_notify notify;
    memset(long_path, 'a', sizeof long_path);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    for (size_t i = 0; i < 6; i++) {
        if (i < 4)
            setenv("NOTIFY_SOCKET", BAD[i], 1);
        else if (i == 4)
            setenv("NOTIFY_SOCKET", long_path, 1);
        else
            unsetenv("NOTIFY_SOCKET");
        enc_notify_open(&notify);
        cr_expect_eq(notify.fd, -1, "%zu", i);
        enc_notify_ready(&notify);
        enc_notify_alive(&notify);
        enc_notify_close(&notify);
    }
}
