/*
 * One enclave, many subscribers. load fanout commits and counts what arrives; load writev is the
 * floor: a process that writes one frame to as many sockets and does nothing else.
 */
#include "bench/load.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_LEN = 1 << 16, READY_MAX = 256, HEADER_MAX = 10, BACKLOG = 4096 };

/* A reader that counts text frames and keeps nothing of them. */
struct subscriber {
    int fd;
    uint8_t header[HEADER_MAX];
    size_t header_len;
    uint64_t skip_len; /* payload still to come */
    uint64_t frames;
    uint64_t frame_len; /* payload of the newest */
};

struct fanout {
    const struct load_options *options;
    const struct load_request *requests;
    struct subscriber *subscribers;
    int poll;
    int writer;   /* commits go over this one */
    size_t count; /* commits */
    size_t sent;
    size_t receipts;
    uint64_t delivered;
    uint64_t *since_ns;
    uint64_t *latency_ns; /* from sending a commit to the last of its frames */
    size_t complete;
};

static size_t header_need(const struct subscriber *subscriber)
{
    if (subscriber->header_len < 2)
        return 2;
    size_t len = subscriber->header[1] & 127;
    return len == 127 ? 10 : len == 126 ? 4 : 2;
}

static uint64_t payload_len(const struct subscriber *subscriber)
{
    const uint8_t *header = subscriber->header;
    size_t len = header[1] & 127;
    if (len == 126)
        return (uint64_t)header[2] << 8 | header[3];
    return len == 127 ? enc_be64_get(header + 2) : len;
}

/* Returns how many text frames began. */
static uint64_t count_frames(struct subscriber *subscriber, const uint8_t *data, size_t len)
{
    uint64_t frames = 0;
    for (size_t at = 0; at < len;) {
        if (subscriber->skip_len) {
            uint64_t part = len - at < subscriber->skip_len ? len - at : subscriber->skip_len;
            subscriber->skip_len -= part;
            at += (size_t)part;
            continue;
        }
        subscriber->header[subscriber->header_len++] = data[at++];
        if (subscriber->header_len < header_need(subscriber))
            continue;
        frames += (subscriber->header[0] & 15) == 1;
        subscriber->skip_len = payload_len(subscriber);
        subscriber->frame_len = subscriber->skip_len;
        subscriber->header_len = 0;
    }
    subscriber->frames += frames;
    return frames;
}

static uint64_t read_frames(struct subscriber *subscriber)
{
    static uint8_t buffer[READ_LEN];
    ssize_t got = read(subscriber->fd, buffer, sizeof buffer);
    if (got <= 0)
        load_die("subscriber");
    return count_frames(subscriber, buffer, (size_t)got);
}

static void watch(int poll, int fd, uint64_t name)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = name}};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0)
        load_die("epoll");
}

static void subscribe(struct fanout *fanout, size_t index, struct enc_bytes query)
{
    struct subscriber *subscriber = &fanout->subscribers[index];
    subscriber->fd = load_ws_connect(fanout->options);
    load_ws_send(subscriber->fd, query);
    watch(fanout->poll, subscriber->fd, index);
}

/* The enclave has no post yet: EOSE is the first frame, and every event from here on is live. */
static void wait_for_eose(struct fanout *fanout)
{
    for (size_t i = 0; i < fanout->options->subscribers; i++)
        while (fanout->subscribers[i].frames == 0)
            read_frames(&fanout->subscribers[i]);
}

static void subscribe_all(struct fanout *fanout)
{
    struct load_request *queries = NULL;
    size_t subscribers = fanout->options->subscribers;
    if (subscribers == 0)
        return;
    ENC_CHECK(load_requests_read(&queries, fanout->options->queries) >= subscribers);
    for (size_t i = 0; i < subscribers; i++)
        subscribe(fanout, i, queries[i].body);
    wait_for_eose(fanout);
}

static void open_fanout(struct fanout *fanout)
{
    size_t subscribers = fanout->options->subscribers;
    fanout->poll = epoll_create1(EPOLL_CLOEXEC);
    fanout->subscribers =
        (struct subscriber *)load_alloc(subscribers + 1, sizeof *fanout->subscribers);
    fanout->since_ns = (uint64_t *)load_alloc(fanout->count, sizeof(uint64_t));
    fanout->latency_ns = (uint64_t *)load_alloc(fanout->count, sizeof(uint64_t));
    subscribe_all(fanout);
    fanout->subscribers[subscribers].fd = load_ws_connect(fanout->options);
    fanout->writer = fanout->subscribers[subscribers].fd;
    watch(fanout->poll, fanout->writer, subscribers);
}

/* Commits whose frames have all arrived; without subscribers, those that are receipted. */
static void complete_some(struct fanout *fanout)
{
    size_t subscribers = fanout->options->subscribers;
    size_t done = subscribers ? (size_t)(fanout->delivered / subscribers) : fanout->receipts;
    uint64_t now_ns = load_now_ns();
    for (; fanout->complete < done; fanout->complete++)
        fanout->latency_ns[fanout->complete] = now_ns - fanout->since_ns[fanout->complete];
}

static void commit_some(struct fanout *fanout)
{
    while (fanout->sent < fanout->count &&
           fanout->sent - fanout->complete < fanout->options->in_flight) {
        fanout->since_ns[fanout->sent] = load_now_ns();
        load_ws_send(fanout->writer, fanout->requests[fanout->sent++].body);
    }
}

static void receive_some(struct fanout *fanout)
{
    struct epoll_event ready[READY_MAX];
    size_t subscribers = fanout->options->subscribers;
    int count = load_wait(fanout->poll, ready, READY_MAX, NULL);
    for (int i = 0; i < count; i++) {
        uint64_t frames = read_frames(&fanout->subscribers[ready[i].data.u64]);
        if (ready[i].data.u64 == subscribers)
            fanout->receipts += frames;
        else
            fanout->delivered += frames;
    }
}

static void drive(struct fanout *fanout)
{
    while (fanout->complete < fanout->count || fanout->receipts < fanout->count) {
        commit_some(fanout);
        receive_some(fanout);
        complete_some(fanout);
    }
}

/* Whether each subscriber got one frame of every commit. */
static bool all_whole(const struct fanout *fanout)
{
    for (size_t i = 0; i < fanout->options->subscribers; i++)
        if (fanout->subscribers[i].frames != fanout->count + 1)
            return false;
    return true;
}

int load_run_fanout(const struct load_options *options)
{
    struct load_request *requests = NULL;
    struct fanout fanout = {.options = options};
    fanout.count = load_requests_read(&requests, options->file);
    fanout.requests = requests;
    open_fanout(&fanout);
    uint64_t cpu_ns = load_cpu_ns(options->pid);
    uint64_t start_ns = load_now_ns();
    drive(&fanout);
    uint64_t wall_ns = load_now_ns() - start_ns;
    cpu_ns = load_cpu_ns(options->pid) - cpu_ns;
    printf("{\"count\":%zu,\"delivered\":%ju,\"len\":%ju,", fanout.count,
           (uintmax_t)fanout.delivered, (uintmax_t)fanout.subscribers[0].frame_len);
    printf("\"wall_s\":%.6f,\"cpu_s\":%.6f,", (double)wall_ns / 1e9, (double)cpu_ns / 1e9);
    load_print_percentiles(fanout.latency_ns, fanout.complete);
    printf("}\n");
    return all_whole(&fanout) ? 0 : 1;
}

/* ---- the floor ---- */

struct bare {
    const struct load_options *options;
    struct sockaddr_in at;
    int listener;
    int *fds;     /* one per subscriber: the writer's end, or the reader's */
    int acks[2];  /* a byte to start, then one for each frame that was read everywhere */
    int ready[2]; /* a byte when the writer has all connections */
};

static void listen_any(struct bare *bare)
{
    socklen_t len = sizeof bare->at;
    struct sockaddr *at = (struct sockaddr *)&bare->at;
    bare->listener = socket(AF_INET, SOCK_STREAM, 0);
    bare->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (bare->listener < 0 || bind(bare->listener, at, len) != 0 ||
        listen(bare->listener, BACKLOG) != 0 || getsockname(bare->listener, at, &len) != 0)
        load_die("listen");
}

static void write_frames(const struct bare *bare)
{
    const struct load_options *options = bare->options;
    uint8_t header[4] = {0x81, 126, (uint8_t)(options->len >> 8), (uint8_t)options->len};
    struct iovec parts[2] = {{header, sizeof header}, {load_alloc(1, options->len), options->len}};
    ssize_t whole = (ssize_t)(sizeof header + options->len);
    char ack;
    for (size_t frame = 0; frame < options->count; frame++) {
        if (frame >= options->in_flight && read(bare->acks[0], &ack, 1) != 1)
            _exit(1);
        for (size_t i = 0; i < options->subscribers; i++)
            if (writev(bare->fds[i], parts, 2) != whole)
                _exit(1);
    }
}

/* The writer's process: frame by frame to everybody, at most in_flight frames ahead of what was
 * read. */
static _Noreturn void be_writer(const struct bare *bare)
{
    char start;
    for (size_t i = 0; i < bare->options->subscribers; i++)
        if ((bare->fds[i] = accept(bare->listener, NULL, NULL)) < 0)
            _exit(1);
    if (write(bare->ready[1], "", 1) != 1 || read(bare->acks[0], &start, 1) != 1)
        _exit(1);
    write_frames(bare);
    pause(); /* the reader looks at the clock of this process, then ends it */
    _exit(0);
}

static void connect_all(const struct bare *bare)
{
    char port[16];
    char ready;
    snprintf(port, sizeof port, "%u", ntohs(bare->at.sin_port));
    for (size_t i = 0; i < bare->options->subscribers; i++)
        bare->fds[i] = load_connect("127.0.0.1", port);
    if (read(bare->ready[0], &ready, 1) != 1)
        load_die("writer");
}

static void acknowledge(const struct bare *bare)
{
    if (write(bare->acks[1], "", 1) != 1)
        load_die("ack");
}

static void read_all(const struct bare *bare)
{
    struct epoll_event ready[READY_MAX];
    size_t all = bare->options->subscribers;
    struct subscriber *subscribers = (struct subscriber *)load_alloc(all, sizeof *subscribers);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t frames = 0;
    for (size_t i = 0; i < all; i++) {
        subscribers[i].fd = bare->fds[i];
        watch(poll, subscribers[i].fd, i);
    }
    ENC_CHECK(all > 0);
    acknowledge(bare);
    for (size_t acked = 0; acked < bare->options->count;) {
        int count = load_wait(poll, ready, READY_MAX, NULL);
        for (int i = 0; i < count; i++)
            frames += read_frames(&subscribers[ready[i].data.u64]);
        for (; acked < frames / all; acked++)
            acknowledge(bare);
    }
}

int load_run_writev(const struct load_options *options)
{
    struct bare bare = {.options = options};
    ENC_CHECK(options->len >= 126 && options->len < 65536);
    bare.fds = (int *)load_alloc(options->subscribers, sizeof(int));
    if (pipe(bare.acks) != 0 || pipe(bare.ready) != 0)
        load_die("pipe");
    listen_any(&bare);
    pid_t child = fork();
    if (child < 0)
        load_die("fork");
    if (child == 0)
        be_writer(&bare);
    connect_all(&bare);
    uint64_t cpu_ns = load_cpu_ns((size_t)child);
    read_all(&bare);
    cpu_ns = load_cpu_ns((size_t)child) - cpu_ns;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    uint64_t frames = (uint64_t)options->count * options->subscribers;
    printf("{\"delivered\":%ju,\"cpu_s\":%.6f,\"us\":%.4f}\n", (uintmax_t)frames,
           (double)cpu_ns / 1e9, (double)cpu_ns / 1e3 / (double)frames);
    return 0;
}
