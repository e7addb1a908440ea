#include "store/room.h"
#include "store/engine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_LEN = 1 << 16 }; /* a slice is so many whole ones */

uint64_t enc_store_used_len(struct enc_store *store)
{
    MDB_envinfo info;
    if (mdb_env_info(store->env, &info) != 0)
        return 0;
    return (info.me_last_pgno + 1) * store->page_len;
}

static bool is_wanted(const struct enc_store *store, uint64_t file_len, uint64_t used_len)
{
    return store->sync && file_len < used_len + ENC_ROOM_LEN_MIN &&
           file_len + ENC_ROOM_SLICE_LEN <= store->map_len;
}

static uint64_t write_zeros(int fd, uint64_t from, uint64_t end)
{
    static const uint8_t ZEROS[BLOCK_LEN];
    uint64_t at = from;
    ssize_t len = BLOCK_LEN;
    for (; at < end && len == BLOCK_LEN; at += len > 0 ? (uint64_t)len : 0)
        len = pwrite(fd, ZEROS, BLOCK_LEN, (off_t)at);
    return at - from;
}

/* Only what lies behind both the file's end and the last page is written: no page is there yet. */
static uint64_t extend(struct enc_store *store, uint64_t used_len)
{
    int fd = -1;
    struct stat facts;
    if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &facts) != 0)
        return 0;
    uint64_t from = (uint64_t)facts.st_size > used_len ? (uint64_t)facts.st_size : used_len;
    store->file_len = from;
    if (!is_wanted(store, from, used_len))
        return 0;
    uint64_t added = write_zeros(fd, from, from + ENC_ROOM_SLICE_LEN);
    store->file_len += added;
    /* Begun now, it is mostly done when the next apply asks for its sync; a hint, no more. */
    if (added)
        (void)sync_file_range(fd, (off_t)from, (off_t)added, SYNC_FILE_RANGE_WRITE);
    return added;
}

/* Under the engine's lock of writers, so that the last page stays the last while we write. */
uint64_t enc_store_add_room(struct enc_store *store)
{
    MDB_txn *txn = NULL;
    if (!is_wanted(store, store->file_len, enc_store_used_len(store)) ||
        mdb_txn_begin(store->env, NULL, 0, &txn) != 0)
        return 0;
    uint64_t added = extend(store, enc_store_used_len(store));
    mdb_txn_abort(txn);
    return added;
}
