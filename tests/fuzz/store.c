/* Rows of LMDB: an input is a row of any table, put there as damage would. Every reader answers
 * with an error or with what the typed write of the same makes the same bytes of; the check of the
 * whole shard ends. */
#include "store/store.h"
#include "store/engine.h"
#include "store/ids.h"
#include "store/read.h"

#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/support/place.h"

static const uint8_t ID32[32] = {0x11, 0x22, 0x33}, OTHER32[32] = {0x44};
enum { ORD = 7, SEQ = 5, KEY_LEN_MAX = 511 };

/** Where a row stands, and what was read from it and shall be written again. */
struct trial {
    enum enc_table table;
    struct enc_row_key key;
    struct enc_bytes value;
    struct enc_snap *snap;
    struct enc_writeset *set;
};

/** Read the row and put it into the set again; false: it cannot be read. */
typedef bool again_fn(struct trial *trial);

/* ---- tables ---- */

static bool enclave(struct trial *trial)
{
    struct enc_enclave_row row;
    if (enc_snap_enclave(trial->snap, &row, ID32) != ENC_ERR_OK)
        return false;
    enc_put_enclave(trial->set, ID32, &row);
    return true;
}

static bool enclave_ord(struct trial *trial)
{
    uint8_t id32[32];
    struct enc_enclave_row row = {.ord = ORD};
    if (enc_snap_enclave_id(trial->snap, id32, ORD) != ENC_ERR_OK)
        return false;
    enc_put_enclave(trial->set, id32, &row);
    return true;
}

static bool head(struct trial *trial)
{
    struct enc_bytes record;
    if (enc_snap_head(trial->snap, &record, ORD) != ENC_ERR_OK)
        return false;
    enc_put_head(trial->set, ORD, enc_arena_copy(trial->set->arena, record));
    return true;
}

/* Both forms of the value: with the id in the record, and with the id before it. */
static bool event(struct trial *trial)
{
    struct enc_bytes record;
    const uint8_t *id32 = enc_event_value_id(trial->value);
    enum enc_err err = enc_snap_event(trial->snap, &record, (struct enc_event_place){ORD, SEQ});
    ENC_CHECK(err == ENC_ERR_OK || err == ENC_ERR_EVENT_NOT_FOUND || !id32 || trial->value.len < 2);
    if (err != ENC_ERR_OK)
        return false;
    struct enc_event_row row = {.ord = ORD,
                                .seq = SEQ,
                                .id32 = id32,
                                .hash32 = OTHER32,
                                .type = ENC_LIT("Post"),
                                .record = enc_arena_copy(trial->set->arena, record),
                                .id_at = trial->value.data[0]};
    ENC_CHECK(id32 != NULL);
    enc_put_event(trial->set, &row);
    return true;
}

static bool event_hash(struct trial *trial)
{
    struct enc_event_place place;
    uint8_t id32[32] = {1};
    if (enc_snap_place_by_hash(trial->snap, &place, 9, ID32) != ENC_ERR_OK)
        return false;
    struct enc_event_row row = {.ord = place.ord,
                                .seq = place.seq,
                                .id32 = id32,
                                .hash32 = ID32,
                                .exp_ms = 9,
                                .type = ENC_LIT("Post"),
                                .record = ENC_LIT("r")};
    enc_put_event(trial->set, &row);
    return true;
}

static bool event_type(struct trial *trial)
{
    struct enc_scan scan;
    struct enc_typed_found found;
    uint8_t id32[32] = {1};
    enc_scan_type(&scan, trial->snap, ORD, ENC_LIT("Post"), (struct enc_range){SEQ, SEQ, false});
    bool is_read = enc_scan_typed(&scan, &found);
    if (enc_scan_fini(&scan) != ENC_ERR_OK || !is_read)
        return false;
    struct enc_event_row row = {.ord = ORD,
                                .seq = found.seq,
                                .type_seq = found.type_seq,
                                .id32 = id32,
                                .hash32 = OTHER32,
                                .type = ENC_LIT("Post"),
                                .record = ENC_LIT("r")};
    enc_put_event(trial->set, &row);
    return true;
}

static bool status(struct trial *trial)
{
    struct enc_status_row row;
    if (enc_snap_status(trial->snap, &row, (struct enc_event_place){ORD, SEQ}) != ENC_ERR_OK)
        return false;
    enc_put_status(trial->set, (struct enc_event_place){ORD, SEQ}, &row);
    return true;
}

static bool smt_node(struct trial *trial)
{
    struct enc_bytes record;
    if (enc_snap_smt_node(trial->snap, &record, ORD, SEQ, 1) != ENC_ERR_OK)
        return false;
    enc_put_smt_node(trial->set, ORD, SEQ, 1, enc_arena_copy(trial->set->arena, record));
    return true;
}

static bool ct_leaf(struct trial *trial)
{
    struct enc_ct_leaf_row row;
    if (enc_snap_ct_leaf(trial->snap, &row, ORD, SEQ) != ENC_ERR_OK)
        return false;
    enc_put_ct_leaf(trial->set, ORD, SEQ, &row);
    return true;
}

static bool ct_node(struct trial *trial)
{
    uint8_t hash32[32];
    if (enc_snap_ct_node(trial->snap, hash32, ORD, 1, SEQ) != ENC_ERR_OK)
        return false;
    enc_put_ct_node(trial->set, ORD, 1, SEQ, hash32);
    return true;
}

static bool alarm_row(struct trial *trial)
{
    struct enc_scan scan;
    struct enc_alarm_found found;
    enc_scan_alarms(&scan, trial->snap);
    bool is_read = enc_scan_alarm(&scan, &found);
    if (is_read)
        enc_put_alarm(trial->set, found.enclave32, &found.row);
    return enc_scan_fini(&scan) == ENC_ERR_OK && is_read;
}

static bool endpoint(struct trial *trial)
{
    struct enc_scan scan;
    struct enc_endpoint_found found;
    enc_scan_endpoints(&scan, trial->snap, ORD, NULL);
    bool is_read = enc_scan_endpoint(&scan, &found);
    if (is_read) {
        struct enc_endpoint_key key = {ORD, found.identity32, found.url16};
        enc_put_endpoint(trial->set, &key, enc_arena_copy(trial->set->arena, found.url));
    }
    return enc_scan_fini(&scan) == ENC_ERR_OK && is_read;
}

static bool pending(struct trial *trial)
{
    struct enc_scan scan;
    struct enc_pending_found found;
    struct enc_queue_key queue = {ORD, NULL};
    enc_scan_pendings(&scan, trial->snap, &queue);
    bool is_read = enc_scan_pending(&scan, &found);
    queue.queue16 = is_read ? found.queue16 : NULL;
    if (is_read)
        enc_put_pending(trial->set, &queue, &found.row);
    return enc_scan_fini(&scan) == ENC_ERR_OK && is_read;
}

static bool push_seq(struct trial *trial)
{
    struct enc_push_seq_row row;
    struct enc_queue_key queue = {ORD, ID32};
    if (enc_snap_push_seq(trial->snap, &row, &queue) != ENC_ERR_OK)
        return false;
    enc_put_push_seq(trial->set, &queue, &row);
    return true;
}

static bool delivered(struct trial *trial)
{
    struct enc_scan scan;
    struct enc_delivered_row row;
    struct enc_queue_key queue = {ORD, ID32};
    enc_scan_delivereds(&scan, trial->snap, &queue, (struct enc_range){0, UINT64_MAX, false});
    bool is_read = enc_scan_delivered(&scan, &row);
    if (is_read)
        enc_put_delivered(trial->set, &queue, &row);
    return enc_scan_fini(&scan) == ENC_ERR_OK && is_read;
}

static bool view_row(struct trial *trial)
{
    struct enc_scan scan;
    struct enc_view_row_found found;
    enc_scan_views(&scan, trial->snap, (struct enc_view){ORD, 0});
    bool is_read = enc_scan_view_row(&scan, &found);
    if (is_read)
        enc_put_row(trial->set, (struct enc_view){ORD, found.number},
                    enc_arena_copy(trial->set->arena, found.key),
                    enc_arena_copy(trial->set->arena, found.value));
    return enc_scan_fini(&scan) == ENC_ERR_OK && is_read;
}

/* Nothing writes these by themselves: they are read, and that is all. */
static bool no_again(struct trial *trial)
{
    uint64_t seq;
    enum enc_err err = enc_snap_seq_by_id(trial->snap, &seq, ORD, ID32);
    ENC_CHECK(err == ENC_ERR_EVENT_NOT_FOUND || err == ENC_ERR_INTERNAL);
    return false;
}

static again_fn *const AGAIN[ENC_TABLE_COUNT] = {
    [ENC_TABLE_META] = no_again,
    [ENC_TABLE_ENCLAVE] = enclave,
    [ENC_TABLE_ENCLAVE_ORD] = enclave_ord,
    [ENC_TABLE_HEAD] = head,
    [ENC_TABLE_EVENT] = event,
    [ENC_TABLE_EVENT_ID] = no_again,
    [ENC_TABLE_EVENT_HASH] = event_hash,
    [ENC_TABLE_EVENT_TYPE] = event_type,
    [ENC_TABLE_STATUS] = status,
    [ENC_TABLE_SMT_NODE] = smt_node,
    [ENC_TABLE_CT_LEAF] = ct_leaf,
    [ENC_TABLE_CT_NODE] = ct_node,
    [ENC_TABLE_ALARM] = alarm_row,
    [ENC_TABLE_ENDPOINT] = endpoint,
    [ENC_TABLE_PUSH_PENDING] = pending,
    [ENC_TABLE_PUSH_SEQ] = push_seq,
    [ENC_TABLE_PUSH_DELIVERED] = delivered,
    [ENC_TABLE_ROW] = view_row,
};

/* ---- keys ---- */

/* The key that the typed reads above ask for; the length of the table's keys is theirs. */
static void usual_key(struct enc_row_key *key, enum enc_table table)
{
    enc_row_key_init(key);
    if (table == ENC_TABLE_ENCLAVE || table == ENC_TABLE_ALARM) {
        enc_row_key_bytes(key, enc_bytes_of(ID32, 32));
    } else if (table == ENC_TABLE_EVENT_HASH) {
        enc_row_key_u64(key, 9);
        enc_row_key_bytes(key, enc_bytes_of(ID32, 32));
    } else if (table == ENC_TABLE_EVENT_ID) {
        enc_ids_key(key, ORD, 0);
    } else {
        enc_row_key_u64(key, ORD);
    }
}

static void finish_key(struct enc_row_key *key, enum enc_table table, struct feed *feed)
{
    switch (table) {
    case ENC_TABLE_EVENT:
    case ENC_TABLE_STATUS:
    case ENC_TABLE_CT_LEAF:
        enc_row_key_u64(key, SEQ);
        return;
    case ENC_TABLE_SMT_NODE:
        enc_row_key_u64(key, SEQ);
        enc_row_key_u32(key, 1);
        return;
    case ENC_TABLE_CT_NODE:
        enc_row_key_u8(key, 1);
        enc_row_key_u64(key, SEQ);
        return;
    case ENC_TABLE_EVENT_TYPE:
        enc_row_key_u8(key, 4);
        enc_row_key_bytes(key, ENC_LIT("Post"));
        enc_row_key_u64(key, SEQ);
        return;
    case ENC_TABLE_PUSH_SEQ:
        enc_row_key_bytes(key, enc_bytes_of(ID32, 16));
        return;
    case ENC_TABLE_PUSH_DELIVERED:
    case ENC_TABLE_PUSH_PENDING:
        enc_row_key_bytes(key, enc_bytes_of(ID32, 16));
        enc_row_key_u64(key, feed_u64(feed));
        return;
    case ENC_TABLE_ALARM:
        enc_row_key_u8(key, feed_u8(feed));
        return;
    case ENC_TABLE_ENDPOINT:
        enc_row_key_bytes(key, enc_bytes_of(ID32, 32));
        enc_row_key_bytes(key, enc_bytes_of(ID32, 16));
        return;
    case ENC_TABLE_ROW:
        enc_row_key_u32(key, feed_u8(feed));
        enc_row_key_bytes(key, feed_bytes(feed, feed_u8(feed)));
        return;
    default:
        return;
    }
}

static void choose_key(struct trial *trial, struct feed *feed, bool is_usual)
{
    usual_key(&trial->key, trial->table);
    if (is_usual) {
        finish_key(&trial->key, trial->table, feed);
        return;
    }
    if (feed_u8(feed) & 1)
        enc_row_key_init(&trial->key);
    size_t room = KEY_LEN_MAX - trial->key.len, wanted = feed_u8(feed);
    enc_row_key_bytes(&trial->key, feed_bytes(feed, wanted < room ? wanted : room));
    if (trial->key.len == 0)
        enc_row_key_u8(&trial->key, 0);
}

/* ---- the engine, without the room ---- */

static int edit(const struct enc_store *store, MDB_val *key, MDB_val *value, enum enc_table table)
{
    MDB_txn *txn;
    ENC_CHECK(mdb_txn_begin(store->env, NULL, 0, &txn) == 0);
    int rc = value ? mdb_put(txn, store->tables[table], key, value, 0)
                   : mdb_del(txn, store->tables[table], key, NULL);
    ENC_CHECK(mdb_txn_commit(txn) == 0);
    return rc;
}

static enum enc_table home_of(enum enc_table table)
{
    return enc_table_row(table)->home;
}

static void plant(const struct enc_store *store, const struct trial *trial)
{
    MDB_val key = enc_val_of(enc_row_key_view(&trial->key)), value = enc_val_of(trial->value);
    ENC_CHECK(edit(store, &key, &value, home_of(trial->table)) == 0);
}

/* The table as it would be: with one row, at most. */
static void compare_row(const struct enc_store *store, const struct trial *trial)
{
    MDB_txn *txn;
    MDB_val key = enc_val_of(enc_row_key_view(&trial->key)), value;
    ENC_CHECK(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn) == 0);
    ENC_CHECK(mdb_get(txn, store->tables[home_of(trial->table)], &key, &value) == 0);
    ENC_CHECK(enc_bytes_equal(enc_val_view(value), trial->value));
    mdb_txn_abort(txn);
}

static void clear(const struct enc_store *store)
{
    MDB_txn *txn;
    ENC_CHECK(mdb_txn_begin(store->env, NULL, 0, &txn) == 0);
    for (unsigned i = ENC_TABLE_META + 1; i < ENC_TABLE_COUNT; i++)
        ENC_CHECK(mdb_drop(txn, store->tables[i], 0) == 0);
    ENC_CHECK(mdb_txn_commit(txn) == 0);
}

/* ---- the whole ---- */

static void count_flaw(void *opaque, const struct enc_store_flaw *flaw)
{
    ENC_CHECK(flaw->what && flaw->what[0]);
    ++*(unsigned *)opaque;
}

static bool read_row(struct enc_store *store, struct trial *trial)
{
    uint64_t flaw_count;
    unsigned told = 0;
    ENC_CHECK(enc_snap_open(store, &trial->snap) == ENC_ERR_OK);
    bool is_read = AGAIN[trial->table](trial);
    ENC_CHECK(enc_store_verify(trial->snap, &flaw_count, count_flaw, &told) == ENC_ERR_OK);
    ENC_CHECK(flaw_count == told);
    enc_snap_close(trial->snap);
    return is_read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena;
    struct enc_writeset set;
    struct enc_apply_facts facts;
    const struct enc_writeset *const sets[] = {&set};
    struct enc_store *store = enc_data_shard_at(fuzz_data(), 0);
    struct feed feed = feed_of(data, len);
    unsigned how = feed_u8(&feed);
    struct trial trial = {.set = &set,
                          .table = 1 + how % (ENC_TABLE_COUNT - 1)}; /* never META: the shard's */
    bool is_usual = how < 192;
    fuzz_arena(&arena, 0);
    enc_writeset_init(&set, &arena);
    choose_key(&trial, &feed, is_usual);
    trial.value = feed_rest(&feed);
    if (trial.value.len == 0 && trial.table != ENC_TABLE_ROW)
        return 0;
    plant(store, &trial);
    bool is_read = read_row(store, &trial);
    clear(store);
    if (is_read && is_usual) {
        ENC_CHECK(enc_writeset_ok(&set));
        ENC_CHECK(enc_store_apply(store, &facts, sets, 1) == ENC_OUTCOME_OK);
        compare_row(store, &trial);
        clear(store);
    }
    return 0;
}
