/** The host as this room sees it. Not for net. Everything here is set at start and then constant,
 * unless noted. */
#pragma once

#include "actors/directory.h"
#include "actors/lane.h"
#include "actors/metrics.h"
#include "actors/rates.h"
#include "actors/timer.h"
#include "actors/turnstile.h"
#include "proto/endpoint.h"
#include "proto/schnorr.h"
#include "services/figure.h"
#include "services/host.h"
#include "services/shed.h"
#include "store/store.h"

#include <stdatomic.h>

enum { ENC_SHARD_MAX = 16 };

/** How far the stored alarms are read. The timers' thread's. */
struct enc_alarm_walk {
    uint32_t shard;
    bool is_inside; /* last is set */
    struct enc_alarm_place {
        uint8_t enclave32[32];
        uint8_t kind;
    } last;
};

struct enc_host {
    struct enc_host_config config;
    struct enc_limits limits;
    const struct enc_runtime *runtime;
    struct enc_data *data;
    struct enc_pool *pool;
    struct enc_directory *directory;
    struct enc_timers *timers;
    struct enc_alarm_walk alarms;
    struct enc_turnstile *founders; /* of one enclave per owner */
    struct enc_rates *key_rates;    /* NULL: not bounded */
    struct enc_shed shed;
    struct enc_rates *enclave_rates;         /* NULL: not bounded */
    struct enc_lane *writers[ENC_SHARD_MAX]; /* one per shard */
    uint32_t writer_count;
    struct enc_curve *curve;
    struct enc_key *key; /* the node's, in own_key or the configuration's; wiped at stop */
    struct enc_key own_key;
    struct enc_points *points; /* authors' keys */
    struct enc_manifests *manifests;
    struct enc_heads *heads; /* signed for reads */
    struct enc_chunk_source chunks;
    struct enc_chunks *kept;                 /* chunks between two exchanges */
    struct enc_chunk_source exchange_chunks; /* of kept, counted in exchange_len */
    _Atomic uint64_t exchange_len;           /* bytes of all exchanges */
    struct enc_endpoint_policy endpoints;
    uint8_t singletons32[ENC_SERVICE_MAX][32]; /* the enclave of a service without addressing */
    _Atomic uint64_t next_flight;              /* outbound POSTs, from 1 */
    _Atomic uint64_t next_stream;              /* subscription generations, from 1 */
    _Atomic uint32_t push_in_flight;           /* outbound POSTs now */
    _Atomic uint32_t pulls_open;               /* Pulls that close a gap */
    _Atomic uint64_t gaps_closed;
    _Atomic uint64_t gaps_given_up;
    _Atomic uint64_t key_refusals;
    _Atomic uint64_t enclave_refusals;
    struct enc_ledger ledger;        /* figures.def */
    _Atomic uint64_t timer_refusals; /* timers that found no room and wait for a later run */
    _Atomic uint64_t alarms_read;    /* stored ones, each time they are read */
    _Atomic uint64_t alarm_faults;   /* slices of them that could not be read and are tried again */
    _Atomic bool store_failed;       /* FENCED or IN_DOUBT: the process should end */
    _Atomic uint64_t write_fault_ms; /* when the last write failed; 0 = it succeeded */
    _Atomic int write_error;         /* of the engine, why it failed */
};

/** The host's time, Unix ms; read it once per turn or job. Any thread. */
uint64_t enc_host_now_ms(const struct enc_host *host);

/** The shard of an enclave. */
struct enc_store *enc_host_store(const struct enc_host *host, const uint8_t enclave32[32]);

/** The lane that writes that shard. */
struct enc_lane *enc_host_writer(const struct enc_host *host, const uint8_t enclave32[32]);
