/* From events to rows. Every row has its event in a view of its own, so that a Delete finds it;
 * nodes and enclaves are indexed and counted. */
#include "services/registry.h"

enum { TABLE_AT = 0, KEY_AT = 1, EVENT_VALUE_LEN = 33, HEAD_LEN = 4 * 32 + 8 + 4 };

static const struct index {
    uint32_t view; /* 0: neither indexed nor counted */
    bool by_from;
} INDEX[ENC_REG_TABLE_COUNT] = {
    [ENC_REG_NODES] = {ENC_REG_VIEW_NODES_BY_TIME, false},
    [ENC_REG_ENCLAVES] = {ENC_REG_VIEW_ENCLAVES_BY_FROM, true},
};

/* The name of a row. */
struct place {
    enum enc_reg_table table;
    uint8_t key32[32];
};

/* ---- bytes ---- */

static uint8_t *put32(uint8_t *at, const uint8_t bytes32[32])
{
    memcpy(at, bytes32, 32);
    return at + 32;
}

static enum enc_err row_put_bytes(struct enc_bytes *out, struct enc_arena *arena,
                                  const struct enc_reg_row *row)
{
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, arena, SIZE_MAX / 4);
    uint8_t *at = enc_buffer_extend(&buffer, HEAD_LEN);
    if (!at)
        return ENC_ERR_TOO_LARGE;
    at = put32(at, row->from32);
    at = put32(at, row->event32);
    at = put32(at, row->enclave32);
    at = put32(at, row->node32);
    enc_be64_put(at, row->registered_ms);
    enc_be32_put(at + 8, (uint32_t)row->members.len);
    enc_buffer_add(&buffer, row->members);
    enc_buffer_add(&buffer, row->more);
    return enc_buffer_bytes(&buffer, out);
}

bool enc_reg_row_take(struct enc_reg_row *row, struct enc_bytes value)
{
    if (value.len < HEAD_LEN)
        return false;
    const uint8_t *at = value.data;
    memcpy(row->from32, at, 32);
    memcpy(row->event32, at + 32, 32);
    memcpy(row->enclave32, at + 64, 32);
    memcpy(row->node32, at + 96, 32);
    row->registered_ms = enc_be64_get(at + 128);
    size_t members_len = enc_be32_get(at + 136);
    if (members_len > value.len - HEAD_LEN)
        return false;
    row->members = enc_bytes_of(at + HEAD_LEN, members_len);
    row->more = enc_bytes_of(at + HEAD_LEN + members_len, value.len - HEAD_LEN - members_len);
    return true;
}

static struct enc_bytes index_key(uint8_t out[ENC_REG_INDEX_LEN_MAX], const struct place *place,
                                  const struct enc_reg_row *row)
{
    uint8_t *at = INDEX[place->table].by_from ? put32(out, row->from32) : out;
    enc_be64_put(at, row->registered_ms);
    at = put32(at + 8, place->key32);
    return enc_bytes_of(out, (size_t)(at - out));
}

struct enc_bytes enc_reg_count_key(uint8_t out[ENC_REG_COUNT_KEY_LEN_MAX], enum enc_reg_table table,
                                   const uint8_t from32[32])
{
    out[0] = (uint8_t)table;
    if (INDEX[table].by_from)
        memcpy(out + 1, from32, 32);
    return enc_bytes_of(out, INDEX[table].by_from ? 33 : 1);
}

static struct enc_bytes event_key(uint8_t out64[64], const uint8_t enclave32[32],
                                  const uint8_t event32[32])
{
    memcpy(out64, enclave32, 32);
    memcpy(out64 + 32, event32, 32);
    return enc_bytes_of(out64, 64);
}

/* ---- counts and indexes ---- */

static enum enc_err count(struct enc_rows *rows, const struct place *place,
                          const struct enc_reg_row *row, int by)
{
    uint8_t name[ENC_REG_COUNT_KEY_LEN_MAX];
    struct enc_bytes key = enc_reg_count_key(name, place->table, row->from32);
    return enc_rows_count(rows, ENC_REG_VIEW_COUNTS, key, by);
}

static enum enc_err enter_index(struct enc_rows *rows, const struct place *place,
                                const struct enc_reg_row *row)
{
    uint8_t name[ENC_REG_INDEX_LEN_MAX];
    if (!INDEX[place->table].view)
        return ENC_ERR_OK;
    ENC_TRY(enc_rows_put(rows, INDEX[place->table].view, index_key(name, place, row),
                         enc_bytes_of(NULL, 0)));
    return count(rows, place, row, 1);
}

static enum enc_err leave_index(struct enc_rows *rows, const struct place *place,
                                const struct enc_reg_row *row)
{
    uint8_t name[ENC_REG_INDEX_LEN_MAX];
    if (!INDEX[place->table].view)
        return ENC_ERR_OK;
    ENC_TRY(enc_rows_del(rows, INDEX[place->table].view, index_key(name, place, row)));
    return count(rows, place, row, -1);
}

/* ---- rows ---- */

static enum enc_err find(const struct enc_rows *rows, const struct place *place, bool *found,
                         struct enc_reg_row *row)
{
    struct enc_bytes value;
    ENC_TRY(enc_rows_get(rows, found, &value, ENC_REG_VIEW_TABLES + place->table,
                         enc_bytes_of(place->key32, 32)));
    return !*found || enc_reg_row_take(row, value) ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err drop(struct enc_rows *rows, const struct place *place,
                         const struct enc_reg_row *row)
{
    uint8_t name64[64];
    ENC_TRY(leave_index(rows, place, row));
    ENC_TRY(
        enc_rows_del(rows, ENC_REG_VIEW_EVENTS, event_key(name64, row->enclave32, row->event32)));
    return enc_rows_del(rows, ENC_REG_VIEW_TABLES + place->table, enc_bytes_of(place->key32, 32));
}

static enum enc_err add_event(struct enc_rows *rows, const struct place *place,
                              const struct enc_reg_row *row)
{
    uint8_t name64[64];
    uint8_t value[EVENT_VALUE_LEN];
    value[TABLE_AT] = (uint8_t)place->table;
    memcpy(value + KEY_AT, place->key32, 32);
    return enc_rows_put(rows, ENC_REG_VIEW_EVENTS, event_key(name64, row->enclave32, row->event32),
                        enc_bytes_of(value, sizeof value));
}

/* The newest registration is the row. */
static enum enc_err replace(struct enc_rows *rows, const struct place *place,
                            const struct enc_reg_row *row)
{
    bool found = false;
    struct enc_reg_row before;
    struct enc_bytes value;
    ENC_TRY(find(rows, place, &found, &before));
    if (found)
        ENC_TRY(drop(rows, place, &before));
    ENC_TRY(row_put_bytes(&value, rows->arena, row));
    ENC_TRY(enc_rows_put(rows, ENC_REG_VIEW_TABLES + place->table, enc_bytes_of(place->key32, 32),
                         value));
    ENC_TRY(enter_index(rows, place, row));
    return add_event(rows, place, row);
}

enum enc_err enc_reg_remove(struct enc_rows *rows, const struct enc_fact *fact)
{
    uint8_t name64[64];
    bool found = false;
    struct place place;
    struct enc_reg_row row;
    struct enc_bytes value;
    ENC_TRY(enc_rows_get(rows, &found, &value, ENC_REG_VIEW_EVENTS,
                         event_key(name64, fact->commit->enclave32, fact->target32)));
    if (!found)
        return ENC_ERR_OK;
    if (value.len != EVENT_VALUE_LEN || value.data[TABLE_AT] >= ENC_REG_TABLE_COUNT)
        return ENC_ERR_INTERNAL;
    place.table = (enum enc_reg_table)value.data[TABLE_AT];
    memcpy(place.key32, value.data + KEY_AT, 32);
    ENC_TRY(find(rows, &place, &found, &row));
    if (!found)
        return ENC_ERR_INTERNAL;
    bool is_author = memcmp(row.from32, fact->commit->from32, 32) == 0;
    return is_author ? drop(rows, &place, &row) : ENC_ERR_OK;
}

/* ---- columns ---- */

struct columns {
    struct enc_buffer members;
    struct enc_buffer more;
    struct enc_reg_row row;
};

static void columns_init(struct columns *columns, struct enc_arena *arena,
                         const struct enc_fact *fact)
{
    struct enc_reg_row *row = &columns->row;
    *row = (struct enc_reg_row){.registered_ms = fact->event->timestamp_ms};
    memcpy(row->from32, fact->commit->from32, 32);
    memcpy(row->event32, fact->event->id32, 32);
    memcpy(row->enclave32, fact->commit->enclave32, 32);
    enc_buffer_init(&columns->members, arena, UINT32_MAX);
    enc_buffer_init(&columns->more, arena, UINT32_MAX);
}

static enum enc_err columns_store(struct columns *columns, struct enc_rows *rows,
                                  const struct place *place)
{
    ENC_TRY(enc_buffer_bytes(&columns->members, &columns->row.members));
    ENC_TRY(enc_buffer_bytes(&columns->more, &columns->row.more));
    return replace(rows, place, &columns->row);
}

static void put_key(struct columns *columns, const char *name, const uint8_t key32[32])
{
    enc_json_member_hex(&columns->members, name, enc_bytes_of(key32, 32));
}

static void put_from_and_time(struct columns *columns)
{
    put_key(columns, "from_pub", columns->row.from32);
    enc_json_member_u64(&columns->members, "registered_at", columns->row.registered_ms);
}

/* ---- Reg_Node ---- */

static void put_endpoint(struct enc_buffer *out, const struct enc_json *endpoint)
{
    struct enc_bytes uri;
    uint64_t priority = 0;
    ENC_CHECK(enc_json_text(enc_json_get(endpoint, "uri"), &uri) &&
              enc_json_u64(enc_json_get(endpoint, "priority"), &priority));
    enc_json_comma(out);
    enc_json_put_raw(out, "{");
    enc_json_member_text(out, "uri", uri);
    enc_json_member_u64(out, "priority", priority);
    enc_json_put_raw(out, "}");
}

static void put_lists(struct enc_buffer *out, const struct enc_reg_node *node)
{
    enc_json_member(out, "endpoints");
    enc_json_put_raw(out, "[");
    for (const struct enc_json *at = node->endpoints->child; at; at = at->next)
        put_endpoint(out, at);
    enc_json_put_raw(out, "]");
    enc_json_member(out, "protocols");
    enc_json_put_raw(out, "[");
    for (const struct enc_json *at = node->protocols->child; at; at = at->next) {
        enc_json_comma(out);
        enc_json_put_text(out, at->text);
    }
    enc_json_put_raw(out, "]");
}

/* The http(s) endpoint that comes first. */
static void put_first_endpoint(struct enc_buffer *out, const struct enc_reg_node *node)
{
    struct enc_bytes best = {NULL, 0};
    uint64_t best_priority = UINT64_MAX;
    for (const struct enc_json *at = node->endpoints->child; at; at = at->next) {
        struct enc_bytes uri = enc_json_get(at, "uri")->text;
        uint64_t priority = 0;
        ENC_CHECK(enc_json_u64(enc_json_get(at, "priority"), &priority));
        if (uri.data[0] == 'h' && priority < best_priority) {
            best = uri;
            best_priority = priority;
        }
    }
    enc_buffer_add(out, best);
}

enum enc_err enc_reg_node_map(struct enc_rows *rows, const struct enc_fact *fact)
{
    struct enc_reg_node node;
    struct columns columns;
    struct place place = {.table = ENC_REG_NODES};
    ENC_TRY(enc_reg_node_take(&node, fact->content));
    columns_init(&columns, rows->arena, fact);
    memcpy(place.key32, node.seq_pub32, 32);
    put_key(&columns, "seq_pub", node.seq_pub32);
    put_lists(&columns.members, &node);
    enc_json_member_u64(&columns.members, "enc_v", node.enc_v);
    put_from_and_time(&columns);
    put_first_endpoint(&columns.more, &node);
    return columns_store(&columns, rows, &place);
}

/* ---- Reg_Enclave ---- */

enum enc_err enc_reg_enclave_map(struct enc_rows *rows, const struct enc_fact *fact)
{
    struct enc_reg_enclave enclave;
    struct columns columns;
    struct place place = {.table = ENC_REG_ENCLAVES};
    ENC_TRY(enc_reg_enclave_take(&enclave, rows->arena, fact->content));
    columns_init(&columns, rows->arena, fact);
    memcpy(place.key32, enclave.event.commit.enclave32, 32);
    memcpy(columns.row.node32, enclave.node_pub32, 32);
    put_key(&columns, "enclave_id", place.key32);
    put_key(&columns, "node_pub", enclave.node_pub32);
    enc_json_member(&columns.members, "manifest");
    enc_event_put_json(&columns.members, &enclave.event, false);
    put_from_and_time(&columns);
    enc_text_put(&columns.members, "app", &enclave.app);
    return columns_store(&columns, rows, &place);
}

/* ---- Reg_Identity ---- */

/* Elements of the list that answers with the enclaves of the identity. */
static void put_map(struct enc_buffer *out, const struct enc_json *map)
{
    uint8_t enclave32[32];
    for (const struct enc_json *at = map ? map->child : NULL; at; at = at->next) {
        ENC_CHECK(enc_json_hex(at, enclave32, 32));
        enc_json_comma(out);
        enc_json_put_raw(out, "{");
        enc_json_member_text(out, "name", at->key);
        enc_json_member_hex(out, "enclave_id", enc_bytes_of(enclave32, 32));
        enc_json_put_raw(out, "}");
    }
}

enum enc_err enc_reg_identity_map(struct enc_rows *rows, const struct enc_fact *fact)
{
    struct enc_reg_identity identity;
    struct columns columns;
    struct place place = {.table = ENC_REG_IDENTITIES};
    ENC_TRY(enc_reg_identity_take(&identity, fact->content));
    columns_init(&columns, rows->arena, fact);
    memcpy(place.key32, fact->commit->from32, 32);
    put_key(&columns, "pub_key", place.key32);
    enc_text_put(&columns.members, "display_name", &identity.persona.display_name);
    enc_text_put(&columns.members, "avatar", &identity.persona.avatar);
    enc_text_put(&columns.members, "bio", &identity.persona.bio);
    enc_json_member_u64(&columns.members, "registered_at", columns.row.registered_ms);
    put_map(&columns.more, identity.enclaves);
    return columns_store(&columns, rows, &place);
}
