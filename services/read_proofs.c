/* Proofs for those who may read: inclusion, bundle, state (protocol.md 7.4, 8.6). */
#include "proto/proof_json.h"
#include "proto/record.h"
#include "services/read.h"

/* R on at least one event type; Self counts as false (16.30). */
static enum enc_err may_read_any(const struct enc_read *read)
{
    struct enc_context context = {.self = false, .authenticated = read->exchange->reader.is_known};
    bool may = enc_rbac_reads_any(read->manifest, &read->roles, context);
    return may ? ENC_ERR_OK : ENC_ERR_UNAUTHORIZED;
}

static enum enc_err find_event(struct enc_read *read, struct enc_event *event,
                               const uint8_t id32[32])
{
    struct enc_bytes record;
    struct enc_event_place place = {.ord = read->state.ord};
    ENC_TRY(enc_snap_seq_by_id(read->snap, &place.seq, place.ord, id32));
    ENC_TRY(enc_snap_event(read->snap, &record, place));
    return enc_record_peek(event, record);
}

static enum enc_err bundled(const struct enc_read *read, const struct enc_event *event)
{
    return event->bundle < read->state.ct.count ? ENC_ERR_OK : ENC_ERR_NOT_BUNDLED;
}

/* ---- inclusion ---- */

static enum enc_err wanted_leaf(struct enc_read *read, uint64_t *leaf,
                                const struct enc_inclusion_request *request)
{
    struct enc_event event;
    *leaf = request->leaf_index;
    if (!request->by_event)
        return ENC_ERR_OK;
    ENC_TRY(find_event(read, &event, request->event_id32));
    *leaf = event.bundle;
    return bundled(read, &event);
}

enum enc_err enc_read_inclusion(struct enc_read *read, struct enc_buffer *out,
                                const struct enc_json *content)
{
    struct enc_inclusion_request request;
    struct enc_inclusion proof;
    struct enc_ct_leaf_row row;
    ENC_TRY(enc_inclusion_request_take(&request, content));
    ENC_TRY(may_read_any(read));
    ENC_TRY(wanted_leaf(read, &proof.index, &request));
    ENC_TRY(enc_inclusion_bounds(&proof.size, &request, proof.index, read->state.ct.count));
    ENC_TRY(enc_snap_ct_leaf(read->snap, &row, read->state.ord, proof.index));
    memcpy(proof.events_root32, row.events_root32, 32);
    memcpy(proof.state_hash32, row.state_hash32, 32);
    ENC_TRY(enc_path_build(&proof.path, &read->source.subtrees, proof.index, proof.size));
    enc_inclusion_put(out, &proof);
    return ENC_ERR_OK;
}

/* ---- bundle ---- */

static enum enc_err collect_ids(struct enc_read *read, uint8_t **ids32,
                                const struct enc_ct_leaf_row *row)
{
    struct enc_scan scan;
    struct enc_event_found found;
    struct enc_event event;
    uint64_t count = 0;
    struct enc_range range = {.first = row->first_seq, .last = row->first_seq + row->count - 1};
    *ids32 = (uint8_t *)enc_arena_take(&read->exchange->arena, (size_t)row->count * 32);
    if (!*ids32)
        return ENC_ERR_TOO_LARGE;
    enum enc_err err = ENC_ERR_OK;
    enc_scan_events(&scan, read->snap, read->state.ord, range);
    while (err == ENC_ERR_OK && count < row->count && enc_scan_event(&scan, &found)) {
        err = enc_record_peek(&event, found.record);
        memcpy(*ids32 + 32 * count++, event.id32, 32);
    }
    enum enc_err end = enc_scan_fini(&scan);
    if (err != ENC_ERR_OK || end != ENC_ERR_OK)
        return err != ENC_ERR_OK ? err : end;
    return count == row->count ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err may_read_type(const struct enc_read *read, const struct enc_event *event)
{
    struct enc_context context = {.self = false, .authenticated = read->exchange->reader.is_known};
    bool may =
        enc_rbac_permits(read->manifest, &read->roles, event->commit.type, ENC_OP_READ, context);
    return may ? ENC_ERR_OK : ENC_ERR_UNAUTHORIZED;
}

enum enc_err enc_read_bundle(struct enc_read *read, struct enc_buffer *out,
                             const struct enc_json *content)
{
    uint8_t id32[32];
    uint8_t *ids32 = NULL;
    struct enc_event event;
    struct enc_ct_leaf_row row;
    struct enc_bundle_proof proof;
    ENC_TRY(enc_bundle_request_take(id32, content));
    ENC_TRY(may_read_any(read));
    ENC_TRY(find_event(read, &event, id32));
    ENC_TRY(may_read_type(read, &event));
    ENC_TRY(bundled(read, &event));
    ENC_TRY(enc_snap_ct_leaf(read->snap, &row, read->state.ord, event.bundle));
    ENC_TRY(collect_ids(read, &ids32, &row));
    ENC_TRY(enc_bundle_prove(&proof, ids32, event.seq - row.first_seq, row.count));
    enc_json_member_u64(out, "li", event.bundle);
    enc_json_member_hex(out, "events_root", enc_bytes_of(row.events_root32, 32));
    enc_bundle_proof_put(out, &proof);
    return ENC_ERR_OK;
}

/* ---- state ---- */

/* li: the newest leaf with this state, or null: the change is still in the open bundle. */
static enum enc_err put_leaf_index(struct enc_buffer *out, const struct enc_read *read)
{
    bool found = false;
    uint64_t leaf = 0;
    ENC_TRY(
        enc_snap_leaf_of_state(read->snap, &found, &leaf, read->state.ord, read->state.smt.hash32));
    if (found)
        enc_json_member_u64(out, "li", leaf);
    else
        enc_json_member_raw(out, "li", ENC_LIT("null"));
    return ENC_ERR_OK;
}

enum enc_err enc_read_state(struct enc_read *read, struct enc_buffer *out,
                            const struct enc_json *content)
{
    struct enc_state_request request;
    struct enc_smt_proof proof;
    uint8_t key21[21];
    ENC_TRY(enc_state_request_take(&request, content));
    ENC_TRY(may_read_any(read));
    enc_smt_key(key21, (enum enc_smt_namespace)request.space, request.key32);
    ENC_TRY(enc_smt_prove(&read->tree, &proof, key21));
    enc_smt_proof_put(out, &proof);
    enc_json_member_hex(out, "state_hash", enc_bytes_of(read->state.smt.hash32, 32));
    return put_leaf_index(out, read);
}
