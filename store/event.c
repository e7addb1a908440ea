#include "store/event.h"
#include "store/op.h"
#include "store/read.h"

enum { SEQ_LEN = 8, PLACE_LEN = 16, STATUS_LEN = 33 };

static void key_of_id(struct enc_row_key *key, uint64_t ord, const uint8_t id32[32])
{
    enc_row_key_init(key);
    enc_row_key_u64(key, ord);
    enc_row_key_bytes(key, enc_bytes_of(id32, 32));
}

static void key_of_hash(struct enc_row_key *key, uint64_t exp_ms, const uint8_t hash32[32])
{
    enc_row_key_init(key);
    enc_row_key_u64(key, exp_ms);
    enc_row_key_bytes(key, enc_bytes_of(hash32, 32));
}

/* The length before the type keeps one type's events from standing among those of a longer one. */
static void key_of_type(struct enc_row_key *key, uint64_t ord, struct enc_bytes type, uint64_t seq)
{
    ENC_CHECK(type.len > 0 && type.len <= ENC_EVENT_TYPE_LEN_MAX);
    enc_row_key_init(key);
    enc_row_key_u64(key, ord);
    enc_row_key_u8(key, (uint8_t)type.len);
    enc_row_key_bytes(key, type);
    enc_row_key_u64(key, seq);
}

static void put_u64(struct enc_writeset *set, enum enc_table table, const struct enc_row_key *key,
                    uint64_t number)
{
    uint8_t value[SEQ_LEN];
    enc_be64_put(value, number);
    enc_op_put_copy(set, table, key, enc_bytes_of(value, sizeof value));
}

static void put_by_hash(struct enc_writeset *set, const struct enc_event_row *row)
{
    struct enc_row_key key;
    uint8_t value[PLACE_LEN];
    key_of_hash(&key, row->exp_ms, row->hash32);
    enc_be64_put(value, row->ord);
    enc_be64_put(value + 8, row->seq);
    enc_op_put_copy(set, ENC_TABLE_EVENT_HASH, &key, enc_bytes_of(value, sizeof value));
}

void enc_put_event(struct enc_writeset *set, const struct enc_event_row *row)
{
    struct enc_row_key key;
    enc_row_key_numbered(&key, row->ord, row->seq);
    enc_op_put(set, ENC_TABLE_EVENT, &key, row->record);
    key_of_id(&key, row->ord, row->id32);
    put_u64(set, ENC_TABLE_EVENT_ID, &key, row->seq);
    put_by_hash(set, row);
    key_of_type(&key, row->ord, row->type, row->seq);
    put_u64(set, ENC_TABLE_EVENT_TYPE, &key, row->type_seq);
}

void enc_put_status(struct enc_writeset *set, struct enc_event_place place,
                    const struct enc_status_row *row)
{
    struct enc_row_key key;
    uint8_t value[STATUS_LEN];
    enc_row_key_numbered(&key, place.ord, place.seq);
    value[0] = row->status;
    memcpy(value + 1, row->by32, 32);
    enc_op_put_copy(set, ENC_TABLE_STATUS, &key, enc_bytes_of(value, sizeof value));
}

enum enc_err enc_snap_event(struct enc_snap *snap, struct enc_bytes *record,
                            struct enc_event_place place)
{
    struct enc_row_key key;
    enc_row_key_numbered(&key, place.ord, place.seq);
    return enc_snap_get(snap, record, ENC_TABLE_EVENT, &key, ENC_ERR_EVENT_NOT_FOUND);
}

enum enc_err enc_snap_seq_by_id(struct enc_snap *snap, uint64_t *seq, uint64_t ord,
                                const uint8_t id32[32])
{
    struct enc_row_key key;
    struct enc_bytes value;
    key_of_id(&key, ord, id32);
    ENC_TRY(enc_snap_get(snap, &value, ENC_TABLE_EVENT_ID, &key, ENC_ERR_EVENT_NOT_FOUND));
    *seq = enc_be64_get(value.data);
    return ENC_ERR_OK;
}

enum enc_err enc_snap_place_by_hash(struct enc_snap *snap, struct enc_event_place *out,
                                    uint64_t exp_ms, const uint8_t hash32[32])
{
    struct enc_row_key key;
    struct enc_bytes value;
    key_of_hash(&key, exp_ms, hash32);
    ENC_TRY(enc_snap_get(snap, &value, ENC_TABLE_EVENT_HASH, &key, ENC_ERR_EVENT_NOT_FOUND));
    out->ord = enc_be64_get(value.data);
    out->seq = enc_be64_get(value.data + 8);
    return ENC_ERR_OK;
}

enum enc_err enc_snap_status(struct enc_snap *snap, struct enc_status_row *out,
                             struct enc_event_place place)
{
    struct enc_row_key key;
    struct enc_bytes value;
    bool found = false;
    *out = (struct enc_status_row){0};
    enc_row_key_numbered(&key, place.ord, place.seq);
    ENC_TRY(enc_snap_find(snap, &found, &value, ENC_TABLE_STATUS, &key));
    if (!found)
        return ENC_ERR_OK;
    out->status = value.data[0];
    memcpy(out->by32, value.data + 1, 32);
    return ENC_ERR_OK;
}

void enc_scan_events(struct enc_scan *scan, struct enc_snap *snap, uint64_t ord,
                     struct enc_range seqs)
{
    enc_scan_start_numbered(scan, snap, ENC_TABLE_EVENT, ord, seqs);
}

bool enc_scan_event(struct enc_scan *scan, struct enc_event_found *out)
{
    struct enc_bytes key;
    if (!enc_scan_step(scan, &key, &out->record))
        return false;
    out->seq = enc_key_tail64(key);
    return true;
}

void enc_scan_type(struct enc_scan *scan, struct enc_snap *snap, uint64_t ord,
                   struct enc_bytes type, struct enc_range seqs)
{
    enc_scan_start(scan, snap, ENC_TABLE_EVENT_TYPE, seqs.reverse);
    key_of_type(&scan->low, ord, type, seqs.first);
    key_of_type(&scan->high, ord, type, seqs.last);
}

bool enc_scan_typed(struct enc_scan *scan, struct enc_typed_found *out)
{
    struct enc_bytes key;
    struct enc_bytes value;
    if (!enc_scan_step(scan, &key, &value))
        return false;
    *out =
        (struct enc_typed_found){.seq = enc_key_tail64(key), .type_seq = enc_be64_get(value.data)};
    return true;
}
