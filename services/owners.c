#include "services/owners.h"

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

/* What is known of a candidate. */
struct look {
    bool is_own;
    bool is_made_for; /* from its beginning; else it was handed over */
    uint64_t created_ms;
    uint8_t enclave32[32];
};

static enum enc_err judge(struct look *look, struct enc_read *read, const uint8_t owner32[32])
{
    struct enc_roles roles;
    struct enc_event manifest;
    ENC_TRY(enc_roles_of(&read->tree, &roles, owner32));
    if (!enc_roles_have(&roles, ENC_ROLE_OWNER))
        return ENC_ERR_OK;
    ENC_TRY(enc_read_first_event(read, &manifest));
    bool is_author = memcmp(manifest.commit.from32, owner32, 32) == 0;
    bool is_nodes = memcmp(manifest.commit.from32, manifest.sequencer32, 32) == 0;
    look->is_own = read->state.owner_count == 1 || is_author;
    look->is_made_for =
        (is_author || is_nodes) && enc_manifest_names_owner(read->manifest, owner32);
    look->created_ms = read->state.created_ms;
    memcpy(look->enclave32, read->state.enclave32, 32);
    return ENC_ERR_OK;
}

static enum enc_err load_and_judge(struct look *look, struct enc_exchange *exchange,
                                   const uint8_t owner32[32])
{
    struct enc_read read;
    enum enc_err err = enc_read_init(&read, exchange);
    if (err != ENC_ERR_OK) /* another service's enclave is none */
        return err == ENC_ERR_ENCLAVE_NOT_FOUND ? ENC_ERR_OK : err;
    err = judge(look, &read, owner32);
    enc_read_fini(&read);
    return err;
}

/* In memory of its own: strangers may hand over any number of enclaves. */
static enum enc_err look_at(struct look *look, struct enc_exchange *exchange,
                            const uint8_t enclave32[32], const uint8_t owner32[32])
{
    struct enc_arena kept = exchange->arena;
    *look = (struct look){.is_own = false};
    memcpy(exchange->enclave32, enclave32, 32);
    enc_arena_init(&exchange->arena, kept.source, kept.max_len);
    enum enc_err err = load_and_judge(look, exchange, owner32);
    enc_arena_fini(&exchange->arena);
    exchange->arena = kept;
    return err;
}

/* Which of two is given, whatever the order in which they are looked at. What strangers hand over
 * does not take the place of what the owner had. */
static bool is_before(const struct look *a, const struct look *b)
{
    if (a->is_made_for != b->is_made_for)
        return a->is_made_for;
    if (a->created_ms != b->created_ms)
        return a->created_ms < b->created_ms;
    return memcmp(a->enclave32, b->enclave32, 32) < 0;
}

static enum enc_err load_manifest(struct enc_event *manifest, struct enc_exchange *exchange,
                                  const uint8_t enclave32[32])
{
    struct enc_read read;
    memcpy(exchange->enclave32, enclave32, 32);
    exchange->has_enclave = true;
    ENC_TRY(enc_read_init(&read, exchange));
    enum enc_err err = enc_read_first_event(&read, manifest);
    enc_read_fini(&read);
    return err;
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
    return *found ? load_manifest(manifest, exchange, best.enclave32) : ENC_ERR_OK;
}
