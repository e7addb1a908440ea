#include "support.h"
#include "tests/support/trees.h"

#include <signal.h>

TestSuite(smt_node);

static struct enc_smt_node leaf_of(size_t len)
{
    struct enc_smt_node node = {.is_leaf = true};
    for (unsigned i = 0; i < ENC_SMT_KEY_LEN; i++)
        node.key21[i] = (uint8_t)(i + 1);
    node.value.len = (uint8_t)len;
    memset(node.value.data, 0xab, len);
    return node;
}

static struct enc_smt_node branch_of(unsigned bit)
{
    struct enc_smt_node node = leaf_of(0), branch = {.bit = (uint8_t)bit};
    enc_smt_prefix(branch.key21, node.key21, bit);
    for (unsigned i = 0; i < 2; i++) {
        branch.side[i].ref = (struct enc_smt_ref){0x0102030405060708 + i, 0x11121314 + i};
        branch.side[i].hash_depth = (uint8_t)(bit + 1);
        hash_of_int(branch.side[i].hash32, i);
    }
    return branch;
}

Test(smt_node, split_is_the_first_bit_that_differs)
{
    uint8_t a21[21] = {0}, b21[21] = {0};
    cr_assert(enc_smt_split(a21, b21, 168) == 168 && enc_smt_split(a21, b21, 9) == 9);
    for (unsigned bit = 0; bit < 168; bit++) {
        memset(b21, 0, sizeof b21);
        b21[bit / 8] = (uint8_t)(0xff >> bit % 8);
        cr_assert(enc_smt_bit(b21, bit) == 1 && (bit == 0 || enc_smt_bit(b21, bit - 1) == 0));
        for (unsigned limit = 0; limit <= 168; limit++)
            cr_assert(enc_smt_split(a21, b21, limit) == (bit < limit ? bit : limit));
    }
}

Test(smt_node, prefix_keeps_the_top_bits)
{
    uint8_t ones21[21], out21[21];
    memset(ones21, 0xff, sizeof ones21);
    for (unsigned len = 0; len <= 168; len++) {
        enc_smt_prefix(out21, ones21, len);
        for (unsigned bit = 0; bit < 168; bit++)
            cr_assert(enc_smt_bit(out21, bit) == (bit < len));
    }
}

Test(smt_node, climb_hashes_unless_both_are_empty)
{
    uint8_t a32[32], b32[32], up32[32], expected32[32];
    hash_of_int(a32, 1);
    hash_of_int(b32, 2);
    memcpy(up32, a32, 32);
    enc_smt_climb(up32, b32, false);
    enc_h_pair(expected32, 0x21, a32, b32);
    assert_hash(up32, expected32, "as left child");
    memcpy(up32, a32, 32);
    enc_smt_climb(up32, b32, true);
    enc_h_pair(expected32, 0x21, b32, a32);
    assert_hash(up32, expected32, "as right child");
    memcpy(up32, enc_empty32, 32);
    enc_smt_climb(up32, enc_empty32, true);
    assert_hash(up32, enc_empty32, "EMPTY over two EMPTY");
    enc_smt_climb(up32, a32, false);
    enc_h_pair(expected32, 0x21, enc_empty32, a32);
    assert_hash(up32, expected32, "EMPTY beside a hash");
}

Test(smt_node, records_are_these_bytes)
{
    uint8_t record[ENC_SMT_RECORD_MAX];
    struct enc_smt_node leaf = leaf_of(2), branch = branch_of(11);
    memset(branch.side[0].hash32, 0xcc, 32);
    memset(branch.side[1].hash32, 0xdd, 32);
    size_t len = enc_smt_node_encode(record, &leaf);
    expect_hex(enc_bytes_of(record, len), "01"
                                          "0102030405060708090a0b0c0d0e0f101112131415"
                                          "abab");
    len = enc_smt_node_encode(record, &branch);
    expect_hex(enc_bytes_of(record, len),
               "020b"
               "010000000000000000000000000000000000000000"
               "010203040506070811121314"
               "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
               "010203040506070911121315"
               "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd");
}

static void expect_same(const struct enc_smt_node *a, const struct enc_smt_node *b)
{
    cr_assert(a->is_leaf == b->is_leaf && a->bit == b->bit && b->owner == 0);
    cr_assert(memcmp(a->key21, b->key21, sizeof a->key21) == 0);
    if (a->is_leaf) {
        cr_assert(a->value.len == b->value.len);
        cr_assert(memcmp(a->value.data, b->value.data, a->value.len) == 0);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct enc_smt_link *x = &a->side[i], *y = &b->side[i];
        cr_assert(x->ref.version == y->ref.version && x->ref.index == y->ref.index);
        cr_assert(x->hash_depth == y->hash_depth && y->node == NULL);
        assert_hash(x->hash32, y->hash32, "side %u", i);
    }
}

static void round_trip(const struct enc_smt_node *node)
{
    uint8_t record[ENC_SMT_RECORD_MAX];
    struct enc_smt_node back;
    memset(&back, 0xee, sizeof back);
    size_t len = enc_smt_node_encode(record, node);
    cr_assert(enc_smt_node_decode(&back, enc_bytes_of(record, len)) == ENC_ERR_OK);
    expect_same(node, &back);
}

Test(smt_node, every_shape_survives)
{
    for (unsigned len = 1; len <= ENC_SMT_VALUE_MAX; len++) {
        struct enc_smt_node leaf = leaf_of(len);
        round_trip(&leaf);
    }
    for (unsigned bit = 0; bit < ENC_SMT_DEPTH; bit++) {
        struct enc_smt_node branch = branch_of(bit);
        round_trip(&branch);
    }
}

static void refuse(const uint8_t *record, size_t len, const char *what)
{
    struct enc_smt_node node;
    enum enc_err err = enc_smt_node_decode(&node, enc_bytes_of(record, len));
    cr_assert(err == ENC_ERR_INTERNAL, "accepted: %s (%zu bytes)", what, len);
}

Test(smt_node, other_lengths_are_refused)
{
    uint8_t record[256] = {0};
    struct enc_smt_node leaf = leaf_of(32), branch = branch_of(7);
    refuse(NULL, 0, "nothing");
    enc_smt_node_encode(record, &leaf);
    for (size_t len = 1; len <= 22; len++)
        refuse(record, len, "leaf without value");
    for (size_t len = 55; len <= sizeof record; len++)
        refuse(record, len, "leaf too long");
    size_t whole = enc_smt_node_encode(record, &branch);
    for (size_t len = 1; len <= sizeof record; len++)
        if (len != whole)
            refuse(record, len, "branch cut or extended");
}

Test(smt_node, other_content_is_refused)
{
    uint8_t record[ENC_SMT_RECORD_MAX];
    struct enc_smt_node branch = branch_of(11);
    size_t len = enc_smt_node_encode(record, &branch);
    for (unsigned kind = 0; kind < 256; kind++) {
        record[0] = (uint8_t)kind;
        if (kind != 0x02)
            refuse(record, len, "another kind");
    }
    record[0] = 0x02;
    for (unsigned bit = 11; bit < 168; bit++) {
        record[2 + bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        refuse(record, len, "a bit behind the prefix");
        record[2 + bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    }
    for (unsigned bit = 168; bit < 256; bit++) {
        record[1] = (uint8_t)bit;
        refuse(record, len, "a bit that no key has");
    }
    record[1] = 11;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t kept[8];
        memcpy(kept, record + 23 + 44 * i, 8);
        memset(record + 23 + 44 * i, 0, 8);
        refuse(record, len, "an empty side");
        memcpy(record + 23 + 44 * i, kept, 8);
    }
}

Test(smt_node, a_side_without_ref_is_our_mistake, .signal = SIGABRT)
{
    uint8_t record[ENC_SMT_RECORD_MAX];
    struct enc_smt_node branch = branch_of(11);
    branch.side[1].ref.version = 0;
    enc_smt_node_encode(record, &branch);
}

Test(smt_node, a_side_without_hash_is_our_mistake, .signal = SIGABRT)
{
    uint8_t record[ENC_SMT_RECORD_MAX];
    struct enc_smt_node branch = branch_of(11);
    branch.side[0].hash_depth = ENC_SMT_UNHASHED;
    enc_smt_node_encode(record, &branch);
}

Test(smt_node, a_leaf_without_value_is_our_mistake, .signal = SIGABRT)
{
    uint8_t record[ENC_SMT_RECORD_MAX];
    struct enc_smt_node leaf = leaf_of(0);
    enc_smt_node_encode(record, &leaf);
}
