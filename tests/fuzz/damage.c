/* A live enclave whose rows are damaged: an input changes bytes of rows of any table below a host at
 * rest. Every read and a commit is answered, by an error or not; the process goes on. Then the rows
 * are put back. */
#include "services/check.h"
#include "store/engine.h"

#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/support/house.h"

enum { ROWS_MAX = 512, BYTES_MAX = 1 << 18, CHANGES_MAX = 4 };

struct kept {
    enum enc_table table;
    struct enc_bytes key, value;
};

static struct kept rows[ROWS_MAX];
static size_t row_count;

static struct enc_store *store_of(struct rig *rig)
{
    return enc_data_shard_at(rig->data, 0);
}

static struct enc_bytes keep(MDB_val value)
{
    static uint8_t memory[BYTES_MAX];
    static size_t used_len;
    ENC_CHECK(value.mv_size <= BYTES_MAX - used_len);
    memcpy(memory + used_len, value.mv_data, value.mv_size);
    used_len += value.mv_size;
    return enc_bytes_of(memory + used_len - value.mv_size, value.mv_size);
}

static void keep_table(const struct enc_store *store, MDB_txn *txn, enum enc_table table)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    ENC_CHECK(mdb_cursor_open(txn, store->tables[table], &cursor) == 0);
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        ENC_CHECK(row_count < ROWS_MAX);
        struct enc_bytes kept_key = keep(key);
        rows[row_count++] = (struct kept){table, kept_key, keep(value)};
    }
    mdb_cursor_close(cursor);
}

static bool is_tree(enum enc_table table)
{
    return table != ENC_TABLE_META && enc_table_row(table)->home == table;
}

static void keep_all(const struct enc_store *store)
{
    MDB_txn *txn;
    ENC_CHECK(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn) == 0);
    for (unsigned i = 0; i < ENC_TABLE_COUNT; i++)
        if (is_tree((enum enc_table)i))
            keep_table(store, txn, (enum enc_table)i);
    mdb_txn_abort(txn);
}

static void put_back(const struct enc_store *store)
{
    MDB_txn *txn;
    ENC_CHECK(mdb_txn_begin(store->env, NULL, 0, &txn) == 0);
    for (unsigned i = 0; i < ENC_TABLE_COUNT; i++)
        if (is_tree((enum enc_table)i))
            ENC_CHECK(mdb_drop(txn, store->tables[i], 0) == 0);
    for (size_t i = 0; i < row_count; i++) {
        MDB_val key = enc_val_of(rows[i].key), value = enc_val_of(rows[i].value);
        ENC_CHECK(mdb_put(txn, store->tables[rows[i].table], &key, &value, 0) == 0);
    }
    ENC_CHECK(mdb_txn_commit(txn) == 0);
}

/* ---- damage ---- */

/* A value with some bytes changed, or cut, or longer. */
static struct enc_bytes spoil(uint8_t memory[], struct enc_bytes value, struct feed *feed)
{
    size_t len = value.len;
    memcpy(memory, value.data, len);
    switch (feed_pick(feed, 4)) {
    case 0:
        len -= feed_u8(feed) % (len + 1);
        break;
    case 1:
        memory[len++] = feed_u8(feed);
        break;
    default:
        for (unsigned i = feed_pick(feed, 3); i < 3 && len; i++) {
            size_t at = ((size_t)feed_u8(feed) << 8 | feed_u8(feed)) % len;
            memory[at] ^= feed_u8(feed);
        }
    }
    return enc_bytes_of(memory, len);
}

static void change(const struct enc_store *store, MDB_txn *txn, struct feed *feed)
{
    static uint8_t memory[BYTES_MAX + 1];
    size_t at = ((size_t)feed_u8(feed) << 8 | feed_u8(feed)) % row_count;
    const struct kept *row = &rows[at];
    MDB_val key = enc_val_of(row->key), value;
    int rc = 0;
    if (feed_u8(feed) % 8 == 0) {
        rc = mdb_del(txn, store->tables[row->table], &key, NULL);
        ENC_CHECK(rc == 0 || rc == MDB_NOTFOUND);
        return;
    }
    value = enc_val_of(spoil(memory, row->value, feed));
    ENC_CHECK(mdb_put(txn, store->tables[row->table], &key, &value, 0) == 0);
}

static void damage(const struct enc_store *store, struct feed *feed)
{
    MDB_txn *txn;
    ENC_CHECK(mdb_txn_begin(store->env, NULL, 0, &txn) == 0);
    for (unsigned i = feed_pick(feed, CHANGES_MAX); i < CHANGES_MAX; i++)
        change(store, txn, feed);
    ENC_CHECK(mdb_txn_commit(txn) == 0);
}

/* ---- use ---- */

static void ask(struct rig *rig, const char *action, const char *content)
{
    const char *id = rig_hex(rig, house_enclave(), 32);
    const char *body =
        rig_text(rig, "{\"type\":\"Query\",\"enclave\":\"%s\",\"content\":{%s}}", id, content);
    struct enc_call *call =
        *content || !*action
            ? rig_post(rig, rig_path(rig, house_enclave(), action), enc_bytes_of_text(body))
            : rig_get(rig, rig_path(rig, house_enclave(), action));
    ENC_CHECK(call->is_answered && call->status >= 200 && call->status < 600);
}

static void ask_sealed(struct rig *rig, const char *action, const char *members)
{
    struct asked asked = rig_seal(rig, OWNER, house_enclave(), "Query", members);
    struct enc_call *call = rig_post(rig, rig_path(rig, house_enclave(), action), asked.body);
    ENC_CHECK(call->is_answered);
}

static void use(struct rig *rig)
{
    const char *id = rig_hex(rig, house_event(), 32);
    const char *owner = rig_hex(rig, rig->keys[OWNER].pub32, 32);
    const char *by_event = rig_text(rig, ",\"event_id\":\"%s\"", id);
    ask(rig, "/info/enclave", "");
    ask(rig, "/info/manifest", "");
    ask(rig, "/sth", "");
    ask(rig, "/consistency?from=1", "");
    ask(rig, "", "\"filter\":{\"type\":\"Note\"}");
    ask_sealed(rig, "", ",\"filter\":{\"status\":[\"active\",\"updated\",\"deleted\"]}");
    ask_sealed(rig, "", rig_text(rig, ",\"filter\":{\"id\":\"%s\"}", id));
    ask_sealed(rig, "/inclusion", by_event);
    ask_sealed(rig, "/inclusion", ",\"leaf_index\":0");
    ask_sealed(rig, "/bundle", by_event);
    ask_sealed(rig, "/state", rig_text(rig, ",\"namespace\":\"rbac\",\"key\":\"%s\"", owner));
    ask_sealed(rig, "/state", rig_text(rig, ",\"namespace\":\"event_status\",\"key\":\"%s\"", id));
    struct draft update = {OWNER, house_enclave(), "Update", "deux", house_event(), 0};
    struct draft message = {MEMBER, house_enclave(), "Message", "four", NULL, 0};
    ENC_CHECK(rig_commit(rig, &update)->is_answered && rig_commit(rig, &message)->is_answered);
    struct enc_conn *conn = rig_connect(rig, NULL);
    rig_subscribe(conn, house_enclave(), "s", "{}");
    rig_settle(rig);
}

/* What fsck sees; it ends, and of what was not damaged it says nothing. */
static const char *check(struct rig *rig, bool is_damaged)
{
    struct enc_snap *snap;
    struct enc_check_report report;
    struct enc_enclave_row row;
    const struct enc_check_config config = {rig->curve, &rig->chunks, 1 << 26, rig->node.pub32};
    ENC_CHECK(enc_snap_open(store_of(rig), &snap) == ENC_ERR_OK);
    enum enc_err err = enc_snap_enclave(snap, &row, house_enclave());
    if (err == ENC_ERR_OK)
        err = enc_enclave_check(&report, snap, row.ord, &config);
    enc_snap_close(snap);
    ENC_CHECK(is_damaged || (err == ENC_ERR_OK && !report.flaw));
    return err == ENC_ERR_OK ? report.flaw : "unreadable";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct feed feed = feed_of(data, len);
    struct rig *rig = house_open();
    if (row_count == 0)
        keep_all(store_of(rig));
    bool is_damaged = feed_u8(&feed) != 0;
    if (is_damaged)
        damage(store_of(rig), &feed);
    check(rig, is_damaged);
    use(rig);
    house_rest(false);
    put_back(store_of(rig));
    house_rest(true);
    return 0;
}
