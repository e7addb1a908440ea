/* Long runs at full depth: changes, forks, rollbacks, seals, reloads and a store that fails, against
 * a list of leaves. The keys crowd together, so that branches stand at every depth. */
#include "tests/support/trees.h"

TestSuite(smt_runs);

enum { KEYS = 48, STEPS = 2500, SEEDS = 4 };

struct run {
    uint64_t seed;
    uint64_t version;
    uint8_t keys[KEYS][ENC_SMT_KEY_LEN];
    struct naive_smt naive;
    struct naive_smt naive_sealed;
    struct enc_smt_root root; /* sealed last */
    struct enc_arena arena;
    struct enc_smt tree;
    unsigned refused; /* changes that the store refused */
};

static struct record_store store;
static const struct enc_smt_source source = {record_load, &store};
static const struct enc_smt_sink sink = {record_put, record_drop, &store};

static void bit_flip(uint8_t key21[21], uint64_t bit)
{
    key21[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
}

/* A key of its own, or one that leaves an older key's path at some bit. */
static void key_make(struct run *run, unsigned number)
{
    uint8_t *key21 = run->keys[number];
    for (unsigned i = 0; i < ENC_SMT_KEY_LEN; i++)
        key21[i] = (uint8_t)chance(&run->seed);
    if (number == 0 || chance(&run->seed) % 4 == 0)
        return;
    const uint8_t *older21 = run->keys[chance(&run->seed) % number];
    uint64_t shared = chance(&run->seed) % ENC_SMT_DEPTH;
    for (uint64_t bit = 0; bit < ENC_SMT_DEPTH; bit++) {
        unsigned own = enc_smt_bit(key21, (unsigned)bit);
        unsigned old = enc_smt_bit(older21, (unsigned)bit);
        if ((bit < shared && own != old) || (bit == shared && own == old))
            bit_flip(key21, bit);
    }
}

static void run_open(struct run *run)
{
    enc_arena_fini(&run->arena);
    enc_smt_init(&run->tree, &run->arena, &source, &run->root);
    cr_assert(enc_smt_count(&run->tree) == run->naive_sealed.count);
    run->naive = run->naive_sealed;
}

static void run_start(struct run *run, uint64_t seed)
{
    memset(&store, 0, sizeof store);
    *run = (struct run){.seed = seed, .root = enc_smt_root_empty(), .arena = arena_new()};
    for (unsigned i = 0; i < KEYS; i++)
        key_make(run, i);
    run_open(run);
}

static const uint8_t *any_key(struct run *run)
{
    return run->keys[chance(&run->seed) % KEYS];
}

static void root_check(struct run *run)
{
    uint8_t root32[32], expected32[32];
    enc_smt_root_hash(&run->tree, root32);
    naive_root(expected32, &run->naive, ENC_SMT_DEPTH);
    assert_hash(root32, expected32, "root of %zu leaves", run->naive.count);
    cr_assert(enc_smt_count(&run->tree) == run->naive.count);
}

/* A change that fails changes nothing. */
static void outcome_check(struct run *run, enum enc_err err, const uint8_t key21[21],
                          struct enc_bytes value)
{
    if (err == ENC_ERR_OK) {
        naive_set(&run->naive, key21, value);
        return;
    }
    cr_assert(err == ENC_ERR_BUSY, "another error than the store's");
    run->refused++;
    root_check(run);
}

static void do_set(struct run *run)
{
    const uint8_t *key21 = any_key(run);
    uint8_t bytes[ENC_SMT_VALUE_MAX];
    size_t len = 1 + chance(&run->seed) % sizeof bytes;
    memset(bytes, (int)(chance(&run->seed) % 3), len);
    struct enc_bytes value = enc_bytes_of(bytes, len);
    outcome_check(run, enc_smt_set(&run->tree, key21, value), key21, value);
}

static void do_remove(struct run *run)
{
    const uint8_t *key21 = any_key(run);
    outcome_check(run, enc_smt_remove(&run->tree, key21), key21, enc_bytes_of(NULL, 0));
}

static void do_get(struct run *run)
{
    const uint8_t *key21 = any_key(run);
    struct enc_smt_value value, expected = naive_get(&run->naive, key21);
    enum enc_err err = enc_smt_get(&run->tree, &value, key21);
    if (err == ENC_ERR_OK)
        cr_assert(value.len == expected.len && memcmp(value.data, expected.data, value.len) == 0);
    else
        cr_assert(err == ENC_ERR_BUSY);
}

static void do_prove(struct run *run)
{
    const uint8_t *key21 = any_key(run);
    struct enc_smt_proof proof;
    if (enc_smt_prove(&run->tree, &proof, key21) != ENC_ERR_OK)
        return;
    uint8_t root32[32];
    naive_root(root32, &run->naive, ENC_SMT_DEPTH);
    cr_assert(proof.value.len == naive_get(&run->naive, key21).len);
    cr_assert(enc_smt_proof_verify(&proof, root32));
    unsigned bit = (unsigned)(chance(&run->seed) % ENC_SMT_DEPTH);
    bit_flip(proof.bitmap21, bit);
    cr_assert(!enc_smt_proof_verify(&proof, root32));
}

static void change_some(struct run *run)
{
    for (uint64_t left = chance(&run->seed) % 6; left > 0; left--)
        (chance(&run->seed) % 2 ? do_set : do_remove)(run);
}

/* Try some changes and take them back, or keep them and find the older state untouched. */
static void do_fork(struct run *run)
{
    struct naive_smt naive = run->naive;
    struct enc_smt before = enc_smt_fork(&run->tree);
    change_some(run);
    if (chance(&run->seed) % 2)
        root_check(run);
    if (chance(&run->seed) % 2) {
        run->tree = before;
        run->naive = naive;
        root_check(run);
        return;
    }
    uint8_t root32[32], expected32[32];
    enc_smt_root_hash(&before, root32);
    naive_root(expected32, &naive, ENC_SMT_DEPTH);
    assert_hash(root32, expected32, "the older state has changed");
}

/* A store is a transaction: what fails has not been written. */
static void do_seal(struct run *run)
{
    static struct record_store kept;
    struct enc_smt_root root;
    kept = store;
    enum enc_err err = enc_smt_seal(&run->tree, &root, &sink, ++run->version);
    if (err != ENC_ERR_OK) {
        store = kept;
        store.fail_in = 0;
        run_open(run);
        root_check(run);
        return;
    }
    run->root = root;
    run->naive_sealed = run->naive;
    cr_assert(store.live == (root.count ? 2 * root.count - 1 : 0), "exactly the tree is stored");
    if (chance(&run->seed) % 2)
        run_open(run);
}

static void (*const ACTIONS[])(struct run *run) = {
    do_set,    do_set,    do_set,    do_set,   do_set,  do_set,  do_set,
    do_remove, do_remove, do_remove, do_get,   do_get,  do_fork, root_check,
    do_prove,  do_set,    do_remove, do_prove, do_fork, do_seal,
};

static void one_run(uint64_t seed)
{
    static struct run run;
    run_start(&run, seed);
    for (unsigned step = 0; step < STEPS; step++) {
        if (seed % 2 && chance(&run.seed) % 8 == 0)
            store.fail_in = 1 + chance(&run.seed) % 6;
        ACTIONS[chance(&run.seed) % (sizeof ACTIONS / sizeof *ACTIONS)](&run);
    }
    root_check(&run);
    cr_assert((run.refused > 10) == (seed % 2), "%u changes refused", run.refused);
    cr_assert(run.naive.count > 5 && store.loads > 1000, "a poor run");
}

Test(smt_runs, against_a_list_of_leaves)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        one_run(seed);
}

/* The same end by another way has the same root, whatever came and went in between. */
Test(smt_runs, history_leaves_no_trace)
{
    static struct run run;
    run_start(&run, 77);
    for (unsigned step = 0; step < 500; step++)
        (chance(&run.seed) % 2 ? do_set : do_remove)(&run);
    struct enc_smt fresh;
    struct enc_smt_root empty = enc_smt_root_empty();
    enc_smt_init(&fresh, &run.arena, NULL, &empty);
    for (size_t i = run.naive.count; i-- > 0;) {
        struct naive_leaf *leaf = &run.naive.leaves[i];
        struct enc_bytes value = enc_bytes_of(leaf->value.data, leaf->value.len);
        cr_assert(enc_smt_set(&fresh, leaf->key21, value) == ENC_ERR_OK);
    }
    uint8_t a32[32], b32[32];
    enc_smt_root_hash(&fresh, a32);
    enc_smt_root_hash(&run.tree, b32);
    assert_hash(a32, b32, "two histories, two roots");
}
