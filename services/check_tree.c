#include "services/check_tree.h"

#include "proto/cbor.h"

struct walk {
    struct enc_snap *snap;
    uint64_t ord;
    struct enc_smt *rebuilt;
    uint8_t empty32[32];
    uint64_t leaf_count;
    uint64_t node_count;
    const char *flaw;
    enum enc_err err;
};

static bool fail(struct walk *walk, const char *flaw)
{
    walk->flaw = flaw;
    return false;
}

/* The hash of what hangs at depth from, seen from depth to: EMPTY beside it on every level. */
static void lift(const struct walk *walk, uint8_t hash32[32], const uint8_t key21[21],
                 unsigned from, unsigned to)
{
    while (from > to) {
        from--;
        enc_smt_climb(hash32, walk->empty32, enc_smt_bit(key21, from));
    }
}

static bool load(struct walk *walk, struct enc_smt_node *node, struct enc_smt_ref ref)
{
    struct enc_bytes record;
    if (enc_snap_smt_node(walk->snap, &record, walk->ord, ref.version, ref.index) != ENC_ERR_OK)
        return fail(walk, "a node of the state tree is missing");
    walk->node_count++;
    return enc_smt_node_decode(node, record) == ENC_ERR_OK ||
           fail(walk, "a node of the state tree cannot be read");
}

static bool walk_leaf(struct walk *walk, uint8_t hash32[32], const struct enc_smt_node *node)
{
    struct enc_smt_value want;
    struct enc_bytes value = enc_bytes_of(node->value.data, node->value.len);
    walk->err = enc_smt_get(walk->rebuilt, &want, node->key21);
    if (walk->err != ENC_ERR_OK)
        return false;
    walk->leaf_count++;
    enc_h_smt_leaf(hash32, node->key21, value);
    return enc_bytes_equal(value, enc_bytes_of(want.data, want.len)) ||
           fail(walk, "a leaf of the state tree has another value");
}

static bool walk_at(struct walk *walk, uint8_t hash32[32], struct enc_smt_ref ref, unsigned top);

/* Both sides, each lifted to just below the branch, must be what the branch says they are. */
static bool walk_branch(struct walk *walk, uint8_t hash32[32], const struct enc_smt_node *node)
{
    uint8_t sides32[2][32];
    for (unsigned i = 0; i < 2; i++) {
        const struct enc_smt_link *link = &node->side[i];
        if (!walk_at(walk, sides32[i], link->ref, node->bit + 1U))
            return false;
        if (memcmp(sides32[i], link->hash32, 32) != 0)
            return fail(walk, "a node of the state tree has another hash");
    }
    memcpy(hash32, sides32[0], 32);
    enc_smt_climb(hash32, sides32[1], false);
    return true;
}

/* The hash of what hangs under ref, seen from depth top. Branches lie ever deeper, so this ends. */
static bool walk_at(struct walk *walk, uint8_t hash32[32], struct enc_smt_ref ref, unsigned top)
{
    struct enc_smt_node node;
    if (!load(walk, &node, ref))
        return false;
    unsigned depth = node.is_leaf ? ENC_SMT_DEPTH : node.bit;
    if (depth < top)
        return fail(walk, "a node of the state tree hangs in the wrong place");
    bool is_good = node.is_leaf ? walk_leaf(walk, hash32, &node) : walk_branch(walk, hash32, &node);
    if (is_good)
        lift(walk, hash32, node.key21, depth, top);
    return is_good;
}

/* A node that was replaced is deleted with it, so there are no others than those of the tree. */
static bool count_nodes(struct walk *walk)
{
    uint64_t count = 0;
    walk->err = enc_snap_smt_count(walk->snap, &count, walk->ord);
    return walk->err == ENC_ERR_OK &&
           (count == walk->node_count || fail(walk, "nodes of the state tree hang nowhere"));
}

enum enc_err enc_check_tree(const char **flaw, struct enc_snap *snap, const struct enc_state *state,
                            struct enc_smt *rebuilt)
{
    uint8_t hash32[32];
    struct enc_smt_root empty = enc_smt_root_empty();
    struct walk walk = {.snap = snap, .ord = state->ord, .rebuilt = rebuilt};
    memcpy(walk.empty32, empty.hash32, 32);
    memcpy(hash32, empty.hash32, 32);
    bool is_empty = state->smt.ref.version == 0;
    bool is_good = is_empty || walk_at(&walk, hash32, state->smt.ref, 0);
    if (is_good && walk.leaf_count != state->smt.count)
        is_good = fail(&walk, "the state tree has another number of leaves");
    if (is_good && memcmp(hash32, state->smt.hash32, 32) != 0)
        is_good = fail(&walk, "the state tree has another root");
    if (is_good)
        count_nodes(&walk);
    *flaw = walk.flaw;
    return walk.err;
}
