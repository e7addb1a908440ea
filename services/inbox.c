#include "services/inbox.h"

#include "proto/record.h"

enum { KEY_LEN = 16, HEAD_LEN = 8 + 32 + 8, MARK_LEN = 20 };

/* ---- the inbox ---- */

enum enc_err enc_inbox_put(struct enc_rows *rows, const struct enc_inbox_row *row)
{
    uint8_t key[KEY_LEN];
    struct enc_buffer value;
    struct enc_bytes bytes;
    enc_be64_put(key, row->own_seq);
    enc_be64_put(key + 8, row->arrival);
    enc_buffer_init(&value, rows->arena, SIZE_MAX / 4);
    uint8_t *head = enc_buffer_extend(&value, HEAD_LEN);
    if (!head)
        return ENC_ERR_TOO_LARGE;
    enc_be64_put(head, row->arrival_ms);
    memcpy(head + 8, row->enclave32, 32);
    enc_be64_put(head + 40, row->seq);
    enc_buffer_add(&value, row->record);
    ENC_TRY(enc_buffer_bytes(&value, &bytes));
    return enc_rows_put(rows, ENC_VIEW_INBOX, enc_bytes_of(key, sizeof key), bytes);
}

bool enc_inbox_take(struct enc_inbox_row *row, struct enc_bytes key, struct enc_bytes value)
{
    if (key.len != KEY_LEN || value.len < HEAD_LEN)
        return false;
    *row = (struct enc_inbox_row){
        .own_seq = enc_be64_get(key.data),
        .arrival = enc_be64_get(key.data + 8),
        .arrival_ms = enc_be64_get(value.data),
        .seq = enc_be64_get(value.data + 40),
        .record = enc_bytes_of(value.data + HEAD_LEN, value.len - HEAD_LEN),
    };
    memcpy(row->enclave32, value.data + 8, 32);
    return true;
}

enum enc_err enc_inbox_last(struct enc_snap *snap, uint64_t *arrival, uint64_t ord)
{
    struct enc_scan scan;
    struct enc_row_found found;
    struct enc_row_range range = {.view = {ord, ENC_VIEW_INBOX}, .reverse = true};
    *arrival = 0;
    enc_scan_rows(&scan, snap, &range);
    if (enc_scan_row(&scan, &found) && found.key.len == KEY_LEN)
        *arrival = enc_be64_get(found.key.data + 8);
    return enc_scan_fini(&scan);
}

/* ---- folding ---- */

static struct enc_fact fact_of(const struct enc_folding *folding, const struct enc_event *event)
{
    return (struct enc_fact){
        .rows = folding->rows,
        .arena = folding->arena,
        .curve = folding->curve,
        .own32 = folding->own32,
        .commit = &event->commit,
        .event = event,
    };
}

enum enc_err enc_fold_own(const struct enc_folding *folding, const struct enc_event *event)
{
    struct enc_fact fact = fact_of(folding, event);
    return enc_dataview_project(folding->view, folding->rows, &fact);
}

static enum enc_err project_record(const struct enc_folding *folding, struct enc_bytes record)
{
    struct enc_event event;
    ENC_TRY(enc_record_take(&event, folding->arena, record));
    return enc_fold_own(folding, &event);
}

enum enc_err enc_fold_pushed(const struct enc_folding *folding, const struct enc_inbox_row *row)
{
    const struct enc_sync sync = {row->seq, row->arrival_ms};
    if (row->record.len > 0)
        ENC_TRY(project_record(folding, row->record));
    return enc_sync_put(folding->rows, row->enclave32, &sync);
}

/* ---- marks ---- */

static struct enc_bytes mark_key(uint8_t key64[64], const uint8_t enclave32[32],
                                 const uint8_t sequencer32[32])
{
    memcpy(key64, enclave32, 32);
    memcpy(key64 + 32, sequencer32, 32);
    return enc_bytes_of(key64, 64);
}

enum enc_err enc_push_mark_get(const struct enc_rows *rows, const uint8_t enclave32[32],
                               const uint8_t sequencer32[32], struct enc_push_mark *mark)
{
    uint8_t key64[64];
    struct enc_bytes value;
    bool found = false;
    *mark = (struct enc_push_mark){.last = 0};
    ENC_TRY(enc_rows_get(rows, &found, &value, ENC_VIEW_PUSH_SEQ,
                         mark_key(key64, enclave32, sequencer32)));
    if (!found)
        return ENC_ERR_OK;
    if (value.len != MARK_LEN)
        return ENC_ERR_INTERNAL;
    mark->last = enc_be64_get(value.data);
    mark->skipped = enc_be64_get(value.data + 8);
    mark->tries = enc_be32_get(value.data + 16);
    return ENC_ERR_OK;
}

enum enc_err enc_push_mark_put(struct enc_rows *rows, const uint8_t enclave32[32],
                               const uint8_t sequencer32[32], const struct enc_push_mark *mark)
{
    uint8_t key64[64];
    uint8_t value[MARK_LEN];
    enc_be64_put(value, mark->last);
    enc_be64_put(value + 8, mark->skipped);
    enc_be32_put(value + 16, mark->tries);
    return enc_rows_put(rows, ENC_VIEW_PUSH_SEQ, mark_key(key64, enclave32, sequencer32),
                        enc_bytes_of(value, sizeof value));
}
