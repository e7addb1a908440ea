/**
 * One seeded world: a real host over a real store on a failing disk, stepped by the simulation, its
 * clients, the receivers of its pushes, and a model that foretells every answer. Whatever differs
 * ends the process with one line. One thread; a world is a process.
 */
#pragma once

#include "actors/sim.h"
#include "proto/session.h"
#include "services/host.h"
#include "services/runtime.h"
#include "store/store.h"
#include "tests/sim/model.h"

#include <jansson.h>

enum {
    W_CONNS_MAX = 4,
    W_SUBS_MAX = 8,
    W_FETCHES_MAX = 256,
    W_ENCLAVES = 3, /* dynamic ones; one timeline follows the first */
    W_PAYLOADS_MAX = 1024,
};

/** What is asked, and how it is checked once the log is known that far. */
enum read_kind {
    READ_QUERY,
    READ_STATE,
    READ_INCLUSION,
    READ_CONSISTENCY,
    READ_STH,
    READ_INFO,
    READ_PULL,
    READ_KINDS
};

struct read {
    struct read *next;
    enum read_kind kind;
    int enclave;
    int reader; /* NOBODY or a key that asks sealed */
    struct enc_channel channel;
    const char *type; /* of a query; NULL: all */
    int from;         /* NOBODY: all */
    int after;        /* seq; -1: from the first */
    int limit;
    bool reverse, deleted;
    enum who who;    /* whose state */
    int first, last; /* of a consistency proof; first is the leaf of an inclusion proof */
    int low;         /* events that were acknowledged when it was asked */
    uint64_t clock_low_ms, clock_high_ms, faults;
    uint64_t mark; /* arrivals when it was answered */
    unsigned status;
    json_t *answer;
};

struct sub {
    struct enc_conn *conn; /* NULL: free */
    char name[16];
    int enclave, reader;
    struct enc_channel channel;
    const char *type;
    int low;
    bool has_eose;
    char closed[32];
    int count;
    uint64_t seqs[M_LOG_MAX];
    uint8_t ids32[M_LOG_MAX][32];
};

struct sent {
    struct sent *next;
    struct enc_outgoing out;
};

struct enc_conn {
    struct enc_socket *socket; /* NULL once closed */
    uint32_t refs;
    bool is_slow;
    struct sent *queue, **queue_end;
};

/** An HTTP request under way. */
struct enc_call {
    bool is_answered, is_gone;
    struct m_sending *sending;
    struct read *read;
    struct fetch_ *fetch; /* it came from ourselves */
    const char *wanted;   /* the code that this malformed thing must get */
    struct enc_channel *channel;
};

/** A POST of ours to somebody. */
struct fetch_ {
    struct enc_fetch *fetch;
    bool is_asking; /* our own node works on it */
    bool is_over;
    int status;
};

/** A payload that left, by queue. */
struct payload {
    int queue;
    uint64_t push_seq;
    char *text;
    uint32_t failures;
    bool is_delivered;
};

/** Who is pushed to: an identity, where, and what it has been sent. */
struct queue {
    enum who who;
    int enclave;
    char url[256];
    int registered; /* seq of its Grant_Push; -1: not yet */
    uint64_t last;
    bool is_down;
};

struct world {
    uint64_t seed, random;
    char dir[128], file[192];
    struct enc_sim *sim;
    struct enc_sim_source loop;
    struct enc_runtime runtime;
    struct enc_data_config data_config;
    struct enc_data *data;
    struct enc_host_config config;
    struct enc_host *host;
    struct enc_gathering gathering;
    struct enc_curve *curve;
    struct enc_key keys[WHO_COUNT];
    uint8_t pubs32[WHO_COUNT][32];
    uint8_t priv32[WHO_COUNT][32];
    struct enc_chunk_source chunks;
    struct enc_arena arena;
    struct model model;
    int timeline, nowhere; /* of the model; nowhere: an id that no enclave ever has */
    uint64_t arrivals, exp_step, nonce;
    uint64_t digest; /* of all that was seen */
    uint64_t answers, crashes, cuts;
    uint64_t host_random;
    bool is_dead;       /* nothing that the process still says reaches anybody */
    bool is_tight;      /* bounds so small that 503 is an answer */
    bool is_bulky;      /* some contents are large */
    struct read *reads; /* answered, not yet checked */
    struct enc_conn *conns[W_CONNS_MAX];
    struct sub subs[W_SUBS_MAX];
    struct fetch_ fetches[W_FETCHES_MAX];
    struct queue queues[4];
    int queue_count;
    struct payload payloads[W_PAYLOADS_MAX];
    int payload_count;
    struct m_commit *made[M_LOG_MAX]; /* commits so far, to be repeated */
    int made_count;
    struct shown {
        int enclave;
        uint64_t seq;
        uint8_t id32[32];
    } shown[4096]; /* events that somebody was shown: they must be in the log for ever */
    int shown_count;
};

/** Say what differs and end. */
void w_differs(const struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
#define w_must(w, condition, ...)                                                                  \
    do {                                                                                           \
        if (!(condition))                                                                          \
            w_differs((w), __VA_ARGS__);                                                           \
    } while (0)

uint64_t w_pick(struct world *w, uint64_t below);
const char *w_text(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *w_hex(struct world *w, const uint8_t *data, size_t len);
void w_see(struct world *w, const void *data, size_t len); /* into the digest */

/* ---- life (world.c) ---- */

/** root: an empty folder. */
void w_open(struct world *w, uint64_t seed, const char *root);
void w_close(struct world *w);
void w_step(struct world *w); /* one step of the simulation, and a crash if one fell upon it */
void w_settle(struct world *w);
void w_sleep(struct world *w, uint64_t ms);
void w_jump(struct world *w, int64_t ms);
uint64_t w_now(const struct world *w);
void w_crash(struct world *w, bool is_power_cut);
void w_restart(struct world *w); /* in order */
struct enc_call *w_http(struct world *w, const char *service, const char *path,
                        struct enc_bytes body, struct enc_call about);
void w_socket_open(struct world *w, int index);
void w_socket_close(struct world *w, int index);
unsigned w_service(const char *name);

/* ---- the enclaves that everything is about (enclaves.c) ---- */

void w_found(struct world *w);
const char *w_role_name(const struct m_enclave *e, int role);

/* ---- clients (clients.c, reads.c) ---- */

struct m_commit *w_draft(struct world *w, int enclave, int from, const char *type,
                         const char *content);
void w_sign(struct world *w, struct m_commit *c);
void w_send_and_wait(struct world *w, struct m_commit *c);
void w_answer_commit(struct world *w, struct m_sending *s, unsigned status, json_t *answer);
void w_note_shown(struct world *w, int enclave, uint64_t seq, const char *id);
void w_commit(struct world *w);
void w_read(struct world *w);
void w_answer_read(struct world *w, struct read *r, unsigned status, json_t *answer);
void w_check_reads(struct world *w);
struct enc_bytes w_seal(struct world *w, struct enc_channel *channel, int who, int enclave,
                        const char *head, const char *members);
json_t *w_open_sealed(struct world *w, const struct enc_channel *channel, json_t *holder);

/* ---- sockets (sockets.c) ---- */

void w_subscribe(struct world *w);
void w_frame(struct world *w, struct enc_conn *conn, const char *text, size_t len);
void w_spoken(struct world *w, struct enc_conn *conn, const char *text, size_t len);
void w_forget_conn(struct world *w, const struct enc_conn *conn);
void w_check_subs(struct world *w, bool is_settled);

/* ---- pushes (receivers.c) ---- */

void w_fetch(struct world *w, struct enc_fetch *fetch);
size_t w_fetch_choices(const struct world *w);
void w_fetch_run(struct world *w, size_t choice);
void w_fetches_end(struct world *w);
void w_check_pushes(struct world *w, bool is_settled);

/* ---- what is stored (recovery.c) ---- */

/** After a start: what is in the log decides what became of those who had no answer. */
void w_recover(struct world *w);
void w_check_store(struct world *w, bool is_settled);
