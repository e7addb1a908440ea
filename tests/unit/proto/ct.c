#include "proto/ct.h"
#include "support.h"
#include "tests/support/trees.h"

#include <signal.h>

TestSuite(ct);

static struct naive_log merkle5(uint64_t count)
{
    struct naive_log log = {.count = 0};
    struct enc_frontier frontier = {.count = 0};
    for (uint8_t i = 0; i < count; i++) {
        uint8_t leaf32[32];
        enc_sha256(leaf32, enc_bytes_of(&i, 1));
        log_add(&log, &frontier, leaf32);
    }
    return log;
}

static void expect_path(const struct enc_path *path, const char *vector)
{
    cr_assert(path->count == json_array_size(vector_at(vector)));
    for (uint32_t i = 0; i < path->count; i++) {
        char at[64];
        snprintf(at, sizeof at, "%s.%u", vector, i);
        expect_vector(enc_bytes_of(path->hashes32[i], 32), at);
    }
}

static void expect_leaf(const char *bundle)
{
    char at[64];
    uint8_t events_root32[32], state_hash32[32], leaf32[32];
    snprintf(at, sizeof at, "%s.events_root", bundle);
    vector_hex(events_root32, 32, at);
    snprintf(at, sizeof at, "%s.state_hash", bundle);
    vector_hex(state_hash32, 32, at);
    enc_ct_leaf(leaf32, events_root32, state_hash32);
    snprintf(at, sizeof at, "%s.ct_leaf", bundle);
    expect_vector(enc_bytes_of(leaf32, 32), at);
}

Test(ct, leaves)
{
    expect_leaf("bundle0");
    expect_leaf("bundle1");
}

static void event_ids(uint8_t *ids32)
{
    for (size_t i = 0; i < 5; i++) {
        char at[32];
        snprintf(at, sizeof at, "events.%zu.id", i);
        vector_hex(ids32 + 32 * i, 32, at);
    }
}

Test(ct, bundles)
{
    uint8_t ids32[5 * 32], root32[32];
    struct enc_bundle_proof proof;
    event_ids(ids32);
    enc_bundle_root(root32, ids32, 4);
    expect_vector(enc_bytes_of(root32, 32), "bundle0.events_root");
    cr_assert(enc_bundle_prove(&proof, ids32, 2, 4) == ENC_ERR_OK);
    expect_vector(enc_bytes_of(proof.event_id32, 32), "bundle0.proof_e2.event_id");
    cr_assert(proof.index == vector_u64("bundle0.proof_e2.bundle_index"));
    cr_assert(proof.size == vector_u64("bundle0.proof_e2.bundle_size"));
    expect_path(&proof.siblings, "bundle0.proof_e2.siblings");
    cr_assert(enc_bundle_verify(&proof, root32));
    cr_assert(enc_bundle_prove(&proof, ids32, 4, 4) == ENC_ERR_LEAF_NOT_FOUND);
}

Test(ct, a_bundle_of_one_is_its_event)
{
    uint8_t ids32[5 * 32], root32[32];
    struct enc_bundle_proof proof;
    event_ids(ids32);
    enc_bundle_root(root32, ids32 + 4 * 32, 1);
    expect_vector(enc_bytes_of(root32, 32), "bundle1.events_root");
    expect_vector(enc_bytes_of(root32, 32), "events.4.id");
    cr_assert(enc_bundle_prove(&proof, ids32 + 4 * 32, 0, 1) == ENC_ERR_OK);
    cr_assert(proof.siblings.count == 0 && enc_bundle_verify(&proof, root32));
}

Test(ct, an_empty_bundle_is_our_mistake, .signal = SIGABRT)
{
    uint8_t root32[32];
    enc_bundle_root(root32, NULL, 0);
}

Test(ct, paths)
{
    struct naive_log log = merkle5(5);
    struct enc_subtree_source source = log_source(&log);
    struct enc_path path;
    uint8_t root32[32];
    for (uint64_t leaf = 2; leaf <= 4; leaf += 2) {
        cr_assert(enc_path_build(&path, &source, leaf, 5) == ENC_ERR_OK);
        expect_path(&path, leaf == 2 ? "merkle5.path_of_2" : "merkle5.path_of_4");
        cr_assert(enc_path_root(root32, &path, log.leaves32[leaf], leaf, 5));
        expect_vector(enc_bytes_of(root32, 32), "merkle5.root");
        path.count--;
        cr_assert(!enc_path_root(root32, &path, log.leaves32[leaf], leaf, 5));
        path.count += 2;
        cr_assert(!enc_path_root(root32, &path, log.leaves32[leaf], leaf, 5));
    }
}

Test(ct, inclusion_in_the_log_of_two_bundles)
{
    struct naive_log log = {.count = 0};
    struct enc_frontier frontier = {.count = 0};
    struct enc_subtree_source source = log_source(&log);
    struct enc_inclusion proof = {.size = 2, .index = 0};
    uint8_t root32[32];
    vector_hex(root32, 32, "bundle0.ct_leaf");
    log_add(&log, &frontier, root32);
    vector_hex(root32, 32, "bundle1.ct_leaf");
    log_add(&log, &frontier, root32);
    cr_assert(enc_path_build(&proof.path, &source, 0, 2) == ENC_ERR_OK);
    expect_path(&proof.path, "inclusion_leaf0_in_2");
    vector_hex(proof.events_root32, 32, "bundle0.events_root");
    vector_hex(proof.state_hash32, 32, "bundle0.state_hash");
    vector_hex(root32, 32, "sth2.r");
    cr_assert(enc_inclusion_verify(&proof, root32));
    vector_hex(root32, 32, "sth1.r");
    cr_assert(!enc_inclusion_verify(&proof, root32));
}

Test(ct, a_leaf_that_is_not_there)
{
    struct naive_log log = merkle5(5);
    struct enc_subtree_source source = log_source(&log);
    struct enc_path path = {.count = 0};
    uint8_t root32[32];
    cr_assert(enc_path_build(&path, &source, 5, 5) == ENC_ERR_LEAF_NOT_FOUND);
    cr_assert(enc_path_build(&path, &source, 0, 0) == ENC_ERR_LEAF_NOT_FOUND);
    cr_assert(!enc_path_root(root32, &path, log.leaves32[0], 0, 0));
    cr_assert(!enc_path_root(root32, &path, log.leaves32[0], 1, 1));
    cr_assert(enc_path_root(root32, &path, log.leaves32[0], 0, 1));
}

Test(ct, the_errors_of_the_source_come_through)
{
    struct naive_log log = merkle5(5);
    struct enc_subtree_source source = log_source(&log);
    struct enc_path path;
    for (uint64_t nth = 1; nth <= 3; nth++) {
        log.fail_in = nth;
        cr_assert(enc_path_build(&path, &source, 2, 5) == ENC_ERR_BUSY);
    }
}

/* Sizes far beyond any log end quickly and in bounds. */
Test(ct, absurd_sizes_in_a_proof)
{
    struct enc_path path = {.count = ENC_PATH_MAX};
    uint8_t root32[32];
    cr_assert(!enc_path_root(root32, &path, enc_empty32, 0, UINT64_MAX));
    cr_assert(!enc_path_root(root32, &path, enc_empty32, UINT64_MAX - 1, UINT64_MAX));
    path.count = 64;
    cr_assert(enc_path_root(root32, &path, enc_empty32, 0, UINT64_MAX));
}

/* A path in a log so large that only its right edge is looked at: one load per level at most. */
static enum enc_err any_load(void *self, uint8_t hash32[32], unsigned level, uint64_t index)
{
    uint64_t *loads = self;
    ++*loads;
    hash_of_int(hash32, index << 6 | level);
    return ENC_ERR_OK;
}

Test(ct, a_path_in_a_huge_log)
{
    uint64_t loads = 0, size = ((uint64_t)1 << 53) - 1;
    struct enc_subtree_source source = {any_load, &loads};
    struct enc_path path;
    cr_assert(enc_path_build(&path, &source, 12345, size) == ENC_ERR_OK);
    cr_assert(path.count == 53 && loads < 2 * 53, "%lu loads", loads);
    size = ((uint64_t)1 << 63) - 1;
    cr_assert(enc_path_build(&path, &source, size - 1, size) == ENC_ERR_OK);
    cr_assert(path.count == 62);
}

static struct enc_sth sth_of(const char *name)
{
    struct enc_sth sth;
    char at[32];
    snprintf(at, sizeof at, "%s.t", name);
    sth.t_ms = vector_u64(at);
    snprintf(at, sizeof at, "%s.ts", name);
    sth.ts = vector_u64(at);
    snprintf(at, sizeof at, "%s.r", name);
    vector_hex(sth.r32, 32, at);
    snprintf(at, sizeof at, "%s.sig", name);
    vector_hex(sth.sig64, 64, at);
    return sth;
}

static void check_sth(const char *name)
{
    struct enc_sth sth = sth_of(name), own = sth;
    struct enc_key key = vector_key("seq");
    memset(own.sig64, 0, 64);
    enc_sth_sign(test_curve(), &own, &key);
    cr_assert(memcmp(own.sig64, sth.sig64, 64) == 0, "the signature of %s", name);
    cr_assert(enc_sth_verify(test_curve(), &sth, key.pub32));
}

Test(ct, tree_heads)
{
    check_sth("sth1");
    check_sth("sth2");
}

static void refuse_sth(struct enc_sth sth)
{
    struct enc_key key = vector_key("seq");
    cr_assert(!enc_sth_verify(test_curve(), &sth, key.pub32));
}

Test(ct, a_changed_tree_head_is_refused)
{
    struct enc_sth sth = sth_of("sth2"), other;
    struct enc_key owner = vector_key("owner");
    cr_assert(!enc_sth_verify(test_curve(), &sth, owner.pub32));
    other = sth;
    other.t_ms++;
    refuse_sth(other);
    other = sth;
    other.ts++;
    refuse_sth(other);
    other = sth;
    other.r32[0] ^= 1;
    refuse_sth(other);
    other = sth;
    other.sig64[63] ^= 1;
    refuse_sth(other);
}

Test(ct, the_message_is_the_hash_of_the_fields)
{
    struct enc_sth sth = {.t_ms = 0x0102030405060708, .ts = 0x1112131415161718};
    uint8_t text[56] = "enc:sth:\1\2\3\4\5\6\7\10\21\22\23\24\25\26\27\30";
    uint8_t message32[32], expected32[32];
    memset(sth.r32, 0x5a, 32);
    memset(text + 24, 0x5a, 32);
    enc_sha256(expected32, enc_bytes_of(text, sizeof text));
    enc_sth_message(message32, &sth);
    assert_hash(message32, expected32, "the signed message");
}

Test(ct, the_root_before_a_leaf_follows_from_its_path)
{
    struct naive_log log = {.count = 0};
    struct enc_frontier frontier = {.count = 0};
    uint8_t events32[13][32], state32[32] = {7}, leaf32[32];
    for (uint8_t i = 0; i < 13; i++) {
        enc_sha256(events32[i], enc_bytes_of(&i, 1));
        enc_ct_leaf(leaf32, events32[i], state32);
        log_add(&log, &frontier, leaf32);
    }
    struct enc_subtree_source source = log_source(&log);
    for (uint64_t size = 1; size <= 13; size++)
        for (uint64_t index = 0; index < size; index++) {
            struct enc_inclusion proof = {.size = size, .index = index};
            uint8_t root32[32], before32[32], prefix32[32];
            memcpy(proof.events_root32, events32[index], 32);
            memcpy(proof.state_hash32, state32, 32);
            cr_assert(enc_path_build(&proof.path, &source, index, size) == ENC_ERR_OK);
            naive_mth(root32, log.leaves32, size);
            naive_mth(before32, log.leaves32, index + 1);
            cr_assert(enc_inclusion_prefix(prefix32, &proof, root32));
            assert_hash(prefix32, before32, "the root before it");
            proof.state_hash32[0] ^= 1;
            cr_assert(!enc_inclusion_prefix(prefix32, &proof, root32));
        }
}
