#include "services/tree.h"

static enum enc_err load_node(void *self, struct enc_bytes *record, struct enc_smt_ref ref)
{
    const struct enc_tree_source *source = (const struct enc_tree_source *)self;
    return enc_snap_smt_node(source->snap, record, source->ord, ref.version, ref.index);
}

static enum enc_err load_subtree(void *self, uint8_t hash32[32], unsigned level, uint64_t index)
{
    const struct enc_tree_source *source = (const struct enc_tree_source *)self;
    return enc_snap_ct_node(source->snap, hash32, source->ord, (uint8_t)level, index);
}

void enc_tree_source_init(struct enc_tree_source *source, struct enc_snap *snap, uint64_t ord)
{
    *source = (struct enc_tree_source){
        .snap = snap,
        .ord = ord,
        .nodes = {.load = load_node, .self = source},
        .subtrees = {.load = load_subtree, .self = source},
    };
}

static enum enc_err put_node(void *self, struct enc_smt_ref ref, struct enc_bytes record)
{
    const struct enc_tree_sink *sink = (const struct enc_tree_sink *)self;
    struct enc_bytes copy = enc_arena_copy(sink->set->arena, record);
    if (!copy.data)
        return ENC_ERR_INTERNAL;
    enc_put_smt_node(sink->set, sink->ord, ref.version, ref.index, copy);
    return ENC_ERR_OK;
}

static enum enc_err drop_node(void *self, struct enc_smt_ref ref)
{
    const struct enc_tree_sink *sink = (const struct enc_tree_sink *)self;
    enc_del_smt_node(sink->set, sink->ord, ref.version, ref.index);
    return ENC_ERR_OK;
}

static enum enc_err put_subtree(void *self, unsigned level, uint64_t index,
                                const uint8_t hash32[32])
{
    const struct enc_tree_sink *sink = (const struct enc_tree_sink *)self;
    enc_put_ct_node(sink->set, sink->ord, (uint8_t)level, index, hash32);
    return ENC_ERR_OK;
}

void enc_tree_sink_init(struct enc_tree_sink *sink, struct enc_writeset *set, uint64_t ord)
{
    *sink = (struct enc_tree_sink){
        .set = set,
        .ord = ord,
        .nodes = {.put = put_node, .drop = drop_node, .self = sink},
        .subtrees = {.put = put_subtree, .self = sink},
    };
}

/* ---- the leaf of a state ---- */

enum { VIEW_LEAF_OF_STATE = 0 }; /* DataViews count from 1 */

void enc_put_leaf_of_state(struct enc_writeset *set, uint64_t ord, const uint8_t state_hash32[32],
                           uint64_t leaf)
{
    uint8_t be8[8];
    struct enc_view view = {.ord = ord, .number = VIEW_LEAF_OF_STATE};
    enc_be64_put(be8, leaf);
    struct enc_bytes value = enc_arena_copy(set->arena, enc_bytes_of(be8, 8));
    set->failed |= !value.data;
    if (value.data)
        enc_put_row(set, view, enc_bytes_of(state_hash32, 32), value);
}

enum enc_err enc_snap_leaf_of_state(struct enc_snap *snap, bool *found, uint64_t *leaf,
                                    uint64_t ord, const uint8_t state_hash32[32])
{
    struct enc_bytes value;
    struct enc_view view = {.ord = ord, .number = VIEW_LEAF_OF_STATE};
    ENC_TRY(enc_snap_row(snap, found, &value, view, enc_bytes_of(state_hash32, 32)));
    if (*found && value.len != 8)
        return ENC_ERR_INTERNAL;
    *leaf = *found ? enc_be64_get(value.data) : 0;
    return ENC_ERR_OK;
}

static bool names_leaf(struct enc_snap *snap, uint64_t ord, const struct enc_row_found *row)
{
    struct enc_ct_leaf_row leaf;
    return row->key.len == 32 && row->value.len == 8 &&
           enc_snap_ct_leaf(snap, &leaf, ord, enc_be64_get(row->value.data)) == ENC_ERR_OK &&
           memcmp(leaf.state_hash32, row->key.data, 32) == 0;
}

enum enc_err enc_leaf_rows_check(struct enc_snap *snap, bool *is_sound, uint64_t ord)
{
    struct enc_scan scan;
    struct enc_row_found row;
    const struct enc_row_range all = {.view = {.ord = ord, .number = VIEW_LEAF_OF_STATE}};
    *is_sound = true;
    enc_scan_rows(&scan, snap, &all);
    while (*is_sound && enc_scan_row(&scan, &row))
        *is_sound = names_leaf(snap, ord, &row);
    return enc_scan_fini(&scan);
}
