#include "store/apply_ids.h"
#include "store/ids.h"

#include <errno.h>
#include <stdlib.h>

enum { FEW_LEN = ENC_IDS_FEW * ENC_ID_ENTRY_LEN };

/* Neighbours of one size, the oldest first. */
struct group {
    const struct enc_store *store;
    MDB_txn *txn;
    uint64_t ord;
    uint64_t first_seq;
    uint64_t size; /* entries of each */
    struct enc_bytes rows[ENC_IDS_MERGED];
};

static int get(const struct enc_store *store, struct enc_bytes *row, MDB_txn *txn,
               struct enc_bytes key)
{
    MDB_val k = enc_val_of(key);
    MDB_val v = {0, NULL};
    int rc = mdb_get(txn, store->tables[ENC_TABLE_EVENT_ID], &k, &v);
    *row = enc_val_view(v);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int put(const struct enc_store *store, MDB_txn *txn, struct enc_bytes key,
               struct enc_bytes row)
{
    MDB_val k = enc_val_of(key);
    MDB_val v = enc_val_of(row);
    return mdb_put(txn, store->tables[ENC_TABLE_EVENT_ID], &k, &v, 0);
}

static void key_in(struct enc_row_key *key, const struct group *group, size_t at)
{
    enc_ids_key(key, group->ord, group->first_seq + at * group->size);
}

/* Rows that are not there or not full, as after seqs that were left out, stay as they are. */
static int look(struct group *group, bool *is_whole)
{
    *is_whole = true;
    for (size_t i = 0; i < ENC_IDS_MERGED; i++) {
        struct enc_row_key key;
        key_in(&key, group, i);
        int rc = get(group->store, &group->rows[i], group->txn, enc_row_key_view(&key));
        if (rc)
            return rc;
        *is_whole &= enc_ids_count(group->rows[i]) == group->size;
    }
    return 0;
}

static int replace(const struct group *group, struct enc_bytes row)
{
    struct enc_row_key key;
    for (size_t i = 1; i < ENC_IDS_MERGED; i++) {
        key_in(&key, group, i);
        MDB_val k = enc_val_of(enc_row_key_view(&key));
        int rc = mdb_del(group->txn, group->store->tables[ENC_TABLE_EVENT_ID], &k, NULL);
        if (rc)
            return rc;
    }
    key_in(&key, group, 0);
    return put(group->store, group->txn, enc_row_key_view(&key), row);
}

static int merge(const struct group *group)
{
    size_t len = ENC_IDS_MERGED * group->size * ENC_ID_ENTRY_LEN;
    uint64_t *out = (uint64_t *)malloc(len);
    uint64_t *scratch = (uint64_t *)malloc(len);
    int rc = ENOMEM;
    if (out && scratch) {
        enc_ids_merge(out, scratch, group->rows);
        rc = replace(group, enc_bytes_of((const uint8_t *)out, len));
    }
    free(out);
    free(scratch);
    return rc;
}

/* The row that begins with first_seq is full: whether it is the last of a group tells its place. */
static int merge_up(const struct enc_store *store, MDB_txn *txn, uint64_t ord, uint64_t first_seq)
{
    struct group group = {.store = store, .txn = txn, .ord = ord, .size = ENC_IDS_FEW};
    for (; group.size < ENC_IDS_MOST; group.size *= ENC_IDS_MERGED) {
        bool is_whole = first_seq / group.size % ENC_IDS_MERGED == ENC_IDS_MERGED - 1;
        group.first_seq = first_seq =
            first_seq / group.size / ENC_IDS_MERGED * ENC_IDS_MERGED * group.size;
        int rc = is_whole ? look(&group, &is_whole) : 0;
        if (rc == 0 && is_whole)
            rc = merge(&group);
        if (rc || !is_whole)
            return rc;
    }
    return 0;
}

int enc_apply_id(const struct enc_store *store, MDB_txn *txn, const struct enc_write *op)
{
    uint8_t row[FEW_LEN];
    struct enc_bytes old;
    int rc = get(store, &old, txn, op->key);
    if (rc == 0 && (old.len % ENC_ID_ENTRY_LEN != 0 || old.len >= FEW_LEN))
        rc = MDB_CORRUPTED;
    if (rc)
        return rc;
    if (old.len)
        memcpy(row, old.data, old.len);
    memcpy(row + old.len, op->value.data, ENC_ID_ENTRY_LEN);
    size_t len = old.len + ENC_ID_ENTRY_LEN;
    rc = put(store, txn, op->key, enc_bytes_of(row, len));
    if (rc || len < FEW_LEN)
        return rc;
    return merge_up(store, txn, enc_be64_get(op->key.data), enc_ids_first_seq(op->key));
}
