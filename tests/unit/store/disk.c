/**
 * A failing disk. The system calls through which the engine writes are replaced for this program:
 * while a fault is armed they fail as a disk would, otherwise they do what they always do.
 */
#include "tests/unit/store/rig.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { META_END = 2 * 4096 }; /* the engine's two pages that make a transaction durable */

static bool meta_write_fails;
static bool sync_fails;
static off_t disk_end; /* nothing fits behind it; 0 = no end */
static bool has_synced;
static unsigned written_unsynced; /* pages before the first sync */

/* The C library's headers name the parameters so that nobody else may. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    if (meta_write_fails && offset < META_END) {
        errno = EIO;
        return -1;
    }
    written_unsynced += !has_synced && offset >= META_END;
    if (disk_end && offset + (off_t)len > disk_end) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, len, offset);
}

/* Pages that stand side by side. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
    written_unsynced += !has_synced;
    return syscall(SYS_writev, fd, parts, count);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int fdatasync(int fd)
{
    if (sync_fails) {
        errno = EIO;
        return -1;
    }
    has_synced = true;
    return (int)syscall(SYS_fdatasync, fd);
}

static struct rig rig;

static void put_head(const char *text)
{
    rig_begin(&rig);
    enc_put_head(&rig.set, 1, enc_bytes_of_text(text));
}

static void check_head(const char *text)
{
    struct enc_bytes head;
    rig_ok(enc_snap_head(rig_look(&rig), &head, 1));
    cr_assert(enc_bytes_is(head, text), "%.*s", (int)head.len, head.data);
}

static void setup(void)
{
    rig_init(&rig);
    rig_open(&rig);
    put_head("old");
    rig_apply(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(disk, .init = setup, .fini = teardown);

Test(disk, a_failed_sync_is_a_failure_after_which_everything_goes_on)
{
    sync_fails = true;
    for (unsigned i = 0; i < 3; i++) {
        put_head("lost");
        cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FAILED);
        cr_assert_eq(rig.facts.engine_error, EIO);
        check_head("old");
        cr_assert(enc_store_writable(rig.store));
    }
    sync_fails = false;
    put_head("new");
    rig_apply(&rig);
    check_head("new");
    rig_close(&rig);
    rig_open(&rig);
    check_head("new");
}

/* A process that ended in doubt may have left the engine's undoing of a meta page to the cache only,
 * and the pages of that transaction may still be what the disk holds for current. */
Test(disk, what_was_left_unsynced_is_synced_before_a_page_is_used_again)
{
    rig_close(&rig);
    has_synced = false;
    written_unsynced = 0;
    rig_open(&rig);
    cr_assert(has_synced);
    cr_assert_eq(written_unsynced, 0);
}

static void limit_files(rlim_t len)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = len;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(disk, no_room_for_the_pages_is_a_failure_after_which_everything_goes_on)
{
    struct stat facts;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(stat(rig_path(&rig, "shard-0/data.mdb"), &facts), 0);
    limit_files((rlim_t)facts.st_size);
    rig_begin(&rig);
    rig_put_enclave(&rig, 1);
    rig_put_events(&rig, 1, 0, 5000);
    cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FAILED);
    cr_assert_neq(rig.facts.engine_error, 0);
    check_head("old");
    cr_assert(enc_store_writable(rig.store));
    limit_files(RLIM_INFINITY);
    cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_OK);
    rig_check_sound(&rig);
}

Test(disk, no_place_for_room_is_no_failure)
{
    struct stat facts;
    cr_assert_eq(stat(rig_path(&rig, "shard-0/data.mdb"), &facts), 0);
    disk_end = facts.st_size + (1 << 18);
    uint64_t added = enc_store_add_room(rig.store);
    cr_assert(added > 0 && added < ENC_ROOM_SLICE_LEN);
    cr_assert_eq(enc_store_add_room(rig.store), 0);
    put_head("new");
    rig_apply(&rig);
    check_head("new");
    disk_end = 0;
    cr_assert_gt(enc_store_add_room(rig.store), 0);
    rig_close(&rig);
    rig_open(&rig);
    check_head("new");
}

Test(disk, a_lost_last_page_leaves_doubt_until_the_directory_is_opened_again)
{
    struct enc_snap *snap = NULL;
    put_head("in doubt");
    meta_write_fails = true;
    cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_IN_DOUBT);
    cr_assert_eq(rig.facts.engine_error, EIO);
    meta_write_fails = false;
    cr_assert_not(enc_store_writable(rig.store));
    cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FAILED);
    cr_assert_eq(enc_snap_open(rig.store, &snap), ENC_ERR_INTERNAL);
    rig_close(&rig);
    rig_open(&rig);
    check_head("old");
    put_head("new");
    rig_apply(&rig);
    check_head("new");
}
