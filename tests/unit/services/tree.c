/* The state tree through a real store. */
#include "services/tree.h"

#include "host_fixture.h"

enum { ORD = 9000, LEAVES = 40 };

static struct rig rig;
static struct enc_store *store;

static void init(void)
{
    rig_open(&rig, 1);
    store = enc_data_shard_at(rig.data, 0);
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(tree, .init = init, .fini = fini);

static void apply(const struct enc_writeset *set)
{
    struct enc_apply_facts facts;
    cr_assert(enc_writeset_ok(set));
    cr_assert_eq(enc_store_apply(store, &facts, &set, 1), ENC_OUTCOME_OK);
}

static struct enc_snap *look(void)
{
    struct enc_snap *snap = NULL;
    cr_assert_eq(enc_snap_open(store, &snap), ENC_ERR_OK);
    return snap;
}

static const uint8_t *key_of(unsigned i)
{
    static uint8_t key21[21];
    memset(key21, 0, sizeof key21);
    key21[1] = (uint8_t)(i * 37);
    key21[20] = (uint8_t)i;
    return key21;
}

/* Seal tree into the store as this version. */
static void store_tree(struct enc_smt *tree, struct enc_smt_root *root, uint64_t version)
{
    struct enc_writeset set;
    struct enc_tree_sink sink;
    enc_writeset_init(&set, &rig.arena);
    enc_tree_sink_init(&sink, &set, ORD);
    cr_assert_eq(enc_smt_seal(tree, root, &sink.nodes, version), ENC_ERR_OK);
    apply(&set);
}

static struct enc_smt_root plant(void)
{
    struct enc_smt tree;
    struct enc_smt_root root = enc_smt_root_empty();
    enc_smt_init(&tree, &rig.arena, NULL, &root);
    for (unsigned i = 0; i < LEAVES; i++)
        cr_assert_eq(enc_smt_set(&tree, key_of(i), ENC_LIT("leaf")), ENC_ERR_OK);
    store_tree(&tree, &root, 1);
    return root;
}

static void expect_value(struct enc_smt *tree, unsigned i, const char *text)
{
    struct enc_smt_value value;
    cr_assert_eq(enc_smt_get(tree, &value, key_of(i)), ENC_ERR_OK);
    cr_assert_eq(value.len, strlen(text), "leaf %u", i);
    cr_assert_eq(memcmp(value.data, text, value.len), 0, "leaf %u", i);
}

Test(tree, what_was_sealed_is_loaded_again_and_goes_on)
{
    struct enc_smt tree;
    struct enc_tree_source source;
    struct enc_smt_root root = plant(), before = root;
    struct enc_snap *snap = look();
    enc_tree_source_init(&source, snap, ORD);
    enc_smt_init(&tree, &rig.arena, &source.nodes, &root);
    for (unsigned i = 0; i < LEAVES; i++)
        expect_value(&tree, i, "leaf");
    expect_value(&tree, LEAVES, "");
    cr_assert_eq(enc_smt_set(&tree, key_of(3), ENC_LIT("other")), ENC_ERR_OK);
    store_tree(&tree, &root, 2);
    enc_snap_close(snap);
    cr_assert_neq(memcmp(root.hash32, before.hash32, 32), 0);
    snap = look();
    enc_tree_source_init(&source, snap, ORD);
    enc_smt_init(&tree, &rig.arena, &source.nodes, &root);
    expect_value(&tree, 3, "other");
    expect_value(&tree, 4, "leaf");
    enc_snap_close(snap);
}

/* A tree of one enclave is not there for another, and old nodes go with the change. */
Test(tree, nodes_belong_to_one_enclave_and_one_version)
{
    struct enc_smt tree;
    struct enc_smt_value value;
    struct enc_tree_source source;
    struct enc_smt_root root = plant(), before = root;
    struct enc_snap *snap = look();
    enc_tree_source_init(&source, snap, ORD + 1);
    enc_smt_init(&tree, &rig.arena, &source.nodes, &root);
    cr_assert_eq(enc_smt_get(&tree, &value, key_of(1)), ENC_ERR_INTERNAL);
    enc_tree_source_init(&source, snap, ORD);
    enc_smt_init(&tree, &rig.arena, &source.nodes, &root);
    cr_assert_eq(enc_smt_remove(&tree, key_of(1)), ENC_ERR_OK);
    store_tree(&tree, &root, 2);
    enc_snap_close(snap);
    cr_assert_eq(root.count, LEAVES - 1);
    snap = look();
    enc_tree_source_init(&source, snap, ORD);
    enc_smt_init(&tree, &rig.arena, &source.nodes, &before);
    cr_assert_eq(enc_smt_get(&tree, &value, key_of(1)), ENC_ERR_INTERNAL, "the old root is gone");
    enc_snap_close(snap);
}

Test(tree, the_newest_leaf_of_a_state_is_found)
{
    uint8_t state32[32] = {1}, other32[32] = {2};
    bool found = true;
    uint64_t leaf = 0;
    for (uint64_t i = 5; i <= 6; i++) {
        struct enc_writeset set;
        enc_writeset_init(&set, &rig.arena);
        enc_put_leaf_of_state(&set, ORD, state32, i);
        apply(&set);
    }
    struct enc_snap *snap = look();
    cr_assert_eq(enc_snap_leaf_of_state(snap, &found, &leaf, ORD, state32), ENC_ERR_OK);
    cr_assert(found);
    cr_assert_eq(leaf, 6);
    cr_assert_eq(enc_snap_leaf_of_state(snap, &found, &leaf, ORD, other32), ENC_ERR_OK);
    cr_assert_not(found);
    cr_assert_eq(enc_snap_leaf_of_state(snap, &found, &leaf, ORD + 1, state32), ENC_ERR_OK);
    cr_assert_not(found);
    enc_snap_close(snap);
}
