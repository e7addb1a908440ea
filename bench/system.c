/* What the load program asks of the operating system. */
#include "bench/load.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETTLE_MS = 20 };

_Noreturn void load_die(const char *what)
{
    perror(what);
    exit(1);
}

void *load_alloc(size_t count, size_t len)
{
    void *memory = calloc(count ? count : 1, len);
    if (!memory)
        load_die("memory");
    return memory;
}

int load_wait(int poll, struct epoll_event *ready, int ready_max, const struct timespec *wait)
{
    const struct timespec silence = {.tv_sec = LOAD_SILENCE_S};
    int count = epoll_pwait2(poll, ready, ready_max, wait ? wait : &silence, NULL);
    if (count == 0 && !wait) {
        fprintf(stderr, "no answer for %d s\n", LOAD_SILENCE_S);
        exit(1);
    }
    return count;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        load_die("clock");
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t load_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t load_cpu_ns(size_t pid)
{
    const struct timespec settle = {.tv_nsec = SETTLE_MS * 1000000};
    clockid_t clock;
    if (pid == 0)
        return 0;
    nanosleep(&settle, NULL);
    if (clock_getcpuclockid((pid_t)pid, &clock) != 0)
        load_die("no such process");
    return clock_ns(clock);
}

uint64_t load_own_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int load_connect(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int one = 1;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        load_die(host);
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
        load_die("connect");
    freeaddrinfo(found);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

void load_send_all(int fd, const void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t sent = send(fd, (const uint8_t *)data + at, len - at, MSG_NOSIGNAL);
        if (sent <= 0)
            load_die("send");
        at += (size_t)sent;
    }
}

static struct enc_bytes map_file(const char *path)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &facts) != 0 || facts.st_size == 0)
        load_die(path);
    void *data = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (data == MAP_FAILED)
        load_die(path);
    close(fd);
    return enc_bytes_of(data, (size_t)facts.st_size);
}

/* Up to the next byte of that kind, or all; rest goes on behind it. */
static struct enc_bytes cut(struct enc_bytes *rest, int at)
{
    const uint8_t *end = rest->len ? memchr(rest->data, at, rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    struct enc_bytes head = enc_bytes_of(rest->data, len);
    size_t used = end ? len + 1 : len;
    *rest = enc_bytes_of(rest->data + used, rest->len - used);
    return head;
}

size_t load_requests_read(struct load_request **out, const char *path)
{
    struct enc_bytes text = map_file(path);
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    *out = (struct load_request *)load_alloc(lines + 1, sizeof **out);
    size_t count = 0;
    while (text.len) {
        struct enc_bytes line = cut(&text, '\n');
        struct enc_bytes method = cut(&line, ' ');
        struct enc_bytes target = cut(&line, ' ');
        (*out)[count++] = (struct load_request){method, target, line};
    }
    return count;
}

FILE *load_create(const struct load_options *options, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", options->dir, name);
    FILE *file = fopen(path, "w");
    if (!file)
        load_die(path);
    return file;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = (const uint64_t *)a;
    const uint64_t *y = (const uint64_t *)b;
    return *x < *y ? -1 : *x > *y;
}

void load_print_percentiles(uint64_t *values_ns, size_t count)
{
    static const struct {
        const char *name;
        size_t per_mille;
    } ROWS[] = {{"p50_us", 500}, {"p99_us", 990}, {"p999_us", 999}, {"max_us", 1000}};
    qsort(values_ns, count, sizeof *values_ns, by_value);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        size_t at = count * ROWS[i].per_mille / 1000;
        uint64_t value_ns = at < count ? values_ns[at] : count ? values_ns[count - 1] : 0;
        printf("%s\"%s\":%.1f", i ? "," : "", ROWS[i].name, (double)value_ns / 1e3);
    }
}
