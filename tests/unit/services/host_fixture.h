/**
 * A whole host for one test: a real store in a temporary directory, the real host on a seeded
 * simulation with a virtual clock, and a runtime that keeps what would leave the process.
 */
#pragma once

#include "actors/sim.h"
#include "proto/event.h"
#include "proto/json.h"
#include "proto/session.h"
#include "services/host.h"
#include "services/runtime.h"
#include "store/store.h"

#include <criterion/criterion.h>

/** Who takes part. Owner and member hold their roles in every enclave of rig_create. */
enum who { OWNER, MEMBER, STRANGER, GUEST, WHO_COUNT };

enum { RIG_CALLS_MAX = 8192, RIG_FETCHES_MAX = 4096, RIG_CONNS_MAX = 64 };

/** An HTTP request and what came of it. */
struct enc_call {
    struct rig *rig;
    bool is_answered;
    uint16_t status;
    uint16_t retry_s;
    const char *allow;
    bool is_immutable;
    char *body; /* NUL behind len */
    size_t len;
    uint64_t order; /* the how-manieth answer of the rig */
    struct enc_reply late;
    bool is_late; /* the reply is kept unreleased until rig_release */
};

/** A frame that reached the client. */
struct got {
    struct got *next;
    size_t len;
    char text[];
};

struct sent {
    struct sent *next;
    struct enc_outgoing out;
};

/** A WebSocket: the loop's queue, and what the client has received. */
struct enc_conn {
    struct rig *rig;
    struct enc_socket *socket; /* NULL once closed */
    uint32_t refs;
    bool is_slow; /* nothing leaves */
    uint16_t close_code;
    struct sent *queue, *queue_end;
    struct got *got, *got_end;
    size_t got_count;
    size_t queued_len;
};

struct rig {
    char root[64];
    char dir[80];
    struct enc_sim *sim;
    struct enc_runtime runtime;
    struct enc_data_config data_config;
    struct enc_data *data;
    struct enc_host_config config;
    struct enc_host *host;
    unsigned service; /* whom requests and sockets go to: enc-node unless a test says otherwise */
    void *curve_memory;
    struct enc_curve *curve;
    struct enc_key keys[WHO_COUNT];
    struct enc_key node;
    uint8_t node_priv32[32];
    struct enc_chunk_source chunks;
    struct enc_arena arena; /* of everything that the test itself makes */
    struct enc_sim_source loop;
    struct enc_gathering gathering; /* of the loop; a turn of it ends when the simulation says so */
    uint64_t random;
    int64_t skew_ms; /* the runtime's clock against the simulation's */
    struct enc_call *calls[RIG_CALLS_MAX];
    size_t call_count;
    uint64_t answers;
    bool keeps_replies; /* replies stay unreleased: clients that do not read */
    struct enc_fetch *fetches[RIG_FETCHES_MAX]; /* under way */
    size_t fetch_count;
    uint64_t fetches_started;
    size_t fetches_peak;
    int fetch_status; /* what endpoints answer */
    /** What an endpoint answers instead: its status, and its body into *answer, which lives in the
     * rig; NULL: fetch_status and no body. */
    int (*answer_fetch)(struct rig *rig, const struct enc_fetch *fetch, struct enc_bytes *answer);
    bool holds_fetches;              /* endpoints do not answer by themselves */
    struct got *posted, *posted_end; /* bodies of all POSTs, in order */
    struct enc_conn *conns[RIG_CONNS_MAX];
    size_t conn_count;
    uint64_t exp_step;
};

/** A fresh directory and a started host. limits may be changed between rig_init and rig_start. */
void rig_init(struct rig *rig, uint64_t seed);
void rig_start(struct rig *rig);
void rig_open(struct rig *rig, uint64_t seed);

/** Close sockets, fail the fetches under way, stop the host, close the store. */
void rig_stop(struct rig *rig);

/** The process dies: nothing more is written. Then start again on what is durable. */
void rig_restart(struct rig *rig);
void rig_close(struct rig *rig);

/** Send what follows to this service. */
void rig_turn_to(struct rig *rig, const struct enc_service *service);

/** Run until nothing can run without time passing. */
void rig_settle(struct rig *rig);

/** Let time pass, timer by timer. */
void rig_sleep(struct rig *rig, uint64_t ms);
uint64_t rig_now_ms(const struct rig *rig);

/* ---- HTTP ---- */

/** Enter a request without settling. path begins with '/', query follows '?'. */
struct enc_call *rig_send(struct rig *rig, const char *path, struct enc_bytes body);
struct enc_call *rig_send_get(struct rig *rig, const char *path);
struct enc_call *rig_get(struct rig *rig, const char *path);
struct enc_call *rig_post(struct rig *rig, const char *path, struct enc_bytes body);

/** "/enclave/<hex><action>", valid while the rig lives. */
const char *rig_path(struct rig *rig, const uint8_t enclave32[32], const char *action);

/** The answer as JSON; fails the test when there is none. */
const struct enc_json *rig_json(struct rig *rig, struct enc_bytes text);
const struct enc_json *call_json(const struct enc_call *call);

/** Whether the answer is an Error with this code. */
bool call_is(const struct enc_call *call, uint16_t status, const char *code);

/** Release the replies that were kept. */
void rig_release(struct rig *rig);

/* ---- commits ---- */

struct draft {
    enum who who;
    const uint8_t *enclave32;
    const char *type;
    const char *content;
    const uint8_t *target32; /* r tag; NULL = none */
    uint64_t exp_ms;         /* 0 = soon, different every time */
};

/** Sign. Strings live in the rig. */
struct enc_commit rig_sign(struct rig *rig, const struct draft *draft);
struct enc_bytes rig_commit_json(struct rig *rig, const struct enc_commit *commit);
struct enc_bytes rig_body(struct rig *rig, const struct draft *draft);

/** Sign, post to "/", settle. */
struct enc_call *rig_commit(struct rig *rig, const struct draft *draft);

/** The same, and it must be accepted; fills what the receipt says. */
struct enc_event rig_accept(struct rig *rig, const struct draft *draft);

struct shape {
    uint32_t bundle_size; /* 0 = 256 */
    uint32_t timeout_ms;  /* 0 = no timer */
    const char *nonce;
};

/** Content of a Manifest with roles Admin, Member, Sink (P on Message) and Bell (N on all). */
const char *rig_manifest(struct rig *rig, const struct shape *shape);
struct enc_commit rig_sign_manifest(struct rig *rig, const char *content);

/** Make an enclave; its id. */
const uint8_t *rig_create(struct rig *rig, const struct shape *shape);

/** printf into the rig. */
const char *rig_text(struct rig *rig, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *rig_hex(struct rig *rig, const uint8_t *data, size_t len);

/* ---- sealed reads ---- */

struct asked {
    struct enc_channel channel;
    struct enc_bytes body;
};

/** An envelope of this kind whose content is a session and these members (",\"filter\":{}"). */
struct asked rig_seal(struct rig *rig, enum who who, const uint8_t enclave32[32], const char *kind,
                      const char *members);
/** A Query frame with a sub_id. */
struct asked rig_seal_frame(struct rig *rig, enum who who, const uint8_t enclave32[32],
                            const char *sub_id, const char *filter);
/** How long sessions of rig_seal live from now on, seconds. */
extern uint32_t rig_session_s;

/** Ask and open the answer's content; NULL when it is an error (then *call is it). */
const struct enc_json *rig_ask(struct rig *rig, struct enc_call **call, enum who who,
                               const char *path, const uint8_t enclave32[32], const char *kind,
                               const char *members);
const struct enc_json *rig_open_sealed(struct rig *rig, const struct enc_channel *channel,
                                       const struct enc_json *holder);

/* ---- sockets ---- */

struct enc_conn *rig_connect(struct rig *rig, const uint8_t *enclave32);
void rig_frame(struct enc_conn *conn, struct enc_bytes text);
void rig_disconnect(struct enc_conn *conn);

/** A clear Query frame of the Public reader. */
void rig_subscribe(struct enc_conn *conn, const uint8_t enclave32[32], const char *sub_id,
                   const char *filter);

/** Received frame number i as JSON; NULL when there are fewer. */
const struct enc_json *conn_json(const struct enc_conn *conn, size_t index);

/** How many frames of this type (and sub_id, unless NULL) arrived. */
size_t conn_count(const struct enc_conn *conn, const char *type, const char *sub_id);

/** seq of all clear Event frames of a subscription, in order; returns their number. */
size_t conn_seqs(const struct enc_conn *conn, const char *sub_id, uint64_t *seqs, size_t max);

/** Whether a Closed with this reason arrived for the subscription, exactly once. */
bool conn_closed(const struct enc_conn *conn, const char *sub_id, const char *reason);

/* ---- fetches ---- */

/** End the oldest fetch under way with this status. */
void rig_land(struct rig *rig, int status);
/** ... and this body of the answer. */
void rig_land_answer(struct rig *rig, int status, struct enc_bytes answer);
struct enc_bytes rig_posted_text(const struct rig *rig, size_t index);
const struct enc_json *rig_posted(struct rig *rig, size_t index);
size_t rig_posted_count(const struct rig *rig);

/* ---- the store ---- */

/** SHA-256 over every row of every table. */
void rig_dump(struct rig *rig, uint8_t out32[32]);

/** The store has no flaw, and every log in it is valid: replayed with the functions of proto. */
void rig_check(struct rig *rig);

/* ---- JSON ---- */

bool json_is(const struct enc_json *object, const char *name, const char *text);
uint64_t json_u64(const struct enc_json *object, const char *name);
void json_hex(const struct enc_json *object, const char *name, uint8_t *out, size_t len);
