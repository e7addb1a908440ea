#include "proto/frontier.h"
#include "support.h"
#include "tests/support/trees.h"

#include <signal.h>

TestSuite(frontier);

static struct enc_frontier frontier_of(uint64_t count)
{
    struct enc_frontier frontier = {.count = 0};
    for (uint64_t i = 0; i < count; i++) {
        uint8_t leaf32[32];
        hash_of_int(leaf32, i);
        cr_assert(enc_frontier_add(&frontier, NULL, leaf32) == ENC_ERR_OK);
    }
    return frontier;
}

static void expect_root(uint64_t leaves, const char *path)
{
    struct enc_frontier frontier = {.count = 0};
    uint8_t leaf32[32], root32[32];
    for (uint8_t i = 0; i < leaves; i++) {
        enc_sha256(leaf32, enc_bytes_of(&i, 1));
        cr_assert(enc_frontier_add(&frontier, NULL, leaf32) == ENC_ERR_OK);
    }
    enc_frontier_root(&frontier, root32);
    expect_vector(enc_bytes_of(root32, 32), path);
}

Test(frontier, vectors)
{
    expect_root(0, "smt.EMPTY");
    expect_root(3, "merkle5.root3");
    expect_root(5, "merkle5.root");
}

Test(frontier, the_log_of_two_bundles)
{
    struct enc_frontier frontier = {.count = 0};
    uint8_t leaf32[32], root32[32];
    for (unsigned i = 0; i < 2; i++) {
        vector_hex(leaf32, 32, i ? "bundle1.ct_leaf" : "bundle0.ct_leaf");
        cr_assert(enc_frontier_add(&frontier, NULL, leaf32) == ENC_ERR_OK);
        enc_frontier_root(&frontier, root32);
        expect_vector(enc_bytes_of(root32, 32), i ? "sth2.r" : "sth1.r");
    }
}

Test(frontier, a_failing_sink_leaves_it_as_it_was)
{
    for (uint64_t nth = 1; nth <= 4; nth++) {
        struct naive_log log = {.count = 0};
        struct enc_frontier frontier = {.count = 0};
        uint8_t leaf32[32], before32[32], after32[32];
        struct enc_subtree_sink sink = log_sink(&log);
        for (uint64_t i = 0; i < 7; i++) {
            hash_of_int(leaf32, i);
            log_add(&log, &frontier, leaf32);
        }
        enc_frontier_root(&frontier, before32);
        log.fail_in = nth; /* the eighth leaf completes four subtrees */
        cr_assert(enc_frontier_add(&frontier, &sink, leaf32) == ENC_ERR_BUSY);
        enc_frontier_root(&frontier, after32);
        assert_hash(after32, before32, "after a failed put");
        cr_assert(frontier.count == 7);
    }
}

Test(frontier, the_errors_of_the_source_come_through)
{
    struct naive_log log = {.count = 0};
    struct enc_frontier frontier = {.count = 0};
    struct enc_subtree_source source = log_source(&log);
    uint8_t root32[32];
    for (uint64_t i = 0; i < 7; i++) {
        hash_of_int(root32, i);
        log_add(&log, &frontier, root32);
    }
    for (uint64_t nth = 1; nth <= 3; nth++) {
        log.fail_in = nth;
        cr_assert(enc_range_root(&source, root32, 0, 7) == ENC_ERR_BUSY);
    }
}

Test(frontier, records_are_these_bytes)
{
    struct enc_frontier frontier = {.count = 6};
    uint8_t record[ENC_FRONTIER_LEN_MAX];
    memset(frontier.nodes32, 0xee, sizeof frontier.nodes32);
    memset(frontier.nodes32[1], 0x11, 32);
    memset(frontier.nodes32[2], 0x22, 32);
    size_t len = enc_frontier_encode(record, &frontier);
    expect_hex(enc_bytes_of(record, len),
               "0000000000000006"
               "1111111111111111111111111111111111111111111111111111111111111111"
               "2222222222222222222222222222222222222222222222222222222222222222");
}

Test(frontier, every_count_survives)
{
    for (uint64_t count = 0; count <= 70; count++) {
        struct enc_frontier frontier = frontier_of(count), back;
        uint8_t record[ENC_FRONTIER_LEN_MAX], a32[32], b32[32];
        size_t len = enc_frontier_encode(record, &frontier);
        memset(&back, 0xee, sizeof back);
        cr_assert(enc_frontier_decode(&back, enc_bytes_of(record, len)) == ENC_ERR_OK);
        cr_assert(back.count == count);
        for (uint64_t more = 0; more < 3; more++) {
            enc_frontier_root(&frontier, a32);
            enc_frontier_root(&back, b32);
            assert_hash(a32, b32, "count %lu", count);
            cr_assert(enc_frontier_add(&frontier, NULL, a32) == ENC_ERR_OK);
            cr_assert(enc_frontier_add(&back, NULL, a32) == ENC_ERR_OK);
        }
    }
}

Test(frontier, other_records_are_refused)
{
    struct enc_frontier frontier = frontier_of(11), back;
    uint8_t record[ENC_FRONTIER_LEN_MAX + 32] = {0};
    size_t whole = enc_frontier_encode(record, &frontier);
    for (size_t len = 0; len < sizeof record; len++) {
        enum enc_err err = enc_frontier_decode(&back, enc_bytes_of(record, len));
        cr_assert(err == (len == whole ? ENC_ERR_OK : ENC_ERR_INTERNAL), "%zu bytes", len);
    }
    enc_be64_put(record, (uint64_t)1 << 63);
    cr_assert(enc_frontier_decode(&back, enc_bytes_of(record, 40)) == ENC_ERR_INTERNAL);
}

/* The largest log there can be has 2^63 - 1 leaves and 63 nodes; one leaf more joins them all. */
Test(frontier, the_largest_log)
{
    struct enc_frontier frontier = {.count = ((uint64_t)1 << 63) - 1};
    uint8_t hash32[32], top32[32];
    hash_of_int(hash32, 0);
    memcpy(top32, hash32, 32);
    for (unsigned level = 0; level < 63; level++) {
        hash_of_int(frontier.nodes32[level], level);
        enc_h_pair(top32, 0x01, frontier.nodes32[level], top32);
    }
    cr_assert(enc_frontier_add(&frontier, NULL, hash32) == ENC_ERR_OK);
    assert_hash(frontier.nodes32[63], top32, "all joined");
    enc_frontier_root(&frontier, hash32);
    assert_hash(hash32, top32, "the root");
}

Test(frontier, one_leaf_too_many_is_our_mistake, .signal = SIGABRT)
{
    struct enc_frontier frontier = {.count = (uint64_t)1 << 63};
    cr_expect(enc_frontier_add(&frontier, NULL, enc_empty32) == ENC_ERR_OK);
}
