#include "store/tree.h"
#include "store/engine.h"
#include "store/op.h"
#include "store/read.h"
#include "store/tile.h"

enum { LEAF_LEN = 84 };

static void key_of_smt(struct enc_row_key *key, uint64_t ord, uint64_t version, uint32_t index)
{
    enc_row_key_numbered(key, ord, version);
    enc_row_key_u32(key, index);
}

static void key_of_tile(struct enc_row_key *key, uint64_t ord, const struct enc_tile_place *place)
{
    enc_row_key_init(key);
    enc_row_key_u64(key, ord);
    enc_row_key_u8(key, place->band);
    enc_row_key_u64(key, place->tile);
}

static void leaf_write(uint8_t out[LEAF_LEN], const struct enc_ct_leaf_row *row)
{
    memcpy(out, row->events_root32, 32);
    memcpy(out + 32, row->state_hash32, 32);
    enc_be64_put(out + 64, row->first_seq);
    enc_be32_put(out + 72, row->count);
    enc_be64_put(out + 76, row->closed_ms);
}

static void leaf_read(struct enc_ct_leaf_row *row, const uint8_t in[LEAF_LEN])
{
    memcpy(row->events_root32, in, 32);
    memcpy(row->state_hash32, in + 32, 32);
    row->first_seq = enc_be64_get(in + 64);
    row->count = enc_be32_get(in + 72);
    row->closed_ms = enc_be64_get(in + 76);
}

void enc_put_smt_node(struct enc_writeset *set, uint64_t ord, uint64_t version, uint32_t index,
                      struct enc_bytes record)
{
    struct enc_row_key key;
    key_of_smt(&key, ord, version, index);
    enc_op_put(set, ENC_TABLE_SMT_NODE, &key, record);
}

void enc_del_smt_node(struct enc_writeset *set, uint64_t ord, uint64_t version, uint32_t index)
{
    struct enc_row_key key;
    key_of_smt(&key, ord, version, index);
    enc_op_del(set, ENC_TABLE_SMT_NODE, &key);
}

void enc_put_ct_leaf(struct enc_writeset *set, uint64_t ord, uint64_t leaf,
                     const struct enc_ct_leaf_row *row)
{
    struct enc_row_key key;
    uint8_t value[LEAF_LEN];
    enc_row_key_numbered(&key, ord, leaf);
    leaf_write(value, row);
    enc_op_put_copy(set, ENC_TABLE_CT_LEAF, &key, enc_bytes_of(value, sizeof value));
}

void enc_put_ct_node(struct enc_writeset *set, uint64_t ord, uint8_t level, uint64_t index,
                     const uint8_t hash32[32])
{
    struct enc_row_key key;
    struct enc_tile_place place = enc_tile_place_of(level, index);
    key_of_tile(&key, ord, &place);
    enc_op_put_slot(set, &key, place.slot, hash32);
}

enum enc_err enc_snap_smt_node(struct enc_snap *snap, struct enc_bytes *record, uint64_t ord,
                               uint64_t version, uint32_t index)
{
    struct enc_row_key key;
    key_of_smt(&key, ord, version, index);
    return enc_snap_get(snap, record, ENC_TABLE_SMT_NODE, &key, ENC_ERR_INTERNAL);
}

enum enc_err enc_snap_smt_count(struct enc_snap *snap, uint64_t *count, uint64_t ord)
{
    struct enc_scan scan;
    struct enc_bytes key;
    struct enc_bytes value;
    enc_scan_start(&scan, snap, ENC_TABLE_SMT_NODE, false);
    key_of_smt(&scan.low, ord, 0, 0);
    key_of_smt(&scan.high, ord, UINT64_MAX, UINT32_MAX);
    for (*count = 0; enc_scan_step(&scan, &key, &value);)
        ++*count;
    return enc_scan_fini(&scan);
}

enum enc_err enc_snap_ct_leaf(struct enc_snap *snap, struct enc_ct_leaf_row *out, uint64_t ord,
                              uint64_t leaf)
{
    struct enc_row_key key;
    struct enc_bytes value;
    enc_row_key_numbered(&key, ord, leaf);
    ENC_TRY(enc_snap_get(snap, &value, ENC_TABLE_CT_LEAF, &key, ENC_ERR_LEAF_NOT_FOUND));
    leaf_read(out, value.data);
    return ENC_ERR_OK;
}

static enum enc_err see_tile(struct enc_snap *snap, struct enc_tile_seen *seen, uint64_t ord,
                             const struct enc_tile_place *place)
{
    struct enc_row_key key;
    key_of_tile(&key, ord, place);
    *seen = (struct enc_tile_seen){.ord = ord, .tile = place->tile};
    return enc_snap_get(snap, &seen->row, ENC_TABLE_CT_NODE, &key, ENC_ERR_INTERNAL);
}

enum enc_err enc_snap_ct_node(struct enc_snap *snap, uint8_t hash32[32], uint64_t ord,
                              uint8_t level, uint64_t index)
{
    struct enc_tile_place place = enc_tile_place_of(level, index);
    struct enc_tile_seen *seen = &snap->tiles[place.band];
    if (!seen->row.data || seen->ord != ord || seen->tile != place.tile)
        ENC_TRY(see_tile(snap, seen, ord, &place));
    if (!enc_tile_has(seen->row, place.slot))
        return ENC_ERR_INTERNAL;
    memcpy(hash32, seen->row.data + (size_t)place.slot * 32, 32);
    return ENC_ERR_OK;
}

void enc_scan_ct_leaves(struct enc_scan *scan, struct enc_snap *snap, uint64_t ord,
                        struct enc_range leaves)
{
    enc_scan_start_numbered(scan, snap, ENC_TABLE_CT_LEAF, ord, leaves);
}

bool enc_scan_ct_leaf(struct enc_scan *scan, struct enc_ct_leaf_found *out)
{
    struct enc_bytes key;
    struct enc_bytes value;
    if (!enc_scan_step(scan, &key, &value))
        return false;
    out->leaf = enc_key_tail64(key);
    leaf_read(&out->row, value.data);
    return true;
}
