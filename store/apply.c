#include "store/apply.h"
#include "proto/base/edge.h"
#include "store/apply_ids.h"

enum { READER_SWEEP = 256 }; /* transactions */

/* The row is written anew with one hash more; one that is there stays what it is. */
static int put_slot(const struct enc_store *store, MDB_txn *txn, const struct enc_write *op)
{
    uint8_t row[ENC_TILE_SLOTS * 32] = {0};
    size_t at = (size_t)op->slot * op->value.len;
    MDB_val key = enc_val_of(op->key);
    MDB_val value = {0, NULL};
    int rc = mdb_get(txn, store->tables[op->table], &key, &value);
    if (rc && rc != MDB_NOTFOUND)
        return rc;
    if (value.mv_size > sizeof row || value.mv_size % op->value.len)
        return MDB_CORRUPTED;
    if (enc_tile_has(enc_val_view(value), op->slot))
        return MDB_KEYEXIST;
    if (value.mv_size)
        memcpy(row, value.mv_data, value.mv_size);
    memcpy(row + at, op->value.data, op->value.len);
    size_t end = at + op->value.len;
    value = enc_val_of(enc_bytes_of(row, end > value.mv_size ? end : value.mv_size));
    return mdb_put(txn, store->tables[op->table], &key, &value, 0);
}

static int run_op(const struct enc_store *store, MDB_txn *txn, const struct enc_write *op)
{
    if (op->append)
        return enc_apply_id(store, txn, op);
    if (op->is_slot)
        return put_slot(store, txn, op);
    MDB_val key = enc_val_of(op->key);
    MDB_val value = enc_val_of(op->value);
    if (!op->del)
        return mdb_put(txn, store->tables[op->table], &key, &value,
                       enc_table_row(op->table)->once ? MDB_NOOVERWRITE : 0);
    int rc = mdb_del(txn, store->tables[op->table], &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int run_set(const struct enc_store *store, MDB_txn *txn, const struct enc_writeset *set)
{
    int rc = 0;
    for (const struct enc_write *op = set->first; op && rc == 0; op = op->next)
        rc = run_op(store, txn, op);
    return rc;
}

static int run_sets(const struct enc_store *store, struct enc_apply_facts *facts, MDB_txn *txn,
                    const struct enc_writeset *const *sets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int rc = run_set(store, txn, sets[i]);
        if (rc == MDB_KEYEXIST)
            facts->culprit = i;
        if (rc)
            return rc;
    }
    return 0;
}

static void tell(struct enc_apply_facts *facts, const struct enc_writeset *const *sets,
                 size_t count)
{
    *facts = (struct enc_apply_facts){.culprit = SIZE_MAX};
    for (size_t i = 0; i < count; i++) {
        ENC_CHECK(enc_writeset_ok(sets[i]));
        facts->op_count += sets[i]->op_count;
        facts->byte_count += sets[i]->byte_count;
    }
}

static void stop_writing(struct enc_store *store)
{
    /* relaxed: a flag by itself, nothing is published with it */
    atomic_store_explicit(&store->writable, false, memory_order_relaxed);
}

static enum enc_outcome fail(struct enc_apply_facts *facts, MDB_txn *txn, int rc)
{
    mdb_txn_abort(txn);
    facts->engine_error = rc;
    return ENC_OUTCOME_FAILED;
}

/* The engine refuses every further transaction once the page that makes one durable could not be
 * written; after any other failed commit it is as if the transaction had never been. */
static enum enc_outcome judge(struct enc_store *store, struct enc_apply_facts *facts, int rc)
{
    facts->engine_error = rc;
    MDB_txn *probe = NULL;
    int probed = mdb_txn_begin(store->env, NULL, 0, &probe);
    if (probed == 0)
        mdb_txn_abort(probe);
    if (probed != MDB_PANIC)
        return ENC_OUTCOME_FAILED;
    stop_writing(store);
    return ENC_OUTCOME_IN_DOUBT;
}

static enum enc_outcome fence(struct enc_store *store, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    stop_writing(store);
    return ENC_OUTCOME_FENCED;
}

static int check_fence(const struct enc_store *store, bool *ours, MDB_txn *txn)
{
    struct enc_bytes epoch;
    int rc = enc_meta_get(store, &epoch, txn, ENC_META_EPOCH);
    *ours = rc == 0 && epoch.len == 8 && enc_be64_get(epoch.data) == store->epoch;
    return rc;
}

/* What a killed backup had open would pin its pages for ever; only somebody who looks finds out. */
static void sweep_readers(const struct enc_store *store, uint64_t txn_id)
{
    int dead = 0;
    if (txn_id % READER_SWEEP == 0)
        mdb_reader_check(store->env, &dead);
}

void enc_store_time(struct enc_store *store, uint64_t (*clock)(void *self), void *self)
{
    store->clock = clock;
    store->clock_self = self;
}

static enum enc_outcome apply(struct enc_store *store, struct enc_apply_facts *facts,
                              const struct enc_writeset *const *sets, size_t count)
{
    MDB_txn *txn = NULL;
    bool ours = false;
    int rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc) {
        facts->engine_error = rc;
        return ENC_OUTCOME_FAILED;
    }
    facts->txn_id = mdb_txn_id(txn);
    rc = check_fence(store, &ours, txn);
    if (rc)
        return fail(facts, txn, rc);
    if (!ours)
        return fence(store, txn);
    rc = run_sets(store, facts, txn, sets, count);
    if (rc)
        return fail(facts, txn, rc);
    facts->sync_began = store->clock ? store->clock(store->clock_self) : 0;
    rc = mdb_txn_commit(txn);
    sweep_readers(store, facts->txn_id);
    return rc ? judge(store, facts, rc) : ENC_OUTCOME_OK;
}

enum enc_outcome enc_store_apply(struct enc_store *store, struct enc_apply_facts *facts,
                                 const struct enc_writeset *const *sets, size_t count)
{
    tell(facts, sets, count);
    bool was_writable = enc_store_writable(store);
    enum enc_outcome outcome = apply(store, facts, sets, count);
    ENC_EDGE("store", store, was_writable ? "writable" : "shut",
             ((const char *const[]){"ok", "fenced", "in_doubt", "failed"})[outcome],
             enc_store_writable(store) ? "writable" : "shut");
    return outcome;
}

bool enc_store_writable(const struct enc_store *store)
{
    return atomic_load_explicit(&store->writable, memory_order_relaxed); /* see stop_writing */
}

const char *enc_store_error_text(int engine_error)
{
    return mdb_strerror(engine_error);
}
