#include "net/process.h"

#include "proto/base/check.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <uv.h>

void enc_process_seal(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN); /* a client that left is an error code, not the end */
    signal(SIGXFSZ, SIG_IGN); /* so is a limit of file sizes */
}

uint64_t enc_process_raise_files(void)
{
    struct rlimit files = {1024, 1024};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_NOFILE, &files);
    return files.rlim_cur;
}

unsigned enc_process_cpus(void)
{
    return uv_available_parallelism();
}

uint64_t enc_process_now_ms(void)
{
    struct timespec now;
    ENC_CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t enc_process_now_ns(void)
{
    return uv_hrtime();
}

void enc_process_random(uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        ENC_CHECK(got > 0 || errno == EINTR);
        if (got > 0) {
            out += got;
            len -= (size_t)got;
        }
    }
}

/* A call of the kernel for every kibibyte only. */
void enc_process_draw(uint8_t *out, size_t len)
{
    enum { STOCK_LEN = 1024 };
    static _Thread_local uint8_t stock[STOCK_LEN];
    static _Thread_local size_t left;
    ENC_CHECK(len <= STOCK_LEN);
    if (left < len) {
        enc_process_random(stock, sizeof stock);
        left = sizeof stock;
    }
    left -= len;
    memcpy(out, stock + left, len);
}

uint64_t enc_process_wall_ns(void)
{
    struct timespec now;
    ENC_CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void enc_process_wipe(void *secret, size_t len)
{
    explicit_bzero(secret, len);
}
