#include "services/read.h"

#include "proto/record.h"
#include "services/answer.h"
#include "services/count.h"
#include "services/gather.h"
#include "services/handlers.h"
#include "services/inside.h"
#include "services/post.h"

enum {
    QUICK_LEN_MAX = 65536,    /* of an answer that a loop makes */
    ON_LOOP_NS_MAX = 1000000, /* of all that a loop reads at once */
};

enum enc_err enc_roles_of(struct enc_smt *tree, struct enc_roles *out, const uint8_t identity32[32])
{
    struct enc_smt_value value;
    uint8_t key21[21];
    *out = (struct enc_roles){{0}};
    enc_smt_key(key21, ENC_SMT_RBAC, identity32);
    ENC_TRY(enc_smt_get(tree, &value, key21));
    if (value.len != 0 && value.len != 32)
        return ENC_ERR_INTERNAL;
    if (value.len == 32)
        *out = enc_roles_decode(value.data);
    return ENC_ERR_OK;
}

bool enc_read_may_take_long(struct enc_read *read)
{
    read->is_long = read->is_on_loop;
    return !read->is_long;
}

enum enc_err enc_read_first_event(const struct enc_read *read, struct enc_event *out)
{
    struct enc_bytes record;
    struct enc_arena *arena = &read->exchange->arena;
    ENC_TRY(enc_snap_event(read->snap, &record, (struct enc_event_place){read->state.ord, 0}));
    record = enc_arena_copy(arena, record); /* it outlives the snapshot */
    return record.data ? enc_record_take(out, arena, record) : ENC_ERR_TOO_LARGE;
}

static enum enc_err parse_manifest(struct enc_read *read)
{
    struct enc_event event;
    ENC_TRY(enc_read_first_event(read, &event));
    return enc_manifests_add(read->host->manifests, &read->held, read->state.enclave32,
                             event.commit.content);
}

static enum enc_err load_manifest(struct enc_read *read)
{
    read->held = enc_manifests_find(read->host->manifests, read->state.enclave32);
    if (!read->held && !enc_read_may_take_long(read))
        return ENC_ERR_BUSY;
    if (!read->held)
        ENC_TRY(parse_manifest(read));
    read->manifest = enc_held_manifest(read->held);
    return ENC_ERR_OK;
}

static void unload(struct enc_read *read)
{
    enc_held_manifest_drop(read->held);
    read->held = NULL;
}

static enum enc_err load_enclave(struct enc_read *read)
{
    struct enc_exchange *exchange = read->exchange;
    struct enc_enclave_row row;
    struct enc_bytes head;
    unload(read);
    ENC_TRY(enc_snap_enclave(read->snap, &row, exchange->enclave32));
    if (row.service != exchange->service)
        return ENC_ERR_ENCLAVE_NOT_FOUND;
    ENC_TRY(enc_snap_head(read->snap, &head, row.ord));
    ENC_TRY(enc_state_decode(&read->state, &exchange->arena, head));
    if (!enc_state_is_of(&read->state, exchange->enclave32, &row))
        return ENC_ERR_INTERNAL;
    read->service = row.service;
    enc_tree_source_init(&read->source, read->snap, row.ord);
    enc_smt_init(&read->tree, &exchange->arena, &read->source.nodes, &read->state.smt);
    return load_manifest(read);
}

static enum enc_err open_snap(struct enc_read *read)
{
    struct enc_store *store = enc_host_store(read->host, read->exchange->enclave32);
    if (read->snap && read->store == store)
        return ENC_ERR_OK;
    enc_read_fini(read);
    read->store = store;
    return enc_snap_open(store, &read->snap);
}

static bool is_loaded(const struct enc_read *read)
{
    return read->held && read->service == read->exchange->service &&
           memcmp(read->state.enclave32, read->exchange->enclave32, 32) == 0;
}

/* Snapshot and enclave stay while they are those of the read before. */
static enum enc_err turn_to(struct enc_read *read, struct enc_exchange *exchange)
{
    read->exchange = exchange;
    read->roles = (struct enc_roles){{0}};
    ENC_TRY(open_snap(read));
    if (!is_loaded(read)) {
        enum enc_err err = load_enclave(read);
        if (err != ENC_ERR_OK) /* what is stored was not too large: it is memory */
            return err == ENC_ERR_TOO_LARGE ? ENC_ERR_BUSY : err;
    }
    if (!exchange->reader.is_known)
        return ENC_ERR_OK;
    return enc_roles_of(&read->tree, &read->roles, exchange->reader.pub32);
}

static void start(struct enc_read *read, const struct enc_host *host)
{
    *read = (struct enc_read){.host = host, .now_ms = enc_host_now_ms(host)};
}

enum enc_err enc_read_init(struct enc_read *read, struct enc_exchange *exchange)
{
    start(read, exchange->host);
    enum enc_err err = turn_to(read, exchange);
    if (err != ENC_ERR_OK)
        enc_read_fini(read);
    return err;
}

void enc_read_fini(struct enc_read *read)
{
    unload(read);
    enc_snap_close(read->snap);
    read->snap = NULL;
}

/* ---- the job: open the envelope, read, dress the answer ---- */

static enum enc_err find_asker(struct enc_exchange *exchange, uint64_t now_ms)
{
    if (!exchange->json)
        return ENC_ERR_OK; /* a GET has no envelope: Public */
    ENC_TRY(enc_exchange_unseal(exchange, now_ms));
    return enc_exchange_identify(exchange, now_ms);
}

static enum enc_err produce(struct enc_read *read, struct enc_exchange *exchange,
                            struct enc_buffer *out)
{
    ENC_TRY(find_asker(exchange, read->now_ms));
    ENC_TRY(turn_to(read, exchange));
    enc_answer_start(exchange, out);
    read->len_max =
        out->len + (read->is_on_loop ? QUICK_LEN_MAX : read->host->limits.query_body_len_max);
    ENC_TRY(exchange->read(read, out, exchange->envelope.content));
    return exchange->json && out->failed ? ENC_ERR_TOO_LARGE : ENC_ERR_OK;
}

static void note(const struct enc_exchange *exchange, uint64_t began_ns)
{
    enc_trace_note(exchange->trace, enc_stage_name(ENC_STAGE_DISPATCH), exchange->arrived_ns,
                   began_ns);
    enc_trace_note(exchange->trace, "read", began_ns, enc_exchange_trace_ns(exchange));
}

static void read_job(struct enc_job *job);

/* From the beginning: nothing of them was told. */
static void submit_rest(struct enc_exchange *rest)
{
    rest->job.run = read_job;
    enc_gathered_submit(rest);
}

/* False: it is not answered, since that would take long. */
static bool answer(struct enc_read *read, struct enc_exchange *exchange)
{
    struct enc_buffer out;
    uint64_t began_ns = enc_exchange_trace_ns(exchange);
    enum enc_err err = produce(read, exchange, &out);
    if (read->is_long)
        return false;
    exchange->keeps_answer = true;
    note(exchange, began_ns);
    if (err == ENC_ERR_OK)
        enc_answer_finish(exchange, &out);
    else
        enc_answer_err(exchange, err);
    return true;
}

/* Up to the first that would take long; what is left. A loop that was held up, maybe by the disk,
 * does not try its luck with the next. */
static struct enc_exchange *answer_all(struct enc_read *read, struct enc_exchange *list)
{
    uint64_t began_ns = read->is_on_loop ? enc_host_now_ns(read->host) : 0;
    struct enc_exchange *at = list;
    while (at && answer(read, at)) {
        at = at->together;
        if (read->is_on_loop && enc_host_now_ns(read->host) - began_ns > ON_LOOP_NS_MAX)
            break;
    }
    return at;
}

/* All are answered before the first answer leaves: what they share lies in their arenas, and the
 * loop is woken by the first. */
static void read_job(struct enc_job *job)
{
    struct enc_read read;
    struct enc_exchange *list = enc_exchange_of_job(job);
    start(&read, list->host);
    read.is_on_loop = list->is_on_loop;
    struct enc_exchange *rest = answer_all(&read, list);
    enc_read_fini(&read);
    while (list != rest) {
        struct enc_exchange *next = list->together;
        enc_answer_send(list);
        list = next;
    }
    if (rest)
        submit_rest(rest);
}

/* ---- which reads are gathered ---- */

enum { FEW_IDS = 8 };

static bool is_of_few_ids(const struct enc_json *content)
{
    const struct enc_json *id = enc_json_get(enc_json_get(content, "filter"), "id");
    return id && (id->kind != ENC_JSON_ARRAY || id->count <= FEW_IDS);
}

/* A handful of gets for Public: no scan, no signature. Others would keep those behind them
 * waiting. */
static bool is_small(const struct enc_exchange *exchange)
{
    static enc_read_fn *const SMALL[] = {
        enc_read_inclusion, enc_read_state,    enc_read_consistency,
        enc_read_sth,       enc_read_manifest, enc_read_enclave,
    };
    const struct enc_envelope *envelope = &exchange->envelope;
    if (envelope->is_sealed || envelope->has_from)
        return false;
    for (size_t i = 0; i < sizeof SMALL / sizeof *SMALL; i++)
        if (exchange->read == SMALL[i])
            return true;
    return exchange->read == enc_read_query && is_of_few_ids(envelope->content);
}

static void submit(struct enc_exchange *exchange)
{
    if (is_small(exchange))
        enc_gather(exchange, read_job);
    else
        enc_exchange_submit(exchange, read_job);
}

void enc_read_enter(struct enc_exchange *exchange, enum enc_body_kind kind, enc_read_fn *fn)
{
    enum enc_err err = enc_exchange_envelope(exchange, kind);
    exchange->read = fn;
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else
        submit(exchange);
}

/* ---- the routes ---- */

/* A proof request uses the Query envelope of its service; `type` may be left out (8.6). */
static void enter_post(struct enc_exchange *exchange, enc_read_fn *fn)
{
    enum enc_err err = enc_exchange_parse(exchange);
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else
        enc_read_enter(exchange, ENC_BODY_QUERY, fn);
}

void enc_read_route(struct enc_exchange *exchange)
{
    const struct enc_route *route = exchange->route;
    exchange->read = route->read;
    if (route->method == ENC_METHOD_GET)
        submit(exchange);
    else
        enter_post(exchange, route->read);
}
