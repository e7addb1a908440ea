#include "proto/ct.h"
#include "support.h"
#include "tests/support/trees.h"

TestSuite(consistency);

static struct naive_log log_of(uint64_t count)
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

static void expect_vectors(const struct enc_path *path, const char *vector)
{
    cr_assert(path->count == json_array_size(vector_at(vector)));
    for (uint32_t i = 0; i < path->count; i++) {
        char at[64];
        snprintf(at, sizeof at, "%s.%u", vector, i);
        expect_vector(enc_bytes_of(path->hashes32[i], 32), at);
    }
}

Test(consistency, three_to_five)
{
    struct naive_log log = log_of(5);
    struct enc_subtree_source source = log_source(&log);
    struct enc_consistency proof;
    uint8_t from32[32], to32[32];
    cr_assert(enc_consistency_prove(&proof, &source, 3, 5) == ENC_ERR_OK);
    expect_vectors(&proof.path, "merkle5.consistency_3_to_5");
    vector_hex(from32, 32, "merkle5.root3");
    vector_hex(to32, 32, "merkle5.root");
    cr_assert(enc_consistency_verify(&proof, from32, to32));
    cr_assert(!enc_consistency_verify(&proof, to32, from32));
}

Test(consistency, the_log_of_one_bundle_and_of_two)
{
    struct naive_log log = {.count = 0};
    struct enc_frontier frontier = {.count = 0};
    struct enc_subtree_source source = log_source(&log);
    struct enc_consistency proof;
    uint8_t from32[32], to32[32];
    vector_hex(from32, 32, "bundle0.ct_leaf");
    log_add(&log, &frontier, from32);
    vector_hex(to32, 32, "bundle1.ct_leaf");
    log_add(&log, &frontier, to32);
    cr_assert(enc_consistency_prove(&proof, &source, 1, 2) == ENC_ERR_OK);
    expect_vectors(&proof.path, "consistency_1_2");
    vector_hex(from32, 32, "sth1.r");
    vector_hex(to32, 32, "sth2.r");
    cr_assert(enc_consistency_verify(&proof, from32, to32));
}

Test(consistency, all_ranges_of_a_log)
{
    struct naive_log log = log_of(13);
    struct enc_subtree_source source = log_source(&log);
    for (uint64_t to = 1; to <= log.count; to++)
        for (uint64_t from = 1; from <= to; from++) {
            struct enc_consistency proof;
            uint8_t from32[32], to32[32];
            naive_mth(from32, log.leaves32, from);
            naive_mth(to32, log.leaves32, to);
            cr_assert(enc_consistency_prove(&proof, &source, from, to) == ENC_ERR_OK);
            cr_assert(enc_consistency_verify(&proof, from32, to32), "%lu to %lu", from, to);
            from32[0] ^= 1;
            cr_assert(!enc_consistency_verify(&proof, from32, to32));
        }
}

Test(consistency, trivial_ranges_have_empty_paths)
{
    struct naive_log log = log_of(5);
    struct enc_subtree_source source = log_source(&log);
    struct enc_consistency proof;
    const uint64_t ranges[][2] = {{0, 0}, {0, 5}, {5, 5}};
    uint8_t from32[32], to32[32];
    for (size_t i = 0; i < 3; i++) {
        cr_assert(enc_consistency_prove(&proof, &source, ranges[i][0], ranges[i][1]) == 0);
        naive_mth(from32, log.leaves32, ranges[i][0]);
        naive_mth(to32, log.leaves32, ranges[i][1]);
        cr_assert(proof.path.count == 0 && log.loads == 0);
        cr_assert(enc_consistency_verify(&proof, from32, to32));
        proof.path.count = 1;
        cr_assert(!enc_consistency_verify(&proof, from32, to32));
    }
}

Test(consistency, a_range_that_runs_backwards)
{
    struct naive_log log = log_of(5);
    struct enc_subtree_source source = log_source(&log);
    struct enc_consistency proof = {.from = 5, .to = 3};
    cr_assert(!enc_consistency_verify(&proof, enc_empty32, enc_empty32));
    cr_assert(enc_consistency_prove(&proof, &source, 5, 3) == ENC_ERR_INVALID_RANGE);
}

Test(consistency, the_errors_of_the_source_come_through)
{
    struct naive_log log = log_of(7);
    struct enc_subtree_source source = log_source(&log);
    struct enc_consistency proof;
    for (uint64_t nth = 1;; nth++) {
        log.fail_in = nth;
        enum enc_err err = enc_consistency_prove(&proof, &source, 3, 7);
        if (err == ENC_ERR_OK) {
            cr_assert(nth > 4);
            break;
        }
        cr_assert(err == ENC_ERR_BUSY);
    }
}

/* Sizes far beyond any log end quickly and in bounds. */
Test(consistency, absurd_sizes_in_a_proof)
{
    const uint64_t sizes[] = {1, 2, 3, (uint64_t)1 << 63, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++)
            for (uint32_t count = 0; count <= ENC_PATH_MAX; count++) {
                struct enc_consistency proof = {sizes[i], sizes[j], {.count = count}};
                bool holds = enc_consistency_verify(&proof, enc_empty32, enc_empty32);
                cr_assert(holds == (i == j && count == 0));
            }
}

static enum enc_err any_load(void *self, uint8_t hash32[32], unsigned level, uint64_t index)
{
    uint64_t *loads = self;
    ++*loads;
    hash_of_int(hash32, index << 6 | level);
    return ENC_ERR_OK;
}

Test(consistency, a_huge_log_needs_few_loads)
{
    uint64_t loads = 0, to = ((uint64_t)1 << 53) - 1;
    struct enc_subtree_source source = {any_load, &loads};
    struct enc_consistency proof;
    cr_assert(enc_consistency_prove(&proof, &source, to - 1, to) == ENC_ERR_OK);
    cr_assert(loads < 2 * 54 && proof.path.count <= 54, "%lu loads", loads);
    loads = 0;
    cr_assert(enc_consistency_prove(&proof, &source, 12345, to) == ENC_ERR_OK);
    cr_assert(loads < 2 * 54 && proof.path.count <= 54, "%lu loads", loads);
}

Test(consistency, the_older_root_follows_from_the_newer_one)
{
    struct naive_log log = log_of(12);
    struct enc_subtree_source source = log_source(&log);
    for (uint64_t to = 1; to <= 12; to++)
        for (uint64_t from = 1; from <= to; from++) {
            struct enc_consistency proof;
            uint8_t from32[32], to32[32], prefix32[32];
            bool is_shown = from < to && (from & (from - 1)) != 0;
            cr_assert(enc_consistency_prove(&proof, &source, from, to) == ENC_ERR_OK);
            naive_mth(from32, log.leaves32, from);
            naive_mth(to32, log.leaves32, to);
            cr_assert(enc_consistency_prefix(prefix32, &proof, to32) == is_shown);
            cr_assert(!is_shown || memcmp(prefix32, from32, 32) == 0);
            to32[0] ^= 1;
            cr_assert(!enc_consistency_prefix(prefix32, &proof, to32));
        }
}
