/* The state tree in worlds small enough to visit whole, against a tree that hashes every level. */
#include "tests/support/trees.h"

TestSuite(smt);

enum { D = 4, KEYS = 1 << D, HALF = KEYS / 2, SETS = 1 << KEYS };

static void key_of(uint8_t key21[21], unsigned number, unsigned depth)
{
    memset(key21, 0, 21);
    key21[0] = (uint8_t)(number << (8 - depth));
}

/* Every key has a value of its own, of all lengths. */
static struct enc_smt_value value_of(unsigned number)
{
    struct enc_smt_value value = {.len = (uint8_t)(1 + 2 * number)};
    memset(value.data, (int)number, value.len);
    return value;
}

static enum enc_err key_set(struct enc_smt *tree, unsigned number)
{
    uint8_t key21[21];
    struct enc_smt_value value = value_of(number);
    key_of(key21, number, tree->depth);
    return enc_smt_set(tree, key21, enc_bytes_of(value.data, value.len));
}

static void key_toggle(struct enc_smt *tree, unsigned number, bool is_in)
{
    uint8_t key21[21];
    key_of(key21, number, tree->depth);
    cr_assert((is_in ? enc_smt_remove(tree, key21) : key_set(tree, number)) == ENC_ERR_OK);
}

static struct enc_smt tree_new(struct enc_arena *arena, unsigned depth)
{
    struct enc_smt tree;
    struct enc_smt_root root = enc_smt_root_empty();
    enc_smt_init_depth(&tree, arena, NULL, &root, depth);
    return tree;
}

static struct enc_smt tree_of(struct enc_arena *arena, unsigned set, unsigned depth)
{
    struct enc_smt tree = tree_new(arena, depth);
    for (unsigned key = 0; key < 1u << depth; key++)
        if (set >> key & 1)
            cr_assert(key_set(&tree, key) == ENC_ERR_OK);
    return tree;
}

static void naive_root_of(uint8_t out32[32], unsigned set, unsigned depth)
{
    struct naive_smt naive = {.count = 0};
    for (unsigned key = 0; key < 1u << depth; key++) {
        if (!(set >> key & 1))
            continue;
        key_of(naive.leaves[naive.count].key21, key, depth);
        naive.leaves[naive.count++].value = value_of(key);
    }
    naive_root(out32, &naive, depth);
}

/* Roots of all sets of the world of depth 4, each made of its two halves. */
static uint8_t roots32[SETS][32];

static void half_hash(uint8_t out32[32], unsigned set)
{
    struct naive_smt naive = {.count = 0};
    for (unsigned key = 0; key < KEYS; key++) {
        if (!(set >> key & 1))
            continue;
        key_of(naive.leaves[naive.count].key21, key, D);
        naive.leaves[naive.count++].value = value_of(key);
    }
    const unsigned below_root[2] = {1, D};
    naive_hash(out32, naive.leaves, naive.count, below_root);
}

static void roots_fill(void)
{
    static uint8_t halves32[2][1 << HALF][32];
    for (unsigned set = 0; set < 1 << HALF; set++) {
        half_hash(halves32[0][set], set);
        half_hash(halves32[1][set], set << HALF);
    }
    for (unsigned set = 1; set < SETS; set++)
        enc_h_pair(roots32[set], 0x21, halves32[0][set & 0xff], halves32[1][set >> HALF]);
    memcpy(roots32[0], enc_empty32, 32);
}

static void prove_all(struct enc_smt *tree, unsigned set, const uint8_t root32[32])
{
    struct enc_smt_proof proof;
    for (unsigned key = 0; key < 1u << tree->depth; key++) {
        uint8_t key21[21];
        key_of(key21, key, tree->depth);
        cr_assert(enc_smt_prove(tree, &proof, key21) == ENC_ERR_OK);
        cr_assert((proof.value.len != 0) == (set >> key & 1));
        cr_assert(enc_smt_proof_verify_depth(&proof, root32, tree->depth), "%x %u", set, key);
    }
}

Test(smt, every_set_has_its_root_and_proves_every_key)
{
    roots_fill();
    for (unsigned set = 0; set < SETS; set++) {
        struct enc_arena arena = arena_new();
        struct enc_smt tree = tree_of(&arena, set, D);
        uint8_t root32[32];
        enc_smt_root_hash(&tree, root32);
        assert_hash(root32, roots32[set], "set %x", set);
        cr_assert(enc_smt_count(&tree) == (unsigned)__builtin_popcount(set));
        prove_all(&tree, set, root32);
        enc_arena_fini(&arena);
    }
}

/* One tree walks through all sets, one key changed at a time, hashed at every step or rarely. */
static void gray_walk(unsigned hash_every)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree = tree_new(&arena, D);
    unsigned set = 0;
    for (unsigned step = 1; step < SETS; step++) {
        unsigned key = (unsigned)__builtin_ctz(step);
        key_toggle(&tree, key, set >> key & 1);
        set ^= 1u << key;
        if (step % hash_every != 0)
            continue;
        uint8_t root32[32];
        enc_smt_root_hash(&tree, root32);
        assert_hash(root32, roots32[set], "set %x", set);
    }
    enc_arena_fini(&arena);
}

Test(smt, a_walk_through_all_sets_never_errs)
{
    roots_fill();
    gray_walk(1);
    gray_walk(7);
    gray_walk(101);
}

/* From every set every single change, on a fork; the tree itself stays. */
Test(smt, every_single_change_of_every_set)
{
    roots_fill();
    for (unsigned set = 0; set < SETS; set += 3) {
        struct enc_arena arena = arena_new();
        struct enc_smt tree = tree_of(&arena, set, D);
        uint8_t root32[32];
        if (set % 2)
            enc_smt_root_hash(&tree, root32);
        for (unsigned key = 0; key < KEYS; key++) {
            struct enc_smt fork = enc_smt_fork(&tree);
            key_toggle(&fork, key, set >> key & 1);
            enc_smt_root_hash(&fork, root32);
            assert_hash(root32, roots32[set ^ 1u << key], "set %x key %u", set, key);
        }
        enc_smt_root_hash(&tree, root32);
        assert_hash(root32, roots32[set], "set %x after its forks", set);
        enc_arena_fini(&arena);
    }
}

static struct record_store store;

/* All that is stored is what a fresh tree needs; after each change too. */
Test(smt, every_change_of_a_stored_set)
{
    roots_fill();
    uint64_t version = 0;
    for (unsigned set = 1; set < SETS; set += 251) {
        for (unsigned key = 0; key < KEYS; key++) {
            memset(&store, 0, sizeof store);
            struct enc_arena arena = arena_new();
            struct enc_smt_source source = records_source(&store);
            struct enc_smt_sink sink = records_sink(&store);
            struct enc_smt_root root;
            struct enc_smt tree = tree_of(&arena, set, D);
            cr_assert(enc_smt_seal(&tree, &root, &sink, ++version) == ENC_ERR_OK);
            enc_smt_init_depth(&tree, &arena, &source, &root, D);
            key_toggle(&tree, key, set >> key & 1);
            cr_assert(enc_smt_seal(&tree, &root, &sink, ++version) == ENC_ERR_OK);
            unsigned now = set ^ 1u << key;
            assert_hash(root.hash32, roots32[now], "set %x key %u", set, key);
            cr_assert(store.live == (root.count ? 2 * root.count - 1 : 0));
            enc_smt_init_depth(&tree, &arena, &source, &root, D);
            prove_all(&tree, now, roots32[now]);
            enc_arena_fini(&arena);
        }
    }
}

/* All orders of up to 5 of the 8 keys of the world of depth 3, removed again first in, first out. */
struct order {
    unsigned count;
    unsigned keys[HALF];
    bool is_eager; /* hash at every step */
};

static void order_check(struct enc_smt *tree, unsigned set, bool is_due)
{
    uint8_t root32[32], expected32[32];
    if (!is_due)
        return;
    enc_smt_root_hash(tree, root32);
    naive_root_of(expected32, set, 3);
    assert_hash(root32, expected32, "set %x", set);
}

static void order_run(const struct order *order)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree = tree_new(&arena, 3);
    unsigned set = 0;
    for (unsigned i = 0; i < 2 * order->count; i++) {
        unsigned key = order->keys[i % order->count];
        key_toggle(&tree, key, set >> key & 1);
        set ^= 1u << key;
        order_check(&tree, set, order->is_eager || i + 1 == order->count);
    }
    order_check(&tree, 0, true);
    enc_arena_fini(&arena);
}

static void orders_from(struct order *order, unsigned used)
{
    if (order->count)
        order_run(order);
    for (unsigned key = 0; key < HALF && order->count < 5; key++) {
        if (used >> key & 1)
            continue;
        order->keys[order->count++] = key;
        orders_from(order, used | 1u << key);
        order->count--;
    }
}

Test(smt, every_order_of_up_to_five_keys)
{
    struct order lazy = {.is_eager = false}, eager = {.is_eager = true};
    orders_from(&lazy, 0);
    orders_from(&eager, 0);
}

static void refuse(const struct enc_smt_proof *proof, const uint8_t root32[32], unsigned depth,
                   const char *what)
{
    cr_assert(!enc_smt_proof_verify_depth(proof, root32, depth), "accepted: %s", what);
}

static void refuse_siblings(struct enc_smt_proof proof, const uint8_t root32[32], unsigned depth)
{
    for (unsigned at = 0; at < proof.count; at++) {
        uint8_t *byte = &proof.siblings32[at][(at * 7) % 32];
        *byte ^= (uint8_t)(1 << at);
        refuse(&proof, root32, depth, "changed sibling");
        *byte ^= (uint8_t)(1 << at);
    }
    proof.count++;
    refuse(&proof, root32, depth, "one sibling more");
    proof.count--;
    if (proof.count > 0) {
        proof.count--;
        refuse(&proof, root32, depth, "one sibling less");
    }
}

/* A bit more in b with EMPTY spelled out hashes to the same root and is refused all the same. */
static void refuse_spelled_empty(struct enc_smt_proof proof, const uint8_t root32[32],
                                 unsigned depth)
{
    unsigned after = 0;
    for (unsigned bit = depth; bit-- > 0;) {
        if (proof.bitmap21[0] >> (7 - bit) & 1) {
            after++;
            continue;
        }
        struct enc_smt_proof spelled = proof;
        spelled.bitmap21[0] |= (uint8_t)(0x80 >> bit);
        memmove(spelled.siblings32[after + 1], spelled.siblings32[after],
                (spelled.count - after) * (size_t)32);
        memcpy(spelled.siblings32[after], enc_empty32, 32);
        spelled.count++;
        refuse(&spelled, root32, depth, "EMPTY spelled out");
    }
}

static void refuse_bits(struct enc_smt_proof proof, const uint8_t root32[32], unsigned depth)
{
    for (unsigned bit = 0; bit < ENC_SMT_DEPTH; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);
        proof.bitmap21[bit / 8] ^= mask;
        refuse(&proof, root32, depth, "changed b");
        proof.bitmap21[bit / 8] ^= mask;
    }
    /* An absent key may have the proof of another absent key beside it, a present one never. */
    for (unsigned bit = 0; bit < ENC_SMT_DEPTH; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);
        proof.key21[bit / 8] ^= mask;
        if (bit >= depth || proof.value.len != 0)
            refuse(&proof, root32, depth, "changed k");
        proof.key21[bit / 8] ^= mask;
    }
}

static void refuse_values(struct enc_smt_proof proof, const uint8_t root32[32], unsigned depth)
{
    struct enc_smt_value value = proof.value;
    proof.value.len = value.len ? 0 : 1;
    refuse(&proof, root32, depth, "present for absent or absent for present");
    for (unsigned bit = 0; bit < 8u * value.len; bit++) {
        proof.value = value;
        proof.value.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refuse(&proof, root32, depth, "changed v");
    }
    proof.value = value;
    proof.value.len++;
    refuse(&proof, root32, depth, "longer v");
    proof.value.len = ENC_SMT_VALUE_MAX + 1;
    refuse(&proof, root32, depth, "v too long");
}

static void refuse_roots(const struct enc_smt_proof *proof, const uint8_t root32[32],
                         unsigned depth)
{
    for (unsigned bit = 0; bit < 256; bit += 17) {
        uint8_t other32[32];
        memcpy(other32, root32, 32);
        other32[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refuse(proof, other32, depth, "other root");
    }
}

static void refuse_all(unsigned set, unsigned depth)
{
    struct enc_arena arena = arena_new();
    struct enc_smt tree = tree_of(&arena, set, depth);
    uint8_t root32[32];
    enc_smt_root_hash(&tree, root32);
    for (unsigned key = 0; key < 1u << depth; key++) {
        struct enc_smt_proof proof;
        uint8_t key21[21];
        key_of(key21, key, depth);
        cr_assert(enc_smt_prove(&tree, &proof, key21) == ENC_ERR_OK);
        refuse_siblings(proof, root32, depth);
        refuse_spelled_empty(proof, root32, depth);
        refuse_bits(proof, root32, depth);
        refuse_values(proof, root32, depth);
        refuse_roots(&proof, root32, depth);
    }
    enc_arena_fini(&arena);
}

Test(smt, every_changed_proof_is_refused)
{
    for (unsigned depth = 1; depth <= 3; depth++)
        for (unsigned set = 0; set < 1u << (1u << depth); set++)
            refuse_all(set, depth);
    for (unsigned set = 0; set < SETS; set += 509)
        refuse_all(set, D);
}

/* Where an absent key's proof fits another key as well, that key is absent too. */
Test(smt, no_proof_lies_about_another_key)
{
    roots_fill();
    for (unsigned set = 0; set < SETS; set += 5) {
        struct enc_arena arena = arena_new();
        struct enc_smt tree = tree_of(&arena, set, D);
        for (unsigned key = 0; key < KEYS; key++) {
            struct enc_smt_proof proof;
            uint8_t key21[21];
            key_of(key21, key, D);
            cr_assert(enc_smt_prove(&tree, &proof, key21) == ENC_ERR_OK);
            for (unsigned other = 0; other < KEYS; other++) {
                key_of(proof.key21, other, D);
                bool holds = enc_smt_proof_verify_depth(&proof, roots32[set], D);
                bool is_in = set >> other & 1;
                cr_assert(!holds || is_in == (proof.value.len != 0));
            }
        }
        enc_arena_fini(&arena);
    }
}
