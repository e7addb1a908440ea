#include "proto/smt.h"

#include "proto/cbor.h"
#include "proto/hashes.h"

struct enc_smt_root enc_smt_root_empty(void)
{
    struct enc_smt_root root = {.count = 0};
    memcpy(root.hash32, enc_empty32, 32);
    return root;
}

void enc_smt_init_depth(struct enc_smt *tree, struct enc_arena *arena,
                        const struct enc_smt_source *source, const struct enc_smt_root *root,
                        unsigned depth)
{
    ENC_CHECK(depth >= 1 && depth <= ENC_SMT_DEPTH);
    *tree = (struct enc_smt){.arena = arena, .source = source, .owner = 1, .depth = depth};
    tree->root.ref = root->ref;
    memcpy(tree->root.hash32, root->hash32, 32);
    tree->count = root->count;
}

void enc_smt_init(struct enc_smt *tree, struct enc_arena *arena,
                  const struct enc_smt_source *source, const struct enc_smt_root *root)
{
    enc_smt_init_depth(tree, arena, source, root, ENC_SMT_DEPTH);
}

/* Nodes of the old number are reachable from both trees, so from here on neither may edit them. */
struct enc_smt enc_smt_fork(struct enc_smt *tree)
{
    tree->owner++;
    return *tree;
}

uint64_t enc_smt_count(const struct enc_smt *tree)
{
    return tree->count;
}

static bool link_is_empty(const struct enc_smt_link *link)
{
    return !link->node && link->ref.version == 0;
}

static struct enc_smt_link link_to(struct enc_smt_node *node)
{
    return (struct enc_smt_link){.node = node, .hash_depth = ENC_SMT_UNHASHED};
}

static struct enc_smt_node *node_new(struct enc_smt *tree)
{
    struct enc_smt_node *node = ENC_ARENA_NEW(tree->arena, struct enc_smt_node, 1);
    if (node)
        node->owner = tree->owner;
    return node;
}

/* Bit at which a node stands: a leaf stands below all bits. */
static unsigned node_depth(const struct enc_smt *tree, const struct enc_smt_node *node)
{
    return node->is_leaf ? tree->depth : node->bit;
}

/* A stored node must hang where its parent says, else a broken store could lead in circles. */
static bool node_fits(const struct enc_smt *tree, const struct enc_smt_node *node,
                      const uint8_t key21[21], unsigned from)
{
    bool stands = node->is_leaf || (node->bit >= from && node->bit < tree->depth);
    return stands && enc_smt_split(node->key21, key21, from) == from;
}

/* Load what hangs at link; key21 leads there through its first from bits. */
static enum enc_err link_load(struct enc_smt *tree, struct enc_smt_link *link,
                              const uint8_t key21[21], unsigned from)
{
    if (link->node)
        return ENC_ERR_OK;
    struct enc_bytes record;
    ENC_TRY(tree->source->load(tree->source->self, &record, link->ref));
    struct enc_smt_node *node = ENC_ARENA_NEW(tree->arena, struct enc_smt_node, 1);
    if (!node)
        return ENC_ERR_INTERNAL;
    ENC_TRY(enc_smt_node_decode(node, record));
    if (!node_fits(tree, node, key21, from))
        return ENC_ERR_INTERNAL;
    link->node = node;
    return ENC_ERR_OK;
}

static enum enc_err ref_drop(struct enc_smt *tree, struct enc_smt_ref ref)
{
    if (ref.version == 0)
        return ENC_ERR_OK;
    struct enc_smt_gone *gone = ENC_ARENA_NEW(tree->arena, struct enc_smt_gone, 1);
    if (!gone)
        return ENC_ERR_INTERNAL;
    *gone = (struct enc_smt_gone){tree->gone, ref};
    tree->gone = gone;
    return ENC_ERR_OK;
}

/* Make the loaded node at link one that this tree may edit, and forget its hash. */
static enum enc_err link_own(struct enc_smt *tree, struct enc_smt_link *link)
{
    struct enc_smt_node *node = link->node;
    if (node->owner != tree->owner) {
        node = node_new(tree);
        if (!node)
            return ENC_ERR_INTERNAL;
        ENC_TRY(ref_drop(tree, link->ref));
        *node = *link->node;
        node->owner = tree->owner;
    }
    *link = link_to(node);
    return ENC_ERR_OK;
}

/* Where the path of a key ends: at an empty root, at a leaf or at a branch that it parts from. */
struct place {
    struct enc_smt_link *link;
    struct enc_smt_link *above; /* the branch over it, NULL at the root */
    unsigned split;             /* first bit that differs there; tree->depth: the key's own leaf */
};

static enum enc_err find(struct enc_smt *tree, struct place *place, const uint8_t key21[21],
                         bool own)
{
    *place = (struct place){.link = &tree->root};
    for (unsigned from = 0; !link_is_empty(place->link);) {
        ENC_TRY(link_load(tree, place->link, key21, from));
        const struct enc_smt_node *node = place->link->node;
        unsigned depth = node_depth(tree, node);
        place->split = enc_smt_split(node->key21, key21, depth);
        if (node->is_leaf || place->split < depth)
            break;
        if (own)
            ENC_TRY(link_own(tree, place->link));
        place->above = place->link;
        place->link = &place->link->node->side[enc_smt_bit(key21, depth)];
        from = depth + 1;
    }
    return ENC_ERR_OK;
}

static const struct enc_smt_value *value_at(const struct enc_smt *tree, const struct place *place)
{
    static const struct enc_smt_value none = {0};
    return place->split == tree->depth ? &place->link->node->value : &none;
}

enum enc_err enc_smt_get(struct enc_smt *tree, struct enc_smt_value *value, const uint8_t key21[21])
{
    struct place place;
    ENC_TRY(find(tree, &place, key21, false));
    *value = *value_at(tree, &place);
    return ENC_ERR_OK;
}

static void value_set(struct enc_smt_node *leaf, struct enc_bytes value)
{
    leaf->value.len = (uint8_t)value.len;
    memcpy(leaf->value.data, value.data, value.len);
}

static enum enc_err leaf_change(struct enc_smt *tree, struct enc_smt_link *link,
                                struct enc_bytes value)
{
    ENC_TRY(link_own(tree, link));
    value_set(link->node, value);
    return ENC_ERR_OK;
}

/*
 * Hang leaf and what was at the place below a new branch. What was there sinks, so its hash dies.
 */
static void branch_fill(struct enc_smt_node *branch, struct enc_smt_node *leaf,
                        const struct place *place)
{
    unsigned side = enc_smt_bit(leaf->key21, place->split);
    branch->bit = (uint8_t)place->split;
    enc_smt_prefix(branch->key21, leaf->key21, place->split);
    branch->side[side] = link_to(leaf);
    branch->side[!side] = *place->link;
    branch->side[!side].hash_depth = ENC_SMT_UNHASHED;
}

static enum enc_err leaf_insert(struct enc_smt *tree, struct place *place, const uint8_t key21[21],
                                struct enc_bytes value)
{
    struct enc_smt_node *leaf = node_new(tree);
    struct enc_smt_node *top = link_is_empty(place->link) ? leaf : node_new(tree);
    if (!leaf || !top)
        return ENC_ERR_INTERNAL;
    leaf->is_leaf = true;
    memcpy(leaf->key21, key21, ENC_SMT_KEY_LEN);
    value_set(leaf, value);
    if (top != leaf)
        branch_fill(top, leaf, place);
    *place->link = link_to(top);
    tree->count++;
    return ENC_ERR_OK;
}

enum enc_err enc_smt_set(struct enc_smt *tree, const uint8_t key21[21], struct enc_bytes value)
{
    ENC_CHECK(value.len >= 1 && value.len <= ENC_SMT_VALUE_MAX);
    struct place place;
    ENC_TRY(find(tree, &place, key21, false));
    const struct enc_smt_value *now = value_at(tree, &place);
    if (enc_bytes_equal(enc_bytes_of(now->data, now->len), value))
        return ENC_ERR_OK;
    ENC_TRY(find(tree, &place, key21, true));
    if (place.split == tree->depth)
        return leaf_change(tree, place.link, value);
    return leaf_insert(tree, &place, key21, value);
}

/* The other side of the branch over a leaf takes the branch's place. */
static enum enc_err sibling_load(struct enc_smt *tree, struct enc_smt_link **sibling,
                                 const struct place *place)
{
    struct enc_smt_node *branch = place->above->node;
    uint8_t key21[21];
    memcpy(key21, place->link->node->key21, ENC_SMT_KEY_LEN);
    key21[branch->bit / 8] ^= (uint8_t)(0x80u >> branch->bit % 8);
    *sibling = &branch->side[enc_smt_bit(key21, branch->bit)];
    return link_load(tree, *sibling, key21, branch->bit + 1u);
}

static enum enc_err leaf_remove(struct enc_smt *tree, struct place *place)
{
    struct enc_smt_link *sibling = NULL;
    if (place->above)
        ENC_TRY(sibling_load(tree, &sibling, place));
    ENC_TRY(ref_drop(tree, place->link->ref));
    if (sibling) {
        *place->above = *sibling;
    } else {
        tree->root = (struct enc_smt_link){0};
        memcpy(tree->root.hash32, enc_empty32, 32);
    }
    tree->count--;
    return ENC_ERR_OK;
}

enum enc_err enc_smt_remove(struct enc_smt *tree, const uint8_t key21[21])
{
    struct place place;
    ENC_TRY(find(tree, &place, key21, false));
    if (place.split != tree->depth)
        return ENC_ERR_OK;
    ENC_TRY(find(tree, &place, key21, true));
    return leaf_remove(tree, &place);
}

static void link_hash(const struct enc_smt *tree, struct enc_smt_link *link, unsigned depth);

static void node_hash(const struct enc_smt *tree, uint8_t hash32[32], struct enc_smt_node *node)
{
    if (node->is_leaf) {
        enc_h_smt_leaf(hash32, node->key21, enc_bytes_of(node->value.data, node->value.len));
        return;
    }
    for (unsigned i = 0; i < 2; i++)
        link_hash(tree, &node->side[i], node->bit + 1u);
    enc_h_pair(hash32, 0x21, node->side[0].hash32, node->side[1].hash32);
}

/* Bring the hash at link to depth. Whatever has no hash there yet is loaded: it was walked through,
 * or stands beside what was. Recursion ends after tree->depth levels. */
static void link_hash(const struct enc_smt *tree, struct enc_smt_link *link, unsigned depth)
{
    if (link->hash_depth == depth)
        return;
    ENC_CHECK(link->node && link->hash_depth > depth);
    if (link->hash_depth == ENC_SMT_UNHASHED) {
        node_hash(tree, link->hash32, link->node);
        link->hash_depth = (uint8_t)node_depth(tree, link->node);
    }
    for (; link->hash_depth > depth; link->hash_depth--)
        enc_smt_climb(link->hash32, enc_empty32,
                      enc_smt_bit(link->node->key21, link->hash_depth - 1u));
}

void enc_smt_root_hash(struct enc_smt *tree, uint8_t hash32[32])
{
    link_hash(tree, &tree->root, 0);
    memcpy(hash32, tree->root.hash32, 32);
}

static void proof_add(struct enc_smt_proof *proof, unsigned bit, const uint8_t sibling32[32])
{
    proof->bitmap21[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
    memcpy(proof->siblings32[proof->count++], sibling32, 32);
}

/* The siblings of the branches above a place, root to leaf. */
static void proof_add_path(struct enc_smt_proof *proof, const struct enc_smt *tree,
                           const struct place *place)
{
    const struct enc_smt_link *link = &tree->root;
    while (link != place->link) {
        const struct enc_smt_node *branch = link->node;
        unsigned side = enc_smt_bit(proof->key21, branch->bit);
        proof_add(proof, branch->bit, branch->side[!side].hash32);
        link = &branch->side[side];
    }
}

/* What an absent key parts from is its last sibling. */
static void proof_add_parting(struct enc_smt_proof *proof, const struct enc_smt *tree,
                              const struct place *place)
{
    if (place->split == tree->depth || link_is_empty(place->link))
        return;
    struct enc_smt_link parting = link_to(place->link->node);
    link_hash(tree, &parting, place->split + 1);
    proof_add(proof, place->split, parting.hash32);
}

enum enc_err enc_smt_prove(struct enc_smt *tree, struct enc_smt_proof *proof,
                           const uint8_t key21[21])
{
    struct place place;
    ENC_TRY(find(tree, &place, key21, false));
    link_hash(tree, &tree->root, 0);
    *proof = (struct enc_smt_proof){.value = *value_at(tree, &place)};
    memcpy(proof->key21, key21, ENC_SMT_KEY_LEN);
    proof_add_path(proof, tree, &place);
    proof_add_parting(proof, tree, &place);
    enc_hashes_turn(proof->siblings32, proof->count);
    return ENC_ERR_OK;
}

struct sealing {
    const struct enc_smt_sink *sink;
    struct enc_smt_ref next;
};

/* Store what hangs at link unless it is stored. Above a node that is not, none is. */
static enum enc_err link_seal(struct sealing *sealing, struct enc_smt_link *link)
{
    struct enc_smt_node *node = link->node;
    if (link->ref.version != 0 || !node)
        return ENC_ERR_OK;
    for (unsigned i = 0; i < 2 && !node->is_leaf; i++)
        ENC_TRY(link_seal(sealing, &node->side[i]));
    link->ref = sealing->next;
    sealing->next.index++;
    uint8_t record[ENC_SMT_RECORD_MAX];
    size_t len = enc_smt_node_encode(record, node);
    return sealing->sink->put(sealing->sink->self, link->ref, enc_bytes_of(record, len));
}

static enum enc_err drop_gone(struct enc_smt *tree, const struct enc_smt_sink *sink)
{
    for (; tree->gone; tree->gone = tree->gone->next)
        ENC_TRY(sink->drop(sink->self, tree->gone->ref));
    return ENC_ERR_OK;
}

enum enc_err enc_smt_seal(struct enc_smt *tree, struct enc_smt_root *root,
                          const struct enc_smt_sink *sink, uint64_t version)
{
    ENC_CHECK(version != 0);
    enc_smt_root_hash(tree, root->hash32);
    struct sealing sealing = {.sink = sink, .next = {.version = version}};
    ENC_TRY(link_seal(&sealing, &tree->root));
    ENC_TRY(drop_gone(tree, sink));
    /* Stored nodes are edited by nobody. */
    tree->owner++;
    root->ref = tree->root.ref;
    root->count = tree->count;
    return ENC_ERR_OK;
}
