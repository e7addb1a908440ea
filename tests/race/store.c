/**
 * One writer and several readers on one shard: every snapshot is whole, and never older than the one
 * before.
 */
#include "store/store.h"

#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { READERS = 4, STEPS = 400, EVENTS_PER_STEP = 4, SNAPS = 3, MEMORY_LEN = 1 << 14 };

static char root[64];
static char dir[80];
static struct enc_data *data;
static struct enc_store *store;
static atomic_bool over;
static atomic_uint_fast64_t looked, refused;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "race store: %s\n", what);
    exit(1);
}

static void open_store(void)
{
    static const uint8_t NODE[32] = {1};
    struct enc_store_note note;
    snprintf(root, sizeof root, "%s/enc-race-XXXXXX", P_tmpdir);
    require(mkdtemp(root) != NULL, "mkdtemp");
    snprintf(dir, sizeof dir, "%s/data", root);
    const struct enc_data_config config = {
        .dir = dir, .node_pub32 = NODE, .reader_max = SNAPS, .sync = false};
    enum enc_store_fault fault = enc_data_open(&data, &note, &config);
    require(fault == ENC_STORE_FAULT_NONE, note.text);
    store = enc_data_shard_at(data, 0);
}

static void put_event(struct enc_writeset *set, uint64_t seq)
{
    uint8_t id32[32] = {0};
    enc_be64_put(id32, seq * 0x9e3779b97f4a7c15u);
    enc_be64_put(id32 + 8, seq);
    enc_put_event(set, &(struct enc_event_row){.ord = 1,
                                               .seq = seq,
                                               .type_seq = seq + 1,
                                               .id32 = id32,
                                               .hash32 = id32,
                                               .type = ENC_LIT("Post"),
                                               .record = ENC_LIT("record")});
}

static void step(uint64_t number)
{
    static _Alignas(16) uint8_t memory[MEMORY_LEN];
    struct enc_arena arena;
    struct enc_writeset set;
    const struct enc_writeset *const sets[] = {&set};
    struct enc_apply_facts facts;
    uint8_t head[8];
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_writeset_init(&set, &arena);
    for (uint64_t i = 0; i < EVENTS_PER_STEP; i++)
        put_event(&set, number * EVENTS_PER_STEP + i);
    enc_be64_put(head, (number + 1) * EVENTS_PER_STEP);
    enc_put_head(&set, 1, enc_bytes_of(head, sizeof head));
    require(enc_writeset_ok(&set), "arena");
    require(enc_store_apply(store, &facts, sets, 1) == ENC_OUTCOME_OK, "apply");
}

static uint64_t count_events(struct enc_snap *snap)
{
    struct enc_scan scan;
    struct enc_event_found found;
    uint64_t count = 0;
    enc_scan_events(&scan, snap, 1, (struct enc_range){0, UINT64_MAX, false});
    for (; enc_scan_event(&scan, &found); count++)
        require(found.seq == count, "events in a row");
    require(enc_scan_fini(&scan) == ENC_ERR_OK, "scan");
    return count;
}

static void look(struct enc_snap *snap, uint64_t *last_txn)
{
    struct enc_bytes head;
    enum enc_err err = enc_snap_head(snap, &head, 1);
    uint64_t due = err == ENC_ERR_OK ? enc_be64_get(head.data) : 0;
    require(err == ENC_ERR_OK || err == ENC_ERR_ENCLAVE_NOT_FOUND, "head");
    require(count_events(snap) == due, "head and events of one transaction");
    require(enc_snap_txn_id(snap) >= *last_txn, "never older");
    *last_txn = enc_snap_txn_id(snap);
}

static void *read_on(void *unused)
{
    uint64_t last_txn = 0;
    while (!atomic_load(&over)) {
        struct enc_snap *snap = NULL;
        enum enc_err err = enc_snap_open(store, &snap);
        require(err == ENC_ERR_OK || err == ENC_ERR_BUSY, "open");
        if (snap)
            look(snap, &last_txn);
        else
            sched_yield();
        atomic_fetch_add(snap ? &looked : &refused, 1);
        enc_snap_close(snap);
    }
    return unused;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

static void clean_up(void)
{
    enc_data_close(data);
    require(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, root);
}

int main(void)
{
    pthread_t readers[READERS];
    open_store();
    for (unsigned i = 0; i < READERS; i++)
        require(pthread_create(&readers[i], NULL, read_on, NULL) == 0, "thread");
    for (uint64_t i = 0; i < STEPS; i++)
        step(i);
    atomic_store(&over, true);
    for (unsigned i = 0; i < READERS; i++)
        require(pthread_join(readers[i], NULL) == 0, "join");
    clean_up();
    printf("%llu snapshots, %llu refused\n", (unsigned long long)atomic_load(&looked),
           (unsigned long long)atomic_load(&refused));
    return atomic_load(&looked) > 0 ? 0 : 1;
}
