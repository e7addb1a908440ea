/* A library to be preloaded: calls into the system fail, wait or lie while a test says so. The test
 * writes rows into the file $FAULTS, which is mapped here, so an order holds from the next call on
 * and costs a look at memory while there is none. lib/fault.mjs writes the same rows. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum call { SYNC, WRITE, ACCEPT, SOCKET, LOOKUP, CHUNK, CLOCK, CALLS };

struct row {
    _Atomic uint32_t is_armed; /* the last that is written */
    int32_t error;             /* errno, or EAI_* of a lookup; 0: wait, but succeed */
    _Atomic int64_t skip;      /* so many calls are left alone first */
    _Atomic int64_t count;     /* so many fail then; negative: all */
    uint64_t delay_ms;
    int64_t value;         /* CLOCK: ms added; WRITE: only in front of it; CHUNK: only from it on */
    _Atomic uint64_t hits; /* calls that were touched */
    char path[80];         /* of the descriptor, or in the name; empty: all */
};

static struct row *rows(void)
{
    static struct row *_Atomic mapped;
    struct row *at = atomic_load(&mapped);
    const char *file = at ? NULL : getenv("FAULTS");
    int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return at;
    at = mmap(NULL, CALLS * sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    at = at == MAP_FAILED ? NULL : at;
    atomic_store(&mapped, at);
    return at;
}

/* The row, if it says something. */
static struct row *row_of(enum call call)
{
    struct row *all = rows();
    return all && atomic_load(&all[call].is_armed) ? &all[call] : NULL;
}

static void wait_ms(uint64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (ms && nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* One less, unless it is 0 or endless; whether there was one. */
static bool take(_Atomic int64_t *stock)
{
    int64_t left = atomic_load(stock);
    while (left > 0 && !atomic_compare_exchange_weak(stock, &left, left - 1))
        ;
    return left != 0;
}

/* Waits as told; whether the call fails. */
static bool strikes(struct row *row)
{
    if (!row || take(&row->skip) || !take(&row->count))
        return false;
    atomic_fetch_add(&row->hits, 1);
    wait_ms(row->delay_ms);
    return row->error != 0;
}

static struct row *row_of_fd(enum call call, int fd)
{
    char link[40], path[512];
    struct row *row = row_of(call);
    if (!row || !row->path[0])
        return row;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    return strstr(path, row->path) ? row : NULL;
}

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

#define REAL(type, name)                                                                           \
    static type real;                                                                              \
    if (!real)                                                                                     \
    *(void **)&real = next(name)

typedef int sync_fn(int);
int fdatasync(int fd)
{
    REAL(sync_fn *, "fdatasync");
    struct row *row = row_of_fd(SYNC, fd);
    if (!strikes(row))
        return real(fd);
    errno = row->error;
    return -1;
}

typedef ssize_t pwrite_fn(int, const void *, size_t, off_t);
ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    REAL(pwrite_fn *, "pwrite");
    struct row *row = row_of_fd(WRITE, fd);
    if (row && row->value && offset >= row->value)
        row = NULL;
    if (!strikes(row))
        return real(fd, data, len, offset);
    errno = row->error;
    return -1;
}

typedef int accept_fn(int, struct sockaddr *, socklen_t *, int);
int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    REAL(accept_fn *, "accept4");
    struct row *row = row_of(ACCEPT);
    if (!strikes(row))
        return real(fd, address, len, flags);
    errno = row->error;
    return -1;
}

typedef int socket_fn(int, int, int);
int socket(int domain, int type, int protocol)
{
    REAL(socket_fn *, "socket");
    struct row *row = domain == AF_UNIX ? NULL : row_of(SOCKET);
    if (!strikes(row))
        return real(domain, type, protocol);
    errno = row->error;
    return -1;
}

/* Names that end in .test are this machine. */
typedef int lookup_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    REAL(lookup_fn *, "getaddrinfo");
    struct row *row = row_of(LOOKUP);
    const char *end = name ? strrchr(name, '.') : NULL;
    if (row && row->path[0] && !(name && strstr(name, row->path)))
        row = NULL;
    if (strikes(row))
        return row->error;
    return real(end && strcmp(end, ".test") == 0 ? "127.0.0.1" : name, service, hints, out);
}

/* Nothing but arenas asks for memory in this way. */
typedef void *chunk_fn(size_t, size_t);
void *aligned_alloc(size_t align, size_t len)
{
    REAL(chunk_fn *, "aligned_alloc");
    struct row *row = row_of(CHUNK);
    if (row && len < (size_t)row->value)
        row = NULL;
    return strikes(row) ? NULL : real(align, len);
}

typedef int clock_fn(clockid_t, struct timespec *);
int clock_gettime(clockid_t clock, struct timespec *out)
{
    REAL(clock_fn *, "clock_gettime");
    int status = real(clock, out);
    struct row *row = clock == CLOCK_REALTIME ? row_of(CLOCK) : NULL;
    if (status == 0 && row) {
        int64_t ms = out->tv_nsec / 1000000 + row->value % 1000 + 1000; /* 0 to 3 s */
        out->tv_sec += row->value / 1000 + ms / 1000 - 1;
        out->tv_nsec = out->tv_nsec % 1000000 + ms % 1000 * 1000000;
    }
    return status;
}
