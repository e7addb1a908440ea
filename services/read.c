#include "services/read.h"

#include "proto/record.h"
#include "services/answer.h"
#include "services/handlers.h"
#include "services/inside.h"
#include "services/post.h"

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
    if (!read->held)
        ENC_TRY(parse_manifest(read));
    read->manifest = enc_held_manifest(read->held);
    return ENC_ERR_OK;
}

static enum enc_err load_enclave(struct enc_read *read)
{
    struct enc_exchange *exchange = read->exchange;
    struct enc_enclave_row row;
    struct enc_bytes head;
    ENC_TRY(enc_snap_enclave(read->snap, &row, exchange->enclave32));
    if (row.service != exchange->service)
        return ENC_ERR_ENCLAVE_NOT_FOUND;
    ENC_TRY(enc_snap_head(read->snap, &head, row.ord));
    ENC_TRY(enc_state_decode(&read->state, &exchange->arena, head));
    ENC_TRY(load_manifest(read));
    enc_tree_source_init(&read->source, read->snap, row.ord);
    enc_smt_init(&read->tree, &exchange->arena, &read->source.nodes, &read->state.smt);
    if (!exchange->reader.is_known)
        return ENC_ERR_OK;
    return enc_roles_of(&read->tree, &read->roles, exchange->reader.pub32);
}

enum enc_err enc_read_init(struct enc_read *read, struct enc_exchange *exchange)
{
    *read = (struct enc_read){.exchange = exchange, .host = exchange->host};
    read->now_ms = enc_host_now_ms(exchange->host);
    ENC_TRY(enc_snap_open(enc_host_store(exchange->host, exchange->enclave32), &read->snap));
    enum enc_err err = load_enclave(read);
    if (err != ENC_ERR_OK)
        enc_read_fini(read);
    return err;
}

void enc_read_fini(struct enc_read *read)
{
    enc_snap_close(read->snap);
    read->snap = NULL;
    enc_held_manifest_drop(read->held);
    read->held = NULL;
}

/* ---- the job: open the envelope, read, dress the answer ---- */

static enum enc_err find_asker(struct enc_exchange *exchange)
{
    uint64_t now_ms = enc_host_now_ms(exchange->host);
    if (!exchange->json)
        return ENC_ERR_OK; /* a GET has no envelope: Public */
    ENC_TRY(enc_exchange_unseal(exchange, now_ms));
    return enc_exchange_identify(exchange, now_ms);
}

static enum enc_err produce(struct enc_exchange *exchange, struct enc_buffer *out)
{
    struct enc_read read;
    ENC_TRY(find_asker(exchange));
    ENC_TRY(enc_read_init(&read, exchange));
    enc_answer_start(exchange, out);
    read.len_max = out->len + exchange->host->limits.query_body_len_max;
    enum enc_err err = exchange->read(&read, out, exchange->envelope.content);
    enc_read_fini(&read);
    return err;
}

static void read_job(struct enc_job *job)
{
    struct enc_exchange *exchange = enc_exchange_of_job(job);
    struct enc_buffer out;
    enum enc_err err = produce(exchange, &out);
    if (err == ENC_ERR_OK && exchange->json && out.failed)
        err = ENC_ERR_TOO_LARGE;
    if (err == ENC_ERR_OK)
        enc_answer_finish(exchange, &out);
    else
        enc_answer_err(exchange, err);
}

void enc_read_enter(struct enc_exchange *exchange, enum enc_body_kind kind, enc_read_fn *fn)
{
    enum enc_err err = enc_exchange_envelope(exchange, kind);
    exchange->read = fn;
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else
        enc_exchange_submit(exchange, read_job);
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
        enc_exchange_submit(exchange, read_job);
    else
        enter_post(exchange, route->read);
}
