/*
 * Preloaded into a daemon: writes down, in order, what it does to files below $RECORD_DIR and what
 * it sends over sockets. The journal is $RECORD_LOG. With $RECORD_SYNC_US a sync takes that long at
 * least, as on a disk. What is sent is noted before it leaves, what is synced after it is.
 */
#include "tests/crash/journal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FD_MAX = 4096, PATH_LEN_MAX = 4096, PARTS_MAX = 1100 };

static struct handle {
    uint64_t file; /* 0: not recorded */
    uint64_t place;
    bool is_synchronous;
} handles[FD_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;
static const char *folder;
static size_t folder_len;
static unsigned sync_us;

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

#define REAL(name) ((__typeof__(&name))real(#name))

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("RECORD_LOG");
    const char *pause = getenv("RECORD_SYNC_US");
    folder = getenv("RECORD_DIR");
    if (!path || !folder)
        return;
    folder_len = strlen(folder);
    sync_us = pause ? (unsigned)atoi(pause) : 0;
    journal = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* ---- the journal ---- */

static size_t len_of(const struct iovec *parts, int count)
{
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    return len;
}

static void put(struct enc_journal_record record, const struct iovec *parts, int count)
{
    struct iovec all[PARTS_MAX];
    int kept = errno;
    if (journal < 0 || count >= PARTS_MAX)
        abort();
    record.magic = ENC_JOURNAL_MAGIC;
    record.len = len_of(parts, count);
    all[0] = (struct iovec){&record, sizeof record};
    if (count > 0)
        memcpy(all + 1, parts, sizeof *parts * (size_t)count);
    pthread_mutex_lock(&lock);
    ssize_t len = REAL(writev)(journal, all, count + 1);
    pthread_mutex_unlock(&lock);
    if (len != (ssize_t)(sizeof record + record.len))
        abort();
    errno = kept;
}

static void note(enum enc_journal_kind kind, uint64_t file, uint64_t at)
{
    put((struct enc_journal_record){.kind = kind, .file = file, .at = at}, NULL, 0);
}

static void note_bytes(struct enc_journal_record record, const void *bytes, size_t len)
{
    const struct iovec part = {(void *)(uintptr_t)bytes, len};
    put(record, &part, 1);
}

/* ---- which files are recorded ---- */

/* The path below the recorded folder; NULL: somebody else's, or the lock files, which are not
 * meant to last. */
static const char *below(const char *path)
{
    if (journal < 0 || strncmp(path, folder, folder_len) != 0 || path[folder_len] != '/')
        return path[0] && journal >= 0 && strcmp(path, folder) == 0 ? "" : NULL;
    const char *name = strrchr(path, '/') + 1;
    bool lasts = strcmp(name, "lock") != 0 && strcmp(name, "lock.mdb") != 0;
    return lasts ? path + folder_len + 1 : NULL;
}

static bool path_at(char out[PATH_LEN_MAX], int dir_fd, const char *path)
{
    char link[64];
    if (path[0] == '/' || dir_fd == AT_FDCWD) {
        snprintf(out, PATH_LEN_MAX, "%s", path);
        return path[0] == '/';
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir_fd);
    ssize_t len = readlink(link, out, PATH_LEN_MAX - 1);
    if (len < 0)
        return false;
    snprintf(out + len, PATH_LEN_MAX - (size_t)len, "/%s", path);
    return true;
}

static struct handle *handle_of(int fd)
{
    bool is_ours = journal >= 0 && fd >= 0 && fd < FD_MAX && handles[fd].file;
    return is_ours ? &handles[fd] : NULL;
}

static void follow(int fd, const char *name, int flags, bool was_there)
{
    struct stat facts;
    if (fd < 0 || fd >= FD_MAX || fstat(fd, &facts) != 0)
        return;
    struct enc_journal_record record = {.file = facts.st_ino};
    bool is_folder = S_ISDIR(facts.st_mode);
    record.kind = is_folder ? ENC_JOURNAL_FOLDER : ENC_JOURNAL_CREATE;
    if (is_folder || !was_there)
        note_bytes(record, name, strlen(name));
    else if (flags & O_TRUNC)
        note(ENC_JOURNAL_SIZE, facts.st_ino, 0);
    bool is_written = is_folder || (flags & O_ACCMODE) != O_RDONLY;
    handles[fd] = (struct handle){.file = is_written ? facts.st_ino : 0,
                                  .is_synchronous = (flags & (O_DSYNC | O_SYNC)) != 0};
}

static int open_at(int dir_fd, const char *path, int flags, mode_t mode)
{
    char whole[PATH_LEN_MAX];
    const char *name = path_at(whole, dir_fd, path) ? below(whole) : NULL;
    bool was_there = name && access(whole, F_OK) == 0;
    int fd = REAL(openat)(dir_fd, path, flags, mode);
    if (name)
        follow(fd, name, flags, was_there);
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = open_at(AT_FDCWD, path, flags, mode_of(flags, args));
    va_end(args);
    return fd;
}

int openat(int dir_fd, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = open_at(dir_fd, path, flags, mode_of(flags, args));
    va_end(args);
    return fd;
}

int close(int fd)
{
    if (handle_of(fd))
        handles[fd].file = 0;
    return REAL(close)(fd);
}

/* ---- names ---- */

int mkdir(const char *path, mode_t mode)
{
    struct stat facts;
    const char *name = below(path);
    int rc = REAL(mkdir)(path, mode);
    if (rc == 0 && name && stat(path, &facts) == 0)
        note_bytes(
            (struct enc_journal_record){ENC_JOURNAL_MAGIC, ENC_JOURNAL_CREATE, facts.st_ino, 1, 0},
            name, strlen(name));
    return rc;
}

static void note_name(const char *old, const char *fresh, bool is_kept)
{
    const char *names[2] = {below(old), below(fresh)};
    if (!names[0] || !names[1])
        return;
    const struct iovec parts[2] = {{(void *)(uintptr_t)names[0], strlen(names[0]) + 1},
                                   {(void *)(uintptr_t)names[1], strlen(names[1])}};
    put((struct enc_journal_record){.kind = ENC_JOURNAL_RENAME, .at = is_kept}, parts, 2);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    char old[PATH_LEN_MAX];
    char fresh[PATH_LEN_MAX];
    bool is_whole = path_at(old, from_fd, from) && path_at(fresh, to_fd, to);
    int rc = REAL(renameat)(from_fd, from, to_fd, to);
    if (rc == 0 && is_whole)
        note_name(old, fresh, false);
    return rc;
}

int link(const char *from, const char *to)
{
    int rc = REAL(link)(from, to);
    if (rc == 0)
        note_name(from, to, true);
    return rc;
}

int unlinkat(int dir_fd, const char *path, int flags)
{
    char whole[PATH_LEN_MAX];
    const char *name = path_at(whole, dir_fd, path) ? below(whole) : NULL;
    int rc = REAL(unlinkat)(dir_fd, path, flags);
    if (rc == 0 && name)
        note_bytes((struct enc_journal_record){.kind = ENC_JOURNAL_UNLINK}, name, strlen(name));
    return rc;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

/* ---- contents ---- */

static void writes(const struct handle *handle, uint64_t at, const struct iovec *parts, int count)
{
    put((struct enc_journal_record){.kind = ENC_JOURNAL_WRITE, .file = handle->file, .at = at},
        parts, count);
}

static void wrote(struct handle *handle, uint64_t at, ssize_t len)
{
    if (len > 0 && handle->is_synchronous)
        note(ENC_JOURNAL_WRITTEN, handle->file, at);
    handle->place = at + (len > 0 ? (uint64_t)len : 0);
}

static ssize_t write_at(int fd, const void *data, size_t len, off_t at)
{
    const struct iovec part = {(void *)(uintptr_t)data, len};
    struct handle *handle = handle_of(fd);
    uint64_t place = (uint64_t)at;
    if (handle)
        writes(handle, place, &part, 1);
    ssize_t done = REAL(pwrite)(fd, data, len, at);
    if (handle)
        wrote(handle, place, done);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return write_at(fd, data, len, at);
}

off_t lseek(int fd, off_t at, int whence)
{
    off_t place = REAL(lseek)(fd, at, whence);
    if (handle_of(fd) && place >= 0)
        handles[fd].place = (uint64_t)place;
    return place;
}

int ftruncate(int fd, off_t len)
{
    if (handle_of(fd))
        note(ENC_JOURNAL_SIZE, handles[fd].file, (uint64_t)len);
    return REAL(ftruncate)(fd, len);
}

static int sync_with(int (*sync)(int), int fd)
{
    const struct handle *handle = handle_of(fd);
    uint64_t file = handle ? handle->file : 0;
    if (file)
        note(ENC_JOURNAL_ASK, file, 0);
    int rc = sync(fd);
    if (file && sync_us)
        usleep(sync_us);
    if (file && rc == 0)
        note(ENC_JOURNAL_SYNCED, file, 0);
    return rc;
}

int fdatasync(int fd)
{
    return sync_with(REAL(fdatasync), fd);
}

int fsync(int fd)
{
    return sync_with(REAL(fsync), fd);
}

/* ---- what is said, or written at the end of a file ---- */

static bool is_socket(int fd)
{
    struct stat facts;
    return journal >= 0 && fstat(fd, &facts) == 0 && S_ISSOCK(facts.st_mode);
}

static void before(int fd, const struct iovec *parts, int count)
{
    const struct handle *handle = handle_of(fd);
    if (handle)
        writes(handle, handle->place, parts, count);
    else if (is_socket(fd))
        put((struct enc_journal_record){.kind = ENC_JOURNAL_SAY, .at = (uint64_t)fd}, parts, count);
}

static ssize_t after(int fd, ssize_t len)
{
    int kept = errno;
    struct handle *handle = handle_of(fd);
    if (handle)
        wrote(handle, handle->place, len);
    errno = kept;
    return len;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    before(fd, parts, count);
    return after(fd, REAL(writev)(fd, parts, count));
}

ssize_t write(int fd, const void *data, size_t len)
{
    const struct iovec part = {(void *)(uintptr_t)data, len};
    before(fd, &part, 1);
    return after(fd, REAL(write)(fd, data, len));
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    const struct iovec part = {(void *)(uintptr_t)data, len};
    before(fd, &part, 1);
    return REAL(send)(fd, data, len, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    before(fd, message->msg_iov, (int)message->msg_iovlen);
    return REAL(sendmsg)(fd, message, flags);
}
