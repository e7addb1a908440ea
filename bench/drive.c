/* Sends prepared requests in a closed or an open loop and measures. */
#include "bench/load.h"

#include <stdlib.h>
#include <sys/epoll.h>

enum { READY_MAX = 256, REFUSED_SHOWN_MAX = 4 };

struct drive {
    struct load_work *work;
    const struct load_wire *wire;
    struct load_conn **conns;
    bool *is_dirty;
    size_t slots; /* of one connection */
    size_t turn;
    int poll;
    uint64_t start_ns;
};

void load_answered(struct load_conn *conn, size_t index, unsigned status, struct enc_bytes body)
{
    struct load_work *work = conn->work;
    bool is_good = status == 200 && body.len >= work->expect.len &&
                   memcmp(body.data, work->expect.data, work->expect.len) == 0;
    ENC_CHECK(index < work->sent && work->answered < work->count);
    conn->busy--;
    if (is_good || !work->is_refusable)
        work->latency_ns[work->measured++] = load_now_ns() - work->since_ns[index];
    work->answered++;
    work->accepted += is_good;
    if (!is_good && !work->is_refusable && work->answered - work->accepted <= REFUSED_SHOWN_MAX)
        fprintf(stderr, "refused: %u %.*s\n", status, (int)body.len, (const char *)body.data);
    if (work->answers)
        fprintf(work->answers, "%.*s\n", (int)body.len, (const char *)body.data);
}

static void open_all(struct drive *drive, const struct load_options *options)
{
    struct load_work *work = drive->work;
    drive->conns = (struct load_conn **)load_alloc(work->connections, sizeof *drive->conns);
    drive->is_dirty = (bool *)load_alloc(work->connections, sizeof *drive->is_dirty);
    drive->poll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < work->connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = i}};
        drive->conns[i] = drive->wire->open(work, options);
        if (epoll_ctl(drive->poll, EPOLL_CTL_ADD, drive->conns[i]->fd, &event) != 0)
            load_die("epoll");
    }
}

static void close_all(struct drive *drive)
{
    for (size_t i = 0; i < drive->work->connections; i++)
        drive->wire->close(drive->conns[i]);
    free(drive->conns);
    free(drive->is_dirty);
}

/* The next connection in turn with a free slot; false: all are busy. */
static bool find_free(struct drive *drive, size_t *out)
{
    size_t connections = drive->work->connections;
    for (size_t i = 0; i < connections; i++) {
        *out = (drive->turn + i) % connections;
        if (drive->conns[*out]->busy < drive->slots) {
            drive->turn = *out + 1;
            return true;
        }
    }
    return false;
}

static uint64_t due_ns(const struct drive *drive)
{
    return drive->start_ns + drive->work->sent * drive->work->interval_ns;
}

static bool may_send(const struct drive *drive, uint64_t now_ns)
{
    const struct load_work *work = drive->work;
    return work->sent < work->count && work->sent - work->answered < work->in_flight &&
           (work->interval_ns == 0 || due_ns(drive) <= now_ns);
}

static void send_some(struct drive *drive)
{
    struct load_work *work = drive->work;
    uint64_t now_ns = load_now_ns();
    size_t at;
    while (may_send(drive, now_ns) && find_free(drive, &at)) {
        work->since_ns[work->sent] = work->interval_ns ? due_ns(drive) : now_ns;
        drive->conns[at]->busy++;
        drive->is_dirty[at] = true;
        drive->wire->submit(drive->conns[at], work->sent++);
    }
    for (size_t i = 0; i < work->connections; i++)
        if (drive->is_dirty[i]) {
            drive->is_dirty[i] = false;
            drive->wire->flush(drive->conns[i]);
        }
}

/* How long nothing is due: until the next request of an open loop, else (NULL) as long as it
 * takes. */
static const struct timespec *patience(const struct drive *drive, struct timespec *wait)
{
    const struct load_work *work = drive->work;
    if (work->interval_ns == 0 || work->sent == work->count ||
        work->sent - work->answered == work->in_flight)
        return NULL;
    uint64_t due = due_ns(drive);
    uint64_t now = load_now_ns();
    uint64_t left = due > now ? due - now : 0;
    *wait = (struct timespec){(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
    return wait;
}

static void read_some(struct drive *drive)
{
    struct epoll_event ready[READY_MAX];
    struct timespec wait;
    int count = load_wait(drive->poll, ready, READY_MAX, patience(drive, &wait));
    for (int i = 0; i < count; i++)
        drive->wire->read(drive->conns[ready[i].data.u64]);
}

void load_drive(struct load_work *work, const struct load_wire *wire,
                const struct load_options *options)
{
    struct drive drive = {.work = work, .wire = wire};
    drive.slots = (work->in_flight + work->connections - 1) / work->connections;
    if (drive.slots > wire->slots_max)
        drive.slots = wire->slots_max;
    open_all(&drive, options);
    drive.start_ns = load_now_ns();
    while (work->answered < work->count) {
        send_some(&drive);
        read_some(&drive);
    }
    close_all(&drive);
}

/* ---- load send ---- */

static struct load_work work_of(const struct load_options *options, const struct load_request *at,
                                size_t count)
{
    return (struct load_work){
        .requests = at,
        .count = count,
        .in_flight = options->in_flight,
        .connections = options->connections,
        .is_refusable = options->refusable != 0,
        .interval_ns = options->rate ? 1000000000u / options->rate : 0,
        .since_ns = (uint64_t *)load_alloc(count, sizeof(uint64_t)),
        .latency_ns = (uint64_t *)load_alloc(count, sizeof(uint64_t)),
        .expect = enc_bytes_of_text(options->expect),
    };
}

/* Readings of the clocks, or the difference of two. */
struct clocks {
    uint64_t wall_ns;
    uint64_t cpu_ns; /* of the process under load */
    uint64_t own_ns; /* of this one */
};

static struct clocks measure(struct load_work *work, const struct load_options *options)
{
    const struct load_wire *wire = load_wire_of(options->wire);
    uint64_t cpu_ns = load_cpu_ns(options->pid);
    uint64_t own_ns = load_own_cpu_ns();
    uint64_t start_ns = load_now_ns();
    load_drive(work, wire, options);
    struct clocks took = {.wall_ns = load_now_ns() - start_ns,
                          .own_ns = load_own_cpu_ns() - own_ns};
    took.cpu_ns = load_cpu_ns(options->pid) - cpu_ns;
    return took;
}

static void report(struct load_work *work, struct clocks took)
{
    printf("{\"count\":%zu,\"accepted\":%zu,", work->count, work->accepted);
    printf("\"wall_s\":%.6f,\"cpu_s\":%.6f,\"own_s\":%.6f,", (double)took.wall_ns / 1e9,
           (double)took.cpu_ns / 1e9, (double)took.own_ns / 1e9);
    load_print_percentiles(work->latency_ns, work->measured);
    printf("}\n");
}

int load_run_send(const struct load_options *options)
{
    struct load_request *requests = NULL;
    size_t count = load_requests_read(&requests, options->file);
    ENC_CHECK(options->warm < count);
    struct load_work warm = work_of(options, requests, options->warm);
    struct load_work work = work_of(options, requests + options->warm, count - options->warm);
    if (options->answers && !(work.answers = fopen(options->answers, "w")))
        load_die(options->answers);
    warm.answers = work.answers;
    load_drive(&warm, load_wire_of(options->wire), options);
    report(&work, measure(&work, options));
    if (work.answers)
        fclose(work.answers);
    bool is_whole = work.accepted == work.count && warm.accepted == warm.count;
    return is_whole || options->refusable ? 0 : 1;
}
