#include "store/event.h"
#include "store/ids.h"
#include "store/op.h"
#include "store/read.h"

enum { SEQ_LEN = 8, ID_LEN = 32, PLACE_LEN = 16, STATUS_LEN = 33 };

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

/* Where the id stands in the record, or 0 and the id, and then the record. */
static void put_record(struct enc_writeset *set, const struct enc_event_row *row)
{
    struct enc_row_key key;
    size_t id_len = row->id_at ? 0 : ID_LEN;
    size_t len = 1 + id_len + row->record.len;
    uint8_t *value = ENC_ARENA_NEW(set->arena, uint8_t, len);
    if (!value) {
        set->failed = true;
        return;
    }
    value[0] = row->id_at;
    memcpy(value + 1, row->id32, id_len);
    memcpy(value + 1 + id_len, row->record.data, row->record.len);
    enc_row_key_numbered(&key, row->ord, row->seq);
    enc_op_put(set, ENC_TABLE_EVENT, &key, enc_bytes_of(value, len));
}

static void put_by_id(struct enc_writeset *set, const struct enc_event_row *row)
{
    struct enc_row_key key;
    uint8_t entry[ENC_ID_ENTRY_LEN];
    enc_be64_put(entry, enc_id_entry(row->id32, row->seq));
    enc_ids_key(&key, row->ord, row->seq / ENC_IDS_FEW * ENC_IDS_FEW);
    enc_op_append_id(set, &key, enc_bytes_of(entry, sizeof entry));
}

void enc_put_event(struct enc_writeset *set, const struct enc_event_row *row)
{
    struct enc_row_key key;
    ENC_CHECK(row->record.len > (row->id_at ? row->id_at + ID_LEN - 1u : 0));
    ENC_CHECK(!row->id_at || memcmp(row->record.data + row->id_at, row->id32, ID_LEN) == 0);
    put_record(set, row);
    put_by_id(set, row);
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

static enum enc_err split(struct enc_bytes *record, const uint8_t **id32, struct enc_bytes value)
{
    size_t id_at = value.data[0];
    size_t head_len = id_at ? 1 : 1 + ID_LEN;
    if (value.len <= head_len || value.len < 1 + id_at + ID_LEN)
        return ENC_ERR_INTERNAL;
    *record = enc_bytes_of(value.data + head_len, value.len - head_len);
    *id32 = value.data + 1 + id_at;
    return ENC_ERR_OK;
}

const uint8_t *enc_event_value_id(struct enc_bytes value)
{
    struct enc_bytes record;
    const uint8_t *id32 = NULL;
    return split(&record, &id32, value) == ENC_ERR_OK ? id32 : NULL;
}

static enum enc_err load(struct enc_snap *snap, struct enc_bytes *record, const uint8_t **id32,
                         struct enc_event_place place)
{
    struct enc_row_key key;
    struct enc_bytes value;
    enc_row_key_numbered(&key, place.ord, place.seq);
    ENC_TRY(enc_snap_get(snap, &value, ENC_TABLE_EVENT, &key, ENC_ERR_EVENT_NOT_FOUND));
    return split(record, id32, value);
}

enum enc_err enc_snap_event(struct enc_snap *snap, struct enc_bytes *record,
                            struct enc_event_place place)
{
    const uint8_t *id32 = NULL;
    return load(snap, record, &id32, place);
}

/* Entries are short: several may look like the id. */
static enum enc_err is_event(struct enc_snap *snap, bool *is_it, struct enc_event_place place,
                             const uint8_t id32[32])
{
    struct enc_bytes record;
    const uint8_t *own32 = NULL;
    enum enc_err err = load(snap, &record, &own32, place);
    *is_it = err == ENC_ERR_OK && memcmp(own32, id32, ID_LEN) == 0;
    return err == ENC_ERR_EVENT_NOT_FOUND ? ENC_ERR_OK : err;
}

/* Among the entries of one row. */
static enum enc_err find_in(struct enc_scan *scan, bool *found, struct enc_event_place *place,
                            struct enc_bytes row, const uint8_t id32[32])
{
    uint64_t first_seq = place->seq;
    size_t count = enc_ids_count(row);
    for (size_t at = enc_ids_find(row, id32, 0); at < count && !*found;
         at = enc_ids_find(row, id32, at + 1)) {
        place->seq = enc_id_entry_seq(enc_ids_at(row, at), first_seq);
        ENC_TRY(is_event(scan->snap, found, *place, id32));
    }
    return ENC_ERR_OK;
}

/* Newest rows first, which most questions are about. */
enum enc_err enc_snap_seq_by_id(struct enc_snap *snap, uint64_t *seq, uint64_t ord,
                                const uint8_t id32[32])
{
    struct enc_scan scan;
    struct enc_bytes key;
    struct enc_bytes row;
    bool found = false;
    enum enc_err err = ENC_ERR_OK;
    struct enc_event_place place = {.ord = ord};
    enc_scan_start(&scan, snap, ENC_TABLE_EVENT_ID, false);
    enc_ids_key(&scan.low, ord, UINT64_MAX);
    enc_ids_key(&scan.high, ord, 0);
    while (err == ENC_ERR_OK && !found && enc_scan_step(&scan, &key, &row)) {
        place.seq = enc_ids_first_seq(key);
        err = find_in(&scan, &found, &place, row, id32);
    }
    *seq = place.seq;
    enum enc_err end = enc_scan_fini(&scan);
    if (err != ENC_ERR_OK || end != ENC_ERR_OK)
        return err != ENC_ERR_OK ? err : end;
    return found ? ENC_ERR_OK : ENC_ERR_EVENT_NOT_FOUND;
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
    struct enc_bytes value;
    if (!enc_scan_step(scan, &key, &value))
        return false;
    const uint8_t *id32 = NULL;
    scan->err = split(&out->record, &id32, value);
    if (scan->err != ENC_ERR_OK) {
        scan->done = true;
        return false;
    }
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
