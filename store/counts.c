#include "store/counts.h"
#include "store/engine.h"

#include <sys/stat.h>

static uint32_t taken(const struct enc_store *store)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < store->snap_max; i++)
        /* relaxed: a number for a dashboard */
        count += atomic_load_explicit(&store->snaps[i].taken, memory_order_relaxed);
    return count;
}

static int count_rows(struct enc_store_counts *out, const struct enc_snap *snap)
{
    MDB_stat facts = {0};
    int rc = 0;
    for (unsigned i = 0; i < ENC_TABLE_COUNT && rc == 0; i++) {
        rc = mdb_stat(snap->txn, snap->store->tables[i], &facts);
        out->rows[i] = enc_table_row((enum enc_table)i)->home == i ? facts.ms_entries : 0;
    }
    out->page_len = facts.ms_psize;
    return rc;
}

static uint64_t file_len(const struct enc_store *store)
{
    struct stat facts = {0};
    int fd = -1;
    bool is_open = mdb_env_get_fd(store->env, &fd) == 0 && fstat(fd, &facts) == 0;
    return is_open ? (uint64_t)facts.st_size : 0;
}

enum enc_err enc_store_counts(struct enc_store *store, struct enc_store_counts *out)
{
    MDB_envinfo info;
    struct enc_snap *snap = NULL;
    *out = (struct enc_store_counts){.reader_max = store->snap_max, .reader_count = taken(store)};
    ENC_TRY(enc_snap_open(store, &snap));
    int rc = count_rows(out, snap);
    if (rc == 0)
        rc = mdb_env_info(store->env, &info);
    enc_snap_close(snap);
    if (rc)
        return ENC_ERR_INTERNAL;
    out->map_len = info.me_mapsize;
    out->used_len = (info.me_last_pgno + 1) * (uint64_t)out->page_len;
    out->file_len = file_len(store);
    out->txn_id = info.me_last_txnid;
    return ENC_ERR_OK;
}
