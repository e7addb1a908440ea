#include "store/dir.h"
#include "store/note.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION_TEXT_MAX = 64 };

enum enc_store_fault enc_note(struct enc_store_note *note, enum enc_store_fault fault,
                              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(note->text, sizeof note->text, format, args);
    va_end(args);
    return fault;
}

static enum enc_store_fault refuse(struct enc_store_note *note, const char *path, const char *file)
{
    return enc_note(note, ENC_STORE_FAULT_DIRECTORY, "%s%s: %s", path, file, strerror(errno));
}

/* Where the name of path stands; "." when it is not told. */
static void parent_of(char out[PATH_MAX], const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    snprintf(out, PATH_MAX, "%.*s", len ? (int)len : 1, len ? path : ".");
}

/* A folder whose name is not synced may be gone with all that was synced in it. Whoever made it may
 * have died before this, so it is done at every start. A parent that may not be read is its
 * owner's to keep. */
static enum enc_store_fault keep_name(struct enc_store_note *note, const char *path)
{
    char parent[PATH_MAX];
    parent_of(parent, path);
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? ENC_STORE_FAULT_NONE : refuse(note, parent, "");
    bool is_kept = fsync(fd) == 0 || errno == EINVAL || errno == EROFS;
    enum enc_store_fault fault = is_kept ? ENC_STORE_FAULT_NONE : refuse(note, parent, "");
    close(fd);
    return fault;
}

static enum enc_store_fault make(struct enc_store_note *note, const char *path)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return keep_name(note, path);
    return refuse(note, path, "");
}

static enum enc_store_fault ours_alone(struct enc_store_note *note, int fd, const char *path)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return refuse(note, path, "");
    if (facts.st_uid != geteuid())
        return enc_note(note, ENC_STORE_FAULT_ACCESS, "%s belongs to user %u, not to %u", path,
                        facts.st_uid, geteuid());
    if ((facts.st_mode & 077) != 0)
        return enc_note(note, ENC_STORE_FAULT_ACCESS,
                        "%s has mode %03o and is open to others; chmod 700 it", path,
                        facts.st_mode & 0777);
    return ENC_STORE_FAULT_NONE;
}

static enum enc_store_fault visit(int *fd, struct enc_store_note *note, const char *path)
{
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd < 0 ? refuse(note, path, "") : ours_alone(note, *fd, path);
}

static enum enc_store_fault enter(int *fd, struct enc_store_note *note, const char *path)
{
    enum enc_store_fault fault = make(note, path);
    return fault ? fault : visit(fd, note, path);
}

static void leave(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

enum enc_store_fault enc_data_make_dir(const char *dir, struct enc_store_note *note)
{
    int fd = -1;
    enum enc_store_fault fault = enter(&fd, note, dir);
    leave(&fd);
    return fault;
}

static enum enc_store_fault in_use(struct enc_store_note *note, const struct enc_dir *dir)
{
    if (errno != EWOULDBLOCK)
        return refuse(note, dir->path, "/lock");
    char pid[24] = "";
    ssize_t len = pread(dir->lock_fd, pid, sizeof pid - 1, 0);
    pid[len > 0 ? strcspn(pid, "\n") : 0] = '\0';
    return enc_note(note, ENC_STORE_FAULT_LOCKED, "%s is in use by process %s", dir->path,
                    pid[0] ? pid : "(unknown)");
}

static enum enc_store_fault lock(struct enc_dir *dir, struct enc_store_note *note)
{
    dir->lock_fd = openat(dir->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (dir->lock_fd < 0)
        return refuse(note, dir->path, "/lock");
    if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return in_use(note, dir);
    if (ftruncate(dir->lock_fd, 0) != 0 || dprintf(dir->lock_fd, "%d\n", (int)getpid()) < 0)
        return refuse(note, dir->path, "/lock");
    return ENC_STORE_FAULT_NONE;
}

enum enc_store_fault enc_dir_enter(struct enc_dir *dir, struct enc_store_note *note,
                                   const char *path)
{
    *dir = (struct enc_dir){.path = path, .fd = -1, .lock_fd = -1};
    enum enc_store_fault fault = enter(&dir->fd, note, path);
    if (!fault)
        fault = lock(dir, note);
    if (fault)
        enc_dir_leave(dir);
    return fault;
}

enum enc_store_fault enc_dir_visit(struct enc_dir *dir, struct enc_store_note *note,
                                   const char *path)
{
    *dir = (struct enc_dir){.path = path, .fd = -1, .lock_fd = -1};
    enum enc_store_fault fault = visit(&dir->fd, note, path);
    if (fault)
        enc_dir_leave(dir);
    return fault;
}

void enc_dir_leave(struct enc_dir *dir)
{
    leave(&dir->lock_fd);
    leave(&dir->fd);
}

static void version_text(char out[VERSION_TEXT_MAX], unsigned format, unsigned shard_count)
{
    snprintf(out, VERSION_TEXT_MAX, "enclaved data %u\nshards %u\n", format, shard_count);
}

static bool number_after(unsigned *number, const char **text, const char *words)
{
    size_t len = strlen(words);
    char *end = NULL;
    if (strncmp(*text, words, len) != 0)
        return false;
    *number = (unsigned)strtoul(*text + len, &end, 10);
    *text = end;
    return true;
}

/* Only what we would have written ourselves is understood. */
static bool parse(const char *text, unsigned *format, unsigned *shard_count)
{
    char again[VERSION_TEXT_MAX];
    const char *at = text;
    if (!number_after(format, &at, "enclaved data ") ||
        !number_after(shard_count, &at, "\nshards "))
        return false;
    version_text(again, *format, *shard_count);
    return strcmp(text, again) == 0 && *shard_count > 0;
}

static enum enc_store_fault understand(struct enc_store_note *note, uint32_t *shard_count,
                                       const char *path, const char *text)
{
    unsigned format = 0;
    if (!parse(text, &format, shard_count))
        return enc_note(note, ENC_STORE_FAULT_FORMAT, "%s/version is none of ours", path);
    if (format != ENC_DATA_FORMAT)
        return enc_note(note, ENC_STORE_FAULT_FORMAT, "%s has format %u, this program knows %d",
                        path, format, ENC_DATA_FORMAT);
    return ENC_STORE_FAULT_NONE;
}

enum enc_store_fault enc_dir_version(const struct enc_dir *dir, struct enc_store_note *note,
                                     uint32_t *shard_count)
{
    *shard_count = 0;
    int fd = openat(dir->fd, "version", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ENC_STORE_FAULT_NONE : refuse(note, dir->path, "/version");
    char text[VERSION_TEXT_MAX] = "";
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len < 0)
        return refuse(note, dir->path, "/version");
    return understand(note, shard_count, dir->path, text);
}

static bool write_synced(int fd, const char *text)
{
    size_t len = strlen(text);
    bool written = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    return close(fd) == 0 && written;
}

bool enc_dir_write(int dir_fd, const char *name, const char *text)
{
    char fresh[64];
    snprintf(fresh, sizeof fresh, "%s.new", name);
    int fd = openat(dir_fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd >= 0 && write_synced(fd, text) && renameat(dir_fd, fresh, dir_fd, name) == 0 &&
           fsync(dir_fd) == 0;
}

enum enc_store_fault enc_dir_found(const struct enc_dir *dir, struct enc_store_note *note,
                                   uint32_t shard_count)
{
    char text[VERSION_TEXT_MAX];
    version_text(text, ENC_DATA_FORMAT, shard_count);
    bool done = enc_dir_write(dir->fd, "version", text);
    return done ? ENC_STORE_FAULT_NONE : refuse(note, dir->path, "/version");
}
