#include "support.h"
#include "tests/support/trees.h"

TestSuite(smt_proof);

static void expect_key(const char *pub_or_id, enum enc_smt_namespace space, const char *path)
{
    uint8_t raw32[32], key21[21];
    vector_hex(raw32, 32, pub_or_id);
    enc_smt_key(key21, space, raw32);
    expect_vector(enc_bytes_of(key21, 21), path);
}

Test(smt_proof, keys)
{
    expect_key("keys.owner_pub", ENC_SMT_RBAC, "smt.key_owner");
    expect_key("keys.member_pub", ENC_SMT_RBAC, "smt.key_member");
    expect_key("keys.seq_pub", ENC_SMT_RBAC, "smt.proof_absent_seq_pub.k");
    expect_key("events.2.id", ENC_SMT_EVENT_STATUS, "smt.key_status_e2");
}

static struct enc_smt_proof member_proof(void)
{
    struct enc_smt_proof proof = {.count = 2, .value.len = 32};
    vector_hex(proof.key21, 21, "smt.proof_member.k");
    vector_hex(proof.value.data, 32, "smt.proof_member.v");
    vector_hex(proof.bitmap21, 21, "smt.proof_member.b");
    vector_hex(proof.siblings32[0], 32, "smt.proof_member.s.0");
    vector_hex(proof.siblings32[1], 32, "smt.proof_member.s.1");
    return proof;
}

Test(smt_proof, the_vector_holds_against_its_root_alone)
{
    struct enc_smt_proof proof = member_proof();
    uint8_t root32[32];
    vector_hex(root32, 32, "smt.root_after_update");
    cr_assert(enc_smt_proof_verify(&proof, root32));
    vector_hex(root32, 32, "smt.root_after_grant");
    cr_assert(!enc_smt_proof_verify(&proof, root32));
}

Test(smt_proof, every_bit_of_the_vector_matters)
{
    struct enc_smt_proof proof = member_proof();
    uint8_t root32[32];
    struct {
        uint8_t *bytes;
        unsigned bits;
    } parts[] = {{proof.key21, 168},         {proof.value.data, 256},    {proof.bitmap21, 168},
                 {proof.siblings32[0], 256}, {proof.siblings32[1], 256}, {root32, 256}};
    vector_hex(root32, 32, "smt.root_after_update");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (unsigned bit = 0; bit < parts[i].bits; bit++) {
            parts[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            cr_assert(!enc_smt_proof_verify(&proof, root32), "part %zu bit %u", i, bit);
            parts[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    cr_assert(enc_smt_proof_verify(&proof, root32));
}

Test(smt_proof, lengths_are_strict)
{
    struct enc_smt_proof proof = member_proof(), good = proof;
    uint8_t root32[32];
    vector_hex(root32, 32, "smt.root_after_update");
    for (unsigned count = 0; count < 256; count++) {
        proof.count = (uint8_t)count;
        cr_assert(enc_smt_proof_verify(&proof, root32) == (count == good.count));
    }
    proof = good;
    for (unsigned len = 0; len < 256; len++) {
        proof.value.len = (uint8_t)len;
        cr_assert(enc_smt_proof_verify(&proof, root32) == (len == good.value.len));
    }
}

Test(smt_proof, nothing_is_in_the_empty_tree)
{
    struct enc_smt_proof proof = {.key21 = {1, 2, 3}};
    cr_assert(enc_smt_proof_verify(&proof, enc_empty32));
    proof.value.len = 1;
    cr_assert(!enc_smt_proof_verify(&proof, enc_empty32));
}

/* With all 168 siblings there is no room for one more. */
Test(smt_proof, a_full_path)
{
    struct enc_smt_proof proof = {.count = ENC_SMT_DEPTH, .value = {1, {7}}};
    uint8_t hash32[32];
    memset(proof.bitmap21, 0xff, 21);
    enc_h_smt_leaf(hash32, proof.key21, enc_bytes_of(proof.value.data, 1));
    for (unsigned i = 0; i < ENC_SMT_DEPTH; i++) {
        hash_of_int(proof.siblings32[i], i);
        enc_h_pair(hash32, 0x21, hash32, proof.siblings32[i]);
    }
    cr_assert(enc_smt_proof_verify(&proof, hash32));
    proof.count++;
    cr_assert(!enc_smt_proof_verify(&proof, hash32));
}

/* A value longer than a leaf can hold is refused even under a root that was made from it. */
Test(smt_proof, a_long_value_is_not_read)
{
    struct enc_smt_proof proof = {.value.len = ENC_SMT_VALUE_MAX + 1};
    const uint8_t *raw = (const uint8_t *)&proof + offsetof(struct enc_smt_proof, value.data);
    uint8_t hash32[32];
    enc_h_smt_leaf(hash32, proof.key21, enc_bytes_of(raw, proof.value.len));
    enc_h_pair(hash32, 0x21, hash32, enc_empty32);
    cr_assert(!enc_smt_proof_verify_depth(&proof, hash32, 1));
}

Test(smt_proof, a_small_tree_has_no_low_bits)
{
    struct enc_smt_proof proof = {.key21 = {0xa0}, .value = {1, {7}}};
    uint8_t hash32[32];
    enc_h_smt_leaf(hash32, proof.key21, enc_bytes_of(proof.value.data, 1));
    enc_h_pair(hash32, 0x21, enc_empty32, hash32);
    enc_h_pair(hash32, 0x21, hash32, enc_empty32);
    enc_h_pair(hash32, 0x21, enc_empty32, hash32);
    cr_assert(enc_smt_proof_verify_depth(&proof, hash32, 3));
    proof.bitmap21[5] = 1;
    cr_assert(!enc_smt_proof_verify_depth(&proof, hash32, 3));
}
