/* Every hash of the protocol from its own bytes: CBOR by hand, trees by recursion. */
#include "proto/base/hex.h"
#include "proto/sha256.h"
#include "tests/sim/model.h"

#include <stdlib.h>
#include <string.h>

struct bytes {
    uint8_t data[4096];
    size_t len;
};

static void raw(struct bytes *b, const void *data, size_t len)
{
    if (b->len + len > sizeof b->data)
        abort();
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

static void big_endian(struct bytes *b, uint64_t value, unsigned len)
{
    for (unsigned i = len; i > 0; i--) {
        uint8_t byte = (uint8_t)(value >> (8 * (i - 1)));
        raw(b, &byte, 1);
    }
}

static void head(struct bytes *b, unsigned major, uint64_t value)
{
    unsigned len = value < 24 ? 0 : value < 256 ? 1 : value < 65536 ? 2 : value >> 32 ? 8 : 4;
    unsigned low = len == 0 ? (unsigned)value : len == 1 ? 24 : len == 2 ? 25 : len == 4 ? 26 : 27;
    uint8_t byte = (uint8_t)(major << 5 | low);
    raw(b, &byte, 1);
    big_endian(b, value, len);
}

static void bytes(struct bytes *b, const uint8_t *data, size_t len)
{
    head(b, 2, len);
    raw(b, data, len);
}

static void text(struct bytes *b, const char *value)
{
    head(b, 3, strlen(value));
    raw(b, value, strlen(value));
}

static struct bytes list(size_t count, uint64_t prefix)
{
    struct bytes b = {.len = 0};
    head(&b, 4, count);
    head(&b, 0, prefix);
    return b;
}

static void hash(uint8_t out32[32], const struct bytes *b)
{
    enc_sha256(out32, enc_bytes_of(b->data, b->len));
}

static void tags(struct bytes *b, const struct m_commit *c)
{
    char hex[65] = "";
    head(b, 4, c->has_target);
    if (!c->has_target)
        return;
    enc_hex_encode(hex, enc_bytes_of(c->target32, 32));
    head(b, 4, 2);
    text(b, "r");
    text(b, hex);
}

static void content(struct bytes *b, const struct m_commit *c)
{
    uint8_t hash32[32];
    enc_sha256(hash32, enc_bytes_of(c->content, strlen(c->content)));
    bytes(b, hash32, 32);
}

void m_commit_hash(uint8_t out32[32], const struct m_commit *c)
{
    struct bytes b = list(7, 0x10);
    bytes(&b, c->enclave32, 32);
    bytes(&b, c->from32, 32);
    text(&b, c->type);
    content(&b, c);
    head(&b, 0, c->exp_ms);
    tags(&b, c);
    hash(out32, &b);
}

void m_enclave_id(uint8_t out32[32], const struct m_commit *c)
{
    struct bytes b = list(5, 0x12);
    bytes(&b, c->from32, 32);
    text(&b, "Manifest");
    content(&b, c);
    tags(&b, c);
    hash(out32, &b);
}

void m_event_hash(uint8_t out32[32], const struct m_commit *c, const uint8_t sequencer32[32])
{
    struct bytes b = list(5, 0x11);
    head(&b, 0, c->timestamp_ms);
    head(&b, 0, c->seq);
    bytes(&b, sequencer32, 32);
    bytes(&b, c->sig64, 64);
    hash(out32, &b);
}

void m_sth_hash(uint8_t out32[32], uint64_t t_ms, uint64_t ts, const uint8_t root32[32])
{
    struct bytes b = {.len = 0};
    raw(&b, "enc:sth:", 8);
    big_endian(&b, t_ms, 8);
    big_endian(&b, ts, 8);
    raw(&b, root32, 32);
    hash(out32, &b);
}

static void pair(uint8_t out32[32], uint64_t prefix, const uint8_t left32[32],
                 const uint8_t right32[32])
{
    struct bytes b = list(3, prefix);
    bytes(&b, left32, 32);
    bytes(&b, right32, 32);
    hash(out32, &b);
}

/* ---- the tree of states ---- */

struct leaf {
    uint8_t key21[21], hash32[32];
};

static const uint8_t *empty(void)
{
    static uint8_t out32[32];
    enc_sha256(out32, enc_bytes_of("", 0));
    return out32;
}

void m_state_key(uint8_t out21[21], uint8_t space, const uint8_t raw32[32])
{
    uint8_t hash32[32];
    enc_sha256(hash32, enc_bytes_of(raw32, 32));
    out21[0] = space;
    memcpy(out21 + 1, hash32, 20);
}

static void leaf_hash(uint8_t out32[32], const uint8_t key21[21], const uint8_t *value, size_t len)
{
    struct bytes b = list(3, 0x20);
    bytes(&b, key21, 21);
    bytes(&b, value, len);
    hash(out32, &b);
}

static void node(uint8_t out32[32], const uint8_t left32[32], const uint8_t right32[32])
{
    if (memcmp(left32, empty(), 32) == 0 && memcmp(right32, empty(), 32) == 0)
        memcpy(out32, empty(), 32);
    else
        pair(out32, 0x21, left32, right32);
}

static bool bit(const uint8_t key21[21], int depth)
{
    return key21[depth / 8] >> (7 - depth % 8) & 1;
}

/* The leaves are sorted, so those on the left come first. */
static void subtree(uint8_t out32[32], const struct leaf *leaves, int count, int depth)
{
    uint8_t left32[32], right32[32];
    int left = 0;
    if (count == 0) {
        memcpy(out32, empty(), 32);
        return;
    }
    if (depth == 168) {
        memcpy(out32, leaves->hash32, 32);
        return;
    }
    while (left < count && !bit(leaves[left].key21, depth))
        left++;
    subtree(left32, leaves, left, depth + 1);
    subtree(right32, leaves + left, count - left, depth + 1);
    node(out32, left32, right32);
}

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, 21);
}

static int role_leaves(struct leaf *out, const struct m_enclave *e, int count)
{
    int found = 0;
    for (int who = 0; who < WHO_COUNT; who++) {
        uint64_t roles = e->log[count - 1].after.roles[who];
        uint8_t value32[32] = {0};
        if (roles == 0)
            continue;
        for (int i = 0; i < 8; i++)
            value32[31 - i] = (uint8_t)(roles >> (8 * i));
        m_state_key(out[found].key21, 0, e->pubs32[who]);
        leaf_hash(out[found].hash32, out[found].key21, value32, 32);
        found++;
    }
    return found;
}

static int status_leaves(struct leaf *out, const struct m_enclave *e, int count)
{
    const uint8_t gone = 0;
    int found = 0;
    for (int seq = 0; seq < count; seq++) {
        const struct m_commit *by = NULL;
        int status = m_status_of(e, seq, count, &by);
        if (status == 0)
            continue;
        m_state_key(out[found].key21, 1, e->log[seq].commit->id32);
        leaf_hash(out[found].hash32, out[found].key21, status == 2 ? &gone : by->id32,
                  status == 2 ? 1 : 32);
        found++;
    }
    return found;
}

static void compute_root(uint8_t out32[32], const struct m_enclave *e, int count)
{
    struct leaf leaves[WHO_COUNT + M_LOG_MAX];
    int found = 0;
    if (count > 0) {
        found = role_leaves(leaves, e, count);
        found += status_leaves(leaves + found, e, count);
        qsort(leaves, (size_t)found, sizeof leaves[0], by_key);
    }
    subtree(out32, leaves, found, 0);
}

/* The log only grows, so what was computed once stays. */
void m_state_root(uint8_t out32[32], struct m_enclave *e, int count)
{
    if (!e->has_root[count])
        compute_root(e->roots32[count], e, count);
    e->has_root[count] = true;
    memcpy(out32, e->roots32[count], 32);
}

void m_state_fold(uint8_t root32[32], const uint8_t key21[21], const uint8_t *value,
                  size_t value_len, const char *bitmap42_hex, const char *const *siblings)
{
    uint8_t bitmap21[21], sibling32[32];
    if (!enc_hex_decode(bitmap21, 21, enc_bytes_of(bitmap42_hex, 42)))
        memset(bitmap21, 0, 21);
    memcpy(root32, empty(), 32);
    if (value_len)
        leaf_hash(root32, key21, value, value_len);
    for (int depth = 167; depth >= 0; depth--) {
        memcpy(sibling32, empty(), 32);
        if (bit(bitmap21, depth) && *siblings &&
            !enc_hex_decode(sibling32, 32, enc_bytes_of(*siblings++, 64)))
            return;
        if (bit(key21, depth))
            node(root32, sibling32, root32);
        else
            node(root32, root32, sibling32);
    }
}

/* ---- the log ---- */

void m_tree_root(uint8_t out32[32], const uint8_t (*leaves32)[32], int count)
{
    uint8_t left32[32], right32[32];
    int split = 1;
    if (count <= 1) {
        memcpy(out32, count ? leaves32[0] : empty(), 32);
        return;
    }
    while (split * 2 < count)
        split *= 2;
    m_tree_root(left32, leaves32, split);
    m_tree_root(right32, leaves32 + split, count - split);
    pair(out32, 0x01, left32, right32);
}

bool m_path_fold(uint8_t hash32[32], uint64_t index, uint64_t size, const char *const *path,
                 size_t path_len)
{
    size_t used = 0;
    uint8_t other32[32];
    for (; size > 1; index >>= 1, size = (size + 1) / 2) {
        if (index == size - 1 && size % 2 == 1)
            continue;
        if (used == path_len || !enc_hex_decode(other32, 32, enc_bytes_of(path[used++], 64)))
            return false;
        if (index % 2)
            pair(hash32, 0x01, other32, hash32);
        else
            pair(hash32, 0x01, hash32, other32);
    }
    return used == path_len;
}

static void close_leaf(struct m_leaf *leaf, struct m_enclave *e, int end)
{
    uint8_t ids32[M_LOG_MAX][32];
    if (leaf->count == end - leaf->first)
        return;
    leaf->count = end - leaf->first;
    for (int i = 0; i < leaf->count; i++)
        memcpy(ids32[i], e->log[leaf->first + i].commit->id32, 32);
    m_tree_root(leaf->events_root32, (const uint8_t(*)[32])ids32, leaf->count);
    m_state_root(leaf->state32, e, end);
    struct bytes b = list(3, 0x00);
    bytes(&b, leaf->events_root32, 32);
    bytes(&b, leaf->state32, 32);
    hash(leaf->leaf32, &b);
}

/* Calls end_of for each bundle; returns where the open one begins. */
static int walk(const struct m_enclave *e, int count, int *ends)
{
    int first = 0, closed = 0;
    for (int i = 0; i < count; i++) {
        uint64_t begun_ms = e->log[first].commit->timestamp_ms;
        enum m_status status = e->log[i].after.status;
        bool is_late = e->timeout_ms && i > first &&
                       e->log[i].commit->timestamp_ms - begun_ms >= e->timeout_ms;
        if (is_late) {
            ends[closed++] = i;
            first = i;
        }
        if ((uint64_t)(i + 1 - first) >= e->bundle_size || status == M_TERMINATED ||
            status == M_MIGRATED) {
            ends[closed++] = i + 1;
            first = i + 1;
        }
    }
    return closed;
}

int m_leaf_count(const struct m_enclave *e, int count)
{
    int ends[M_LOG_MAX + 1];
    return walk(e, count, ends);
}

int m_leaves(struct m_leaf *out, struct m_enclave *e, int count, bool with_tail)
{
    int ends[M_LOG_MAX + 1];
    int closed = walk(e, count, ends);
    if (with_tail && count > (closed ? ends[closed - 1] : 0))
        ends[closed++] = count;
    for (int i = 0; i < closed; i++) {
        struct m_leaf *leaf = &e->leaves[ends[i]];
        int first = i ? ends[i - 1] : 0;
        if (leaf->first != first)
            *leaf = (struct m_leaf){.first = first};
        close_leaf(leaf, e, ends[i]);
        out[i] = *leaf;
    }
    return closed;
}

uint64_t m_tail_due_ms(const struct m_enclave *e, int count)
{
    int ends[M_LOG_MAX + 1];
    int closed = walk(e, count, ends);
    int first = closed ? ends[closed - 1] : 0;
    bool is_open = count > first && e->timeout_ms;
    return is_open ? e->log[first].commit->timestamp_ms + e->timeout_ms : 0;
}

void m_log_root(uint8_t out32[32], const struct m_leaf *leaves, int count)
{
    uint8_t hashes32[M_LOG_MAX][32];
    for (int i = 0; i < count; i++)
        memcpy(hashes32[i], leaves[i].leaf32, 32);
    m_tree_root(out32, (const uint8_t(*)[32])hashes32, count);
}
