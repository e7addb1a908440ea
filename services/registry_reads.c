/* The public reads of the registry (protocol.md 11.3), all GET. */
#include "services/inside.h"
#include "services/params.h"
#include "services/read.h"
#include "services/registry.h"

/* A page is skipped to row by row, so it cannot begin anywhere. */
enum { LIMIT_MAX = 100, LIMIT = 50, OFFSET_MAX = 100000 };

struct page {
    uint64_t limit;
    uint64_t offset;
};

static enum enc_err take_page(struct page *page, struct enc_bytes query)
{
    static const struct enc_param_range LIMITS = {1, LIMIT_MAX};
    static const struct enc_param_range OFFSETS = {0, OFFSET_MAX};
    bool given = false;
    *page = (struct page){.limit = LIMIT};
    ENC_TRY(enc_param_u64(query, "limit", &LIMITS, &given, &page->limit));
    return enc_param_u64(query, "offset", &OFFSETS, &given, &page->offset);
}

static struct enc_view view_of(const struct enc_read *read, uint32_t number)
{
    return (struct enc_view){read->state.ord, number};
}

/* ---- single rows ---- */

enum enc_err enc_reg_row_find(struct enc_snap *snap, bool *found, struct enc_reg_row *row,
                              struct enc_view view, const uint8_t key32[32])
{
    struct enc_bytes value;
    ENC_TRY(enc_snap_row(snap, found, &value, view, enc_bytes_of(key32, 32)));
    return !*found || enc_reg_row_take(row, value) ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err find(const struct enc_read *read, bool *found, struct enc_reg_row *row,
                         enum enc_reg_table table, const uint8_t key32[32])
{
    return enc_reg_row_find(read->snap, found, row, view_of(read, ENC_REG_VIEW_TABLES + table),
                            key32);
}

/* The row that the path names. */
static enum enc_err named(const struct enc_read *read, struct enc_reg_row *row,
                          enum enc_reg_table table)
{
    static const enum enc_err ABSENT[ENC_REG_TABLE_COUNT] = {
        [ENC_REG_NODES] = ENC_ERR_NODE_NOT_FOUND,
        [ENC_REG_ENCLAVES] = ENC_ERR_ENCLAVE_NOT_FOUND,
        [ENC_REG_IDENTITIES] = ENC_ERR_IDENTITY_NOT_FOUND,
    };
    bool found = false;
    ENC_TRY(find(read, &found, row, table, read->exchange->param32));
    return found ? ENC_ERR_OK : ABSENT[table];
}

static void put_row(struct enc_buffer *out, const struct enc_reg_row *row)
{
    enc_json_put_raw(out, "{");
    enc_buffer_add(out, row->members);
    enc_json_put_raw(out, "}");
}

static enum enc_err read_one(const struct enc_read *read, struct enc_buffer *out,
                             enum enc_reg_table table)
{
    struct enc_reg_row row;
    ENC_TRY(named(read, &row, table));
    enc_buffer_add(out, row.members);
    return ENC_ERR_OK;
}

enum enc_err enc_registry_read_node(struct enc_read *read, struct enc_buffer *out,
                                    const struct enc_json *content)
{
    (void)content;
    return read_one(read, out, ENC_REG_NODES);
}

enum enc_err enc_registry_read_enclave(struct enc_read *read, struct enc_buffer *out,
                                       const struct enc_json *content)
{
    (void)content;
    return read_one(read, out, ENC_REG_ENCLAVES);
}

enum enc_err enc_registry_read_resolve(struct enc_read *read, struct enc_buffer *out,
                                       const struct enc_json *content)
{
    bool has_node = false;
    struct enc_reg_row enclave;
    struct enc_reg_row node;
    (void)content;
    ENC_TRY(named(read, &enclave, ENC_REG_ENCLAVES));
    ENC_TRY(find(read, &has_node, &node, ENC_REG_NODES, enclave.node32));
    enc_json_member(out, "enclave");
    put_row(out, &enclave);
    enc_json_member(out, "node");
    if (has_node)
        put_row(out, &node);
    else
        enc_json_put_raw(out, "null");
    return ENC_ERR_OK;
}

enum enc_err enc_registry_resolve(struct enc_bytes *uri, struct enc_arena *arena,
                                  struct enc_snap *snap, uint64_t registry_ord,
                                  const uint8_t enclave32[32])
{
    bool found = false;
    struct enc_reg_row row;
    struct enc_view view = {registry_ord, ENC_REG_VIEW_TABLES + ENC_REG_ENCLAVES};
    *uri = (struct enc_bytes){NULL, 0};
    ENC_TRY(enc_reg_row_find(snap, &found, &row, view, enclave32));
    if (!found)
        return ENC_ERR_OK;
    view.number = ENC_REG_VIEW_TABLES + ENC_REG_NODES;
    ENC_TRY(enc_reg_row_find(snap, &found, &row, view, row.node32));
    if (!found || row.more.len == 0)
        return ENC_ERR_OK;
    *uri = enc_arena_copy(arena, row.more);
    return uri->data ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}

/* ---- lists ---- */

/* Which rows, in which order. The key of an index ends with the key of the row. */
struct list {
    enum enc_reg_table table;
    uint32_t index;
    struct enc_bytes prefix;
    struct page page;
};

static enum enc_err put_indexed(const struct enc_read *read, struct enc_buffer *out,
                                const struct list *list, struct enc_bytes index_key)
{
    bool found = false;
    struct enc_reg_row row;
    if (index_key.len < 32)
        return ENC_ERR_INTERNAL;
    ENC_TRY(find(read, &found, &row, list->table, index_key.data + index_key.len - 32));
    if (!found)
        return ENC_ERR_INTERNAL;
    enc_json_comma(out);
    put_row(out, &row);
    return ENC_ERR_OK;
}

/* Ends early when the answer grows too long, but not before its first row. */
static enum enc_err put_list(const struct enc_read *read, struct enc_buffer *out,
                             const struct list *list)
{
    struct enc_scan scan;
    struct enc_row_found found;
    uint64_t seen = 0;
    uint64_t end = list->page.offset + list->page.limit;
    enum enc_err err = ENC_ERR_OK;
    struct enc_row_range range = {.view = view_of(read, list->index), .prefix = list->prefix};
    enc_scan_rows(&scan, read->snap, &range);
    for (; err == ENC_ERR_OK && seen < end && enc_scan_row(&scan, &found); seen++) {
        if (seen < list->page.offset)
            continue;
        if (seen > list->page.offset && out->len >= read->len_max)
            break;
        err = put_indexed(read, out, list, found.key);
    }
    enum enc_err end_err = enc_scan_fini(&scan);
    return err != ENC_ERR_OK ? err : end_err;
}

static enum enc_err put_total(const struct enc_read *read, struct enc_buffer *out,
                              enum enc_reg_table table, const uint8_t from32[32])
{
    uint8_t name[ENC_REG_COUNT_KEY_LEN_MAX];
    uint64_t total = 0;
    ENC_TRY(enc_count_find(&total, read->snap, view_of(read, ENC_REG_VIEW_COUNTS),
                           enc_reg_count_key(name, table, from32)));
    enc_json_member_u64(out, "total", total);
    return ENC_ERR_OK;
}

enum enc_err enc_registry_read_nodes(struct enc_read *read, struct enc_buffer *out,
                                     const struct enc_json *content)
{
    struct list list = {.table = ENC_REG_NODES, .index = ENC_REG_VIEW_NODES_BY_TIME};
    (void)content;
    ENC_TRY(take_page(&list.page, read->exchange->query));
    enc_json_member(out, "nodes");
    enc_json_put_raw(out, "[");
    ENC_TRY(put_list(read, out, &list));
    enc_json_put_raw(out, "]");
    return put_total(read, out, ENC_REG_NODES, NULL);
}

/* What the identity registered, then what it names. */
enum enc_err enc_registry_read_identity(struct enc_read *read, struct enc_buffer *out,
                                        const struct enc_json *content)
{
    const uint8_t *key32 = read->exchange->param32;
    struct enc_reg_row row;
    struct list list = {.table = ENC_REG_ENCLAVES, .index = ENC_REG_VIEW_ENCLAVES_BY_FROM};
    (void)content;
    ENC_TRY(take_page(&list.page, read->exchange->query));
    ENC_TRY(named(read, &row, ENC_REG_IDENTITIES));
    list.prefix = enc_bytes_of(key32, 32);
    enc_buffer_add(out, row.members);
    enc_json_member(out, "enclaves");
    enc_json_put_raw(out, "[");
    ENC_TRY(put_list(read, out, &list));
    if (row.more.len)
        enc_json_comma(out);
    enc_buffer_add(out, row.more);
    enc_json_put_raw(out, "]");
    return put_total(read, out, ENC_REG_ENCLAVES, key32);
}

/* ---- the routes ---- */
