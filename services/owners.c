#include "services/owners.h"

#include "proto/record.h"
#include "services/inside.h"
#include "services/read.h"
#include "services/rows.h"

bool enc_owner_has_one(const struct enc_service *service)
{
    return service->enclave.has_bootstrap && service->enclave.has_dataview;
}

/* An enclave that was the key's once. */
struct candidate {
    struct candidate *next;
    uint8_t enclave32[32];
};

static enum enc_err add_rows(struct candidate **list, struct enc_arena *arena,
                             struct enc_scan *scan)
{
    struct enc_row_found row;
    while (enc_scan_row(scan, &row)) {
        struct candidate *candidate = ENC_ARENA_NEW(arena, struct candidate, 1);
        if (!candidate)
            return ENC_ERR_TOO_LARGE;
        if (row.key.len != 64)
            return ENC_ERR_INTERNAL;
        memcpy(candidate->enclave32, row.key.data + 32, 32);
        candidate->next = *list;
        *list = candidate;
    }
    return ENC_ERR_OK;
}

static enum enc_err add_shard(struct candidate **list, struct enc_arena *arena,
                              struct enc_store *store, const uint8_t owner32[32])
{
    struct enc_snap *snap = NULL;
    struct enc_scan scan;
    struct enc_row_range range = {
        .view = {0, ENC_SHARED_OWNER},
        .prefix = enc_bytes_of(owner32, 32),
    };
    ENC_TRY(enc_snap_open(store, &snap));
    enc_scan_rows(&scan, snap, &range);
    enum enc_err err = add_rows(list, arena, &scan);
    enum enc_err end = enc_scan_fini(&scan);
    enc_snap_close(snap);
    return err != ENC_ERR_OK ? err : end;
}

/* What is known of the enclave that will be given, and of one that is looked at. */
struct look {
    bool is_own;
    uint64_t created_ms;
    struct enc_event manifest;
};

static enum enc_err judge(struct look *look, struct enc_read *read, const uint8_t owner32[32])
{
    struct enc_roles roles;
    struct enc_bytes record;
    struct enc_arena *arena = &read->exchange->arena;
    struct enc_event_place place = {.ord = read->state.ord, .seq = 0};
    ENC_TRY(enc_roles_of(&read->tree, &roles, owner32));
    if (!enc_roles_have(&roles, ENC_ROLE_OWNER))
        return ENC_ERR_OK;
    ENC_TRY(enc_snap_event(read->snap, &record, place));
    record = enc_arena_copy(arena, record); /* it outlives the snapshot */
    if (!record.data)
        return ENC_ERR_TOO_LARGE;
    ENC_TRY(enc_record_take(&look->manifest, arena, record));
    look->created_ms = read->state.created_ms;
    look->is_own =
        read->state.owner_count == 1 || memcmp(look->manifest.commit.from32, owner32, 32) == 0;
    return ENC_ERR_OK;
}

/* Another service's enclave is none. */
static enum enc_err look_at(struct look *look, struct enc_exchange *exchange,
                            const uint8_t enclave32[32], const uint8_t owner32[32])
{
    struct enc_read read;
    *look = (struct look){.is_own = false};
    memcpy(exchange->enclave32, enclave32, 32);
    enum enc_err err = enc_read_init(&read, exchange);
    if (err != ENC_ERR_OK)
        return err == ENC_ERR_ENCLAVE_NOT_FOUND ? ENC_ERR_OK : err;
    err = judge(look, &read, owner32);
    enc_read_fini(&read);
    return err;
}

/* Which of two is given, whatever the order in which they are looked at. */
static bool is_before(const struct look *a, const struct look *b)
{
    if (a->created_ms != b->created_ms)
        return a->created_ms < b->created_ms;
    return memcmp(a->manifest.commit.enclave32, b->manifest.commit.enclave32, 32) < 0;
}

enum enc_err enc_owner_find(struct enc_exchange *exchange, bool *found, struct enc_event *manifest,
                            const uint8_t owner32[32])
{
    struct candidate *list = NULL;
    struct look best = {.is_own = false};
    struct look look;
    const struct enc_host *host = exchange->host;
    for (uint32_t i = 0; i < host->writer_count; i++)
        ENC_TRY(add_shard(&list, &exchange->arena, enc_data_shard_at(host->data, i), owner32));
    for (; list; list = list->next) {
        ENC_TRY(look_at(&look, exchange, list->enclave32, owner32));
        if (look.is_own && (!best.is_own || is_before(&look, &best)))
            best = look;
    }
    *found = best.is_own;
    if (!best.is_own)
        return ENC_ERR_OK;
    *manifest = best.manifest;
    memcpy(exchange->enclave32, best.manifest.commit.enclave32, 32);
    exchange->has_enclave = true;
    return ENC_ERR_OK;
}
