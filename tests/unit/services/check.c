#include "services/check.h"

#include "host_fixture.h"

#include "services/state.h"
#include "services/tree.h"
#include "store/op.h"
#include "store/read.h"

/* Without the registry, so that the enclave of the test is the only one. */
static void open_alone(struct rig *rig, uint64_t seed)
{
    static const char *const MOUNTS[ENC_SERVICE_MAX] = {"/"};
    rig_init(rig, seed);
    rig->config.mounts = MOUNTS;
    rig_start(rig);
}

/* ---- an enclave that has been through everything ---- */

static const uint8_t *busy_enclave(struct rig *rig)
{
    struct shape shape = {.bundle_size = 4, .timeout_ms = 1000, .nonce = "busy"};
    const uint8_t *enclave32 = rig_create(rig, &shape);
    const char *member = rig_hex(rig, rig->keys[STRANGER].pub32, 32);
    struct draft say = {.who = MEMBER, .enclave32 = enclave32, .type = "Message", .content = "a"};
    struct enc_event first = rig_accept(rig, &say);
    struct enc_event second = rig_accept(rig, &say);
    struct draft edit = say;
    edit.type = "Update";
    edit.target32 = first.id32;
    rig_accept(rig, &edit);
    edit.type = "Delete";
    edit.content = "";
    edit.target32 = second.id32;
    rig_accept(rig, &edit);
    struct draft rule = {.who = OWNER, .enclave32 = enclave32, .type = "Grant"};
    rule.content = rig_text(rig, "{\"identity\":\"%s\",\"role\":\"Admin\"}", member);
    rig_accept(rig, &rule);
    rule.type = "Gate";
    rule.content = "{\"event\":\"Note\",\"open\":false}";
    rig_accept(rig, &rule);
    rig_sleep(rig, 5000); /* the timer closes the second bundle */
    rig_accept(rig, &say);
    rule.type = "Pause";
    rule.content = "";
    rig_accept(rig, &rule);
    return enclave32;
}

static void run_check(struct rig *rig, struct enc_check_report *report, const uint8_t *enclave32)
{
    struct enc_snap *snap = NULL;
    struct enc_enclave_row row;
    struct enc_check_config config = {
        .curve = rig->curve,
        .chunks = &rig->chunks,
        .memory_max = 64 << 20,
        .node_pub32 = rig->node.pub32,
    };
    cr_assert_eq(enc_snap_open(enc_data_shard_at(rig->data, 0), &snap), ENC_ERR_OK);
    cr_assert_eq(enc_snap_enclave(snap, &row, enclave32), ENC_ERR_OK);
    cr_assert_eq(enc_enclave_check(report, snap, row.ord, &config), ENC_ERR_OK);
    enc_snap_close(snap);
}

static void expect_flaw(struct rig *rig, const uint8_t *enclave32, const char *flaw)
{
    struct enc_check_report report;
    run_check(rig, &report, enclave32);
    if (!flaw) {
        cr_assert_null(report.flaw, "%s at %lu", report.flaw, (unsigned long)report.at);
        return;
    }
    cr_assert_not_null(report.flaw, "not seen: %s", flaw);
    cr_assert_str_eq(report.flaw, flaw);
}

/* ---- damage: a row rewritten as nobody's code would ---- */

struct damage {
    struct rig *rig;
    struct enc_arena arena;
    struct enc_writeset set;
};

static void begin_damage(struct damage *damage, struct rig *rig)
{
    damage->rig = rig;
    enc_arena_init(&damage->arena, &rig->chunks, 64 << 20);
    enc_writeset_init(&damage->set, &damage->arena);
}

static void apply_damage(struct damage *damage)
{
    struct enc_apply_facts facts;
    const struct enc_writeset *sets[] = {&damage->set};
    cr_assert_eq(enc_store_apply(enc_data_shard_at(damage->rig->data, 0), &facts, sets, 1),
                 ENC_OUTCOME_OK);
    enc_arena_fini(&damage->arena);
}

/* Row number nth of a table: its key, and a copy of its value. */
static struct enc_bytes find_row(struct damage *damage, struct enc_row_key *row_key,
                                 enum enc_table table, unsigned nth)
{
    struct enc_scan scan;
    struct enc_snap *snap = NULL;
    struct enc_bytes key;
    struct enc_bytes value;
    cr_assert_eq(enc_snap_open(enc_data_shard_at(damage->rig->data, 0), &snap), ENC_ERR_OK);
    enc_scan_start(&scan, snap, table, false);
    enc_row_key_init(&scan.low);
    enc_row_key_u8(&scan.low, 0); /* the engine has no empty keys */
    enc_row_key_init(&scan.high);
    enc_row_key_top(&scan.high);
    for (unsigned i = 0; i <= nth; i++)
        cr_assert(enc_scan_step(&scan, &key, &value));
    enc_row_key_init(row_key);
    enc_row_key_bytes(row_key, key);
    struct enc_bytes copy = enc_arena_copy(&damage->arena, value);
    cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_OK);
    enc_snap_close(snap);
    return copy;
}

/* Turn one bit of byte number at of a row's value; negative counts from the end. */
static void flip(struct rig *rig, enum enc_table table, unsigned nth, int at)
{
    struct damage damage;
    struct enc_row_key key;
    begin_damage(&damage, rig);
    struct enc_bytes value = find_row(&damage, &key, table, nth);
    size_t byte = at < 0 ? value.len - (size_t)-at : (size_t)at;
    cr_assert_lt(byte, value.len);
    ((uint8_t *)(uintptr_t)value.data)[byte] ^= 1;
    enc_op_del(&damage.set, table, &key);
    enc_op_put(&damage.set, table, &key, value);
    apply_damage(&damage);
}

static void drop(struct rig *rig, enum enc_table table, unsigned nth)
{
    struct damage damage;
    struct enc_row_key key;
    begin_damage(&damage, rig);
    find_row(&damage, &key, table, nth);
    enc_op_del(&damage.set, table, &key);
    apply_damage(&damage);
}

/* ---- tests ---- */

Test(check, what_the_pipeline_stored_is_sound)
{
    struct rig rig;
    struct enc_check_report report;
    open_alone(&rig, 1);
    const uint8_t *enclave32 = busy_enclave(&rig);
    run_check(&rig, &report, enclave32);
    cr_assert_null(report.flaw, "%s at %lu, %s", report.flaw, (unsigned long)report.at,
                   enc_replay_fault_name(report.verdict.fault));
    cr_assert_eq(report.event_count, 9);
    cr_assert_eq(report.leaf_count, 2);
    cr_assert_arr_eq(report.enclave32, enclave32, 32);
    rig_sleep(&rig, 5000); /* and with the last bundle closed by the timer */
    run_check(&rig, &report, enclave32);
    cr_assert_null(report.flaw);
    cr_assert_eq(report.leaf_count, 3);
    rig_restart(&rig);
    expect_flaw(&rig, enclave32, NULL);
    rig_close(&rig);
}

Test(check, an_enclave_of_one_event_is_sound)
{
    struct rig rig;
    open_alone(&rig, 2);
    struct shape shape = {.nonce = "one"};
    const uint8_t *enclave32 = rig_create(&rig, &shape);
    expect_flaw(&rig, enclave32, NULL);
    rig_close(&rig);
}

struct flip_row {
    enum enc_table table;
    unsigned nth;
    int at;
    const char *flaw;
};

Test(check, names_every_turned_bit)
{
    static const struct flip_row ROWS[] = {
        {ENC_TABLE_EVENT, 2, 0, "an event is not found by its id"},
        {ENC_TABLE_EVENT, 2, 43, "an event is not sound"},
        {ENC_TABLE_EVENT, 2, 1, "an event's record cannot be read"},
        {ENC_TABLE_EVENT, 2, -1, "an event is not sound"},
        {ENC_TABLE_EVENT, 1, 10, "an event stands under another seq"},
        {ENC_TABLE_EVENT, 3, 18, "an event is not sound"}, /* type_seq */
        {ENC_TABLE_EVENT, 3, 34, "an event is not sound"}, /* bundle */
        {ENC_TABLE_EVENT_ID, 0, 7, "an event is not found by its id"},
        {ENC_TABLE_EVENT_ID, 0, 8, "an event is not found by its id"},
        {ENC_TABLE_STATUS, 0, 0, "an event has another status"},
        {ENC_TABLE_STATUS, 1, 5, "an event has another status"},
        {ENC_TABLE_CT_LEAF, 0, 3, "a bundle has another events_root"},
        {ENC_TABLE_CT_LEAF, 1, 40, "a bundle has another state_hash"},
        {ENC_TABLE_CT_LEAF, 0, 71, "a bundle holds other events"},
        {ENC_TABLE_CT_LEAF, 0, 75, "a bundle holds other events"},
        {ENC_TABLE_CT_LEAF, 0, 78, "a bundle was closed at another time"},
        {ENC_TABLE_CT_NODE, 0, 7, "a node of the log has another hash"},
        {ENC_TABLE_CT_NODE, 0, 71, "a node of the log has another hash"},
        {ENC_TABLE_HEAD, 0, 0, "the head cannot be read"},
        {ENC_TABLE_HEAD, 0, 4, "the head belongs to another enclave"},
        {ENC_TABLE_HEAD, 0, 5, "the head names another enclave"},
        {ENC_TABLE_HEAD, 0, 37, "the head names another new sequencer"},
        {ENC_TABLE_HEAD, 0, 84, "the head counts other events"},
        {ENC_TABLE_HEAD, 0, 92, "the head has another time"},
        {ENC_TABLE_HEAD, 0, 100, "the head has another time of creation"},
        {ENC_TABLE_HEAD, 0, 124, "the head counts other leaves"},
        {ENC_TABLE_HEAD, 0, 156, "the stored tree head is not signed over this log"},
        {ENC_TABLE_HEAD, 0, 173, "the head has another state_hash"},
        {ENC_TABLE_HEAD, 0, 205, "the head has another state_hash of the newest bundle"},
        {ENC_TABLE_HEAD, 0, 237, "the stored tree head is not signed over this log"},
        {ENC_TABLE_HEAD, 0, 269, "the stored tree head is not signed over this log"},
        {ENC_TABLE_HEAD, 0, 328, "the head counts other Owners"},
        {ENC_TABLE_HEAD, 0, 336, "the head has another status"},
        {ENC_TABLE_HEAD, 0, 360, "the head has another log"},
        {ENC_TABLE_HEAD, 0, -1, "the head has other gates"},
    };
    struct rig rig;
    open_alone(&rig, 3);
    const uint8_t *enclave32 = busy_enclave(&rig);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct flip_row *row = &ROWS[i];
        struct enc_check_report report;
        flip(&rig, row->table, row->nth, row->at);
        run_check(&rig, &report, enclave32);
        cr_expect(report.flaw && strcmp(report.flaw, row->flaw) == 0,
                  "%s byte %d of row %u: %s, not %s", enc_table_row(row->table)->name, row->at,
                  row->nth, report.flaw ? report.flaw : "nothing", row->flaw);
        flip(&rig, row->table, row->nth, row->at);
        expect_flaw(&rig, enclave32, NULL);
    }
    rig_close(&rig);
}

Test(check, sees_every_bit_of_the_state_tree)
{
    struct rig rig;
    open_alone(&rig, 4);
    const uint8_t *enclave32 = busy_enclave(&rig);
    unsigned row_count = 0;
    struct enc_store_counts counts;
    cr_assert_eq(enc_store_counts(enc_data_shard_at(rig.data, 0), &counts), ENC_ERR_OK);
    row_count = (unsigned)counts.rows[ENC_TABLE_SMT_NODE];
    cr_assert_gt(row_count, 4);
    for (unsigned nth = 0; nth < row_count; nth++) {
        for (int at = -1; at > -23; at -= 7) {
            struct enc_check_report report;
            flip(&rig, ENC_TABLE_SMT_NODE, nth, at);
            run_check(&rig, &report, enclave32);
            cr_assert_not_null(report.flaw, "row %u, byte %d", nth, at);
            cr_assert_not_null(strstr(report.flaw, "state tree"), "%s", report.flaw);
            flip(&rig, ENC_TABLE_SMT_NODE, nth, at);
        }
    }
    expect_flaw(&rig, enclave32, NULL);
    rig_close(&rig);
}

struct drop_row {
    enum enc_table table;
    unsigned nth;
    const char *flaw;
};

Test(check, names_what_is_missing)
{
    static const struct drop_row ROWS[] = {
        {ENC_TABLE_EVENT, 4, "an event is not sound"},       /* the one behind it */
        {ENC_TABLE_EVENT, 8, "the head has another status"}, /* it was a Pause */
        {ENC_TABLE_EVENT, 0, "an event is not sound"},
        {ENC_TABLE_EVENT_ID, 0, "an event is not found by its id"},
        {ENC_TABLE_STATUS, 0, "an event has another status"},
        {ENC_TABLE_CT_LEAF, 0, "a bundle is missing"},
        {ENC_TABLE_CT_NODE, 0, "a node of the log is missing"},
        {ENC_TABLE_SMT_NODE, 0, "a node of the state tree is missing"},
        {ENC_TABLE_HEAD, 0, "the enclave has no head"},
        {ENC_TABLE_ENCLAVE_ORD, 0, "the enclave is not in the list of enclaves"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct rig rig;
        open_alone(&rig, 5 + i);
        const uint8_t *enclave32 = busy_enclave(&rig);
        drop(&rig, ROWS[i].table, ROWS[i].nth);
        expect_flaw(&rig, enclave32, ROWS[i].flaw);
        rig_close(&rig);
    }
}

static void put_leaf(struct rig *rig, const uint8_t *enclave32, uint64_t leaf, uint64_t closed_ms)
{
    struct damage damage;
    struct enc_snap *snap = NULL;
    struct enc_enclave_row row;
    struct enc_ct_leaf_row bundle = {.count = 1, .closed_ms = closed_ms};
    cr_assert_eq(enc_snap_open(enc_data_shard_at(rig->data, 0), &snap), ENC_ERR_OK);
    cr_assert_eq(enc_snap_enclave(snap, &row, enclave32), ENC_ERR_OK);
    enc_snap_close(snap);
    begin_damage(&damage, rig);
    enc_put_ct_leaf(&damage.set, row.ord, leaf, &bundle);
    apply_damage(&damage);
}

Test(check, names_bundles_that_should_not_be)
{
    struct rig rig;
    open_alone(&rig, 20);
    const uint8_t *enclave32 = busy_enclave(&rig);
    put_leaf(&rig, enclave32, 2, 1); /* 1 ms after 1970 */
    expect_flaw(&rig, enclave32, "a bundle was closed before its time");
    rig_close(&rig);
    open_alone(&rig, 21);
    enclave32 = busy_enclave(&rig);
    rig_sleep(&rig, 5000);
    put_leaf(&rig, enclave32, 3, 1);
    expect_flaw(&rig, enclave32, "there is a bundle without events");
    rig_close(&rig);
}

static void put_row_of_state(struct rig *rig, uint64_t ord, uint8_t first_byte, uint64_t leaf)
{
    struct damage damage;
    uint8_t state32[32] = {first_byte};
    begin_damage(&damage, rig);
    enc_put_leaf_of_state(&damage.set, ord, state32, leaf);
    apply_damage(&damage);
}

Test(check, finds_what_nothing_points_to)
{
    struct rig rig;
    struct damage damage;
    open_alone(&rig, 23);
    const uint8_t *enclave32 = busy_enclave(&rig);
    expect_flaw(&rig, enclave32, NULL);
    begin_damage(&damage, &rig);
    enc_put_smt_node(&damage.set, 1, 1, 4000, ENC_LIT("left behind"));
    apply_damage(&damage);
    expect_flaw(&rig, enclave32, "nodes of the state tree hang nowhere");
    begin_damage(&damage, &rig);
    enc_del_smt_node(&damage.set, 1, 1, 4000);
    apply_damage(&damage);
    expect_flaw(&rig, enclave32, NULL);
    put_row_of_state(&rig, 1, 0xab, 0);
    expect_flaw(&rig, enclave32, "a row finds another bundle than that of its state_hash");
    put_row_of_state(&rig, 1, 0xab, 1000);
    expect_flaw(&rig, enclave32, "a row finds another bundle than that of its state_hash");
    rig_close(&rig);
}

Test(check, finds_a_bundle_that_its_state_does_not_find)
{
    struct rig rig;
    struct damage damage;
    struct enc_scan scan;
    struct enc_row_found row;
    struct enc_snap *snap = NULL;
    open_alone(&rig, 24);
    const uint8_t *enclave32 = busy_enclave(&rig);
    begin_damage(&damage, &rig);
    cr_assert_eq(enc_snap_open(enc_data_shard_at(rig.data, 0), &snap), ENC_ERR_OK);
    enc_scan_rows(&scan, snap, &(struct enc_row_range){.view = {.ord = 1}});
    cr_assert(enc_scan_row(&scan, &row));
    enc_del_row(&damage.set, (struct enc_view){.ord = 1}, row.key);
    cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_OK);
    enc_snap_close(snap);
    apply_damage(&damage);
    expect_flaw(&rig, enclave32, "a bundle is not found by its state_hash");
    rig_close(&rig);
}

Test(check, of_another_node_is_not_sound)
{
    struct rig rig;
    open_alone(&rig, 22);
    const uint8_t *enclave32 = busy_enclave(&rig);
    rig.node.pub32[0] ^= 1;
    struct enc_check_report report;
    run_check(&rig, &report, enclave32);
    cr_assert_str_eq(report.flaw, "the events or the tree head are not sound");
    cr_assert_eq(report.verdict.fault, ENC_REPLAY_FAULT_SEQUENCER);
    cr_assert_eq(report.verdict.seq, 0);
    rig_close(&rig);
}
