#include "store/push.h"
#include "store/op.h"
#include "store/read.h"

enum { PENDING_LEN = 9, PUSH_SEQ_LEN = 20, DELIVERED_LEN_MIN = 8 };

static void key_of_endpoint(struct enc_row_key *key, const struct enc_endpoint_key *parts)
{
    enc_row_key_init(key);
    enc_row_key_u64(key, parts->ord);
    enc_row_key_bytes(key, enc_bytes_of(parts->identity32, 32));
    enc_row_key_bytes(key, enc_bytes_of(parts->url16, 16));
}

static void key_of_queue(struct enc_row_key *key, const struct enc_queue_key *queue)
{
    enc_row_key_init(key);
    enc_row_key_u64(key, queue->ord);
    enc_row_key_bytes(key, enc_bytes_of(queue->queue16, 16));
}

static void del_queued(struct enc_writeset *set, enum enc_table table,
                       const struct enc_queue_key *queue, uint64_t number)
{
    struct enc_row_key key;
    enc_row_key_queued(&key, queue->ord, queue->queue16, number);
    enc_op_del(set, table, &key);
}

void enc_put_endpoint(struct enc_writeset *set, const struct enc_endpoint_key *key,
                      struct enc_bytes url)
{
    struct enc_row_key row_key;
    key_of_endpoint(&row_key, key);
    enc_op_put(set, ENC_TABLE_ENDPOINT, &row_key, url);
}

void enc_del_endpoint(struct enc_writeset *set, const struct enc_endpoint_key *key)
{
    struct enc_row_key row_key;
    key_of_endpoint(&row_key, key);
    enc_op_del(set, ENC_TABLE_ENDPOINT, &row_key);
}

void enc_put_pending(struct enc_writeset *set, const struct enc_queue_key *queue,
                     const struct enc_pending_row *row)
{
    struct enc_row_key key;
    uint8_t value[PENDING_LEN];
    enc_row_key_queued(&key, queue->ord, queue->queue16, row->row_id);
    enc_be64_put(value, row->event_seq);
    value[8] = row->form;
    enc_op_put_copy(set, ENC_TABLE_PUSH_PENDING, &key, enc_bytes_of(value, sizeof value));
}

void enc_del_pending(struct enc_writeset *set, const struct enc_queue_key *queue, uint64_t row_id)
{
    del_queued(set, ENC_TABLE_PUSH_PENDING, queue, row_id);
}

void enc_put_push_seq(struct enc_writeset *set, const struct enc_queue_key *queue,
                      const struct enc_push_seq_row *row)
{
    struct enc_row_key key;
    uint8_t value[PUSH_SEQ_LEN];
    key_of_queue(&key, queue);
    enc_be64_put(value, row->seq);
    enc_be32_put(value + 8, row->attempt);
    enc_be64_put(value + 12, row->next_ms);
    enc_op_put_copy(set, ENC_TABLE_PUSH_SEQ, &key, enc_bytes_of(value, sizeof value));
}

void enc_put_delivered(struct enc_writeset *set, const struct enc_queue_key *queue,
                       const struct enc_delivered_row *row)
{
    struct enc_row_key key;
    enc_row_key_queued(&key, queue->ord, queue->queue16, row->push_seq);
    size_t len = DELIVERED_LEN_MIN + row->payload.len;
    uint8_t *value = ENC_ARENA_NEW(set->arena, uint8_t, len);
    if (!value) {
        set->failed = true;
        return;
    }
    enc_be64_put(value, row->delivered_ms);
    if (row->payload.len)
        memcpy(value + DELIVERED_LEN_MIN, row->payload.data, row->payload.len);
    enc_op_put(set, ENC_TABLE_PUSH_DELIVERED, &key, enc_bytes_of(value, len));
}

void enc_del_delivered(struct enc_writeset *set, const struct enc_queue_key *queue,
                       uint64_t push_seq)
{
    del_queued(set, ENC_TABLE_PUSH_DELIVERED, queue, push_seq);
}

enum enc_err enc_snap_endpoint(struct enc_snap *snap, struct enc_bytes *url,
                               const struct enc_endpoint_key *key)
{
    struct enc_row_key row_key;
    key_of_endpoint(&row_key, key);
    return enc_snap_get(snap, url, ENC_TABLE_ENDPOINT, &row_key, ENC_ERR_ENDPOINT_NOT_FOUND);
}

enum enc_err enc_snap_push_seq(struct enc_snap *snap, struct enc_push_seq_row *out,
                               const struct enc_queue_key *queue)
{
    struct enc_row_key key;
    struct enc_bytes value;
    bool found = false;
    *out = (struct enc_push_seq_row){0};
    key_of_queue(&key, queue);
    ENC_TRY(enc_snap_find(snap, &found, &value, ENC_TABLE_PUSH_SEQ, &key));
    if (!found)
        return ENC_ERR_OK;
    out->seq = enc_be64_get(value.data);
    out->attempt = enc_be32_get(value.data + 8);
    out->next_ms = enc_be64_get(value.data + 12);
    return ENC_ERR_OK;
}

void enc_scan_endpoints(struct enc_scan *scan, struct enc_snap *snap, uint64_t ord,
                        const uint8_t *identity32)
{
    enc_scan_start(scan, snap, ENC_TABLE_ENDPOINT, false);
    enc_row_key_init(&scan->low);
    enc_row_key_u64(&scan->low, ord);
    if (identity32)
        enc_row_key_bytes(&scan->low, enc_bytes_of(identity32, 32));
    scan->high = scan->low;
    enc_row_key_top(&scan->high);
}

bool enc_scan_endpoint(struct enc_scan *scan, struct enc_endpoint_found *out)
{
    struct enc_bytes key;
    if (!enc_scan_step(scan, &key, &out->url))
        return false;
    out->identity32 = key.data + 8;
    out->url16 = key.data + 40;
    return true;
}

void enc_scan_pendings(struct enc_scan *scan, struct enc_snap *snap,
                       const struct enc_queue_key *queue)
{
    enc_scan_start(scan, snap, ENC_TABLE_PUSH_PENDING, false);
    enc_row_key_init(&scan->low);
    enc_row_key_u64(&scan->low, queue->ord);
    if (queue->queue16)
        enc_row_key_bytes(&scan->low, enc_bytes_of(queue->queue16, 16));
    scan->high = scan->low;
    enc_row_key_top(&scan->high);
}

bool enc_scan_pending(struct enc_scan *scan, struct enc_pending_found *out)
{
    struct enc_bytes key;
    struct enc_bytes value;
    if (!enc_scan_step(scan, &key, &value))
        return false;
    out->queue16 = key.data + 8;
    out->row = (struct enc_pending_row){.row_id = enc_key_tail64(key),
                                        .event_seq = enc_be64_get(value.data),
                                        .form = value.data[8]};
    return true;
}

void enc_scan_delivereds(struct enc_scan *scan, struct enc_snap *snap,
                         const struct enc_queue_key *queue, struct enc_range push_seqs)
{
    enc_scan_start(scan, snap, ENC_TABLE_PUSH_DELIVERED, push_seqs.reverse);
    enc_row_key_queued(&scan->low, queue->ord, queue->queue16, push_seqs.first);
    enc_row_key_queued(&scan->high, queue->ord, queue->queue16, push_seqs.last);
}

static bool step_payload(struct enc_scan *scan, struct enc_bytes *key,
                         struct enc_delivered_row *out)
{
    struct enc_bytes value;
    if (!enc_scan_step(scan, key, &value))
        return false;
    out->push_seq = enc_key_tail64(*key);
    out->delivered_ms = enc_be64_get(value.data);
    out->payload = enc_bytes_of(value.data + DELIVERED_LEN_MIN, value.len - DELIVERED_LEN_MIN);
    return true;
}

bool enc_scan_delivered(struct enc_scan *scan, struct enc_delivered_row *out)
{
    struct enc_bytes key;
    return step_payload(scan, &key, out);
}

void enc_scan_payloads(struct enc_scan *scan, struct enc_snap *snap, uint64_t ord)
{
    enc_scan_start(scan, snap, ENC_TABLE_PUSH_DELIVERED, false);
    enc_row_key_init(&scan->low);
    enc_row_key_u64(&scan->low, ord);
    scan->high = scan->low;
    enc_row_key_top(&scan->high);
}

bool enc_scan_payload(struct enc_scan *scan, struct enc_payload_found *out)
{
    struct enc_bytes key;
    if (!step_payload(scan, &key, &out->row))
        return false;
    out->queue16 = key.data + 8;
    return true;
}
