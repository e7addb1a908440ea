/* Rows of the state tree: a stored tree in memory, opened for every operation as a run does. */
#include "bench/micro.h"

#include "proto/sha256.h"
#include "proto/smt.h"

enum { CHUNK_ALIGN = 16 };

struct micro_tree {
    size_t leaves;
    struct enc_smt_root root;
    struct enc_smt_source source;
    uint8_t (*records)[ENC_SMT_RECORD_MAX]; /* by index; there is one version */
    uint8_t *record_lens;
    size_t record_count;
    size_t record_cap;
    size_t put_count; /* by updates, which are thrown away */
};

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    size_t whole_len = (len + CHUNK_ALIGN - 1) & ~(size_t)(CHUNK_ALIGN - 1);
    struct enc_chunk *chunk = (struct enc_chunk *)aligned_alloc(CHUNK_ALIGN, whole_len);
    (void)self;
    if (chunk)
        chunk->len = whole_len;
    return chunk;
}

static void give_chunks(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

static void key_of(uint8_t key21[ENC_SMT_KEY_LEN], size_t number)
{
    uint8_t raw32[32] = {0};
    enc_be64_put(raw32, number);
    enc_smt_key(key21, ENC_SMT_RBAC, raw32);
}

static enum enc_err load_record(void *self, struct enc_bytes *record, struct enc_smt_ref ref)
{
    struct micro_tree *tree = (struct micro_tree *)self;
    ENC_CHECK(ref.version == 1 && ref.index < tree->record_count);
    *record = enc_bytes_of(tree->records[ref.index], tree->record_lens[ref.index]);
    return ENC_ERR_OK;
}

static void grow(struct micro_tree *tree)
{
    tree->record_cap = 2 * tree->record_cap + 16;
    tree->records = realloc(tree->records, tree->record_cap * sizeof *tree->records);
    tree->record_lens = (uint8_t *)realloc(tree->record_lens, tree->record_cap);
    ENC_CHECK(tree->records && tree->record_lens);
}

static enum enc_err keep_record(void *self, struct enc_smt_ref ref, struct enc_bytes record)
{
    struct micro_tree *tree = (struct micro_tree *)self;
    ENC_CHECK(ref.index == tree->record_count && record.len <= ENC_SMT_RECORD_MAX);
    if (tree->record_count == tree->record_cap)
        grow(tree);
    memcpy(tree->records[tree->record_count], record.data, record.len);
    tree->record_lens[tree->record_count++] = (uint8_t)record.len;
    return ENC_ERR_OK;
}

static enum enc_err count_record(void *self, struct enc_smt_ref ref, struct enc_bytes record)
{
    struct micro_tree *tree = (struct micro_tree *)self;
    (void)ref;
    (void)record;
    tree->put_count++;
    return ENC_ERR_OK;
}

static enum enc_err drop_record(void *self, struct enc_smt_ref ref)
{
    (void)self;
    (void)ref;
    return ENC_ERR_OK;
}

static void fill(struct micro_tree *tree)
{
    static const struct enc_chunk_source CHUNKS = {take_chunk, give_chunks, NULL};
    const struct enc_smt_sink sink = {keep_record, drop_record, tree};
    struct enc_smt_root empty = enc_smt_root_empty();
    uint8_t value32[32] = {1};
    uint8_t key21[ENC_SMT_KEY_LEN];
    struct enc_arena arena;
    struct enc_smt smt;
    enc_arena_init(&arena, &CHUNKS, SIZE_MAX / 2);
    enc_smt_init(&smt, &arena, NULL, &empty);
    for (size_t i = 0; i < tree->leaves; i++) {
        key_of(key21, i);
        ENC_CHECK(enc_smt_set(&smt, key21, enc_bytes_of(value32, 32)) == ENC_ERR_OK);
    }
    ENC_CHECK(enc_smt_seal(&smt, &tree->root, &sink, 1) == ENC_ERR_OK);
    enc_arena_fini(&arena);
}

void micro_tree_make(struct micro *micro, size_t leaves)
{
    if (micro->tree && micro->tree->leaves == leaves)
        return;
    if (micro->tree) {
        free(micro->tree->records);
        free(micro->tree->record_lens);
        free(micro->tree);
    }
    micro->tree = (struct micro_tree *)calloc(1, sizeof *micro->tree);
    ENC_CHECK(micro->tree);
    micro->tree->leaves = leaves;
    micro->tree->source = (struct enc_smt_source){load_record, micro->tree};
    fill(micro->tree);
}

void micro_tree_update(struct micro *micro, size_t count)
{
    struct micro_tree *tree = micro->tree;
    const struct enc_smt_sink sink = {count_record, drop_record, tree};
    uint8_t key21[ENC_SMT_KEY_LEN];
    for (size_t i = 0; i < count; i++) {
        struct enc_arena arena = micro_arena(micro);
        struct enc_smt smt;
        struct enc_smt_root root;
        uint8_t value32[32] = {2};
        enc_be64_put(value32 + 8, i);
        key_of(key21, i * 7919 % tree->leaves);
        enc_smt_init(&smt, &arena, &tree->source, &tree->root);
        ENC_CHECK(enc_smt_set(&smt, key21, enc_bytes_of(value32, 32)) == ENC_ERR_OK);
        ENC_CHECK(enc_smt_seal(&smt, &root, &sink, 2) == ENC_ERR_OK);
        micro->sink[0] ^= root.hash32[0];
    }
}

void micro_tree_prove(struct micro *micro, size_t count)
{
    static struct enc_smt_proof proof;
    struct micro_tree *tree = micro->tree;
    uint8_t key21[ENC_SMT_KEY_LEN];
    for (size_t i = 0; i < count; i++) {
        struct enc_arena arena = micro_arena(micro);
        struct enc_smt smt;
        key_of(key21, i * 7919 % tree->leaves);
        enc_smt_init(&smt, &arena, &tree->source, &tree->root);
        ENC_CHECK(enc_smt_prove(&smt, &proof, key21) == ENC_ERR_OK);
        micro->sink[0] ^= proof.count;
    }
}
