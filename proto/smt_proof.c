#include "proto/cbor.h"
#include "proto/hashes.h"
#include "proto/sha256.h"
#include "proto/smt.h"

void enc_smt_key(uint8_t key21[21], enum enc_smt_namespace space, const uint8_t raw32[32])
{
    uint8_t hash32[32];
    enc_sha256(hash32, enc_bytes_of(raw32, 32));
    key21[0] = (uint8_t)space;
    memcpy(key21 + 1, hash32, ENC_SMT_KEY_LEN - 1);
}

/*@ requires depth <= ENC_SMT_DEPTH && \valid_read(bits21 + (0 .. 20));
    assigns \nothing; */
static bool ends_before(const uint8_t bits21[21], unsigned depth)
{
    uint8_t top21[21];
    enc_smt_prefix(top21, bits21, depth);
    return memcmp(top21, bits21, ENC_SMT_KEY_LEN) == 0;
}

/*@ requires depth <= ENC_SMT_DEPTH && \valid_read(proof);
    assigns \nothing;
    ensures \result ==> proof->value.len <= ENC_SMT_VALUE_MAX && proof->count <= depth; */
static bool is_shaped(const struct enc_smt_proof *proof, unsigned depth)
{
    return proof->value.len <= ENC_SMT_VALUE_MAX && proof->count <= depth &&
           ends_before(proof->key21, depth) && ends_before(proof->bitmap21, depth);
}

/*@ requires \valid_read(proof) && proof->value.len <= ENC_SMT_VALUE_MAX;
    requires \valid(hash32 + (0 .. 31)) && \separated(hash32 + (0 .. 31), proof);
    assigns hash32[0 .. 31]; */
static void proof_start(uint8_t hash32[32], const struct enc_smt_proof *proof)
{
    if (proof->value.len == 0)
        memcpy(hash32, enc_empty32, 32);
    else
        enc_h_smt_leaf(hash32, proof->key21, enc_bytes_of(proof->value.data, proof->value.len));
}

bool enc_smt_proof_verify_depth(const struct enc_smt_proof *proof, const uint8_t root32[32],
                                unsigned depth)
{
    if (!is_shaped(proof, depth))
        return false;
    uint8_t hash32[32];
    proof_start(hash32, proof);
    unsigned used = 0;
    /*@ loop invariant bit <= depth && used <= proof->count;
        loop assigns bit, used, hash32[0 .. 31];
        loop variant bit; */
    for (unsigned bit = depth; bit-- > 0;) {
        const uint8_t *sibling32 = enc_empty32;
        if (enc_smt_bit(proof->bitmap21, bit)) {
            if (used == proof->count || enc_is_empty(proof->siblings32[used]))
                return false;
            sibling32 = proof->siblings32[used++];
        }
        enc_smt_climb(hash32, sibling32, enc_smt_bit(proof->key21, bit));
    }
    return used == proof->count && memcmp(hash32, root32, 32) == 0;
}

bool enc_smt_proof_verify(const struct enc_smt_proof *proof, const uint8_t root32[32])
{
    return enc_smt_proof_verify_depth(proof, root32, ENC_SMT_DEPTH);
}
