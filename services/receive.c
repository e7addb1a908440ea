#include "services/receive.h"

#include "proto/record.h"
#include "services/answer.h"
#include "services/gap.h"
#include "services/handlers.h"
#include "services/inside.h"
#include "services/post.h"

/* ---- who may push ---- */

static const struct enc_follow *configured_follow(const struct enc_host *host,
                                                  const uint8_t enclave32[32])
{
    for (size_t i = 0; i < host->config.registry_follow_count; i++)
        if (memcmp(host->config.registry_follows[i].enclave32, enclave32, 32) == 0)
            return &host->config.registry_follows[i];
    return NULL;
}

static enum enc_err ask_config(const struct enc_host *host, const uint8_t enclave32[32],
                               bool *follows, uint8_t pub32[32])
{
    const struct enc_follow *follow = configured_follow(host, enclave32);
    *follows = follow != NULL;
    if (follow)
        memcpy(pub32, follow->pub32, 32);
    return ENC_ERR_OK;
}

/* A DataView and the node that asks it. */
struct place {
    const struct enc_host *host;
    const struct enc_dataview *view;
    const struct enc_rows *rows;
    const uint8_t *own32;
};

/* Errors: UNAUTHORIZED, INTERNAL */
static enum enc_err find_sequencer(const struct place *place, const uint8_t enclave32[32],
                                   uint8_t pub32[32])
{
    bool follows = false;
    enc_follow_fn *ask = place->view->follows;
    if (memcmp(enclave32, place->own32, 32) == 0)
        return ENC_ERR_UNAUTHORIZED; /* its own events come in by its log */
    if (ask)
        ENC_TRY(ask(place->rows, place->own32, enclave32, &follows, pub32));
    else
        ENC_TRY(ask_config(place->host, enclave32, &follows, pub32));
    return follows ? ENC_ERR_OK : ENC_ERR_UNAUTHORIZED;
}

/* ---- on a worker ---- */

/* The turn judges by what is true then; marks only grow, so that it finds no gap that is not seen
 * here. */
static enum enc_err look_for_gap(struct enc_exchange *exchange, const struct enc_rows *rows)
{
    struct enc_push_mark mark;
    struct enc_arrival *arrival = exchange->arrival;
    ENC_TRY(enc_push_mark_get(rows, arrival->parcel.enclave32, arrival->sequencer32, &mark));
    if (arrival->is_pulled || !enc_gap_is_before(&mark, arrival->parcel.push_seq))
        return ENC_ERR_OK;
    return enc_gap_locate(exchange, rows->snap, rows->ord, &arrival->node_uri);
}

static enum enc_err ask_snapshot(struct enc_exchange *exchange, struct enc_snap *snap)
{
    struct enc_enclave_row row;
    struct enc_rows rows;
    struct enc_arrival *arrival = exchange->arrival;
    ENC_TRY(enc_snap_enclave(snap, &row, exchange->enclave32));
    if (row.service != exchange->service)
        return ENC_ERR_ENCLAVE_NOT_FOUND;
    enc_rows_init(&rows, &exchange->arena, snap, NULL, row.ord);
    const struct place place = {exchange->host, enc_service_at(row.service)->view, &rows,
                                exchange->enclave32};
    ENC_TRY(find_sequencer(&place, arrival->parcel.enclave32, arrival->sequencer32));
    return look_for_gap(exchange, &rows);
}

static enum enc_err ask_store(struct enc_exchange *exchange)
{
    struct enc_snap *snap = NULL;
    ENC_TRY(enc_snap_open(enc_host_store(exchange->host, exchange->enclave32), &snap));
    enum enc_err err = ask_snapshot(exchange, snap);
    enc_snap_close(snap);
    return err;
}

static enum enc_err open_body(struct enc_exchange *exchange)
{
    const struct enc_host *host = exchange->host;
    struct enc_arrival *arrival = exchange->arrival;
    struct enc_bytes plain;
    ENC_TRY(enc_parcel_open(&plain, &exchange->arena, host->curve, &arrival->parcel, host->key));
    return enc_parcel_body_take(&arrival->body, &exchange->arena, &arrival->parcel, plain);
}

static enum enc_err check_events(const struct enc_host *host, struct enc_arrival *arrival)
{
    for (size_t i = 0; i < arrival->body.count; i++)
        if (enc_event_check(&arrival->body.events[i], host->curve, arrival->sequencer32) !=
            ENC_EVENT_SOUND)
            return ENC_ERR_INVALID_PUSH;
    return ENC_ERR_OK;
}

static enum enc_err prepare(struct enc_exchange *exchange)
{
    const struct enc_host *host = exchange->host;
    struct enc_arrival *arrival = exchange->arrival;
    ENC_TRY(enc_parcel_take(&arrival->parcel, exchange->json));
    if (memcmp(arrival->parcel.to32, host->key->pub32, 32) != 0)
        return ENC_ERR_INVALID_PUSH;
    ENC_TRY(ask_store(exchange));
    bool is_signed = memcmp(arrival->parcel.from32, arrival->sequencer32, 32) == 0 &&
                     enc_parcel_verify(host->curve, &arrival->parcel);
    if (!is_signed)
        return ENC_ERR_INVALID_PUSH;
    ENC_TRY(open_body(exchange));
    return check_events(host, arrival);
}

static void prepare_job(struct enc_job *job)
{
    struct enc_exchange *exchange = enc_exchange_of_job(job);
    uint64_t began_ns = enc_exchange_trace_ns(exchange);
    exchange->verdict.err = prepare(exchange);
    enc_exchange_trace_prepared(exchange, began_ns);
    enc_mail_ready(&exchange->mail);
}

void enc_receive_post(struct enc_exchange *exchange)
{
    exchange->arrival = ENC_ARENA_NEW(&exchange->arena, struct enc_arrival, 1);
    if (!exchange->arrival) {
        enc_answer_err(exchange, ENC_ERR_TOO_LARGE);
        return;
    }
    exchange->arrival->is_pulled = !exchange->asker.call;
    enc_exchange_post(exchange, ENC_MAIL_PUSHED, prepare_job);
}

static enum enc_err enter(struct enc_exchange *exchange)
{
    const uint8_t *default32 = enc_exchange_default(exchange);
    ENC_TRY(enc_exchange_parse(exchange));
    if (exchange->has_enclave)
        return ENC_ERR_OK;
    return default32 ? enc_exchange_aim(exchange, default32) : ENC_ERR_INVALID_ROUTE;
}

void enc_handle_push(struct enc_exchange *exchange)
{
    enum enc_err err = enter(exchange);
    if (err == ENC_ERR_OK)
        enc_receive_post(exchange);
    else
        enc_answer_err(exchange, err);
}

/* ---- on the enclave's turn ---- */

struct intake {
    struct enc_run *run;
    struct enc_folding folding;
    struct enc_push_mark mark;
    struct enc_arrival *arrival;
};

static struct enc_folding folding_of(struct enc_run *run)
{
    return (struct enc_folding){
        .view = enc_service_at(run->state.service)->view,
        .rows = &run->rows,
        .arena = &run->arena,
        .curve = run->node->host->curve,
        .own32 = run->state.enclave32,
    };
}

/* An arrival is numbered behind all that are in the inbox, also those that this run has staged. */
static enum enc_err next_arrival(struct enc_run *run, uint64_t *arrival)
{
    if (run->last_arrival == 0)
        ENC_TRY(enc_inbox_last(run->snap, &run->last_arrival, run->state.ord));
    *arrival = ++run->last_arrival;
    return ENC_ERR_OK;
}

static enum enc_err write_record(struct enc_run *run, struct enc_bytes *record,
                                 const struct enc_event *event)
{
    struct enc_buffer buffer;
    *record = (struct enc_bytes){NULL, 0};
    if (event->is_erased)
        return ENC_ERR_OK; /* the hash of its content is known to nobody any more */
    enc_buffer_init(&buffer, &run->arena, SIZE_MAX / 4);
    enc_record_put(&buffer, event);
    return enc_buffer_bytes(&buffer, record);
}

static enum enc_err take_event(struct intake *intake, const struct enc_event *event)
{
    struct enc_run *run = intake->run;
    struct enc_inbox_row row = {
        .own_seq = run->state.next_seq,
        .arrival_ms = run->now_ms,
        .seq = event->seq,
    };
    memcpy(row.enclave32, event->commit.enclave32, 32);
    ENC_TRY(next_arrival(run, &row.arrival));
    ENC_TRY(write_record(run, &row.record, event));
    ENC_TRY(enc_inbox_put(&run->rows, &row));
    return enc_fold_pushed(&intake->folding, &row);
}

static enum enc_err take_events(struct intake *intake, bool has_last)
{
    struct enc_arrival *arrival = intake->arrival;
    for (size_t i = 0; i < arrival->body.count; i++) {
        const struct enc_event *event = &arrival->body.events[i];
        if (has_last && event->seq <= arrival->last_seq)
            continue;
        ENC_TRY(take_event(intake, event));
        has_last = true;
        arrival->last_seq = event->seq;
        arrival->accepted++;
    }
    return ENC_ERR_OK;
}

/* Where nobody can be asked there is nothing to wait for. */
static enum enc_err pass_gap(const struct intake *intake)
{
    const struct enc_arrival *arrival = intake->arrival;
    struct enc_node *node = intake->run->node;
    if (!enc_gap_is_before(&intake->mark, arrival->parcel.push_seq))
        return ENC_ERR_OK;
    if (!arrival->is_pulled && arrival->node_uri.len == 0) {
        enc_gap_count_given_up(node->host);
        return ENC_ERR_OK;
    }
    if (!arrival->is_pulled)
        enc_gap_open(node, arrival, &intake->mark);
    return ENC_ERR_BUSY;
}

static enum enc_err take_in(struct intake *intake)
{
    struct enc_run *run = intake->run;
    struct enc_arrival *arrival = intake->arrival;
    const uint8_t *enclave32 = arrival->parcel.enclave32;
    struct enc_sync sync = {0, 0};
    bool has_last = false;
    ENC_TRY(enc_sync_get(&run->rows, enclave32, &has_last, &sync));
    arrival->last_seq = has_last ? sync.last_seq : 0;
    if (arrival->parcel.push_seq <= intake->mark.last)
        return ENC_ERR_OK; /* a repeat */
    ENC_TRY(pass_gap(intake));
    ENC_TRY(take_events(intake, has_last));
    intake->mark.last = arrival->parcel.push_seq;
    intake->mark.tries = 0;
    run->has_writes = true;
    return enc_push_mark_put(&run->rows, enclave32, arrival->sequencer32, &intake->mark);
}

enum enc_err enc_receive_stage(struct enc_run *run, struct enc_arrival *arrival)
{
    struct intake intake = {.run = run, .folding = folding_of(run), .arrival = arrival};
    const struct place place = {run->node->host, intake.folding.view, &run->rows,
                                run->state.enclave32};
    uint8_t sequencer32[32];
    const uint8_t *enclave32 = arrival->parcel.enclave32;
    ENC_TRY(find_sequencer(&place, enclave32, sequencer32));
    if (memcmp(sequencer32, arrival->sequencer32, 32) != 0)
        return ENC_ERR_UNAUTHORIZED; /* followed anew, with another key, by a commit before it */
    ENC_TRY(enc_push_mark_get(&run->rows, enclave32, sequencer32, &intake.mark));
    return take_in(&intake);
}

void enc_receive_answer(struct enc_exchange *exchange)
{
    const struct enc_arrival *arrival = exchange->arrival;
    struct enc_buffer json;
    if (!exchange->asker.call) {
        enc_exchange_free(exchange);
        return;
    }
    enc_buffer_init(&json, &exchange->arena, SIZE_MAX / 4);
    enc_json_put_raw(&json, "{\"ok\":true");
    enc_json_member_u64(&json, "accepted", arrival->accepted);
    enc_json_member_u64(&json, "last_seq", arrival->last_seq);
    enc_json_put_raw(&json, "}");
    enc_answer_json(exchange, &json);
}
