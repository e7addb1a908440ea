#include "store/copy.h"

#include "store/dir.h"
#include "store/engine.h"
#include "store/note.h"
#include "store/shard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static enum enc_store_fault refuse(struct enc_store_note *note, const struct enc_copy *copy, int rc)
{
    return enc_note(note, enc_engine_fault(rc), "%s/shard-%u: %s", copy->dir, copy->index,
                    mdb_strerror(rc));
}

/* ---- one shard, read beside its owner ---- */

static int open_outside(MDB_env **out, const struct enc_copy *copy)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/shard-%u", copy->dir, copy->index);
    int dead = 0;
    if (len >= (int)sizeof path)
        return ENAMETOOLONG;
    int rc = mdb_env_create(out);
    if (rc)
        return rc;
    rc = mdb_env_set_maxdbs(*out, 1);
    if (rc == 0)
        rc = mdb_env_open(*out, path, MDB_RDONLY | MDB_NOTLS, 0600);
    if (rc == 0)
        rc = mdb_reader_check(*out, &dead); /* what killed readers left would pin their pages */
    if (rc)
        mdb_env_close(*out);
    return rc;
}

/* Of the pages in use and the free ones; the file itself may be longer. */
static int source_len(uint64_t *len, MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    int rc = mdb_env_info(env, &info);
    if (rc == 0)
        rc = mdb_env_stat(env, &stat);
    *len = rc == 0 ? (info.me_last_pgno + 1) * stat.ms_psize : 0;
    return rc;
}

static uint64_t file_len(int fd)
{
    struct stat facts;
    return fstat(fd, &facts) == 0 ? (uint64_t)facts.st_size : 0;
}

static int copy_env(struct enc_copy_facts *facts, MDB_env *env, int fd)
{
    MDB_envinfo info;
    int rc = mdb_env_info(env, &info);
    if (rc)
        return rc;
    facts->txn_id = info.me_last_txnid;
    rc = source_len(&facts->source_len, env);
    if (rc)
        return rc;
    rc = mdb_env_copyfd2(env, fd, MDB_CP_COMPACT);
    facts->copy_len = file_len(fd);
    return rc;
}

enum enc_store_fault enc_shard_copy(struct enc_copy_facts *facts, struct enc_store_note *note,
                                    const struct enc_copy *copy)
{
    MDB_env *env = NULL;
    int rc = open_outside(&env, copy);
    if (rc)
        return refuse(note, copy, rc);
    rc = copy_env(facts, env, copy->fd);
    mdb_env_close(env);
    return rc ? refuse(note, copy, rc) : ENC_STORE_FAULT_NONE;
}

/* ---- what a directory says of itself ---- */

static int read_identity(uint8_t out[ENC_IDENTITY_LEN], MDB_env *env)
{
    MDB_txn *txn = NULL;
    MDB_dbi meta;
    struct enc_bytes name = ENC_META_IDENTITY;
    MDB_val key = enc_val_of(name);
    MDB_val value = {0, NULL};
    int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return rc;
    rc = mdb_dbi_open(txn, enc_table_row(ENC_TABLE_META)->name, 0, &meta);
    if (rc == 0)
        rc = mdb_get(txn, meta, &key, &value);
    if (rc == 0 && value.mv_size != ENC_IDENTITY_LEN)
        rc = MDB_CORRUPTED;
    if (rc == 0)
        memcpy(out, value.mv_data, ENC_IDENTITY_LEN);
    mdb_txn_abort(txn);
    return rc;
}

static enum enc_store_fault look_at_shard(struct enc_data_facts *out, struct enc_store_note *note,
                                          const char *dir)
{
    MDB_env *env = NULL;
    uint8_t identity[ENC_IDENTITY_LEN];
    const struct enc_copy first = {.dir = dir};
    int rc = open_outside(&env, &first);
    if (rc)
        return refuse(note, &first, rc);
    rc = read_identity(identity, env);
    mdb_env_close(env);
    if (rc)
        return refuse(note, &first, rc);
    out->format = enc_be32_get(identity);
    memcpy(out->node_pub32, identity + ENC_IDENTITY_NODE_AT, 32);
    return ENC_STORE_FAULT_NONE;
}

enum enc_store_fault enc_data_look(struct enc_data_facts *out, struct enc_store_note *note,
                                   const char *dir)
{
    struct enc_dir entered;
    enum enc_store_fault fault = enc_dir_visit(&entered, note, dir);
    if (!fault)
        fault = enc_dir_version(&entered, note, &out->shard_count);
    enc_dir_leave(&entered);
    if (fault)
        return fault;
    if (out->shard_count == 0)
        return enc_note(note, ENC_STORE_FAULT_DAMAGED, "%s: not a data directory", dir);
    return look_at_shard(out, note, dir);
}

/* ---- compaction ---- */

/* The copy is whole and synced before it takes the file's place. */
static enum enc_store_fault compact_shard(struct enc_copy_facts *facts, struct enc_store_note *note,
                                          const char *dir, uint32_t index)
{
    char folder[PATH_MAX];
    struct enc_copy copy = {.dir = dir, .index = index};
    if (snprintf(folder, sizeof folder, "%s/shard-%u", dir, index) >= (int)sizeof folder)
        return refuse(note, &copy, ENAMETOOLONG);
    int dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return refuse(note, &copy, errno);
    copy.fd = openat(dir_fd, "data.mdb.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum enc_store_fault fault =
        copy.fd < 0 ? refuse(note, &copy, errno) : enc_shard_copy(facts, note, &copy);
    if (!fault && (fsync(copy.fd) != 0 ||
                   renameat(dir_fd, "data.mdb.new", dir_fd, "data.mdb") != 0 || fsync(dir_fd) != 0))
        fault = refuse(note, &copy, errno);
    if (fault)
        unlinkat(dir_fd, "data.mdb.new", 0);
    if (copy.fd >= 0)
        close(copy.fd);
    close(dir_fd);
    return fault;
}

static enum enc_store_fault compact_all(struct enc_store_note *note, const struct enc_dir *dir,
                                        enc_compacted *tell, void *opaque)
{
    uint32_t count = 0;
    struct enc_copy_facts facts;
    enum enc_store_fault fault = enc_dir_version(dir, note, &count);
    for (uint32_t i = 0; i < count && !fault; i++) {
        fault = compact_shard(&facts, note, dir->path, i);
        if (!fault)
            tell(opaque, i, &facts);
    }
    return fault;
}

enum enc_store_fault enc_data_compact(struct enc_store_note *note, const char *dir,
                                      enc_compacted *tell, void *opaque)
{
    struct enc_dir entered;
    enum enc_store_fault fault = enc_dir_enter(&entered, note, dir);
    if (!fault)
        fault = compact_all(note, &entered, tell, opaque);
    enc_dir_leave(&entered);
    return fault;
}
