/**
 * One process's services: what net, the simulation and encctl's offline checks start, feed and
 * stop. The only header of this room that net includes, beside runtime.h and frame.h.
 */
#pragma once

#include "actors/pulse.h"
#include "services/enclave.h"

struct enc_host;
struct enc_socket;
struct enc_ledger;
struct enc_data; /* store */
struct enc_sim;  /* actors; NULL outside the simulation */

enum { ENC_SERVICE_MAX = 8 };

struct enc_dataview;

/** A service by its name and its seven fields, what it answers outside of any enclave, and what its
 * DataView makes of events. */
struct enc_service {
    const char *name;
    struct enc_enclave enclave;
    struct enc_routes worker_routes; /* not of an enclave: the seed's worker level */
    const struct enc_dataview *view; /* dataview.h; NULL without a DataView */
    bool
        is_opaque; /* contents are ciphertext of its clients; not .encrypted, which is of the way */
};

#ifndef ENC_SERVICES_DEF
#define ENC_SERVICES_DEF "services/services.def" /* a build may bring its own list */
#endif
#define ENC_SERVICE_ROW(name) extern const struct enc_service ENC_SERVICE_##name;
#include ENC_SERVICES_DEF
#undef ENC_SERVICE_ROW

/** The services of this build, by the numbers that enclaves are stored under. Static storage; an
 * index out of range aborts. */
size_t enc_service_count(void);
const struct enc_service *enc_service_at(size_t index);

/** All that a service answers: the routes of its enclaves, of its worker, and those of
 * enc_info_routes, into rows; returns their number. */
size_t enc_service_routes(const struct enc_service *service,
                          const struct enc_route *rows[ENC_ROUTE_MAX]);

/** Bounds of protocol.md Appendix B and of memory; enc_limits_default fills in the protocol's
 * values. */
struct enc_limits {
    size_t body_len_max;         /* 1 MiB: HTTP body, WebSocket message */
    size_t content_len_max;      /* 256 KiB */
    size_t query_body_len_max;   /* bytes of events in one Response before it is cut with next */
    uint32_t query_limit_max;    /* 1000 */
    uint32_t subs_per_socket;    /* 64 */
    uint32_t subs_per_enclave;   /* bound of subscriptions of one enclave */
    uint32_t mailbox_depth_max;  /* mails waiting for one enclave before 503 */
    uint32_t live_enclaves_max;  /* enclaves in memory */
    uint32_t jobs_max;           /* stateless jobs waiting before 503 */
    uint32_t run_commits_max;    /* commits of one run */
    uint32_t push_attempts_max;  /* 1 + 10 retries */
    uint32_t push_batch_max;     /* 100 events in one payload */
    uint32_t push_timeout_ms;    /* 10,000 */
    uint32_t push_in_flight_max; /* outbound POSTs at once */
    size_t exchange_len_max;     /* bytes of all messages in the house, from their bodies to their
                                    answers; past it new ones are refused with 503 */
    uint32_t alarms_max;         /* stored alarms in memory: those that are due next */
    uint32_t idle_ms; /* an enclave without mail or subscription leaves memory after this */

    uint32_t rate_key;           /* requests per second of one public key; 0: as many as it likes */
    uint32_t rate_key_burst;     /* at once; 0: as many as in a second */
    uint32_t rate_enclave;       /* mails per second into one enclave's mailbox; 0: unbounded */
    uint32_t rate_enclave_burst; /* at once; 0: as many as in a second */
    uint32_t rate_keys_max;      /* keys and enclaves remembered for that */
    uint32_t answer_target_ms;   /* answers that take longer on average make the node refuse some of
                                    what comes; 0: never */
};

void enc_limits_default(struct enc_limits *limits);

/** An enclave whose pushes a DataView takes in, and whose signature they must carry. */
struct enc_follow {
    uint8_t enclave32[32];
    uint8_t pub32[32];
};

struct enc_host_config {
    const struct enc_runtime *runtime; /* must outlive the host */
    struct enc_data *data;             /* open; the host uses it until enc_host_stop returns */
    const uint8_t *node_priv32;        /* copied into the host's key, then no longer read */
    struct enc_key
        *key_memory; /* where that key lives, until enc_host_stop, which wipes it; written
                                   at start and stop only; NULL: in the host */
    struct enc_limits limits;
    uint32_t worker_count;
    bool push_allow_http;
    bool push_allow_private;
    bool bootstrap_open;             /* enclaves are made for anybody without a session */
    const uint8_t *registry_owner32; /* Owner of singletons; NULL: the node key */
    const struct enc_follow
        *registry_follows; /* of the registry's DataView; must outlive the host */
    size_t registry_follow_count;
    const char *version;
    const char *const *mounts; /* per service: its mount, as /info/node shows it, NULL = not served;
                                  static; NULL: all are */
    struct enc_sim *sim;
};

/**
 * Build the host: start workers and writers; stored alarms are read from then on, and those that
 * are overdue ring as they are met. Main thread.
 * Errors: INTERNAL when the store cannot be read or threads cannot be had; *why is a static text
 */
ENC_MUST_USE enum enc_err enc_host_start(struct enc_host **out,
                                         const struct enc_host_config *config, const char **why);

/**
 * Finish what is queued and make it durable; from here on everything is refused as BUSY. The
 * runtime must still carry replies. Main thread.
 */
void enc_host_drain(struct enc_host *host);

/** Drain if that was not done, and free. The runtime must not call the host any more: fetches and
 * sockets are over, its threads have ended; conn_drop is still called. Main thread. */
void enc_host_stop(struct enc_host *host);

/** The node's x-only public key, 32 bytes, valid while the host lives. Any thread. */
const uint8_t *enc_host_seq_pub(const struct enc_host *host);

/** Whether nothing waits anywhere (mailboxes, runs, push in flight not counted). Any thread. For
 * drain. */
bool enc_host_is_quiet(const struct enc_host *host);

/** Whether the store refused for good (FENCED, IN_DOUBT): the process should drain and end. Any
 * thread. */
bool enc_host_store_failed(const struct enc_host *host);

/**
 * Why the last write failed; NULL when it succeeded, or was half a minute ago: only a new commit
 * can tell whether there is room again, and a node that says it is not ready gets none. Static
 * storage; any thread.
 */
const char *enc_host_write_fault(const struct enc_host *host);

/** Figures for the metrics page. Counters unless marked as a level. */
struct enc_host_counts {
    uint64_t mails_refused; /* mailbox or directory full: 503 */
    uint64_t jobs_refused;  /* too many jobs: 503 */
    uint64_t timer_refusals;
    uint64_t writer_batches; /* transactions */
    uint64_t writer_runs;    /* runs in them */
    uint64_t exchange_len;   /* level: bytes of all messages in the house */
    uint64_t mails_waiting;  /* level */
    uint64_t jobs;           /* run */
    uint64_t jobs_waiting;   /* level */
    uint64_t turns;          /* run */
    uint64_t turns_waiting;  /* level */
    uint64_t live_enclaves;  /* level */
    uint64_t timers;         /* level */
    uint64_t timers_put_off; /* alarms that are due later than what fits into memory */
    uint64_t alarms_read;    /* stored alarms, each time they are read */
    uint64_t alarm_faults;   /* readings of them that failed and are tried again */
    uint64_t push_in_flight; /* level */
    uint64_t gaps_closed;    /* payloads that were missing and came by Pull */
    uint64_t gaps_given_up;  /* ... and were taken for lost */

    uint64_t key_refusals;     /* too often by one key: 429 */
    uint64_t enclave_refusals; /* too often into one enclave: 429 */
    uint64_t shed_refusals;    /* answers took too long: 503 */
};

/** Any thread. */
void enc_host_counts(const struct enc_host *host, struct enc_host_counts *out);

/** A thread and its pulse (actors/pulse.h). */
struct enc_thread_pulse {
    const char *what; /* static */
    uint32_t index;
    uint64_t beats;
};

/** Number of the host's threads; their pulses, always in the same order, into out. Any thread. */
size_t enc_host_thread_count(const struct enc_host *host);
void enc_host_pulses(const struct enc_host *host, struct enc_thread_pulse *out);

/** Everything counted by rows (figures.def). Valid while the host lives. */
const struct enc_ledger *enc_host_ledger(const struct enc_host *host);

/** Figures of one shard of the store. */
struct enc_host_store {
    uint64_t map_len;
    uint64_t used_len; /* of its pages */
    uint64_t file_len; /* and the room behind them */
    uint64_t txn_id;   /* the last one */
    uint32_t page_len;
    uint32_t reader_max;
    uint32_t reader_count;
};

/** Number of shards; figures of one. False when the shard cannot be read now. Any thread. */
uint32_t enc_host_shard_count(const struct enc_host *host);
ENC_MUST_USE bool enc_host_store_counts(const struct enc_host *host, struct enc_host_store *out,
                                        uint32_t shard);

enum enc_protocol { ENC_PROTOCOL_H1, ENC_PROTOCOL_H2, ENC_PROTOCOL_WS };

/** One answered request. */
struct enc_request_fact {
    struct enc_route_place place;
    enum enc_protocol protocol;
    uint16_t status;
    uint64_t took_ns;
};

/** Count a request that net has seen end, and an error that net itself has answered. Any thread. */
void enc_host_count_request(const struct enc_host *host, const struct enc_request_fact *fact);
void enc_host_count_error(const struct enc_host *host, enum enc_err err);

enum enc_handled {
    ENC_HANDLED_CALL,    /* the call is answered, now or later */
    ENC_HANDLED_UPGRADE, /* accept the WebSocket; the call was not touched and stays net's */
    ENC_HANDLED_STREAM   /* the same for a stream of server-sent events */
};

/** The path of the route at place, with ':' for what varies; "none" when there is none. Static. */
const char *enc_route_name(struct enc_route_place place);

/** A WebSocket's place: one enclave of a service, or all of them when has_enclave is false. */
struct enc_ws_place {
    unsigned service;
    unsigned route; /* that asked for it, as in struct enc_route_place */
    bool has_enclave;
    bool is_stream; /* one subscription and nothing else: enc_host_socket_subscribe */
    uint8_t enclave32[32];
};

/**
 * Take a complete request for the service with this index of enc_service_at. Loop thread; returns
 * soon: copies what it needs, parses, routes, posts. Every outcome but UPGRADE and STREAM answers
 * request->call exactly once.
 */
enum enc_handled enc_host_handle(struct enc_host *host, unsigned service,
                                 const struct enc_request *request, struct enc_ws_place *place);

/**
 * A turn of the loop is over: what was gathered in it leaves for a worker. Call it before the loop
 * sleeps, and once more when it will not turn again. Loop thread.
 */
void enc_host_end_turn(struct enc_host *host, struct enc_gathering *gathering);

/** A socket was accepted at place. The host holds conn until enc_host_socket_close. NULL when
 * memory is short. */
ENC_MUST_USE struct enc_socket *enc_host_socket_open(struct enc_host *host, struct enc_conn *conn,
                                                     const struct enc_ws_place *place);

/**
 * The only subscription of a stream, as the request's query string says (stream.h). Either the
 * first frame is an Error with a status, or there is an EOSE sooner or later; Closed or Error is
 * the last one. Once, before anything else; the socket's loop thread.
 */
void enc_host_socket_subscribe(struct enc_socket *socket, const struct enc_request *request);

/** One complete text message (or is_binary, which earns a Notice). The socket's loop thread. */
void enc_host_socket_message(struct enc_socket *socket, struct enc_bytes message, bool is_binary);

/**
 * One complete text message of an address that sends too many: answered with RATE_LIMITED under the
 * sub_id or hash it names, and nothing else is done. The socket's loop thread.
 */
void enc_host_socket_refuse(struct enc_socket *socket, struct enc_bytes message,
                            const struct enc_quota *quota);

/** Asked for every outgoing item right before it is sent: false = stale, drop it. The socket's loop
 * thread. */
ENC_MUST_USE bool enc_host_socket_admits(struct enc_socket *socket, uint64_t stream, bool is_last);

/** Everything queued before an item with wants_ack has left. The socket's loop thread. */
void enc_host_socket_written(struct enc_socket *socket, uint64_t stream);

enum enc_socket_end { ENC_SOCKET_END_SLOW, ENC_SOCKET_END_SHUTDOWN };

/** Send Closed with the reason for every subscription and end them; the socket itself stays net's
 * to close. */
void enc_host_socket_end_subs(struct enc_socket *socket, enum enc_socket_end reason);

/** The socket is gone. Drops the host's hold on conn; socket is dead. The socket's loop thread. */
void enc_host_socket_close(struct enc_socket *socket);
