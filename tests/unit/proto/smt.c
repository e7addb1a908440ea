#include "support.h"
#include "tests/support/trees.h"

#include <signal.h>

TestSuite(smt);

static struct record_store store;
static const struct enc_smt_source source = {record_load, &store};
static const struct enc_smt_sink sink = {record_put, record_drop, &store};

static struct enc_smt tree_open(struct enc_arena *arena, const struct enc_smt_root *root)
{
    struct enc_smt tree;
    enc_smt_init(&tree, arena, &source, root);
    return tree;
}

static struct enc_smt tree_empty(struct enc_arena *arena)
{
    struct enc_smt_root root = enc_smt_root_empty();
    return tree_open(arena, &root);
}

static void number_key(uint8_t key21[21], uint64_t number)
{
    uint8_t raw32[32];
    hash_of_int(raw32, number);
    enc_smt_key(key21, ENC_SMT_RBAC, raw32);
}

static enum enc_err number_set(struct enc_smt *tree, uint64_t number, const char *value)
{
    uint8_t key21[21];
    number_key(key21, number);
    return enc_smt_set(tree, key21, enc_bytes_of_text(value));
}

static enum enc_err number_remove(struct enc_smt *tree, uint64_t number)
{
    uint8_t key21[21];
    number_key(key21, number);
    return enc_smt_remove(tree, key21);
}

static void expect_value(struct enc_smt *tree, uint64_t number, const char *expected)
{
    uint8_t key21[21];
    struct enc_smt_value value;
    number_key(key21, number);
    cr_assert(enc_smt_get(tree, &value, key21) == ENC_ERR_OK);
    cr_assert(enc_bytes_is(enc_bytes_of(value.data, value.len), expected), "key %lu", number);
}

static struct enc_smt_root tree_stored(struct enc_arena *arena, uint64_t count)
{
    struct enc_smt tree = tree_empty(arena);
    struct enc_smt_root root;
    for (uint64_t i = 0; i < count; i++)
        cr_assert(number_set(&tree, i, "v") == ENC_ERR_OK);
    cr_assert(enc_smt_seal(&tree, &root, &sink, 1) == ENC_ERR_OK);
    return root;
}

static void expect_root(struct enc_smt *tree, const char *path)
{
    uint8_t root32[32];
    enc_smt_root_hash(tree, root32);
    expect_vector(enc_bytes_of(root32, 32), path);
}

static void set_vector(struct enc_smt *tree, const char *key, const char *value_hex)
{
    uint8_t key21[21], value[32];
    size_t len = strlen(value_hex) / 2;
    vector_hex(key21, sizeof key21, key);
    unhex(value, len, value_hex);
    cr_assert(enc_smt_set(tree, key21, enc_bytes_of(value, len)) == ENC_ERR_OK);
}

static void expect_proof(struct enc_smt *tree, const char *path)
{
    char at[64];
    struct enc_smt_proof proof;
    uint8_t key21[21], root32[32];
    snprintf(at, sizeof at, "%s.k", path);
    vector_hex(key21, sizeof key21, at);
    cr_assert(enc_smt_prove(tree, &proof, key21) == ENC_ERR_OK);
    snprintf(at, sizeof at, "%s.b", path);
    expect_vector(enc_bytes_of(proof.bitmap21, 21), at);
    snprintf(at, sizeof at, "%s.s", path);
    cr_assert(proof.count == json_array_size(vector_at(at)));
    for (unsigned i = 0; i < proof.count; i++) {
        snprintf(at, sizeof at, "%s.s.%u", path, i);
        expect_vector(enc_bytes_of(proof.siblings32[i], 32), at);
    }
    enc_smt_root_hash(tree, root32);
    cr_assert(enc_smt_proof_verify(&proof, root32));
}

Test(smt, vectors)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree = tree_empty(&arena);
    expect_root(&tree, "smt.EMPTY");
    set_vector(&tree, "smt.key_owner",
               "0000000000000000000000000000000000000000000000000000000000000002");
    expect_root(&tree, "smt.root_after_manifest");
    set_vector(&tree, "smt.key_member",
               "0000000000000000000000000000000000000000000000000000000100000000");
    expect_root(&tree, "smt.root_after_grant");
    char id[65] = {0};
    memcpy(id, vector_text("events.3.id").data, 64);
    set_vector(&tree, "smt.key_status_e2", id);
    expect_root(&tree, "smt.root_after_update");
    expect_root(&tree, "bundle0.state_hash");
    expect_proof(&tree, "smt.proof_member");
    expect_proof(&tree, "smt.proof_absent_seq_pub");
    cr_assert(enc_smt_count(&tree) == 3);
}

Test(smt, empty_tree)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree = tree_empty(&arena);
    struct enc_smt_root root;
    expect_value(&tree, 1, "");
    cr_assert(number_remove(&tree, 1) == ENC_ERR_OK && enc_smt_count(&tree) == 0);
    cr_assert(enc_smt_seal(&tree, &root, &sink, 5) == ENC_ERR_OK);
    cr_assert(root.ref.version == 0 && root.count == 0 && store.live == 0);
    assert_hash(root.hash32, enc_empty32, "the empty root");
}

Test(smt, the_last_leaf_leaves_an_empty_tree)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_root root = tree_stored(&arena, 1);
    struct enc_smt tree = tree_open(&arena, &root);
    cr_assert(store.live == 1 && number_remove(&tree, 0) == ENC_ERR_OK);
    cr_assert(enc_smt_seal(&tree, &root, &sink, 2) == ENC_ERR_OK);
    cr_assert(root.ref.version == 0 && store.live == 0);
    assert_hash(root.hash32, enc_empty32, "the empty root");
}

Test(smt, the_same_value_changes_nothing)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_root root = tree_stored(&arena, 9), again;
    struct enc_smt tree = tree_open(&arena, &root);
    cr_assert(number_set(&tree, 4, "v") == ENC_ERR_OK);
    cr_assert(number_remove(&tree, 400) == ENC_ERR_OK);
    store.fail_in = 1; /* a write would fail */
    cr_assert(enc_smt_seal(&tree, &again, &sink, 2) == ENC_ERR_OK);
    cr_assert(again.ref.version == root.ref.version && again.ref.index == root.ref.index);
    cr_assert(again.count == 9 && memcmp(again.hash32, root.hash32, 32) == 0);
}

/* A path of n leaves is about log2(n) nodes; its siblings are never read. */
Test(smt, a_change_reads_and_writes_one_path)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_root root = tree_stored(&arena, 1024);
    struct enc_smt tree = tree_open(&arena, &root);
    store.loads = 0;
    cr_assert(number_set(&tree, 500, "w") == ENC_ERR_OK);
    cr_assert(store.loads > 5 && store.loads < 24, "%lu loads", store.loads);
    uint64_t loads = store.loads;
    uint8_t root32[32];
    enc_smt_root_hash(&tree, root32);
    expect_value(&tree, 500, "w");
    cr_assert(enc_smt_seal(&tree, &root, &sink, 2) == ENC_ERR_OK);
    cr_assert(store.loads == loads, "what was read once is not read again");
    uint64_t written = 0;
    while (record_at(&store, (struct enc_smt_ref){2, (uint32_t)written})->is_live)
        written++;
    cr_assert(written == loads && root.ref.version == 2 && root.ref.index + 1 == written);
    cr_assert(store.live == 2 * 1024 - 1);
}

Test(smt, forks_do_not_see_each_other)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_root root = tree_stored(&arena, 20);
    struct enc_smt tree = tree_open(&arena, &root);
    cr_assert(number_set(&tree, 3, "tree") == ENC_ERR_OK);
    struct enc_smt fork = enc_smt_fork(&tree);
    struct enc_smt third = enc_smt_fork(&fork);
    cr_assert(number_set(&tree, 3, "again") == ENC_ERR_OK);
    cr_assert(number_set(&fork, 3, "fork") == ENC_ERR_OK);
    cr_assert(number_remove(&fork, 4) == ENC_ERR_OK);
    cr_assert(number_remove(&third, 3) == ENC_ERR_OK);
    expect_value(&tree, 3, "again");
    expect_value(&tree, 4, "v");
    expect_value(&fork, 3, "fork");
    expect_value(&fork, 4, "");
    expect_value(&third, 3, "");
    expect_value(&third, 4, "v");
    cr_assert(enc_smt_count(&tree) == 20 && enc_smt_count(&fork) == 19);
    cr_assert(enc_smt_count(&third) == 19);
}

/* A run whose writes are lost is dropped; the tree it started from goes on. */
Test(smt, a_lost_seal_does_not_harm_the_sealed_tree)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_root root = tree_stored(&arena, 20), lost, kept;
    static struct record_store before;
    struct enc_smt tree = tree_open(&arena, &root);
    struct enc_smt staged = enc_smt_fork(&tree);
    cr_assert(number_set(&staged, 3, "lost") == ENC_ERR_OK);
    cr_assert(number_remove(&staged, 7) == ENC_ERR_OK);
    before = store;
    cr_assert(enc_smt_seal(&staged, &lost, &sink, 2) == ENC_ERR_OK);
    store = before;
    expect_value(&tree, 3, "v");
    cr_assert(number_set(&tree, 5, "kept") == ENC_ERR_OK);
    cr_assert(enc_smt_seal(&tree, &kept, &sink, 2) == ENC_ERR_OK);
    cr_assert(kept.count == 20 && store.live == 39);
    tree = tree_open(&arena, &kept);
    expect_value(&tree, 3, "v");
    expect_value(&tree, 5, "kept");
    expect_value(&tree, 7, "v");
}

Test(smt, a_sealed_tree_goes_on)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree = tree_empty(&arena);
    struct enc_smt_root root;
    for (uint64_t version = 1; version <= 30; version++) {
        cr_assert(number_set(&tree, version % 7, version % 2 ? "odd" : "even") == ENC_ERR_OK);
        cr_assert(number_remove(&tree, version % 5) == ENC_ERR_OK);
        cr_assert(enc_smt_seal(&tree, &root, &sink, version) == ENC_ERR_OK);
        cr_assert(store.live == (root.count ? 2 * root.count - 1 : 0));
    }
    uint8_t root32[32];
    enc_smt_root_hash(&tree, root32);
    assert_hash(root32, root.hash32, "the root of the seal");
}

Test(smt, the_errors_of_store_and_sink_come_through)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_root root = tree_stored(&arena, 64), after;
    struct enc_smt tree = tree_open(&arena, &root);
    uint8_t key21[21];
    struct enc_smt_value value;
    struct enc_smt_proof proof;
    number_key(key21, 9);
    store.fail_in = 2;
    cr_assert(enc_smt_get(&tree, &value, key21) == ENC_ERR_BUSY);
    store.fail_in = 1;
    cr_assert(enc_smt_prove(&tree, &proof, key21) == ENC_ERR_BUSY);
    cr_assert(number_set(&tree, 9, "x") == ENC_ERR_OK);
    for (uint64_t nth = 1; nth <= 3; nth++) {
        struct enc_smt fork = enc_smt_fork(&tree);
        cr_assert(number_remove(&fork, 1) == ENC_ERR_OK);
        store.fail_in = nth;
        cr_assert(enc_smt_seal(&fork, &after, &sink, 10 + nth) == ENC_ERR_BUSY);
        tree = tree_open(&arena, &root);
    }
    store.fail_in = 0;
}

Test(smt, a_failing_drop_comes_through)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_root root = tree_stored(&arena, 1), after;
    struct enc_smt tree = tree_open(&arena, &root);
    cr_assert(number_remove(&tree, 0) == ENC_ERR_OK);
    store.fail_in = 1;
    cr_assert(enc_smt_seal(&tree, &after, &sink, 2) == ENC_ERR_BUSY);
}

/* Every amount of memory: a change succeeds, or fails and the content is as before. */
static bool change_in(size_t len, const struct enc_smt_root *root,
                      enum enc_err (*change)(struct enc_smt *tree))
{
    static _Alignas(16) uint8_t memory[1 << 16];
    struct enc_arena arena;
    uint8_t root32[32];
    enc_arena_init_fixed(&arena, memory, len);
    struct enc_smt tree = tree_open(&arena, root);
    enum enc_err err = change(&tree);
    cr_assert(err == ENC_ERR_OK || err == ENC_ERR_INTERNAL);
    if (err == ENC_ERR_OK)
        return true;
    enc_smt_root_hash(&tree, root32);
    assert_hash(root32, root->hash32, "a failed change, %zu bytes", len);
    cr_assert(enc_smt_count(&tree) == root->count);
    return false;
}

static enum enc_err insert(struct enc_smt *tree)
{
    return number_set(tree, 1000, "new");
}

static enum enc_err change(struct enc_smt *tree)
{
    return number_set(tree, 5, "changed");
}

static enum enc_err erase(struct enc_smt *tree)
{
    return number_remove(tree, 5);
}

Test(smt, memory_that_runs_out_changes_nothing)
{
    static enum enc_err (*const changes[])(struct enc_smt *) = {insert, change, erase};
    struct enc_arena arena = arena_new();
    struct enc_smt_root root = tree_stored(&arena, 8);
    for (size_t i = 0; i < 3; i++) {
        size_t len = 0;
        while (!change_in(len, &root, changes[i]))
            len += 16;
        cr_assert(len > 500 && len < 8192, "%zu bytes", len);
    }
}

/* A source that lies: the record of one node in place of another's, or no record at all. */
struct liar {
    struct enc_smt_ref told;
    size_t len;
};

static enum enc_err lying_load(void *self, struct enc_bytes *record, struct enc_smt_ref ref)
{
    struct liar *liar = self;
    ENC_TRY(record_load(&store, record, liar->told.version ? liar->told : ref));
    record->len = liar->len ? liar->len : record->len;
    return ENC_ERR_OK;
}

static void expect_broken(const struct enc_smt_root *root, struct liar liar, uint64_t number)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_source lying = {lying_load, &liar};
    struct enc_smt tree;
    struct enc_smt_value value;
    uint8_t key21[21];
    enc_smt_init(&tree, &arena, &lying, root);
    number_key(key21, number);
    cr_assert(enc_smt_get(&tree, &value, key21) == ENC_ERR_INTERNAL);
    cr_assert(enc_smt_set(&tree, key21, ENC_LIT("x")) == ENC_ERR_INTERNAL);
    cr_assert(enc_smt_remove(&tree, key21) == ENC_ERR_INTERNAL);
    enc_arena_fini(&arena);
}

Test(smt, a_broken_store_is_noticed)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_root root = tree_stored(&arena, 8);
    for (uint64_t number = 0; number < 8; number++) {
        expect_broken(&root, (struct liar){.told = root.ref}, number); /* in circles */
        expect_broken(&root, (struct liar){.len = 5}, number);
    }
}

/* A leaf on another's place is found as soon as its key does not fit the path to it. */
Test(smt, a_misplaced_leaf_is_noticed)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_root root = tree_stored(&arena, 2);
    struct record *branch = record_at(&store, root.ref);
    uint8_t kept[12];
    memcpy(kept, branch->data + 23, 12);
    memcpy(branch->data + 23, branch->data + 67, 12);
    memcpy(branch->data + 67, kept, 12);
    struct enc_smt tree = tree_open(&arena, &root);
    struct enc_smt_value value;
    uint8_t key21[21];
    number_key(key21, 0);
    cr_assert(enc_smt_get(&tree, &value, key21) == ENC_ERR_INTERNAL);
}

/* Below a shrunken tree no branch can stand; such a record is broken too. */
Test(smt, a_branch_below_the_depth_is_noticed)
{
    struct enc_arena arena = arena_new();
    struct enc_smt_root root;
    struct enc_smt tree = tree_empty(&arena);
    uint8_t low21[21] = {0}, high21[21] = {[0] = 0x01};
    struct enc_smt_value value;
    cr_assert(enc_smt_set(&tree, low21, ENC_LIT("l")) == ENC_ERR_OK);
    cr_assert(enc_smt_set(&tree, high21, ENC_LIT("h")) == ENC_ERR_OK);
    cr_assert(enc_smt_seal(&tree, &root, &sink, 1) == ENC_ERR_OK);
    enc_smt_init_depth(&tree, &arena, &source, &root, 7);
    cr_assert(enc_smt_get(&tree, &value, low21) == ENC_ERR_INTERNAL);
    enc_smt_init_depth(&tree, &arena, &source, &root, 8);
    cr_assert(enc_smt_get(&tree, &value, low21) == ENC_ERR_OK && value.data[0] == 'l');
}

Test(smt, an_empty_value_is_our_mistake, .signal = SIGABRT)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree = tree_empty(&arena);
    cr_expect(number_set(&tree, 1, "") == ENC_ERR_OK);
}

Test(smt, a_long_value_is_our_mistake, .signal = SIGABRT)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree = tree_empty(&arena);
    cr_expect(number_set(&tree, 1, "123456789012345678901234567890123") == ENC_ERR_OK);
}

Test(smt, version_zero_is_our_mistake, .signal = SIGABRT)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree = tree_empty(&arena);
    struct enc_smt_root root;
    cr_expect(enc_smt_seal(&tree, &root, &sink, 0) == ENC_ERR_OK);
}

Test(smt, depth_zero_is_our_mistake, .signal = SIGABRT)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree;
    struct enc_smt_root root = enc_smt_root_empty();
    enc_smt_init_depth(&tree, &arena, NULL, &root, 0);
}

Test(smt, more_depth_than_a_key_is_our_mistake, .signal = SIGABRT)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree;
    struct enc_smt_root root = enc_smt_root_empty();
    enc_smt_init_depth(&tree, &arena, NULL, &root, 169);
}
