#include "proto/parcel.h"
#include "proto/record.h"
#include "services/dest.h"
#include "services/inside.h"

#include <stdlib.h>

/* Receivers are nodes too, with a limit of 1 MiB for what is 4/3 of this and the envelope. */
enum { BODY_LEN_MAX = 760 << 10 };

struct bodies {
    struct enc_buffer push;
    struct enc_buffer notify;
};

static enum enc_err put_event(struct enc_run *run, struct bodies *bodies,
                              const struct enc_pending_row *row)
{
    struct enc_event event;
    struct enc_bytes record;
    struct enc_status_row status;
    struct enc_event_place place = {.ord = run->state.ord, .seq = row->event_seq};
    ENC_TRY(enc_snap_event(run->snap, &record, place));
    ENC_TRY(enc_record_take(&event, &run->arena, record));
    ENC_TRY(enc_snap_status(run->snap, &status, place));
    if (row->form == ENC_DELIVERY_PUSH) {
        enc_json_comma(&bodies->push);
        enc_event_put_json(&bodies->push, &event, status.status == ENC_EVENT_DELETED);
    } else {
        enc_json_comma(&bodies->notify);
        enc_notify_put_json(&bodies->notify, &event);
    }
    return ENC_ERR_OK;
}

/* One that would make the body too large waits for the next payload, unless it is the first. */
static enum enc_err put_fitting(struct enc_run *run, struct bodies *bodies,
                                const struct enc_pending_row *row, bool *fits)
{
    size_t push_len = bodies->push.len;
    size_t notify_len = bodies->notify.len;
    ENC_TRY(put_event(run, bodies, row));
    bool is_first = push_len + notify_len == 0;
    *fits = is_first || bodies->push.len + bodies->notify.len < BODY_LEN_MAX;
    if (!*fits) {
        bodies->push.len = push_len;
        bodies->notify.len = notify_len;
    }
    return ENC_ERR_OK;
}

static void put_array(struct enc_buffer *out, const char *name, const struct enc_buffer *items)
{
    struct enc_bytes bytes = {NULL, 0};
    out->failed |= enc_buffer_bytes(items, &bytes) != ENC_ERR_OK;
    enc_json_member(out, name);
    enc_json_put_raw(out, "[");
    enc_buffer_add(out, bytes);
    enc_json_put_raw(out, "]");
}

static enum enc_err put_body(struct enc_run *run, struct enc_buffer *out,
                             struct enc_pending_list *list, uint64_t push_seq)
{
    struct bodies bodies;
    size_t count = 0;
    enc_buffer_init(&bodies.push, &run->arena, SIZE_MAX / 4);
    enc_buffer_init(&bodies.notify, &run->arena, SIZE_MAX / 4);
    for (bool fits = true; fits && count < list->count; count += fits)
        ENC_TRY(put_fitting(run, &bodies, &list->rows[count], &fits));
    list->count = count;
    enc_json_put_raw(out, "{");
    enc_json_member_u64(out, "push_seq", push_seq);
    enc_json_member_hex(out, "enclave", enc_bytes_of(run->state.enclave32, 32));
    put_array(out, "push", &bodies.push);
    put_array(out, "notify", &bodies.notify);
    enc_json_put_raw(out, "}");
    return ENC_ERR_OK;
}

static enum enc_err seal_body(struct enc_run *run, struct enc_bytes *sealed,
                              const struct enc_dest *dest, struct enc_bytes body)
{
    const struct enc_host *host = run->node->host;
    uint8_t key32[32];
    uint8_t nonce24[24];
    if (!enc_push_key(host->curve, key32, host->key, dest->identity32))
        return ENC_ERR_INTERNAL;
    host->runtime->random(host->runtime->self, nonce24, sizeof nonce24);
    enum enc_err err = enc_seal_close(sealed, &run->arena, key32, nonce24, body);
    explicit_bzero(key32, sizeof key32);
    return err;
}

enum enc_err enc_push_payload(struct enc_run *run, struct enc_bytes *payload,
                              struct enc_pending_list *list, const struct enc_dest *dest,
                              uint64_t push_seq)
{
    const struct enc_host *host = run->node->host;
    struct enc_buffer buffer;
    struct enc_bytes body;
    struct enc_parcel parcel = {.push_seq = push_seq,
                                .url = enc_bytes_of(dest->url, dest->url_len)};
    enc_buffer_init(&buffer, &run->arena, SIZE_MAX / 4);
    ENC_TRY(put_body(run, &buffer, list, push_seq));
    ENC_TRY(enc_buffer_bytes(&buffer, &body));
    ENC_TRY(seal_body(run, &parcel.content, dest, body));
    memcpy(parcel.to32, dest->identity32, 32);
    memcpy(parcel.enclave32, run->state.enclave32, 32);
    enc_parcel_sign(host->curve, &parcel, host->key);
    enc_buffer_init(&buffer, &run->arena, SIZE_MAX / 4);
    enc_parcel_put_json(&buffer, &parcel);
    return enc_buffer_bytes(&buffer, payload);
}

/* ---- slots: a bare count, no data hangs on it, so all relaxed ---- */

bool enc_push_take_slot(struct enc_host *host)
{
    uint32_t taken = atomic_load_explicit(&host->push_in_flight, memory_order_relaxed);
    do {
        if (taken >= host->limits.push_in_flight_max)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&host->push_in_flight, &taken, taken + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

void enc_push_give_slot(struct enc_host *host)
{
    atomic_fetch_sub_explicit(&host->push_in_flight, 1, memory_order_relaxed);
}

/* ---- shipments ---- */

struct enc_shipment *enc_shipment_new(const struct enc_node *node, const struct enc_dest *dest,
                                      struct enc_bytes payload)
{
    size_t url_len = dest->url_len + 1;
    struct enc_shipment *out =
        (struct enc_shipment *)calloc(1, sizeof *out + url_len + payload.len);
    if (!out)
        return NULL;
    enc_mail_init(&out->mail, ENC_MAIL_FETCHED);
    out->host = node->host;
    /* relaxed: only uniqueness matters */
    out->flight = atomic_fetch_add_explicit(&node->host->next_flight, 1, memory_order_relaxed);
    out->url_len = dest->url_len;
    memcpy(out->enclave32, node->state.enclave32, 32);
    memcpy(out->queue16, dest->queue16, 16);
    memcpy(out->bytes, dest->url, url_len);
    memcpy(out->bytes + url_len, payload.data, payload.len);
    out->fetch.url = enc_bytes_of(out->bytes, dest->url_len);
    out->fetch.body = enc_bytes_of(out->bytes + url_len, payload.len);
    out->fetch.request_id = dest->request_id;
    out->fetch.timeout_ms = node->host->limits.push_timeout_ms;
    return out;
}

void enc_shipment_drop(struct enc_shipment *shipment)
{
    if (!shipment)
        return;
    enc_push_give_slot(shipment->host);
    free(shipment);
}

static void on_done(struct enc_fetch *fetch)
{
    struct enc_shipment *shipment =
        (struct enc_shipment *)((uint8_t *)fetch - offsetof(struct enc_shipment, fetch));
    struct enc_host *host = shipment->host;
    enc_push_give_slot(host);
    if (enc_directory_post_always(host->directory, shipment->enclave32, &shipment->mail) !=
        ENC_ERR_OK)
        free(shipment); /* the host stops; the stored queue goes on after the next start */
}

void enc_shipment_launch(struct enc_shipment *shipment)
{
    const struct enc_runtime *runtime = shipment->host->runtime;
    shipment->fetch.done = on_done;
    runtime->fetch(runtime->self, &shipment->fetch);
}
