#include "store/verify.h"
#include "store/event.h"
#include "store/ids.h"
#include "store/read.h"
#include "store/tile.h"

/* A walk under way. The row before the one in hand tells gaps from beginnings. */
struct walk {
    struct enc_snap *snap;
    enc_flaw_found *found;
    void *opaque;
    uint64_t flaw_count;
    uint64_t row_counts[ENC_TABLE_COUNT];
    uint64_t entry_count;    /* in the rows of ids */
    struct enc_row_key last; /* empty at the start of a table */
    struct enc_bytes last_value;
};

/** What is wrong with the row, NULL when nothing is. */
typedef const char *row_check(struct walk *walk, struct enc_bytes key, struct enc_bytes value);

static bool has(const struct walk *walk, struct enc_bytes *value, enum enc_table table,
                const struct enc_row_key *key)
{
    bool found = false;
    return enc_snap_find(walk->snap, &found, value, table, key) == ENC_ERR_OK && found;
}

static bool has_part(const struct walk *walk, struct enc_bytes *value, enum enc_table table,
                     struct enc_bytes part)
{
    struct enc_row_key key;
    enc_row_key_init(&key);
    enc_row_key_bytes(&key, part);
    return has(walk, value, table, &key);
}

static bool has_numbered(const struct walk *walk, enum enc_table table, uint64_t ord,
                         uint64_t number)
{
    struct enc_row_key key;
    struct enc_bytes value;
    enc_row_key_numbered(&key, ord, number);
    return has(walk, &value, table, &key);
}

/** Whether the row before begins with the same len bytes and has the same length. */
static bool follows(const struct walk *walk, struct enc_bytes key, size_t len)
{
    return walk->last.len == key.len && memcmp(walk->last.data, key.data, len) == 0;
}

static const char *owned(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    struct enc_bytes enclave;
    (void)value;
    bool known = has_part(walk, &enclave, ENC_TABLE_ENCLAVE_ORD, enc_bytes_of(key.data, 8));
    return known ? NULL : "belongs to no enclave";
}

static const char *enclave(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    struct enc_bytes id;
    bool known = has_part(walk, &id, ENC_TABLE_ENCLAVE_ORD, enc_bytes_of(value.data, 8));
    return known && enc_bytes_equal(id, key) ? NULL : "has an ordinal that is not its own";
}

static const char *enclave_ord(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    struct enc_bytes facts;
    bool known = has_part(walk, &facts, ENC_TABLE_ENCLAVE, value);
    return known && memcmp(facts.data, key.data, 8) == 0 ? NULL : "names an enclave of another";
}

/** Numbers of one owner go 0, 1, 2, ... */
static const char *counted(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    bool same = follows(walk, key, key.len - 8);
    uint64_t due = same ? enc_key_tail64(enc_row_key_view(&walk->last)) + 1 : 0;
    return enc_key_tail64(key) == due ? owned(walk, key, value) : "leaves a gap before it";
}

static const char *event(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    uint64_t seq = 0;
    uint64_t ord = enc_be64_get(key.data);
    const uint8_t *id32 = enc_event_value_id(value);
    if (!id32 || enc_snap_seq_by_id(walk->snap, &seq, ord, id32) != ENC_ERR_OK ||
        seq != enc_key_tail64(key))
        return "is not found by its id";
    return counted(walk, key, value);
}

/** The newest row comes first and ends with the last event; each other ends where that begins. */
static bool joins(const struct walk *walk, struct enc_bytes key, uint64_t end)
{
    uint64_t ord = enc_be64_get(key.data);
    if (follows(walk, key, 8))
        return end == enc_ids_first_seq(enc_row_key_view(&walk->last));
    return end > 0 && has_numbered(walk, ENC_TABLE_EVENT, ord, end - 1) &&
           !has_numbered(walk, ENC_TABLE_EVENT, ord, end);
}

static const char *ids(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    uint64_t first_seq = enc_ids_first_seq(key);
    walk->entry_count += enc_ids_count(value);
    if (value.len % ENC_ID_ENTRY_LEN != 0 || first_seq % ENC_IDS_FEW != 0)
        return "is no row of ids";
    if (!joins(walk, key, first_seq + enc_ids_count(value)))
        return "covers other events than it must";
    return owned(walk, key, value);
}

static const char *pending(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    bool there =
        has_numbered(walk, ENC_TABLE_EVENT, enc_be64_get(key.data), enc_be64_get(value.data));
    return there ? NULL : "points to no event";
}

/** The queue's own row, and the payloads that it counts. */
static const char *push_seq(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    struct enc_row_key payload;
    struct enc_bytes found;
    enc_row_key_init(&payload);
    enc_row_key_bytes(&payload, key);
    enc_row_key_u64(&payload, enc_be64_get(value.data));
    bool there = has(walk, &found, ENC_TABLE_PUSH_DELIVERED, &payload);
    return there ? owned(walk, key, value) : "counts a payload that does not exist";
}

static const char *delivered(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    struct enc_bytes queue;
    (void)value;
    struct enc_bytes name = enc_bytes_of(key.data, key.len - 8);
    if (!has_part(walk, &queue, ENC_TABLE_PUSH_SEQ, name))
        return "belongs to no queue";
    uint64_t number = enc_key_tail64(key);
    bool is_next = !follows(walk, key, name.len) ||
                   enc_key_tail64(enc_row_key_view(&walk->last)) + 1 == number;
    return is_next && number <= enc_be64_get(queue.data) ? NULL : "leaves a gap before it";
}

static const char *row(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    return enc_be64_get(key.data) == 0 ? NULL : owned(walk, key, value);
}

static const char *event_hash(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    (void)key;
    bool there =
        has_numbered(walk, ENC_TABLE_EVENT, enc_be64_get(value.data), enc_be64_get(value.data + 8));
    return there ? NULL : "points to no event";
}

static const char *status(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    (void)value;
    bool there = has_numbered(walk, ENC_TABLE_EVENT, enc_be64_get(key.data), enc_key_tail64(key));
    return there ? NULL : "points to no event";
}

static const char *event_type(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    if (key.data[8] != key.len - 17)
        return "has a type of another length than it says";
    bool same = follows(walk, key, key.len - 8);
    uint64_t due = same ? enc_be64_get(walk->last_value.data) + 1 : 1;
    return enc_be64_get(value.data) == due ? status(walk, key, value)
                                           : "leaves a gap in the numbers of its type";
}

static uint64_t leaf_end(struct enc_bytes value)
{
    return enc_be64_get(value.data + 64) + enc_be32_get(value.data + 72);
}

static const char *ct_leaf(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    uint64_t due = follows(walk, key, 8) ? leaf_end(walk->last_value) : 0;
    uint64_t end = leaf_end(value);
    if (enc_be64_get(value.data + 64) != due)
        return "does not begin where the leaf before it ends";
    if (end == due || !has_numbered(walk, ENC_TABLE_EVENT, enc_be64_get(key.data), end - 1))
        return "covers events that do not exist";
    return counted(walk, key, value);
}

static const char *ct_node(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    uint8_t level = 0;
    uint64_t index = 0;
    struct enc_tile_place last = {.tile = enc_key_tail64(key), .band = key.data[8]};
    if (value.len % 32 || !enc_tile_has(value, (uint8_t)(value.len / 32 - 1)))
        return "is no tile";
    last.slot = (uint8_t)(value.len / 32 - 1);
    bool whole =
        enc_tile_node_at(&level, &index, &last) && level < 64 && index < UINT64_MAX >> level &&
        has_numbered(walk, ENC_TABLE_CT_LEAF, enc_be64_get(key.data), ((index + 1) << level) - 1);
    if (!whole)
        return "covers leaves that do not exist";
    for (uint8_t slot = 0; slot < last.slot; slot++)
        if (!enc_tile_has(value, slot))
            return "lacks a node";
    return NULL;
}

static const char *alarm(struct walk *walk, struct enc_bytes key, struct enc_bytes value)
{
    struct enc_bytes facts;
    (void)value;
    bool known = has_part(walk, &facts, ENC_TABLE_ENCLAVE, enc_bytes_of(key.data, 32));
    return known ? NULL : "wakes no enclave";
}

static row_check *const CHECKS[ENC_TABLE_COUNT] = {
    [ENC_TABLE_ENCLAVE] = enclave,
    [ENC_TABLE_ENCLAVE_ORD] = enclave_ord,
    [ENC_TABLE_HEAD] = owned,
    [ENC_TABLE_EVENT] = event,
    [ENC_TABLE_EVENT_ID] = ids,
    [ENC_TABLE_EVENT_HASH] = event_hash,
    [ENC_TABLE_EVENT_TYPE] = event_type,
    [ENC_TABLE_STATUS] = status,
    [ENC_TABLE_SMT_NODE] = owned,
    [ENC_TABLE_CT_LEAF] = ct_leaf,
    [ENC_TABLE_CT_NODE] = ct_node,
    [ENC_TABLE_ALARM] = alarm,
    [ENC_TABLE_ENDPOINT] = owned,
    [ENC_TABLE_PUSH_PENDING] = pending,
    [ENC_TABLE_PUSH_SEQ] = push_seq,
    [ENC_TABLE_PUSH_DELIVERED] = delivered,
    [ENC_TABLE_ROW] = row,
};

static void report(struct walk *walk, enum enc_table table, struct enc_bytes key, const char *what)
{
    struct enc_store_flaw flaw = {.table = table, .what = what, .key = key};
    walk->flaw_count++;
    walk->found(walk->opaque, &flaw);
}

static const char *flaw_of(struct walk *walk, enum enc_table table, struct enc_bytes key,
                           struct enc_bytes value)
{
    if (!enc_table_fits(table, key.len, value.len))
        return "has a wrong length";
    return CHECKS[table] ? CHECKS[table](walk, key, value) : NULL;
}

static void visit(struct walk *walk, enum enc_table table, struct enc_bytes key,
                  struct enc_bytes value)
{
    const struct enc_table_row *facts = enc_table_row(table);
    if (facts->home != table && key.len != facts->key_len_min)
        return; /* of no table: its host's walk names it */
    const char *what = flaw_of(walk, table, key, value);
    walk->row_counts[table]++;
    if (what)
        report(walk, table, key, what);
    enc_row_key_init(&walk->last);
    if (!enc_table_fits(table, key.len, value.len))
        return;
    enc_row_key_bytes(&walk->last, key);
    walk->last_value = value;
}

static enum enc_err walk_table(struct walk *walk, enum enc_table table)
{
    struct enc_scan scan;
    struct enc_bytes key;
    struct enc_bytes value;
    enc_row_key_init(&walk->last);
    enc_scan_start(&scan, walk->snap, table, false);
    scan.any_shape = true;
    enc_row_key_u8(&scan.low, 0);
    enc_row_key_top(&scan.high);
    while (enc_scan_step(&scan, &key, &value))
        visit(walk, table, key, value);
    return enc_scan_fini(&scan);
}

/* Each index row points to an event; as many rows as events leave no event without one, unless two
 * share one. */
static void weigh(struct walk *walk, enum enc_table table, enum enc_table against)
{
    uint64_t count = table == ENC_TABLE_EVENT_ID ? walk->entry_count : walk->row_counts[table];
    if (count != walk->row_counts[against])
        report(walk, table, (struct enc_bytes){NULL, 0}, "has another number of rows than it must");
}

enum enc_err enc_store_verify(struct enc_snap *snap, uint64_t *flaw_count, enc_flaw_found *found,
                              void *opaque)
{
    struct walk walk = {.snap = snap, .found = found, .opaque = opaque};
    for (unsigned i = 0; i < ENC_TABLE_COUNT; i++)
        ENC_TRY(walk_table(&walk, (enum enc_table)i));
    weigh(&walk, ENC_TABLE_ENCLAVE_ORD, ENC_TABLE_ENCLAVE);
    weigh(&walk, ENC_TABLE_HEAD, ENC_TABLE_ENCLAVE);
    weigh(&walk, ENC_TABLE_EVENT_ID, ENC_TABLE_EVENT);
    weigh(&walk, ENC_TABLE_EVENT_HASH, ENC_TABLE_EVENT);
    weigh(&walk, ENC_TABLE_EVENT_TYPE, ENC_TABLE_EVENT);
    *flaw_count = walk.flaw_count;
    return ENC_ERR_OK;
}
