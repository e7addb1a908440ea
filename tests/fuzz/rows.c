/* Whatever the store keeps as bytes: the first byte of an input says as what the rest is read. What
 * is read is written again as the same bytes; what is not, is an error. */
#include "proto/frontier.h"
#include "proto/gates.h"
#include "proto/record.h"
#include "proto/smt_node.h"
#include "services/inbox.h"
#include "services/registry.h"
#include "services/state.h"
#include "services/timeline.h"
#include "store/ids.h"

#include "tests/fuzz/fuzz.h"

/** Read row and write what was read; false: it is damaged. */
typedef bool again_fn(struct enc_buffer *out, struct enc_bytes row);

static bool state(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_state state;
    if (enc_state_decode(&state, out->arena, row) != ENC_ERR_OK)
        return false;
    enc_state_encode(out, &state);
    return true;
}

static bool smt_node(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_smt_node node;
    uint8_t record[ENC_SMT_RECORD_MAX];
    if (enc_smt_node_decode(&node, row) != ENC_ERR_OK)
        return false;
    enc_buffer_add(out, enc_bytes_of(record, enc_smt_node_encode(record, &node)));
    return true;
}

/* Bytewise, the shorter of two equal beginnings first; never equal. */
static bool is_below(struct enc_bytes a, struct enc_bytes b)
{
    size_t i = 0;
    while (i < a.len && i < b.len && a.data[i] == b.data[i])
        i++;
    return i < b.len && (i == a.len || a.data[i] < b.data[i]);
}

static bool gates(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_gates gates;
    if (enc_gates_take(&gates, out->arena, row) != ENC_ERR_OK)
        return false;
    for (size_t i = 0; i < gates.count; i++) {
        ENC_CHECK(enc_gates_stop(&gates, gates.types[i]));
        ENC_CHECK(i == 0 || is_below(gates.types[i - 1], gates.types[i]));
    }
    enc_gates_put(out, &gates);
    return true;
}

static bool frontier(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_frontier frontier;
    uint8_t record[ENC_FRONTIER_LEN_MAX], root32[32];
    if (enc_frontier_decode(&frontier, row) != ENC_ERR_OK)
        return false;
    enc_frontier_root(&frontier, root32);
    enc_buffer_add(out, enc_bytes_of(record, enc_frontier_encode(record, &frontier)));
    return true;
}

/* A peek says the same as the whole, and of what it cannot look into nothing can be read. */
static bool event(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_event event, peeked;
    enum enc_err err = enc_record_peek(&peeked, row);
    if (enc_record_take(&event, out->arena, row) != ENC_ERR_OK)
        return false;
    ENC_CHECK(err == ENC_ERR_OK && peeked.seq == event.seq && peeked.type_seq == event.type_seq &&
              peeked.timestamp_ms == event.timestamp_ms &&
              memcmp(peeked.id32, event.id32, 32) == 0 &&
              memcmp(peeked.commit.from32, event.commit.from32, 32) == 0 &&
              enc_bytes_equal(peeked.commit.type, event.commit.type));
    enc_record_put(out, &event);
    return true;
}

static bool post(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_post post;
    bool is_read = enc_post_take(&post, row);
    if (is_read)
        enc_post_put(out, &post);
    return is_read;
}

static bool profile(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_profile profile;
    bool is_read = enc_profile_take(&profile, row);
    if (is_read)
        enc_profile_put(out, &profile);
    return is_read;
}

static bool origin(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_origin origin;
    bool is_read = enc_origin_take(&origin, row);
    if (is_read)
        enc_origin_put(out, &origin);
    return is_read;
}

static void put_u64(struct enc_buffer *out, uint64_t number)
{
    uint8_t be8[8];
    enc_be64_put(be8, number);
    enc_buffer_add(out, enc_bytes_of(be8, 8));
}

static bool sync_state(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_sync sync;
    if (!enc_sync_take(&sync, row))
        return false;
    put_u64(out, sync.last_seq);
    put_u64(out, sync.updated_ms);
    return true;
}

static bool inbox(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_inbox_row found;
    struct enc_bytes key = enc_bytes_of(row.data, row.len < 16 ? row.len : 16);
    struct enc_bytes value = enc_bytes_of(row.data + key.len, row.len - key.len);
    if (!enc_inbox_take(&found, key, value))
        return false;
    put_u64(out, found.own_seq);
    put_u64(out, found.arrival);
    put_u64(out, found.arrival_ms);
    enc_buffer_add(out, enc_bytes_of(found.enclave32, 32));
    put_u64(out, found.seq);
    enc_buffer_add(out, found.record);
    return true;
}

/* As services/registry_rows.c writes it: four keys, a time, the length of the members, they, more. */
static bool registered(struct enc_buffer *out, struct enc_bytes row)
{
    struct enc_reg_row found;
    uint8_t be4[4];
    if (!enc_reg_row_take(&found, row))
        return false;
    enc_buffer_add(out, enc_bytes_of(found.from32, 32));
    enc_buffer_add(out, enc_bytes_of(found.event32, 32));
    enc_buffer_add(out, enc_bytes_of(found.enclave32, 32));
    enc_buffer_add(out, enc_bytes_of(found.node32, 32));
    put_u64(out, found.registered_ms);
    enc_be32_put(be4, (uint32_t)found.members.len);
    enc_buffer_add(out, enc_bytes_of(be4, 4));
    enc_buffer_add(out, found.members);
    enc_buffer_add(out, found.more);
    return true;
}

/* Of a row of ids: every entry of the prefix that a walk over all finds, in order. */
static bool ids(struct enc_buffer *out, struct enc_bytes row)
{
    size_t count = enc_ids_count(row);
    if (row.len < 32 + ENC_ID_ENTRY_LEN || row.len % ENC_ID_ENTRY_LEN || count > ENC_IDS_FEW)
        return false;
    const uint8_t *id32 = row.data;
    struct enc_bytes entries = enc_bytes_of(row.data + 32, row.len - 32);
    size_t at = enc_ids_find(entries, id32, 0);
    for (size_t i = 0; i < enc_ids_count(entries); i++) {
        bool is_like = enc_ids_at(entries, i) >> 18 == enc_be64_get(id32) >> 18;
        ENC_CHECK(is_like == (at == i));
        at = is_like ? enc_ids_find(entries, id32, i + 1) : at;
    }
    ENC_CHECK(at == enc_ids_count(entries));
    enc_buffer_add(out, row);
    return true;
}

static again_fn *const KINDS[] = {state,   smt_node, gates,      frontier, event,      post,
                                  profile, origin,   sync_state, inbox,    registered, ids};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena;
    struct enc_buffer out;
    struct enc_bytes again;
    if (len == 0)
        return 0;
    struct enc_bytes row = enc_bytes_of(data + 1, len - 1);
    fuzz_arena(&arena, 0);
    enc_buffer_init(&out, &arena, FUZZ_MEMORY_LEN);
    if (!KINDS[data[0] % (sizeof KINDS / sizeof *KINDS)](&out, row))
        return 0;
    ENC_CHECK(enc_buffer_bytes(&out, &again) == ENC_ERR_OK && enc_bytes_equal(again, row));
    return 0;
}
