#include "services/host.h"

#include "proto/filter.h"
#include "services/alarms.h"
#include "services/chunks.h"
#include "services/count.h"
#include "services/exchange.h"
#include "services/founding.h"
#include "services/heads.h"
#include "services/inside.h"
#include "services/manifests.h"
#include "services/node.h"
#include "services/points.h"
#include "services/quota.h"
#include "services/run.h"

#include <stdlib.h>

enum { WRITE_FAULT_MS = 30000 };

void enc_limits_default(struct enc_limits *limits)
{
    *limits = (struct enc_limits){
        .body_len_max = 1 << 20,
        .content_len_max = ENC_CONTENT_LEN_MAX,
        .query_body_len_max = 8 << 20,
        .query_limit_max = ENC_FILTER_LIMIT_MAX,
        .subs_per_socket = 64,
        .subs_per_enclave = 65536,
        .mailbox_depth_max = 1024,
        .live_enclaves_max = 65536,
        .jobs_max = 8192,
        .run_commits_max = 256,
        .push_attempts_max = 11,
        .push_batch_max = 100,
        .push_timeout_ms = 10000,
        .push_in_flight_max = 64,
        .exchange_len_max = (size_t)256 << 20,
        .alarms_max = 1 << 17,
        .idle_ms = 10000,
        .rate_keys_max = 65536,
    };
}

uint64_t enc_host_now_ms(const struct enc_host *host)
{
    return host->runtime->now_ms(host->runtime->self);
}

static uint32_t shard_of(const struct enc_host *host, const uint8_t enclave32[32])
{
    const struct enc_store *store = enc_data_shard(host->data, enclave32);
    uint32_t shard = 0;
    while (shard < host->writer_count && enc_data_shard_at(host->data, shard) != store)
        shard++;
    ENC_CHECK(shard < host->writer_count);
    return shard;
}

struct enc_store *enc_host_store(const struct enc_host *host, const uint8_t enclave32[32])
{
    return enc_data_shard(host->data, enclave32);
}

struct enc_lane *enc_host_writer(const struct enc_host *host, const uint8_t enclave32[32])
{
    return host->writers[shard_of(host, enclave32)];
}

const uint8_t *enc_host_seq_pub(const struct enc_host *host)
{
    return host->key->pub32;
}

bool enc_host_is_quiet(const struct enc_host *host)
{
    return enc_pool_is_quiet(host->pool);
}

bool enc_host_store_failed(const struct enc_host *host)
{
    /* acquire: pairs with the writer's release */
    return atomic_load_explicit(&host->store_failed, memory_order_acquire);
}

const char *enc_host_write_fault(const struct enc_host *host)
{
    /* relaxed: what people are told; the two may be of different writes */
    uint64_t fault_ms = atomic_load_explicit(&host->write_fault_ms, memory_order_relaxed);
    int error = atomic_load_explicit(&host->write_error, memory_order_relaxed);
    /* A fault of the future is one from before the clock was set back. */
    bool is_recent = fault_ms && enc_host_now_ms(host) - fault_ms < WRITE_FAULT_MS;
    return is_recent ? enc_store_error_text(error) : NULL;
}

void enc_host_counts(const struct enc_host *host, struct enc_host_counts *out)
{
    *out = (struct enc_host_counts){
        .live_enclaves = enc_directory_count(host->directory),
        .timers = enc_timers_count(host->timers),
        /* relaxed: figures for people, nothing hangs on their order */
        .timer_refusals = atomic_load_explicit(&host->timer_refusals, memory_order_relaxed),
        .alarms_read = atomic_load_explicit(&host->alarms_read, memory_order_relaxed),
        .alarm_faults = atomic_load_explicit(&host->alarm_faults, memory_order_relaxed),
        .key_refusals = atomic_load_explicit(&host->key_refusals, memory_order_relaxed),
        .shed_refusals = atomic_load_explicit(&host->shed.refusals, memory_order_relaxed),
        .enclave_refusals = atomic_load_explicit(&host->enclave_refusals, memory_order_relaxed),
        .exchange_len = atomic_load_explicit(&host->exchange_len, memory_order_relaxed),
        .push_in_flight = atomic_load_explicit(&host->push_in_flight, memory_order_relaxed),
        .gaps_closed = atomic_load_explicit(&host->gaps_closed, memory_order_relaxed),
        .gaps_given_up = atomic_load_explicit(&host->gaps_given_up, memory_order_relaxed),
    };
    struct enc_actors_counts actors;
    enc_actors_counts(host->pool, &actors);
    out->mails_refused = actors.refusals;
    out->jobs_refused = actors.job_refusals;
    out->mails_waiting = actors.mails_waiting;
    out->timers_put_off = actors.timers_put_off;
    out->jobs = actors.jobs;
    out->jobs_waiting = actors.jobs_waiting;
    out->turns = actors.turns;
    out->turns_waiting = actors.turns_waiting;
    out->writer_batches = actors.lane_batches;
    out->writer_runs = actors.lane_items;
}

size_t enc_host_thread_count(const struct enc_host *host)
{
    return enc_pool_workers(host->pool) + host->writer_count + 1;
}

void enc_host_pulses(const struct enc_host *host, struct enc_thread_pulse *out)
{
    uint32_t workers = enc_pool_workers(host->pool);
    for (uint32_t i = 0; i < workers; i++)
        *out++ = (struct enc_thread_pulse){"worker", i, enc_pool_beats(host->pool, i)};
    for (uint32_t i = 0; i < host->writer_count; i++)
        *out++ = (struct enc_thread_pulse){"writer", i, enc_lane_beats(host->writers[i])};
    *out = (struct enc_thread_pulse){"timers", 0, enc_timers_beats(host->timers)};
}

const struct enc_ledger *enc_host_ledger(const struct enc_host *host)
{
    return &host->ledger;
}

uint32_t enc_host_shard_count(const struct enc_host *host)
{
    return enc_data_shard_count(host->data);
}

bool enc_host_store_counts(const struct enc_host *host, struct enc_host_store *out, uint32_t shard)
{
    struct enc_store_counts counts;
    if (enc_store_counts(enc_data_shard_at(host->data, shard), &counts) != ENC_ERR_OK)
        return false;
    *out = (struct enc_host_store){
        .map_len = counts.map_len,
        .used_len = counts.used_len,
        .file_len = counts.file_len,
        .txn_id = counts.txn_id,
        .page_len = counts.page_len,
        .reader_max = counts.reader_max,
        .reader_count = counts.reader_count,
    };
    return true;
}

/* ---- chunks of arenas ---- */

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    (void)self;
    struct enc_chunk *chunk = (struct enc_chunk *)aligned_alloc(16, (len + 15) & ~(size_t)15);
    if (chunk)
        chunk->len = (len + 15) & ~(size_t)15;
    return chunk;
}

static void give_chunks(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

/* Counted ones. relaxed: a bound that may be missed by the messages of the moment. */

static struct enc_chunk *take_counted(void *self, size_t len)
{
    struct enc_host *host = (struct enc_host *)self;
    struct enc_chunk *chunk = enc_chunks_take(host->kept, len);
    if (chunk)
        atomic_fetch_add_explicit(&host->exchange_len, chunk->len, memory_order_relaxed);
    return chunk;
}

static void give_counted(void *self, struct enc_chunk *list)
{
    struct enc_host *host = (struct enc_host *)self;
    uint64_t len = 0;
    for (const struct enc_chunk *at = list; at; at = at->next)
        len += at->len;
    atomic_fetch_sub_explicit(&host->exchange_len, len, memory_order_relaxed);
    enc_chunks_give(host->kept, list);
}

/* ---- start ---- */

static bool make_caches(struct enc_host *host)
{
    host->points = enc_points_new();
    host->manifests = enc_manifests_new(&host->chunks);
    host->heads = enc_heads_new();
    host->kept = enc_chunks_new();
    return host->points && host->manifests && host->heads && host->kept;
}

static const char *make_key(struct enc_host *host, const uint8_t priv32[32])
{
    uint8_t seed32[32];
    void *memory = aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15);
    if (!memory)
        return "memory for the curve cannot be had";
    host->runtime->random(host->runtime->self, seed32, sizeof seed32);
    host->curve = enc_curve_init(memory, seed32);
    explicit_bzero(seed32, sizeof seed32);
    return enc_key_init(host->key, host->curve, priv32) ? NULL : "the node key is not valid";
}

static uint64_t read_clock(void *self)
{
    return enc_host_now_ms((const struct enc_host *)self);
}

static enum enc_err start_pool(struct enc_host *host)
{
    struct enc_pool_config config = {
        .workers = host->config.worker_count,
        .jobs_max = host->limits.jobs_max,
        .clock = {.now_ms = read_clock, .self = host},
        .sim = host->config.sim,
    };
    return enc_pool_start(&host->pool, &config);
}

static enum enc_err open_directory(struct enc_host *host)
{
    struct enc_directory_config config = {
        .pool = host->pool,
        .class = &ENC_NODE_CLASS,
        .opaque = host,
        .limits = {.depth_max = host->limits.mailbox_depth_max,
                   .batch_max = host->limits.run_commits_max},
        .actors_max = host->limits.live_enclaves_max,
        .idle_ms = host->limits.idle_ms,
    };
    host->runtime->random(host->runtime->self, (uint8_t *)&config.hash_seed,
                          sizeof config.hash_seed);
    return enc_directory_open(&host->directory, &config);
}

static enum enc_err open_turnstile(struct enc_host *host)
{
    struct enc_turnstile_config config = {.waiting_max = host->limits.jobs_max};
    host->runtime->random(host->runtime->self, (uint8_t *)&config.hash_seed,
                          sizeof config.hash_seed);
    return enc_turnstile_open(&host->founders, &config);
}

static enum enc_err start_timers(struct enc_host *host)
{
    enum { RETRY_MS = 50, KINDS_PER_ENCLAVE = 3 };
    struct enc_timers_config config = {
        .directory = host->directory,
        .timers_max = host->limits.alarms_max + KINDS_PER_ENCLAVE * host->limits.live_enclaves_max,
        .mail_kind = ENC_MAIL_TIMER,
        .retry_ms = RETRY_MS,
    };
    enc_alarms_keep(&config.keeper, host);
    return enc_timers_start(&host->timers, &config);
}

static uint64_t read_monotonic(void *self)
{
    return enc_host_now_ns((const struct enc_host *)self);
}

static enum enc_err start_writers(struct enc_host *host)
{
    uint32_t count = enc_data_shard_count(host->data);
    ENC_CHECK(count <= ENC_SHARD_MAX);
    for (; host->writer_count < count; host->writer_count++) {
        enc_store_time(enc_data_shard_at(host->data, host->writer_count), read_monotonic, host);
        struct enc_lane_config config = {
            .pool = host->pool,
            .work = enc_writer_work,
            .self = enc_data_shard_at(host->data, host->writer_count),
            .depth_max = host->limits.live_enclaves_max, /* one run per enclave at most */
        };
        ENC_TRY(enc_lane_start(&host->writers[host->writer_count], &config));
    }
    return ENC_ERR_OK;
}

/* Only from here on may an enclave wake. */
static enum enc_err wake_alarms(struct enc_host *host)
{
    enc_timers_refill(host->timers);
    return ENC_ERR_OK;
}

static const char *start_parts(struct enc_host *host)
{
    static const struct {
        enum enc_err (*start)(struct enc_host *host);
        const char *why;
    } PARTS[] = {
        {enc_quota_open, "memory for the rate limits cannot be had"},
        {start_pool, "worker threads cannot be started"},
        {open_directory, "memory for the directory cannot be had"},
        {open_turnstile, "memory for the turnstile cannot be had"},
        {start_timers, "the timer thread cannot be started"},
        {start_writers, "writer threads cannot be started"},
        {enc_found_singletons, "the registry cannot be founded"},
        {wake_alarms, ""},
    };
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++)
        if (PARTS[i].start(host) != ENC_ERR_OK)
            return PARTS[i].why;
    return NULL;
}

static void init_host(struct enc_host *host, const struct enc_host_config *config)
{
    host->config = *config;
    host->config.node_priv32 = NULL;
    host->key = config->key_memory ? config->key_memory : &host->own_key;
    host->limits = config->limits;
    host->runtime = config->runtime;
    host->data = config->data;
    host->chunks = (struct enc_chunk_source){take_chunk, give_chunks, NULL};
    host->exchange_chunks = (struct enc_chunk_source){take_counted, give_counted, host};
    host->endpoints.allow_http = config->push_allow_http;
    host->endpoints.allow_private = config->push_allow_private;
    enc_shed_init(&host->shed, config->limits.answer_target_ms);
    atomic_init(&host->next_stream, 1);
    atomic_init(&host->next_flight, 1);
}

enum enc_err enc_host_start(struct enc_host **out, const struct enc_host_config *config,
                            const char **why)
{
    struct enc_host *host = (struct enc_host *)calloc(1, sizeof *host);
    *why = "memory cannot be had";
    if (!host)
        return ENC_ERR_INTERNAL;
    init_host(host, config);
    if (enc_count_open(&host->ledger) && make_caches(host))
        *why = make_key(host, config->node_priv32);
    if (!*why)
        *why = start_parts(host);
    if (*why) {
        enc_host_stop(host);
        return ENC_ERR_INTERNAL;
    }
    *out = host;
    return ENC_ERR_OK;
}

/* The queued work first: its turns use writers and timers to their end. */
void enc_host_drain(struct enc_host *host)
{
    if (host->pool)
        enc_pool_drain(host->pool);
}

/* Turns set timers and post to writers, so both outlive them. */
void enc_host_stop(struct enc_host *host)
{
    enc_host_drain(host);
    for (uint32_t i = 0; i < host->writer_count; i++)
        enc_lane_stop(host->writers[i]);
    if (host->timers)
        enc_timers_stop(host->timers);
    if (host->directory)
        enc_directory_close(host->directory);
    if (host->pool)
        enc_pool_stop(host->pool);
    enc_turnstile_close(host->founders);
    enc_quota_close(host);
    enc_key_wipe(host->key);
    if (host->curve)
        enc_curve_fini(host->curve);
    free(host->curve);
    enc_points_free(host->points);
    enc_manifests_free(host->manifests);
    enc_heads_free(host->heads);
    enc_chunks_free(host->kept);
    enc_ledger_close(&host->ledger);
    free(host);
}
