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
