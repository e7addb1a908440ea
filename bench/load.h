/**
 * The load program's parts: requests that were made beforehand, three ways to send them, one loop
 * that paces and measures. Bench only; one thread.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

#include <stdio.h>
#include <time.h>

/** An answer that takes longer is lost, and with it the run. */
enum { LOAD_SILENCE_S = 30 };

/** What the command line says; every command uses some of it. */
struct load_options {
    const char *wire;
    const char *host;
    const char *port;
    const char *file;    /* requests, one a line */
    const char *expect;  /* how the body of every good answer starts */
    const char *answers; /* write the bodies of all answers here, one a line */
    const char *dir;
    const char *seed;
    const char *queries; /* a file of requests, one for each subscriber */
    const char *enclave;
    const char *node; /* its public key */
    size_t pid;       /* of the process whose CPU is measured; 0: none */
    size_t count;
    size_t warm; /* of these, before the clock starts */
    size_t first;
    size_t enclaves;
    size_t in_flight;
    size_t connections;
    size_t rate;      /* a second; 0: a closed loop */
    size_t refusable; /* 1: refused answers are no failure, and their time is not measured */
    size_t subscribers;
    size_t deflate; /* 1: WebSockets offer permessage-deflate */
    size_t bundle;
    size_t bundle_ms;
    size_t grants;
    size_t len;
};

/** One line of a file of requests: METHOD PATH BODY. */
struct load_request {
    struct enc_bytes method;
    struct enc_bytes path;
    struct enc_bytes body;
};

/** Read a file of requests, which stays in memory. Returns their number. */
size_t load_requests_read(struct load_request **out, const char *path);

/** Requests under way and the answers to them. */
struct load_work {
    const struct load_request *requests;
    size_t count;
    size_t in_flight; /* sent and not yet answered, at most */
    size_t connections;
    uint64_t interval_ns; /* between two requests; 0: a closed loop */
    uint64_t *since_ns;   /* per request: sent or, in an open loop, due */
    uint64_t *latency_ns; /* per answer, in order of arrival */
    struct enc_bytes expect;
    FILE *answers; /* or NULL */
    bool is_refusable;
    size_t sent;
    size_t answered;
    size_t measured; /* of latency_ns */
    size_t accepted;
};

/** A way to send requests over one connection. */
struct load_conn;
struct load_wire {
    const char *name;
    size_t slots_max; /* requests under way on one connection */
    struct load_conn *(*open)(struct load_work *work, const struct load_options *options);
    void (*submit)(struct load_conn *conn, size_t index); /* may be kept until flush */
    void (*flush)(struct load_conn *conn);
    void (*read)(struct load_conn *conn); /* once readable; calls load_answered */
    void (*close)(struct load_conn *conn);
};

/** The head of each wire's own connection. */
struct load_conn {
    struct load_work *work;
    int fd;
    size_t busy; /* requests under way */
};

extern const struct load_wire load_h1;
extern const struct load_wire load_h2;
extern const struct load_wire load_ws;

/** The wire of that name; ends the program when there is none. */
const struct load_wire *load_wire_of(const char *name);

/** Send all of work->requests and wait for all answers. */
void load_drive(struct load_work *work, const struct load_wire *wire,
                const struct load_options *options);

/** Note the answer to request number index; status is that of HTTP, or 200. */
void load_answered(struct load_conn *conn, size_t index, unsigned status, struct enc_bytes body);

/* ---- ws.c, for whoever reads frames itself ---- */

/** A WebSocket at "/", after its handshake. */
int load_ws_connect(const struct load_options *options);

/** Send text as one frame. */
void load_ws_send(int fd, struct enc_bytes text);

/* ---- system.c ---- */

/** Print what and errno, and end the program. */
_Noreturn void load_die(const char *what);

/** As epoll_pwait2; wait NULL is LOAD_SILENCE_S, and when that passes the program ends. */
struct epoll_event;
int load_wait(int poll, struct epoll_event *ready, int ready_max, const struct timespec *wait);

/** calloc that cannot fail. */
void *load_alloc(size_t count, size_t len);

/** A new file of that name in --dir. */
FILE *load_create(const struct load_options *options, const char *name);

uint64_t load_now_ns(void);

/** A connected TCP socket with TCP_NODELAY. */
int load_connect(const char *host, const char *port);

void load_send_all(int fd, const void *data, size_t len);

/**
 * User and system time of another process so far; 0 for pid 0. Waits a moment first, as a thread's
 * time is booked when it rests or at the next tick: read the wall clock before it, or after it.
 */
uint64_t load_cpu_ns(size_t pid);

/** That of this process. */
uint64_t load_own_cpu_ns(void);

/** Sort, and print `"p50_us":..,"p99_us":..,"p999_us":..,"max_us":..`. */
void load_print_percentiles(uint64_t *values_ns, size_t count);

/* ---- commands: each prints one JSON object on a line; 0 when nothing was lost or refused ---- */

int load_run_sign(const struct load_options *options);
int load_run_seal(const struct load_options *options);
int load_run_send(const struct load_options *options);
int load_run_fanout(const struct load_options *options);
int load_run_writev(const struct load_options *options);
int load_run_floor(const struct load_options *options);
int load_run_sync(const struct load_options *options);
