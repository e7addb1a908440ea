#include "store/scan.h"
#include "store/engine.h"
#include "store/read.h"

void enc_scan_start(struct enc_scan *scan, struct enc_snap *snap, enum enc_table table,
                    bool reverse)
{
    *scan = (struct enc_scan){.snap = snap, .table = table, .reverse = reverse};
    snap->scan_count++;
}

void enc_scan_start_numbered(struct enc_scan *scan, struct enc_snap *snap, enum enc_table table,
                             uint64_t ord, struct enc_range range)
{
    enc_scan_start(scan, snap, table, range.reverse);
    enc_row_key_numbered(&scan->low, ord, range.first);
    enc_row_key_numbered(&scan->high, ord, range.last);
}

static int take_cursor(struct enc_scan *scan)
{
    struct enc_snap *snap = scan->snap;
    MDB_cursor *cursor = snap->idle[scan->table];
    snap->idle[scan->table] = NULL;
    int rc = cursor ? mdb_cursor_renew(snap->txn, cursor)
                    : mdb_cursor_open(snap->txn, snap->store->tables[scan->table], &cursor);
    scan->cursor = cursor;
    return rc;
}

static void give_cursor(struct enc_scan *scan)
{
    MDB_cursor **idle = &scan->snap->idle[scan->table];
    if (scan->cursor && *idle)
        mdb_cursor_close((MDB_cursor *)scan->cursor);
    else if (scan->cursor)
        *idle = (MDB_cursor *)scan->cursor;
    scan->cursor = NULL;
}

static int move(struct enc_scan *scan, MDB_val *key, MDB_val *value, MDB_cursor_op op)
{
    return mdb_cursor_get((MDB_cursor *)scan->cursor, key, value, op);
}

/* The engine seeks the first key at or behind the one asked for; going back starts from there. */
static int seek_high(struct enc_scan *scan, MDB_val *key, MDB_val *value)
{
    *key = enc_val_of(enc_row_key_view(&scan->high));
    int rc = move(scan, key, value, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND)
        return move(scan, key, value, MDB_LAST);
    if (rc == 0 && enc_row_key_compare(enc_val_view(*key), enc_row_key_view(&scan->high)) > 0)
        return move(scan, key, value, MDB_PREV);
    return rc;
}

static int seek_low(struct enc_scan *scan, MDB_val *key, MDB_val *value)
{
    *key = enc_val_of(enc_row_key_view(&scan->low));
    return move(scan, key, value, MDB_SET_RANGE);
}

static int go_on(struct enc_scan *scan, MDB_val *key, MDB_val *value)
{
    return move(scan, key, value, scan->reverse ? MDB_PREV : MDB_NEXT);
}

static int begin(struct enc_scan *scan, MDB_val *key, MDB_val *value)
{
    const struct enc_row_key *start = scan->reverse ? &scan->high : &scan->low;
    scan->started = true;
    int rc = take_cursor(scan);
    if (rc == 0)
        rc = scan->reverse ? seek_high(scan, key, value) : seek_low(scan, key, value);
    bool skip =
        rc == 0 && scan->skip_start && enc_bytes_equal(enc_val_view(*key), enc_row_key_view(start));
    return skip ? go_on(scan, key, value) : rc;
}

static bool within(const struct enc_scan *scan, struct enc_bytes key)
{
    return enc_row_key_compare(key, enc_row_key_view(&scan->low)) >= 0 &&
           enc_row_key_compare(key, enc_row_key_view(&scan->high)) <= 0;
}

static bool stop(struct enc_scan *scan, enum enc_err err)
{
    scan->err = err;
    scan->done = true;
    return false;
}

bool enc_scan_step(struct enc_scan *scan, struct enc_bytes *key, struct enc_bytes *value)
{
    if (scan->done)
        return false;
    MDB_val k = {0, NULL};
    MDB_val v = {0, NULL};
    int rc = scan->started ? go_on(scan, &k, &v) : begin(scan, &k, &v);
    while (rc == 0 && enc_table_is_guest(scan->table, k.mv_size))
        rc = go_on(scan, &k, &v);
    if (rc)
        return stop(scan, rc == MDB_NOTFOUND ? ENC_ERR_OK : ENC_ERR_INTERNAL);
    *key = enc_val_view(k);
    *value = enc_val_view(v);
    if (!within(scan, *key))
        return stop(scan, ENC_ERR_OK);
    if (!scan->any_shape && !enc_table_fits(scan->table, key->len, value->len))
        return stop(scan, ENC_ERR_INTERNAL);
    return true;
}

enum enc_err enc_scan_fini(struct enc_scan *scan)
{
    ENC_CHECK(scan->snap && scan->snap->scan_count > 0);
    give_cursor(scan);
    scan->snap->scan_count--;
    scan->snap = NULL;
    return scan->err;
}

uint64_t enc_key_tail64(struct enc_bytes key)
{
    return enc_be64_get(key.data + key.len - 8);
}
