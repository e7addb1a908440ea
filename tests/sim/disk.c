#include "tests/sim/disk.h"

#include "actors/splitmix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SECTOR = 512, META_END = 2 * 4096 };

/* A write that is visible and not yet durable. */
struct write_ {
    struct write_ *next;
    uint64_t at;
    size_t len;
    uint8_t data[];
};

static struct {
    bool is_attached;
    bool is_cut;
    char path[128];
    dev_t device;
    ino_t inode;
    uint64_t random;
    uint8_t *image; /* durable */
    size_t len, room;
    struct write_ *first, *last;
    uint32_t armed[DISK_FAULT_COUNT];
    uint32_t cut_after;
    uint64_t faults, doubts;
} disk;

static uint64_t pick(uint64_t below)
{
    return enc_splitmix(&disk.random) % below;
}

/* ---- the durable image ---- */

static void grow(size_t len)
{
    if (len > disk.room) {
        disk.room = len * 2;
        disk.image = (uint8_t *)realloc(disk.image, disk.room);
        if (!disk.image)
            abort();
    }
    if (len > disk.len) {
        memset(disk.image + disk.len, 0, len - disk.len);
        disk.len = len;
    }
}

static void keep(uint64_t at, const uint8_t *data, size_t len)
{
    grow((size_t)at + len);
    memcpy(disk.image + at, data, len);
}

/* Some of its sectors, each by itself. */
static void keep_some(const struct write_ *w)
{
    uint64_t mode = pick(3);
    for (size_t from = 0; mode && from < w->len;) {
        size_t len = SECTOR - (size_t)((w->at + from) % SECTOR);
        len = len < w->len - from ? len : w->len - from;
        if (mode == 1 || pick(2))
            keep(w->at + from, w->data + from, len);
        from += len;
    }
}

static void end_writes(void (*each)(const struct write_ *w))
{
    while (disk.first) {
        struct write_ *next = disk.first->next;
        each(disk.first);
        free(disk.first);
        disk.first = next;
    }
    disk.last = NULL;
}

static void keep_whole(const struct write_ *w)
{
    keep(w->at, w->data, w->len);
}

static void forget(const struct write_ *w)
{
    (void)w;
}

/* In any order: the disk has its own. */
static void shuffle(void)
{
    size_t count = 0;
    for (const struct write_ *w = disk.first; w; w = w->next)
        count++;
    struct write_ **all = (struct write_ **)calloc(count + 1, sizeof *all);
    for (size_t i = 0; i < count; i++, disk.first = disk.first->next)
        all[i] = disk.first;
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)pick(i);
        struct write_ *swap = all[i - 1];
        all[i - 1] = all[other];
        all[other] = swap;
    }
    for (size_t i = 0; i < count; i++)
        all[i]->next = i + 1 < count ? all[i + 1] : NULL;
    disk.first = all[0];
    free(all);
}

/* ---- the calls ---- */

static bool is_ours(int fd)
{
    struct stat facts;
    return disk.is_attached && fstat(fd, &facts) == 0 && facts.st_ino == disk.inode &&
           facts.st_dev == disk.device;
}

static bool is_durable_fd(int fd)
{
    return (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
}

static void note(uint64_t at, const uint8_t *data, size_t len)
{
    struct write_ *w = (struct write_ *)malloc(sizeof *w + len);
    *w = (struct write_){NULL, at, len};
    memcpy(w->data, data, len);
    if (disk.last)
        disk.last->next = w;
    else
        disk.first = w;
    disk.last = w;
}

/* Whether the power fails in this very operation. */
static bool counts_down(void)
{
    if (disk.cut_after == 0 || --disk.cut_after > 0)
        return false;
    disk.is_cut = true;
    return true;
}

static bool meets(enum disk_fault fault)
{
    if (disk.armed[fault] == 0)
        return false;
    if (fault != DISK_FAULT_FULL)
        disk.armed[fault]--;
    disk.faults++;
    return true;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static bool is_past_end(int fd, uint64_t end)
{
    struct stat facts;
    return fstat(fd, &facts) == 0 && end > (uint64_t)facts.st_size;
}

static ssize_t put(int fd, const uint8_t *data, size_t len, uint64_t at)
{
    ssize_t done = syscall(SYS_pwrite64, fd, data, len, at);
    if (done > 0 && is_durable_fd(fd))
        keep(at, data, (size_t)done);
    else if (done > 0)
        note(at, data, (size_t)done);
    return done;
}

/* The page that makes a transaction current goes through a descriptor that syncs by itself. */
static ssize_t write_meta(int fd, const uint8_t *data, size_t len, uint64_t at)
{
    if (counts_down())
        return pick(2) ? put(fd, data, len, at) : fail(EIO);
    if (meets(DISK_FAULT_META)) {
        uint64_t mode = pick(3); /* lost, durable, or only visible */
        disk.doubts++;
        if (mode && syscall(SYS_pwrite64, fd, data, len, at) > 0)
            (mode == 1 ? keep : note)(at, data, len);
        return fail(EIO);
    }
    return put(fd, data, len, at);
}

static ssize_t write_pages(int fd, const uint8_t *data, size_t len, uint64_t at)
{
    bool cut = counts_down();
    if (cut || meets(DISK_FAULT_WRITE)) {
        size_t part = (size_t)pick(len / SECTOR + 1) * SECTOR;
        if (part)
            (void)put(fd, data, part, at);
        return fail(EIO);
    }
    if (disk.armed[DISK_FAULT_FULL] && is_past_end(fd, at + len) && meets(DISK_FAULT_FULL))
        return fail(ENOSPC);
    return put(fd, data, len, at);
}

static ssize_t write_at(int fd, const uint8_t *data, size_t len, uint64_t at)
{
    if (disk.is_cut)
        return fail(EIO);
    if (is_durable_fd(fd) && at < META_END)
        return write_meta(fd, data, len, at);
    return write_pages(fd, data, len, at);
}

static int sync_pages(void)
{
    if (disk.is_cut || counts_down())
        return fail(EIO);
    if (meets(DISK_FAULT_SYNC)) {
        end_writes(keep_some); /* and what is lost is never tried again */
        return fail(EIO);
    }
    end_writes(keep_whole);
    return 0;
}

/* The C library's headers name the parameters so that nobody else may. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (!is_ours(fd))
        return syscall(SYS_pwrite64, fd, data, len, at);
    return write_at(fd, (const uint8_t *)data, len, (uint64_t)at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (!is_ours(fd))
        return syscall(SYS_writev, fd, parts, count);
    ssize_t total = 0;
    for (int i = 0; i < count; i++) {
        off_t at = lseek(fd, 0, SEEK_CUR);
        ssize_t done =
            write_at(fd, (const uint8_t *)parts[i].iov_base, parts[i].iov_len, (uint64_t)at);
        if (done < 0)
            return total ? total : done;
        lseek(fd, at + done, SEEK_SET);
        total += done;
    }
    return total;
}

int fdatasync(int fd)
{
    return is_ours(fd) ? sync_pages() : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return is_ours(fd) ? sync_pages() : (int)syscall(SYS_fsync, fd);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* ---- the outside ---- */

static void read_file(void)
{
    int fd = open(disk.path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) != 0)
        abort();
    grow((size_t)facts.st_size);
    if (pread(fd, disk.image, disk.len, 0) != (ssize_t)disk.len)
        abort();
    close(fd);
}

void disk_reopen(const char *path)
{
    struct stat facts;
    snprintf(disk.path, sizeof disk.path, "%s", path);
    if (stat(path, &facts) != 0)
        abort();
    disk.device = facts.st_dev;
    disk.inode = facts.st_ino;
}

void disk_attach(const char *path, uint64_t seed)
{
    disk.random = seed;
    disk_reopen(path);
    read_file();
    disk.is_attached = true;
}

void disk_detach(void)
{
    end_writes(forget);
    free(disk.image);
    memset(&disk, 0, sizeof disk);
}

void disk_arm(enum disk_fault fault, uint32_t count)
{
    disk.armed[fault] = count;
}

void disk_cut_after(uint32_t operations)
{
    disk.cut_after = operations;
}

void disk_cut_now(void)
{
    disk.is_cut = true;
}

bool disk_is_cut(void)
{
    return disk.is_cut;
}

void disk_tick(void)
{
    if (!disk.is_cut)
        (void)counts_down();
}

uint64_t disk_faults_met(void)
{
    return disk.faults;
}

uint64_t disk_doubts_met(void)
{
    return disk.doubts;
}

static void write_file(void)
{
    int fd = open(disk.path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) != 0)
        abort();
    if (syscall(SYS_pwrite64, fd, disk.image, disk.len, 0) != (long)disk.len)
        abort();
    close(fd);
}

void disk_recover(bool is_power_cut)
{
    disk.is_cut = false;
    disk.cut_after = 0;
    memset(disk.armed, 0, sizeof disk.armed);
    if (!is_power_cut)
        return;
    if (disk.first)
        shuffle();
    end_writes(keep_some);
    write_file();
}
