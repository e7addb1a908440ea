#include "store/shard.h"
#include "store/dir.h"
#include "store/note.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READERS_OUTSIDE = 16 };

static const uint64_t MAP_LEN_MOST = (uint64_t)1 << 40;
static const uint64_t MAP_LEN_LEAST = (uint64_t)1 << 30;

enum enc_store_fault enc_engine_fault(int rc)
{
    switch (rc) {
    case MDB_NOTFOUND:
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
        return ENC_STORE_FAULT_DAMAGED;
    default:
        return ENC_STORE_FAULT_ENGINE;
    }
}

static enum enc_store_fault refuse(struct enc_store_note *note, const struct enc_shard_spec *spec,
                                   int rc)
{
    return enc_note(note, enc_engine_fault(rc), "%s/shard-%u: %s", spec->dir, spec->index,
                    mdb_strerror(rc));
}

static enum enc_store_fault damaged(struct enc_store_note *note, const struct enc_shard_spec *spec,
                                    const char *what)
{
    return enc_note(note, ENC_STORE_FAULT_DAMAGED, "%s/shard-%u %s", spec->dir, spec->index, what);
}

static enum enc_store_fault path_of(char path[PATH_MAX], struct enc_store_note *note,
                                    const struct enc_shard_spec *spec, const char *file)
{
    int len = snprintf(path, PATH_MAX, "%s/shard-%u%s", spec->dir, spec->index, file);
    return len < PATH_MAX ? ENC_STORE_FAULT_NONE : refuse(note, spec, ENAMETOOLONG);
}

static int configure(struct enc_store *store, const struct enc_shard_spec *spec, uint64_t map_len)
{
    uint64_t page_len = (uint64_t)sysconf(_SC_PAGESIZE);
    int rc = mdb_env_set_mapsize(store->env, (map_len + page_len - 1) / page_len * page_len);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(store->env, ENC_TABLE_COUNT);
    return rc ? rc : mdb_env_set_maxreaders(store->env, spec->reader_max + READERS_OUTSIDE);
}

static int open_env(struct enc_store *store, const struct enc_shard_spec *spec, const char *path,
                    uint64_t map_len)
{
    int rc = mdb_env_create(&store->env);
    if (rc == 0)
        rc = configure(store, spec, map_len);
    if (rc == 0)
        rc = mdb_env_open(store->env, path, MDB_NOTLS | (spec->sync ? 0 : MDB_NOSYNC), 0600);
    if (rc) {
        mdb_env_close(store->env); /* the engine asks for this after a failed open */
        store->env = NULL;
    }
    return rc;
}

/* Memory checkers leave less address space than the default asks for, and some say EINVAL then. */
static int open_env_shrinking(struct enc_store *store, const struct enc_shard_spec *spec,
                              const char *path)
{
    if (spec->map_len)
        return open_env(store, spec, path, spec->map_len);
    uint64_t map_len = MAP_LEN_MOST;
    int rc = open_env(store, spec, path, map_len);
    while ((rc == ENOMEM || rc == EINVAL) && map_len > MAP_LEN_LEAST)
        rc = open_env(store, spec, path, map_len /= 4);
    return rc;
}

/* The engine syncs its files, not their names. */
static int sync_names(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int rc = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return rc;
}

static void clear_draft(const char *draft)
{
    static const char *const FILES[] = {"data.mdb", "lock.mdb"};
    char path[PATH_MAX + 16];
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", draft, FILES[i]);
        unlink(path);
    }
    rmdir(draft);
}

/* An environment without tables, synced. */
static int make_env(struct enc_store *store, const struct enc_shard_spec *spec, const char *draft)
{
    clear_draft(draft);
    if (mkdir(draft, 0700) != 0)
        return errno;
    int rc = open_env_shrinking(store, spec, draft);
    if (rc)
        return rc;
    rc = mdb_env_sync(store->env, 1);
    mdb_env_close(store->env);
    store->env = NULL;
    return rc ? rc : sync_names(draft);
}

/* The engine does not take a file whose beginning was half written for a new one, nor for its own:
 * so the shard gets its name when it is whole. */
static enum enc_store_fault make_shard(struct enc_store *store, struct enc_store_note *note,
                                       const struct enc_shard_spec *spec)
{
    char path[PATH_MAX];
    char draft[PATH_MAX];
    enum enc_store_fault fault = path_of(path, note, spec, "");
    if (!fault)
        fault = path_of(draft, note, spec, ".new");
    if (fault)
        return fault;
    int rc = make_env(store, spec, draft);
    if (rc)
        return refuse(note, spec, rc);
    if (renameat(AT_FDCWD, draft, AT_FDCWD, path) != 0)
        return refuse(note, spec, errno);
    rc = sync_names(spec->dir);
    return rc ? refuse(note, spec, rc) : ENC_STORE_FAULT_NONE;
}

/* In a directory that is being made a shard is made too; in an old one the data must be there, or
 * the engine would make it anew. */
static enum enc_store_fault stand(struct enc_store *store, struct enc_store_note *note,
                                  const struct enc_shard_spec *spec)
{
    char path[PATH_MAX];
    enum enc_store_fault fault = path_of(path, note, spec, "/data.mdb");
    if (fault || access(path, F_OK) == 0)
        return fault;
    return spec->fresh ? make_shard(store, note, spec) : damaged(note, spec, "is missing");
}

int enc_meta_get(const struct enc_store *store, struct enc_bytes *value, MDB_txn *txn,
                 struct enc_bytes name)
{
    MDB_val key = enc_val_of(name);
    MDB_val found = {0, NULL};
    int rc = mdb_get(txn, store->tables[ENC_TABLE_META], &key, &found);
    *value = enc_val_view(found);
    return rc;
}

int enc_meta_put(const struct enc_store *store, MDB_txn *txn, struct enc_bytes name,
                 struct enc_bytes value)
{
    MDB_val key = enc_val_of(name);
    MDB_val val = enc_val_of(value);
    return mdb_put(txn, store->tables[ENC_TABLE_META], &key, &val, 0);
}

static int open_tables(struct enc_store *store, MDB_txn *txn, bool fresh)
{
    int rc = 0;
    for (unsigned i = 0; i < ENC_TABLE_COUNT && rc == 0; i++)
        rc = mdb_dbi_open(txn, enc_table_row(enc_table_row((enum enc_table)i)->home)->name,
                          fresh ? MDB_CREATE : 0, &store->tables[i]);
    return rc;
}

static void identity_of(uint8_t out[ENC_IDENTITY_LEN], const struct enc_shard_spec *spec)
{
    enc_be32_put(out, ENC_DATA_FORMAT);
    enc_be32_put(out + 4, spec->index);
    enc_be32_put(out + 8, spec->count);
    memcpy(out + ENC_IDENTITY_NODE_AT, spec->node_pub32, 32);
}

static enum enc_store_fault compare(struct enc_store_note *note, const struct enc_shard_spec *spec,
                                    struct enc_bytes found)
{
    uint8_t own[ENC_IDENTITY_LEN];
    identity_of(own, spec);
    if (found.len != sizeof own)
        return damaged(note, spec, "does not say what it is");
    if (memcmp(found.data, own, 4) != 0)
        return enc_note(note, ENC_STORE_FAULT_FORMAT, "%s/shard-%u has format %u", spec->dir,
                        spec->index, enc_be32_get(found.data));
    if (memcmp(found.data + 4, own + 4, 8) != 0)
        return damaged(note, spec, "belongs to another place or shard count");
    if (memcmp(found.data + 12, own + 12, 32) != 0)
        return enc_note(note, ENC_STORE_FAULT_NODE, "%s was made by a node with another key",
                        spec->dir);
    return ENC_STORE_FAULT_NONE;
}

/* What the shard says of itself must be what we expect; a fresh one is told. */
static enum enc_store_fault identify(struct enc_store *store, struct enc_store_note *note,
                                     MDB_txn *txn, const struct enc_shard_spec *spec)
{
    struct enc_bytes found;
    int rc = enc_meta_get(store, &found, txn, ENC_META_IDENTITY);
    if (rc == 0)
        return compare(note, spec, found);
    if (rc != MDB_NOTFOUND || !spec->fresh)
        return refuse(note, spec, rc);
    uint8_t own[ENC_IDENTITY_LEN];
    identity_of(own, spec);
    rc = enc_meta_put(store, txn, ENC_META_IDENTITY, enc_bytes_of(own, sizeof own));
    return rc ? refuse(note, spec, rc) : ENC_STORE_FAULT_NONE;
}

static int raise_fence(struct enc_store *store, MDB_txn *txn)
{
    struct enc_bytes found;
    int rc = enc_meta_get(store, &found, txn, ENC_META_EPOCH);
    if (rc == 0 && found.len != 8)
        return MDB_CORRUPTED;
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    store->epoch = rc == 0 ? enc_be64_get(found.data) + 1 : 1;
    uint8_t epoch[8];
    enc_be64_put(epoch, store->epoch);
    return enc_meta_put(store, txn, ENC_META_EPOCH, enc_bytes_of(epoch, sizeof epoch));
}

static int find_next_ord(struct enc_store *store, MDB_txn *txn)
{
    MDB_cursor *cursor = NULL;
    MDB_val key = {0, NULL};
    MDB_val value = {0, NULL};
    int rc = mdb_cursor_open(txn, store->tables[ENC_TABLE_ENCLAVE_ORD], &cursor);
    if (rc)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    uint64_t last = rc == 0 && key.mv_size == 8 ? enc_be64_get((uint8_t *)key.mv_data) : 0;
    mdb_cursor_close(cursor);
    atomic_init(&store->next_ord, last + 1);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static enum enc_store_fault begin_life(struct enc_store *store, struct enc_store_note *note,
                                       MDB_txn *txn, const struct enc_shard_spec *spec)
{
    int rc = open_tables(store, txn, spec->fresh);
    if (rc)
        return refuse(note, spec, rc);
    enum enc_store_fault fault = identify(store, note, txn, spec);
    if (fault)
        return fault;
    rc = raise_fence(store, txn);
    if (rc == 0)
        rc = find_next_ord(store, txn);
    if (rc)
        return refuse(note, spec, rc);
    if (spec->fresh && atomic_load_explicit(&store->next_ord, memory_order_relaxed) > 1)
        return damaged(note, spec, "has enclaves, but there is no version file beside it");
    return ENC_STORE_FAULT_NONE;
}

static enum enc_store_fault settle(struct enc_store *store, struct enc_store_note *note,
                                   const struct enc_shard_spec *spec)
{
    MDB_txn *txn = NULL;
    int dead = 0;
    int rc = mdb_reader_check(store->env, &dead);
    if (rc == 0)
        rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc)
        return refuse(note, spec, rc);
    enum enc_store_fault fault = begin_life(store, note, txn, spec);
    if (fault) {
        mdb_txn_abort(txn);
        return fault;
    }
    rc = mdb_txn_commit(txn);
    if (rc == 0)
        rc = mdb_env_sync(store->env, 1);
    return rc ? refuse(note, spec, rc) : ENC_STORE_FAULT_NONE;
}

static void make_pool(struct enc_store *store, uint32_t count)
{
    store->snaps = (struct enc_snap *)calloc(count, sizeof *store->snaps);
    ENC_CHECK(store->snaps != NULL);
    store->snap_max = count;
    for (uint32_t i = 0; i < count; i++) {
        store->snaps[i].store = store;
        atomic_init(&store->snaps[i].taken, false);
    }
}

static void learn(struct enc_store *store, const struct enc_shard_spec *spec)
{
    MDB_envinfo info;
    MDB_stat stat;
    ENC_CHECK(mdb_env_info(store->env, &info) == 0 && mdb_env_stat(store->env, &stat) == 0);
    store->map_len = info.me_mapsize;
    store->page_len = stat.ms_psize;
    store->sync = spec->sync;
}

/* What a process before us left to the cache must be durable before the first page is used again:
 * after a failed write of a meta page the engine undoes it there only, and the disk may hold the
 * transaction that was undone for the current one, whose pages are free for us. */
enum enc_store_fault enc_shard_open(struct enc_store *store, struct enc_store_note *note,
                                    const struct enc_shard_spec *spec)
{
    char path[PATH_MAX];
    enum enc_store_fault fault = stand(store, note, spec);
    if (!fault)
        fault = path_of(path, note, spec, "");
    if (fault)
        return fault;
    int rc = open_env_shrinking(store, spec, path);
    if (rc)
        return refuse(note, spec, rc);
    rc = mdb_env_sync(store->env, 1);
    fault = rc ? refuse(note, spec, rc) : settle(store, note, spec);
    if (fault) {
        mdb_env_close(store->env);
        return fault;
    }
    learn(store, spec);
    make_pool(store, spec->reader_max);
    atomic_init(&store->writable, true);
    return ENC_STORE_FAULT_NONE;
}

static void retire(struct enc_snap *snap)
{
    ENC_CHECK(!atomic_load_explicit(&snap->taken, memory_order_acquire)); /* see snap.c */
    for (unsigned i = 0; i < ENC_TABLE_COUNT; i++)
        if (snap->idle[i])
            mdb_cursor_close(snap->idle[i]);
    if (snap->txn)
        mdb_txn_abort(snap->txn);
}

void enc_shard_close(struct enc_store *store)
{
    for (uint32_t i = 0; i < store->snap_max; i++)
        retire(&store->snaps[i]);
    free(store->snaps);
    mdb_env_sync(store->env, 1);
    mdb_env_close(store->env);
}
