#include "services/fold.h"

#include "proto/record.h"
#include "proto/sha256.h"

enum {
    BATCH_LEN = 16 << 20,
    ARENA_LEN_MAX = 256 << 20,
};

/* A transaction that is being made. */
struct batch {
    struct enc_store *store;
    const struct enc_fold_config *config;
    struct enc_arena arena;
    struct enc_snap *snap; /* what it is to change */
    struct enc_writeset set;
    struct enc_rows rows;
};

static enum enc_err batch_open(struct batch *batch)
{
    enc_arena_init(&batch->arena, batch->config->chunks, ARENA_LEN_MAX);
    ENC_TRY(enc_snap_open(batch->store, &batch->snap));
    enc_writeset_init(&batch->set, &batch->arena);
    enc_rows_init(&batch->rows, &batch->arena, batch->snap, &batch->set, batch->config->ord);
    return ENC_ERR_OK;
}

static bool batch_is_full(const struct batch *batch)
{
    size_t max_len = batch->config->batch_len ? batch->config->batch_len : BATCH_LEN;
    return batch->arena.used_len >= max_len;
}

static void batch_close(struct batch *batch)
{
    enc_snap_close(batch->snap);
    batch->snap = NULL;
    enc_arena_fini(&batch->arena);
}

static enum enc_err batch_write(struct batch *batch)
{
    struct enc_apply_facts facts;
    const struct enc_writeset *sets[] = {&batch->set};
    if (!enc_writeset_ok(&batch->set))
        return ENC_ERR_TOO_LARGE;
    return enc_store_apply(batch->store, &facts, sets, 1) == ENC_OUTCOME_OK ? ENC_ERR_OK
                                                                            : ENC_ERR_INTERNAL;
}

/* ---- the two inputs ---- */

struct fold {
    struct batch batch;
    struct enc_fold_report *report;
    struct enc_scan inbox;
    struct enc_inbox_row next; /* of the inbox */
    bool has_next;
};

static struct enc_folding folding_of(struct fold *fold)
{
    const struct enc_fold_config *config = fold->batch.config;
    return (struct enc_folding){
        .view = config->view,
        .rows = &fold->batch.rows,
        .arena = &fold->batch.arena,
        .curve = config->curve,
        .own32 = config->own32,
    };
}

static enum enc_err make_room(struct fold *fold)
{
    if (!batch_is_full(&fold->batch))
        return ENC_ERR_OK;
    ENC_TRY(batch_write(&fold->batch));
    fold->report->transactions++;
    batch_close(&fold->batch);
    return batch_open(&fold->batch);
}

static enum enc_err read_next(struct fold *fold)
{
    struct enc_row_found found;
    fold->has_next = enc_scan_row(&fold->inbox, &found);
    bool is_good = !fold->has_next || enc_inbox_take(&fold->next, found.key, found.value);
    return is_good ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err take_pushed(struct fold *fold)
{
    const struct enc_folding folding = folding_of(fold);
    ENC_TRY(enc_fold_pushed(&folding, &fold->next));
    fold->report->pushed_count++;
    ENC_TRY(read_next(fold));
    return make_room(fold);
}

/* What came before the own log went on stands before it. */
static enum enc_err take_pushed_until(struct fold *fold, uint64_t own_seq)
{
    while (fold->has_next && fold->next.own_seq <= own_seq)
        ENC_TRY(take_pushed(fold));
    return ENC_ERR_OK;
}

static enum enc_err take_own(struct fold *fold, struct enc_bytes record)
{
    struct enc_event event;
    const struct enc_folding folding = folding_of(fold);
    ENC_TRY(enc_record_take(&event, &fold->batch.arena, record));
    ENC_TRY(enc_fold_own(&folding, &event));
    fold->report->own_count++;
    return make_room(fold);
}

static enum enc_err merge(struct fold *fold, struct enc_scan *events)
{
    struct enc_event_found found;
    ENC_TRY(read_next(fold));
    while (enc_scan_event(events, &found)) {
        ENC_TRY(take_pushed_until(fold, found.seq));
        ENC_TRY(take_own(fold, found.record));
    }
    return take_pushed_until(fold, UINT64_MAX);
}

static enum enc_err scan_and_merge(struct fold *fold, struct enc_snap *source)
{
    uint64_t ord = fold->batch.config->ord;
    struct enc_scan events;
    const struct enc_row_range inbox = {.view = {ord, ENC_VIEW_INBOX}};
    enc_scan_events(&events, source, ord, (struct enc_range){.first = 0, .last = UINT64_MAX});
    enc_scan_rows(&fold->inbox, source, &inbox);
    enum enc_err err = merge(fold, &events);
    enum enc_err events_end = enc_scan_fini(&events);
    enum enc_err inbox_end = enc_scan_fini(&fold->inbox);
    ENC_TRY(err);
    ENC_TRY(events_end);
    return inbox_end;
}

enum enc_err enc_fold_into(struct enc_store *target, struct enc_fold_report *report,
                           struct enc_snap *source, const struct enc_fold_config *config)
{
    struct fold fold = {.batch = {.store = target, .config = config}, .report = report};
    *report = (struct enc_fold_report){.transactions = 1};
    enum enc_err err = batch_open(&fold.batch);
    if (err == ENC_ERR_OK)
        err = scan_and_merge(&fold, source);
    if (err == ENC_ERR_OK)
        err = batch_write(&fold.batch);
    batch_close(&fold.batch);
    return err;
}

/* ---- dropping ---- */

static enum enc_err drop_some(struct batch *batch, bool *has_more)
{
    struct enc_scan scan;
    struct enc_view_row_found found;
    *has_more = false;
    enc_scan_views(&scan, batch->snap, (struct enc_view){batch->config->ord, ENC_VIEW_SYNC});
    while (!*has_more && enc_scan_view_row(&scan, &found)) {
        enc_del_row(&batch->set, (struct enc_view){batch->config->ord, found.number}, found.key);
        *has_more = batch_is_full(batch);
    }
    ENC_TRY(enc_scan_fini(&scan));
    return batch_write(batch);
}

enum enc_err enc_fold_drop(struct enc_store *store, const struct enc_fold_config *config)
{
    struct batch batch = {.store = store, .config = config};
    bool has_more = true;
    enum enc_err err = ENC_ERR_OK;
    while (err == ENC_ERR_OK && has_more) {
        err = batch_open(&batch);
        if (err == ENC_ERR_OK)
            err = drop_some(&batch, &has_more);
        batch_close(&batch);
    }
    return err;
}

/* ---- comparing ---- */

static void add_to_digest(uint8_t digest32[32], const struct enc_view_row_found *row)
{
    uint8_t head[4 + 8 + 8];
    enc_be32_put(head, row->number);
    enc_be64_put(head + 4, row->key.len);
    enc_be64_put(head + 12, row->value.len);
    const struct enc_bytes parts[] = {enc_bytes_of(digest32, 32), enc_bytes_of(head, sizeof head),
                                      row->key, row->value};
    enc_sha256_parts(digest32, parts, sizeof parts / sizeof parts[0]);
}

enum enc_err enc_fold_digest(uint8_t out32[32], uint64_t *row_count, struct enc_snap *snap,
                             uint64_t ord)
{
    struct enc_scan scan;
    struct enc_view_row_found found;
    *row_count = 0;
    memset(out32, 0, 32);
    enc_scan_views(&scan, snap, (struct enc_view){ord, ENC_VIEW_SYNC});
    while (enc_scan_view_row(&scan, &found)) {
        add_to_digest(out32, &found);
        ++*row_count;
    }
    return enc_scan_fini(&scan);
}
