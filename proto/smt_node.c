#include "proto/smt_node.h"

#include "proto/cbor.h"
#include "proto/hashes.h"

enum { LEAF = 0x01, BRANCH = 0x02, HASH_LEN = 32, REF_LEN = 12 };
enum { LEAF_LEN_MIN = 1 + ENC_SMT_KEY_LEN };
enum { BRANCH_HEAD_LEN = 2 + ENC_SMT_KEY_LEN, SIDE_LEN = REF_LEN + HASH_LEN };
enum { BRANCH_LEN = BRANCH_HEAD_LEN + 2 * SIDE_LEN };
_Static_assert((int)BRANCH_LEN <= (int)ENC_SMT_RECORD_MAX, "a branch fits a record");

unsigned enc_smt_split(const uint8_t a21[21], const uint8_t b21[21], unsigned limit)
{
    unsigned at = 0;
    /*@ loop invariant at <= ENC_SMT_KEY_LEN;
        loop invariant \forall integer i; 0 <= i < at ==> a21[i] == b21[i];
        loop assigns at;
        loop variant ENC_SMT_KEY_LEN - at; */
    while (at < ENC_SMT_KEY_LEN && a21[at] == b21[at])
        at++;
    if (at == ENC_SMT_KEY_LEN)
        return limit;
    //@ assert 0 < (a21[at] ^ b21[at]) < 256;
    unsigned first = 8 * at + (unsigned)__builtin_clz((unsigned)(a21[at] ^ b21[at]) << 24);
    //@ assert first / 8 == at && first % 8 == first - 8 * at;
    //@ assert enc_smt_weight(first % 8) <= (a21[at] ^ b21[at]) < 2 * enc_smt_weight(first % 8);
    return first < limit ? first : limit;
}

void enc_smt_prefix(uint8_t out21[21], const uint8_t key21[21], unsigned len)
{
    /*@ loop invariant i <= ENC_SMT_KEY_LEN;
        loop assigns i, out21[0 .. 20];
        loop variant ENC_SMT_KEY_LEN - i; */
    for (unsigned i = 0; i < ENC_SMT_KEY_LEN; i++) {
        unsigned kept = len > 8 * i ? len - 8 * i : 0;
        out21[i] = kept >= 8 ? key21[i] : (uint8_t)(key21[i] & ~(0xffu >> kept));
    }
}

void enc_smt_climb(uint8_t hash32[32], const uint8_t sibling32[32], bool is_right)
{
    if (enc_is_empty(hash32) && enc_is_empty(sibling32))
        return;
    const uint8_t *left32 = is_right ? sibling32 : hash32;
    const uint8_t *right32 = is_right ? hash32 : sibling32;
    enc_h_pair(hash32, 0x21, left32, right32);
}

static size_t leaf_encode(uint8_t *record, const struct enc_smt_node *leaf)
{
    ENC_CHECK(leaf->value.len >= 1 && leaf->value.len <= ENC_SMT_VALUE_MAX);
    record[0] = LEAF;
    memcpy(record + 1, leaf->key21, ENC_SMT_KEY_LEN);
    memcpy(record + LEAF_LEN_MIN, leaf->value.data, leaf->value.len);
    return LEAF_LEN_MIN + (size_t)leaf->value.len;
}

static void side_encode(uint8_t *at, const struct enc_smt_link *side, unsigned depth)
{
    ENC_CHECK(side->ref.version != 0 && side->hash_depth == depth);
    enc_be64_put(at, side->ref.version);
    enc_be32_put(at + 8, side->ref.index);
    memcpy(at + REF_LEN, side->hash32, HASH_LEN);
}

static size_t branch_encode(uint8_t *record, const struct enc_smt_node *branch)
{
    record[0] = BRANCH;
    record[1] = branch->bit;
    memcpy(record + 2, branch->key21, ENC_SMT_KEY_LEN);
    for (unsigned i = 0; i < 2; i++)
        side_encode(record + BRANCH_HEAD_LEN + i * SIDE_LEN, &branch->side[i], branch->bit + 1u);
    return BRANCH_LEN;
}

size_t enc_smt_node_encode(uint8_t record[ENC_SMT_RECORD_MAX], const struct enc_smt_node *node)
{
    return node->is_leaf ? leaf_encode(record, node) : branch_encode(record, node);
}

static bool leaf_decode(struct enc_smt_node *out, struct enc_bytes record)
{
    if (record.len <= LEAF_LEN_MIN || record.len > LEAF_LEN_MIN + ENC_SMT_VALUE_MAX)
        return false;
    out->is_leaf = true;
    memcpy(out->key21, record.data + 1, ENC_SMT_KEY_LEN);
    out->value.len = (uint8_t)(record.len - LEAF_LEN_MIN);
    memcpy(out->value.data, record.data + LEAF_LEN_MIN, out->value.len);
    return true;
}

static bool side_decode(struct enc_smt_link *side, const uint8_t *at, unsigned depth)
{
    side->ref = (struct enc_smt_ref){enc_be64_get(at), enc_be32_get(at + 8)};
    memcpy(side->hash32, at + REF_LEN, HASH_LEN);
    side->hash_depth = (uint8_t)depth;
    return side->ref.version != 0;
}

static bool branch_decode(struct enc_smt_node *out, struct enc_bytes record)
{
    if (record.len != BRANCH_LEN || record.data[1] >= ENC_SMT_DEPTH)
        return false;
    out->bit = record.data[1];
    enc_smt_prefix(out->key21, record.data + 2, out->bit);
    const uint8_t *at = record.data + BRANCH_HEAD_LEN;
    return memcmp(out->key21, record.data + 2, ENC_SMT_KEY_LEN) == 0 &&
           side_decode(&out->side[0], at, out->bit + 1u) &&
           side_decode(&out->side[1], at + SIDE_LEN, out->bit + 1u);
}

enum enc_err enc_smt_node_decode(struct enc_smt_node *out, struct enc_bytes record)
{
    *out = (struct enc_smt_node){0};
    uint8_t kind = record.len ? record.data[0] : 0;
    bool good = (kind == LEAF && leaf_decode(out, record)) ||
                (kind == BRANCH && branch_decode(out, record));
    return good ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}
