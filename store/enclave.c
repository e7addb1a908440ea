#include "store/enclave.h"
#include "store/engine.h"
#include "store/op.h"
#include "store/read.h"

uint64_t enc_store_next_ord(struct enc_store *store)
{
    /* relaxed: only the number itself must be unique */
    return atomic_fetch_add_explicit(&store->next_ord, 1, memory_order_relaxed);
}

static void key_of_id(struct enc_row_key *key, const uint8_t enclave32[32])
{
    enc_row_key_init(key);
    enc_row_key_bytes(key, enc_bytes_of(enclave32, 32));
}

static void key_of_ord(struct enc_row_key *key, uint64_t ord)
{
    enc_row_key_init(key);
    enc_row_key_u64(key, ord);
}

static void put_facts(struct enc_writeset *set, const uint8_t enclave32[32],
                      const struct enc_enclave_row *row)
{
    struct enc_row_key key;
    uint8_t value[17];
    key_of_id(&key, enclave32);
    enc_be64_put(value, row->ord);
    enc_be64_put(value + 8, row->created_ms);
    value[16] = row->service;
    enc_op_put_copy(set, ENC_TABLE_ENCLAVE, &key, enc_bytes_of(value, sizeof value));
}

void enc_put_enclave(struct enc_writeset *set, const uint8_t enclave32[32],
                     const struct enc_enclave_row *row)
{
    ENC_CHECK(row->ord > 0);
    put_facts(set, enclave32, row);
    struct enc_row_key key;
    key_of_ord(&key, row->ord);
    enc_op_put_copy(set, ENC_TABLE_ENCLAVE_ORD, &key, enc_bytes_of(enclave32, 32));
}

void enc_put_head(struct enc_writeset *set, uint64_t ord, struct enc_bytes record)
{
    struct enc_row_key key;
    key_of_ord(&key, ord);
    enc_op_put(set, ENC_TABLE_HEAD, &key, record);
}

enum enc_err enc_snap_enclave(struct enc_snap *snap, struct enc_enclave_row *out,
                              const uint8_t enclave32[32])
{
    struct enc_row_key key;
    struct enc_bytes value;
    key_of_id(&key, enclave32);
    ENC_TRY(enc_snap_get(snap, &value, ENC_TABLE_ENCLAVE, &key, ENC_ERR_ENCLAVE_NOT_FOUND));
    out->ord = enc_be64_get(value.data);
    out->created_ms = enc_be64_get(value.data + 8);
    out->service = value.data[16];
    return out->ord > 0 ? ENC_ERR_OK : ENC_ERR_INTERNAL; /* rows of 0 are nobody's */
}

enum enc_err enc_snap_enclave_id(struct enc_snap *snap, uint8_t enclave32[32], uint64_t ord)
{
    struct enc_row_key key;
    struct enc_bytes value;
    key_of_ord(&key, ord);
    ENC_TRY(enc_snap_get(snap, &value, ENC_TABLE_ENCLAVE_ORD, &key, ENC_ERR_ENCLAVE_NOT_FOUND));
    memcpy(enclave32, value.data, 32);
    return ENC_ERR_OK;
}

enum enc_err enc_snap_head(struct enc_snap *snap, struct enc_bytes *record, uint64_t ord)
{
    struct enc_row_key key;
    key_of_ord(&key, ord);
    return enc_snap_get(snap, record, ENC_TABLE_HEAD, &key, ENC_ERR_ENCLAVE_NOT_FOUND);
}

void enc_scan_enclaves(struct enc_scan *scan, struct enc_snap *snap, struct enc_range ords)
{
    enc_scan_start(scan, snap, ENC_TABLE_ENCLAVE_ORD, ords.reverse);
    key_of_ord(&scan->low, ords.first);
    key_of_ord(&scan->high, ords.last);
}

bool enc_scan_enclave(struct enc_scan *scan, struct enc_enclave_found *out)
{
    struct enc_bytes key;
    struct enc_bytes value;
    if (!enc_scan_step(scan, &key, &value))
        return false;
    *out = (struct enc_enclave_found){.ord = enc_be64_get(key.data), .enclave32 = value.data};
    return true;
}
