/* A store that refuses: memory stays at what is durable, everybody is told. */
#include "disk_fixture.h"
#include "host_fixture.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(writer, .fini = fini);

static const char *large(void)
{
    enum { LEN = 200000 };
    char *text = (char *)rig_text(&rig, "%*s", LEN, "");
    memset(text, 'x', LEN);
    return text;
}

Test(writer, a_full_store_refuses_and_memory_stays_at_what_is_durable)
{
    uint8_t before32[32], after32[32];
    rig_init(&rig, 1);
    rig.data_config.map_len = 4 << 20;
    rig_start(&rig);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 2});
    struct enc_conn *conn = rig_connect(&rig, enclave32);
    rig_subscribe(conn, enclave32, "s", "{}");
    struct draft draft = {MEMBER, enclave32, "Note", large(), NULL, 0};
    uint64_t accepted = 0;
    struct enc_call *call = rig_commit(&rig, &draft);
    for (; call->status == 200; call = rig_commit(&rig, &draft))
        accepted++;
    cr_assert_gt(accepted, 2);
    cr_assert(call_is(call, 500, "INTERNAL_ERROR"));
    cr_assert(!enc_host_store_failed(rig.host));
    rig_dump(&rig, before32);
    struct enc_call *calls[3];
    for (int i = 0; i < 3; i++)
        calls[i] = rig_send(&rig, "/", rig_body(&rig, &draft));
    rig_settle(&rig);
    for (int i = 0; i < 3; i++)
        cr_assert(call_is(calls[i], 500, "INTERNAL_ERROR"));
    rig_dump(&rig, after32);
    cr_assert_arr_eq(before32, after32, 32);
    cr_assert_eq(conn_count(conn, "Event", "s"), accepted,
                 "nothing is published that is not durable");
    draft.content = "small";
    call = rig_commit(&rig, &draft);
    if (call->status == 200)
        cr_assert_eq(json_u64(call_json(call), "seq"), accepted + 1);
    rig_check(&rig);
}

static uint64_t tree_size(const uint8_t *enclave32)
{
    return json_u64(call_json(rig_get(&rig, rig_path(&rig, enclave32, "/sth"))), "ts");
}

Test(writer, a_bundle_that_could_not_be_closed_is_closed_once_the_disk_is_well)
{
    rig_init(&rig, 4);
    rig.data_config.sync = true;
    rig_start(&rig);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.timeout_ms = 1000});
    rig_disk.sync_fails = true;
    rig_sleep(&rig, 1500);
    cr_assert_eq(tree_size(enclave32), 0, "its time came, the disk was ill");
    rig_disk.sync_fails = false;
    rig_sleep(&rig, 1500);
    cr_assert_eq(tree_size(enclave32), 1);
    rig_check(&rig);
}

static uint64_t ord_of(struct enc_store *store, const uint8_t *enclave32)
{
    struct enc_snap *snap = NULL;
    struct enc_enclave_row row;
    cr_assert_eq(enc_snap_open(store, &snap), ENC_ERR_OK);
    cr_assert_eq(enc_snap_enclave(snap, &row, enclave32), ENC_ERR_OK);
    enc_snap_close(snap);
    return row.ord;
}

Test(writer, a_damaged_head_is_answered_500_and_harms_nobody_else)
{
    rig_open(&rig, 2);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    struct enc_store *store = enc_data_shard_at(rig.data, 0);
    struct enc_conn *conn = rig_connect(&rig, enclave32);
    rig_subscribe(conn, enclave32, "s", "{}");
    rig_settle(&rig);
    cr_assert(enc_store_writable(store));
    struct enc_arena arena;
    struct enc_writeset set;
    struct enc_apply_facts facts;
    const struct enc_writeset *sets[] = {&set};
    enc_arena_init(&arena, &rig.chunks, 1 << 20);
    enc_writeset_init(&set, &arena);
    enc_put_head(&set, ord_of(store, enclave32), ENC_LIT("not a head"));
    cr_assert_eq(enc_store_apply(store, &facts, sets, 1), ENC_OUTCOME_OK);
    enc_arena_fini(&arena);
    /* the enclave in memory does not look at what others write; asleep and awake again it must */
    rig_disconnect(conn);
    rig_sleep(&rig, 30000);
    struct draft draft = {MEMBER, enclave32, "Note", "x", NULL, 0};
    cr_assert(call_is(rig_commit(&rig, &draft), 500, "INTERNAL_ERROR"));
    cr_assert(call_is(rig_get(&rig, rig_path(&rig, enclave32, "/sth")), 500, "INTERNAL_ERROR"));
}

/* ---- somebody else has taken the directory over ---- */

/* In a process of its own, as it would be: drop the lock's name, open, go away. */
static void take_over(int go)
{
    char byte, lock[128];
    struct enc_data *data = NULL;
    struct enc_store_note note;
    if (read(go, &byte, 1) != 1)
        _exit(1);
    snprintf(lock, sizeof lock, "%s/lock", rig.dir);
    if (unlink(lock) != 0 || enc_data_open(&data, &note, &rig.data_config) != ENC_STORE_FAULT_NONE)
        _exit(2);
    enc_data_close(data);
    _exit(0);
}

Test(writer, a_fenced_store_publishes_nothing_and_asks_for_the_end)
{
    int go[2], status = -1;
    uint8_t before32[32], after32[32];
    rig_init(&rig, 3);
    cr_assert_eq(pipe(go), 0);
    pid_t thief = fork();
    if (thief == 0)
        take_over(go[0]);
    rig_start(&rig);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    struct enc_conn *conn = rig_connect(&rig, enclave32);
    rig_subscribe(conn, enclave32, "s", "{}");
    rig_settle(&rig);
    cr_assert_eq(write(go[1], "g", 1), 1);
    cr_assert_eq(waitpid(thief, &status, 0), thief);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    rig_dump(&rig, before32);
    struct draft draft = {MEMBER, enclave32, "Note", "x", NULL, 0};
    for (int i = 0; i < 3; i++)
        cr_assert(call_is(rig_commit(&rig, &draft), 500, "INTERNAL_ERROR"));
    rig_dump(&rig, after32);
    cr_assert_arr_eq(before32, after32, 32);
    cr_assert(enc_host_store_failed(rig.host));
    cr_assert_eq(conn_count(conn, "Event", "s"), 0);
    close(go[0]);
    close(go[1]);
}
