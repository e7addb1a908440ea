#include "store/engine.h"
#include "store/read.h"

/* The pool is an array of places. taken is all that threads fight over: acquire on taking it
 * pairs with release on giving back, so that the next owner sees the transaction and the cursors as
 * the last one left them. */
static bool take(struct enc_snap *snap)
{
    /* relaxed: a glance that keeps the line shared; the exchange decides */
    return !atomic_load_explicit(&snap->taken, memory_order_relaxed) &&
           !atomic_exchange_explicit(&snap->taken, true, memory_order_acquire);
}

static void give(struct enc_snap *snap)
{
    atomic_store_explicit(&snap->taken, false, memory_order_release); /* pairs with take */
}

static struct enc_snap *take_any(struct enc_store *store)
{
    for (uint32_t i = 0; i < store->snap_max; i++)
        if (take(&store->snaps[i]))
            return &store->snaps[i];
    return NULL;
}

static int begin(struct enc_snap *snap)
{
    if (snap->txn)
        return mdb_txn_renew(snap->txn);
    return mdb_txn_begin(snap->store->env, NULL, MDB_RDONLY, &snap->txn);
}

enum enc_err enc_snap_open(struct enc_store *store, struct enc_snap **out)
{
    *out = NULL;
    struct enc_snap *snap = take_any(store);
    if (!snap)
        return ENC_ERR_BUSY;
    int rc = begin(snap);
    if (rc) {
        give(snap);
        return rc == MDB_READERS_FULL ? ENC_ERR_BUSY : ENC_ERR_INTERNAL;
    }
    *out = snap;
    return ENC_ERR_OK;
}

void enc_snap_close(struct enc_snap *snap)
{
    if (!snap)
        return;
    ENC_CHECK(snap->scan_count == 0);
    memset(snap->tiles, 0, sizeof snap->tiles);
    mdb_txn_reset(snap->txn);
    give(snap);
}

uint64_t enc_snap_txn_id(const struct enc_snap *snap)
{
    return mdb_txn_id(snap->txn);
}

enum enc_err enc_snap_find(struct enc_snap *snap, bool *found, struct enc_bytes *value,
                           enum enc_table table, const struct enc_row_key *key)
{
    MDB_val k = enc_val_of(enc_row_key_view(key));
    MDB_val v = {0, NULL};
    int rc = mdb_get(snap->txn, snap->store->tables[table], &k, &v);
    *found = rc == 0;
    *value = enc_val_view(v);
    if (rc == MDB_NOTFOUND)
        return ENC_ERR_OK;
    return rc == 0 && enc_table_fits(table, key->len, v.mv_size) ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

enum enc_err enc_snap_get(struct enc_snap *snap, struct enc_bytes *value, enum enc_table table,
                          const struct enc_row_key *key, enum enc_err absent)
{
    bool found = false;
    ENC_TRY(enc_snap_find(snap, &found, value, table, key));
    return found ? ENC_ERR_OK : absent;
}
