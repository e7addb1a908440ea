#include "timeline_fixture.h"

#include "proto/sha256.h"
#include "services/timeline.h"

#include <stdio.h>

void timeline_open(struct rig *rig, uint64_t seed)
{
    rig_init(rig, seed);
    rig->config.bootstrap_open = true;
    rig_start(rig);
    rig_turn_to(rig, &ENC_SERVICE_TIMELINE);
}

const char *timeline_manifest(struct rig *rig, const char *owners)
{
    const char *schema = ENC_SERVICE_TIMELINE.enclave.schema.fixed_json;
    return rig_text(rig,
                    "{\"enc_v\":1,\"RBAC\":%.*s,\"initial_state\":{\"Owner\":[%s]}},"
                    "\"meta\":{\"nonce\":\"%zu\"}}",
                    (int)strlen(schema) - 1, schema, owners, rig->call_count);
}

const uint8_t *timeline_create(struct rig *rig)
{
    const char *owner = rig_text(rig, "\"%s\"", rig_hex(rig, rig->keys[OWNER].pub32, 32));
    struct enc_commit commit = rig_sign_manifest(rig, timeline_manifest(rig, owner));
    struct enc_call *call = rig_post(rig, "/", rig_commit_json(rig, &commit));
    cr_assert_eq(call->status, 200, "%.300s", call->body);
    return enc_arena_copy(&rig->arena, enc_bytes_of(commit.enclave32, 32)).data;
}

const struct enc_json *timeline_get(struct rig *rig, const uint8_t enclave32[32],
                                    const char *action)
{
    struct enc_call *call = rig_get(rig, rig_path(rig, enclave32, action));
    cr_assert_eq(call->status, 200, "%s: %.300s", action, call->body);
    return call_json(call);
}

const struct enc_json *json_at(const struct enc_json *object, const char *name, size_t index)
{
    const struct enc_json *list = enc_json_get(object, name);
    cr_assert(list && list->kind == ENC_JSON_ARRAY && index < list->count, "%s[%zu]", name, index);
    const struct enc_json *at = list->child;
    for (; index > 0; index--)
        at = at->next;
    return at;
}

/* ---- folding ---- */

void fold_begin(struct fold *fold, struct rig *rig, const uint8_t own32[32], uint64_t ord)
{
    *fold = (struct fold){.store = enc_data_shard(rig->data, own32), .ord = ord};
    fold->chunks = &rig->chunks;
    memcpy(fold->own32, own32, 32);
    enc_arena_init(&fold->arena, fold->chunks, SIZE_MAX / 4);
    cr_assert_eq(enc_snap_open(fold->store, &fold->snap), ENC_ERR_OK);
    enc_writeset_init(&fold->set, &fold->arena);
    enc_rows_init(&fold->rows, &fold->arena, fold->snap, &fold->set, ord);
}

static void name_event(struct folded *event)
{
    uint8_t seq8[8];
    enc_be64_put(seq8, event->seq);
    const struct enc_bytes parts[] = {enc_bytes_of(event->enclave32, 32), enc_bytes_of(seq8, 8)};
    enc_sha256_parts(event->id32, parts, 2);
}

static struct enc_event event_of(struct fold *fold, const struct folded *folded)
{
    struct enc_event event = {.seq = folded->seq, .timestamp_ms = folded->timestamp_ms};
    event.commit.type = enc_bytes_of_text(folded->type);
    event.commit.content = enc_bytes_of_text(folded->content ? folded->content : "");
    memcpy(event.commit.enclave32, folded->enclave32, 32);
    memcpy(event.commit.from32, folded->from32, 32);
    memcpy(event.id32, folded->id32, 32);
    if (folded->target32) {
        struct enc_bytes *members = ENC_ARENA_NEW(&fold->arena, struct enc_bytes, 2);
        struct enc_tag *tag = ENC_ARENA_NEW(&fold->arena, struct enc_tag, 1);
        char *hex = (char *)enc_arena_take(&fold->arena, 65);
        for (size_t i = 0; i < 32; i++)
            snprintf(hex + 2 * i, 3, "%02x", folded->target32[i]);
        members[0] = ENC_LIT("r");
        members[1] = enc_bytes_of(hex, 64);
        *tag = (struct enc_tag){members, 2};
        event.commit.tags = (struct enc_tags){tag, 1};
    }
    return event;
}

void fold_event(struct fold *fold, struct folded *folded)
{
    name_event(folded);
    struct enc_event event = event_of(fold, folded);
    struct enc_fact fact = {
        .rows = &fold->rows,
        .arena = &fold->arena,
        .own32 = fold->own32,
        .commit = &event.commit,
        .event = &event,
    };
    cr_assert_eq(enc_dataview_project(&ENC_TIMELINE_VIEW, &fold->rows, &fact), ENC_ERR_OK);
}

void fold_apply(struct fold *fold)
{
    struct enc_apply_facts facts = {.culprit = SIZE_MAX};
    const struct enc_writeset *sets[] = {&fold->set};
    cr_assert(enc_writeset_ok(&fold->set));
    enc_snap_close(fold->snap);
    cr_assert_eq(enc_store_apply(fold->store, &facts, sets, 1), ENC_OUTCOME_OK);
    enc_arena_fini(&fold->arena);
}

uint64_t ord_of(struct rig *rig, const uint8_t enclave32[32])
{
    struct enc_snap *snap = NULL;
    struct enc_enclave_row row;
    cr_assert_eq(enc_snap_open(enc_data_shard(rig->data, enclave32), &snap), ENC_ERR_OK);
    cr_assert_eq(enc_snap_enclave(snap, &row, enclave32), ENC_ERR_OK);
    enc_snap_close(snap);
    return row.ord;
}

static void add_view(struct enc_buffer *out, struct enc_snap *snap, struct enc_view view,
                     size_t *count)
{
    struct enc_scan scan;
    struct enc_row_found row;
    uint8_t head[12];
    struct enc_row_range range = {.view = view};
    enc_scan_rows(&scan, snap, &range);
    for (; enc_scan_row(&scan, &row); (*count)++) {
        enc_be32_put(head, view.number);
        enc_be32_put(head + 4, (uint32_t)row.key.len);
        enc_be32_put(head + 8, (uint32_t)row.value.len);
        enc_buffer_add(out, enc_bytes_of(head, sizeof head));
        enc_buffer_add(out, row.key);
        enc_buffer_add(out, row.value);
    }
    cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_OK);
}

struct enc_bytes rows_of(struct rig *rig, uint64_t ord, uint32_t first, size_t *count)
{
    enum { VIEWS = 64 };
    struct enc_snap *snap = NULL;
    struct enc_buffer buffer;
    struct enc_bytes bytes;
    size_t unused = 0;
    enc_buffer_init(&buffer, &rig->arena, SIZE_MAX / 4);
    cr_assert_eq(enc_snap_open(enc_data_shard_at(rig->data, 0), &snap), ENC_ERR_OK);
    for (uint32_t view = first; view < first + VIEWS; view++)
        add_view(&buffer, snap, (struct enc_view){ord, view}, count ? count : &unused);
    enc_snap_close(snap);
    cr_assert_eq(enc_buffer_bytes(&buffer, &bytes), ENC_ERR_OK);
    return bytes;
}
