/* What the store must be, judged by the functions of proto alone: every log is replayed. */
#include "host_fixture.h"

#include "proto/ac.h"
#include "proto/change.h"
#include "proto/record.h"
#include "proto/sha256.h"
#include "services/state.h"
#include "store/read.h"

#include <stdlib.h>

/* ---- every row of every table ---- */

static void feed(uint8_t digest32[32], struct enc_bytes bytes)
{
    uint8_t len8[8];
    enc_be64_put(len8, bytes.len);
    const struct enc_bytes parts[] = {enc_bytes_of(digest32, 32), enc_bytes_of(len8, 8), bytes};
    enc_sha256_parts(digest32, parts, 3);
}

static void dump_table(uint8_t digest32[32], struct enc_snap *snap, enum enc_table table)
{
    struct enc_scan scan;
    struct enc_bytes key, value;
    enc_scan_start(&scan, snap, table, false);
    scan.any_shape = true;
    enc_row_key_u8(&scan.low, 0);
    enc_row_key_top(&scan.high);
    while (enc_scan_step(&scan, &key, &value)) {
        feed(digest32, key);
        feed(digest32, value);
    }
    cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_OK);
}

void rig_dump(struct rig *rig, uint8_t out32[32])
{
    struct enc_snap *snap = NULL;
    memset(out32, 0, 32);
    cr_assert_eq(enc_snap_open(enc_data_shard_at(rig->data, 0), &snap), ENC_ERR_OK);
    for (unsigned table = 0; table < ENC_TABLE_COUNT; table++)
        dump_table(out32, snap, (enum enc_table)table);
    enc_snap_close(snap);
}

/* ---- one log ---- */

enum { TYPES_MAX = 64 };

struct replay {
    struct rig *rig;
    struct enc_snap *snap;
    struct enc_arena arena;
    struct enc_smt tree;
    struct enc_smt_root empty;
    struct enc_manifest manifest;
    struct enc_gates gates;
    struct enc_frontier ct;
    struct enc_frontier bundle;
    enum enc_status status;
    uint64_t ord, next_seq, last_ms, bundle_first_ms;
    struct {
        struct enc_bytes type;
        uint64_t count;
    } types[TYPES_MAX];
    size_t type_count;
};

static enum enc_err get_roles(void *self, struct enc_roles *out, const uint8_t identity32[32])
{
    struct replay *r = (struct replay *)self;
    struct enc_smt_value value;
    uint8_t key21[21];
    *out = (struct enc_roles){{0}};
    enc_smt_key(key21, ENC_SMT_RBAC, identity32);
    ENC_TRY(enc_smt_get(&r->tree, &value, key21));
    if (value.len == 32)
        *out = enc_roles_decode(value.data);
    return ENC_ERR_OK;
}

static void set_roles(struct replay *r, const uint8_t identity32[32], const struct enc_roles *roles)
{
    uint8_t key21[21], value32[32];
    enc_smt_key(key21, ENC_SMT_RBAC, identity32);
    enc_roles_encode(value32, roles);
    enum enc_err err = enc_roles_are_none(roles)
                           ? enc_smt_remove(&r->tree, key21)
                           : enc_smt_set(&r->tree, key21, enc_bytes_of(value32, 32));
    cr_assert_eq(err, ENC_ERR_OK);
}

static void apply_manifest(struct replay *r, const struct enc_event *event)
{
    uint8_t id32[32];
    cr_assert_eq(
        enc_manifest_parse(&r->manifest, &r->arena, &r->arena, event->commit.content, NULL),
        ENC_ERR_OK);
    enc_enclave_id(id32, &event->commit);
    cr_assert_arr_eq(id32, event->commit.enclave32, 32);
    for (uint32_t i = 0; i < r->manifest.initial_count; i++)
        set_roles(r, r->manifest.initial[i].identity32, &r->manifest.initial[i].roles);
}

static void apply_ac(struct replay *r, const struct enc_event *event)
{
    struct enc_roles_source source = {get_roles, r};
    struct enc_ac_plan plan;
    struct enc_ac_input input = {.manifest = &r->manifest,
                                 .commit = &event->commit,
                                 .gates = &r->gates,
                                 .roles = &source,
                                 .endpoints = {true, true},
                                 .has_push = true};
    cr_assert_eq(enc_ac_rbac(&r->arena, &input), ENC_ERR_OK);
    cr_assert_eq(enc_ac_plan(&plan, &r->arena, &input), ENC_ERR_OK);
    for (size_t i = 0; i < plan.change_count; i++)
        set_roles(r, plan.changes[i].identity32, &plan.changes[i].after);
    if (plan.gates)
        r->gates = *plan.gates;
}

static void apply_change(struct replay *r, const struct enc_event *event)
{
    const uint8_t gone = 0;
    uint8_t id32[32], key21[21];
    uint64_t seq = 0;
    struct enc_smt_value value;
    cr_assert(enc_commit_target(&event->commit, id32));
    cr_assert_eq(enc_snap_seq_by_id(r->snap, &seq, r->ord, id32), ENC_ERR_OK);
    cr_assert_lt(seq, event->seq);
    enc_smt_key(key21, ENC_SMT_EVENT_STATUS, id32);
    cr_assert_eq(enc_smt_get(&r->tree, &value, key21), ENC_ERR_OK);
    cr_assert_neq(value.len, 1, "nothing follows a Delete");
    bool is_delete = enc_type_of(event->commit.type) == ENC_TYPE_DELETE;
    struct enc_bytes status = is_delete ? enc_bytes_of(&gone, 1) : enc_bytes_of(event->id32, 32);
    cr_assert_eq(enc_smt_set(&r->tree, key21, status), ENC_ERR_OK);
}

static void apply(struct replay *r, const struct enc_event *event)
{
    enum enc_type type = enc_type_of(event->commit.type);
    cr_assert_eq(type == ENC_TYPE_MANIFEST, event->seq == 0);
    if (type != ENC_TYPE_MANIFEST)
        cr_assert_eq(enc_lifecycle_check(r->status, type), ENC_ERR_OK);
    r->status = enc_lifecycle_next(r->status, type);
    switch (enc_type_row(type)->family) {
    case ENC_FAMILY_MANIFEST:
        apply_manifest(r, event);
        break;
    case ENC_FAMILY_AC:
        apply_ac(r, event);
        break;
    case ENC_FAMILY_CHANGE:
        apply_change(r, event);
        break;
    default:
        break;
    }
}

static void count_type(struct replay *r, const struct enc_event *event)
{
    size_t i = 0;
    while (i < r->type_count && !enc_bytes_equal(r->types[i].type, event->commit.type))
        i++;
    cr_assert_lt(i, TYPES_MAX);
    if (i == r->type_count)
        r->types[r->type_count++].type = event->commit.type;
    cr_assert_eq(event->type_seq, ++r->types[i].count);
}

/* The bundle that stands in the store under this number; whether event is its last. */
static bool ends_bundle(struct replay *r, const struct enc_event *event,
                        struct enc_ct_leaf_row *row)
{
    enum enc_err err = enc_snap_ct_leaf(r->snap, row, r->ord, r->ct.count);
    if (err == ENC_ERR_LEAF_NOT_FOUND)
        return false;
    cr_assert_eq(err, ENC_ERR_OK);
    return event->seq == row->first_seq + row->count - 1;
}

static void close_bundle(struct replay *r, const struct enc_ct_leaf_row *row)
{
    uint8_t hash32[32], leaf32[32];
    cr_assert_eq(row->count, r->bundle.count);
    enc_frontier_root(&r->bundle, hash32);
    cr_assert_arr_eq(hash32, row->events_root32, 32);
    enc_smt_root_hash(&r->tree, hash32);
    cr_assert_arr_eq(hash32, row->state_hash32, 32);
    cr_assert_geq(row->closed_ms, r->last_ms);
    bool is_full = row->count == r->manifest.bundle_size || enc_status_is_final(r->status);
    bool is_old = r->manifest.bundle_timeout_ms > 0 &&
                  row->closed_ms - r->bundle_first_ms >= r->manifest.bundle_timeout_ms;
    cr_assert(is_full || is_old, "a bundle closes for a reason");
    r->last_ms = row->closed_ms;
    enc_ct_leaf(leaf32, row->events_root32, row->state_hash32);
    cr_assert_eq(enc_frontier_add(&r->ct, NULL, leaf32), ENC_ERR_OK);
    r->bundle = (struct enc_frontier){.count = 0};
}

static void add_to_bundle(struct replay *r, const struct enc_event *event)
{
    struct enc_ct_leaf_row row;
    uint64_t timeout_ms = r->manifest.bundle_timeout_ms;
    if (r->bundle.count == 0)
        r->bundle_first_ms = event->timestamp_ms;
    cr_assert(timeout_ms == 0 || event->timestamp_ms - r->bundle_first_ms < timeout_ms,
              "no event joins a bundle whose time is over");
    cr_assert_eq(event->bundle, r->ct.count);
    cr_assert_eq(enc_frontier_add(&r->bundle, NULL, event->id32), ENC_ERR_OK);
    bool ends = ends_bundle(r, event, &row);
    bool must = r->bundle.count == r->manifest.bundle_size || enc_status_is_final(r->status);
    cr_assert(ends || !must, "a full bundle is closed at once");
    if (ends)
        close_bundle(r, &row);
}

static void replay_event(struct replay *r, struct enc_bytes record)
{
    struct enc_event event;
    cr_assert_eq(enc_record_take(&event, &r->arena, record), ENC_ERR_OK);
    cr_assert_eq(enc_event_check(&event, r->rig->curve, r->rig->node.pub32), ENC_EVENT_SOUND);
    cr_assert_eq(event.seq, r->next_seq++);
    cr_assert_geq(event.timestamp_ms, r->last_ms);
    r->last_ms = event.timestamp_ms;
    count_type(r, &event);
    apply(r, &event);
    add_to_bundle(r, &event);
}

static void compare_head(struct replay *r, const uint8_t enclave32[32])
{
    struct enc_bytes record;
    struct enc_state state;
    uint8_t mine32[32], its32[32];
    cr_assert_eq(enc_snap_head(r->snap, &record, r->ord), ENC_ERR_OK);
    cr_assert_eq(enc_state_decode(&state, &r->arena, record), ENC_ERR_OK);
    cr_assert_arr_eq(state.enclave32, enclave32, 32);
    cr_assert_eq(state.next_seq, r->next_seq);
    cr_assert_eq(state.last_ms, r->last_ms);
    cr_assert_eq(state.status, r->status);
    cr_assert_eq(state.ct.count, r->ct.count);
    cr_assert_eq(state.bundle.count, r->bundle.count);
    cr_assert_eq(state.gates.count, r->gates.count);
    enc_smt_root_hash(&r->tree, mine32);
    cr_assert_arr_eq(mine32, state.smt.hash32, 32);
    cr_assert_eq(enc_smt_count(&r->tree), state.smt.count);
    enc_frontier_root(&r->ct, mine32);
    enc_frontier_root(&state.ct, its32);
    cr_assert_arr_eq(mine32, its32, 32);
    if (state.sth.ts > 0)
        cr_assert(enc_sth_verify(r->rig->curve, &state.sth, r->rig->node.pub32));
    cr_assert_eq(state.sth.ts, state.ct.count);
}

static void replay_enclave(struct rig *rig, struct enc_snap *snap,
                           const struct enc_enclave_found *found)
{
    struct enc_scan scan;
    struct enc_event_found event;
    struct replay *r = (struct replay *)calloc(1, sizeof *r);
    *r = (struct replay){.rig = rig, .snap = snap, .ord = found->ord};
    enc_arena_init(&r->arena, &rig->chunks, SIZE_MAX / 4);
    r->empty = enc_smt_root_empty();
    enc_smt_init(&r->tree, &r->arena, NULL, &r->empty);
    enc_scan_events(&scan, snap, found->ord, (struct enc_range){0, UINT64_MAX, false});
    while (enc_scan_event(&scan, &event))
        replay_event(r, event.record);
    cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_OK);
    compare_head(r, found->enclave32);
    enc_arena_fini(&r->arena);
    free(r);
}

static void tell_flaw(void *opaque, const struct enc_store_flaw *flaw)
{
    (void)opaque;
    cr_log_error("table %u: %s", flaw->table, flaw->what);
}

void rig_check(struct rig *rig)
{
    struct enc_snap *snap = NULL;
    struct enc_scan scan;
    struct enc_enclave_found found;
    uint64_t flaws = 0;
    cr_assert_eq(enc_snap_open(enc_data_shard_at(rig->data, 0), &snap), ENC_ERR_OK);
    cr_assert_eq(enc_store_verify(snap, &flaws, tell_flaw, NULL), ENC_ERR_OK);
    cr_assert_eq(flaws, 0);
    enc_scan_enclaves(&scan, snap, (struct enc_range){0, UINT64_MAX, false});
    while (enc_scan_enclave(&scan, &found))
        replay_enclave(rig, snap, &found);
    cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_OK);
    enc_snap_close(snap);
}
