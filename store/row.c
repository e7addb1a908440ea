#include "store/row.h"
#include "store/op.h"
#include "store/read.h"

enum { VIEW_LEN = 12 };

static void key_of(struct enc_row_key *out, struct enc_view view, struct enc_bytes key)
{
    ENC_CHECK(key.len <= ENC_VIEW_KEY_LEN_MAX);
    enc_row_key_init(out);
    enc_row_key_u64(out, view.ord);
    enc_row_key_u32(out, view.number);
    enc_row_key_bytes(out, key);
}

void enc_put_row(struct enc_writeset *set, struct enc_view view, struct enc_bytes key,
                 struct enc_bytes value)
{
    struct enc_row_key row_key;
    key_of(&row_key, view, key);
    enc_op_put(set, ENC_TABLE_ROW, &row_key, value);
}

void enc_del_row(struct enc_writeset *set, struct enc_view view, struct enc_bytes key)
{
    struct enc_row_key row_key;
    key_of(&row_key, view, key);
    enc_op_del(set, ENC_TABLE_ROW, &row_key);
}

enum enc_err enc_snap_row(struct enc_snap *snap, bool *found, struct enc_bytes *value,
                          struct enc_view view, struct enc_bytes key)
{
    struct enc_row_key row_key;
    key_of(&row_key, view, key);
    return enc_snap_find(snap, found, value, ENC_TABLE_ROW, &row_key);
}

/* past narrows the stretch; one that lies before its start changes nothing. */
static void start_behind(struct enc_scan *scan, const struct enc_row_range *range)
{
    struct enc_row_key *start = range->reverse ? &scan->high : &scan->low;
    struct enc_row_key past;
    key_of(&past, range->view, range->past);
    int order = enc_row_key_compare(enc_row_key_view(&past), enc_row_key_view(start));
    if (range->reverse ? order > 0 : order < 0)
        return;
    *start = past;
    scan->skip_start = true;
}

void enc_scan_rows(struct enc_scan *scan, struct enc_snap *snap, const struct enc_row_range *range)
{
    enc_scan_start(scan, snap, ENC_TABLE_ROW, range->reverse);
    key_of(&scan->low, range->view, range->prefix);
    scan->high = scan->low;
    enc_row_key_top(&scan->high);
    if (range->past.len > 0)
        start_behind(scan, range);
}

bool enc_scan_row(struct enc_scan *scan, struct enc_row_found *out)
{
    struct enc_bytes key;
    if (!enc_scan_step(scan, &key, &out->value))
        return false;
    out->key = enc_bytes_of(key.data + VIEW_LEN, key.len - VIEW_LEN);
    return true;
}

void enc_scan_views(struct enc_scan *scan, struct enc_snap *snap, struct enc_view first)
{
    enc_scan_start(scan, snap, ENC_TABLE_ROW, false);
    enc_row_key_init(&scan->low);
    enc_row_key_u64(&scan->low, first.ord);
    scan->high = scan->low;
    enc_row_key_u32(&scan->low, first.number);
    enc_row_key_top(&scan->high);
}

bool enc_scan_view_row(struct enc_scan *scan, struct enc_view_row_found *out)
{
    struct enc_bytes key;
    if (!enc_scan_step(scan, &key, &out->value))
        return false;
    out->number = enc_be32_get(key.data + 8);
    out->key = enc_bytes_of(key.data + VIEW_LEN, key.len - VIEW_LEN);
    return true;
}
