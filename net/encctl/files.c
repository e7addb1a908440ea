#include "net/encctl/files.h"

#include "net/encctl/out.h"
#include "proto/sha256.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALK_FDS = 8, PIECE_LEN = 1 << 20 };

static bool fail(const char *path, const char *name)
{
    enc_out_fault("%s%s%s: %s", path, *name ? "/" : "", name, strerror(errno));
    return false;
}

bool enc_path_join(char path[ENC_PLACE_LEN_MAX], const char *dir, const char *name)
{
    if (snprintf(path, ENC_PLACE_LEN_MAX, "%s/%s", dir, name) < ENC_PLACE_LEN_MAX)
        return true;
    errno = ENAMETOOLONG;
    return fail(dir, name);
}

/* ---- beginning ---- */

static bool is_empty(const char *path)
{
    size_t count = 0;
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT;
    while (readdir(dir))
        count++;
    closedir(dir);
    errno = ENOTEMPTY;
    return count <= 2; /* itself and the one above */
}

static bool is_free(const char *path)
{
    struct stat facts;
    if (lstat(path, &facts) != 0)
        return errno == ENOENT;
    errno = EEXIST;
    return false;
}

static bool begin(struct enc_making *making, const char *place)
{
    size_t len = strlen(place);
    while (len > 1 && place[len - 1] == '/')
        len--;
    snprintf(making->place, sizeof making->place, "%.*s", (int)len, place);
    int used = snprintf(making->fresh, sizeof making->fresh, "%.*s.new-%d", (int)len, place,
                        (int)getpid());
    errno = ENAMETOOLONG;
    if (used >= (int)sizeof making->fresh || mkdir(making->fresh, 0700) != 0) {
        making->fresh[0] = '\0';
        return fail(place, "");
    }
    making->fd = open(making->fresh, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return making->fd >= 0 || fail(making->fresh, "");
}

bool enc_making_begin(struct enc_making *making, const char *place)
{
    *making = (struct enc_making){.fd = -1};
    return is_free(place) ? begin(making, place) : fail(place, "");
}

bool enc_making_begin_over(struct enc_making *making, const char *place)
{
    *making = (struct enc_making){.fd = -1};
    return is_empty(place) ? begin(making, place) : fail(place, "");
}

/* ---- files ---- */

static bool make_folder(const struct enc_making *making, const char *name)
{
    char folder[ENC_PLACE_LEN_MAX];
    const char *slash = strchr(name, '/');
    if (!slash)
        return true;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
    return mkdirat(making->fd, folder, 0700) == 0 || errno == EEXIST;
}

int enc_making_file(const struct enc_making *making, const char *name)
{
    int fd = -1;
    if (make_folder(making, name))
        fd = openat(making->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        fail(making->fresh, name);
    return fd;
}

static bool sync_folder(const struct enc_making *making, const char *name)
{
    char folder[ENC_PLACE_LEN_MAX];
    const char *slash = strchr(name, '/');
    if (!slash)
        return true;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
    int fd = openat(making->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return is_synced;
}

bool enc_making_close(const struct enc_making *making, const char *name, int fd)
{
    bool is_synced = fsync(fd) == 0;
    is_synced = close(fd) == 0 && is_synced;
    return (is_synced && sync_folder(making, name)) || fail(making->fresh, name);
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, data, len);
        if (done <= 0)
            return false;
        data += done;
        len -= (size_t)done;
    }
    return true;
}

bool enc_making_text(const struct enc_making *making, const char *name, struct enc_bytes text)
{
    int fd = enc_making_file(making, name);
    if (fd < 0)
        return false;
    bool is_written = write_all(fd, text.data, text.len) || fail(making->fresh, name);
    return enc_making_close(making, name, fd) && is_written;
}

static bool pour(int to, int from)
{
    static uint8_t piece[PIECE_LEN];
    ssize_t len;
    while ((len = read(from, piece, sizeof piece)) > 0)
        if (!write_all(to, piece, (size_t)len))
            return false;
    return len == 0;
}

bool enc_making_copy(const struct enc_making *making, const char *name, const char *from)
{
    int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source < 0)
        return fail(from, "");
    int fd = enc_making_file(making, name);
    bool is_copied = fd >= 0 && (pour(fd, source) || fail(making->fresh, name));
    close(source);
    return fd >= 0 && enc_making_close(making, name, fd) && is_copied;
}

/* ---- the end ---- */

static bool sync_parent(const char *path)
{
    char parent[ENC_PLACE_LEN_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return is_synced;
}

/* Renaming a directory replaces an empty one and nothing else. */
bool enc_making_settle(struct enc_making *making)
{
    if (fsync(making->fd) != 0 || rename(making->fresh, making->place) != 0)
        return fail(making->place, "");
    making->fresh[0] = '\0';
    enc_making_drop(making);
    return sync_parent(making->place) || fail(making->place, "");
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

void enc_making_drop(struct enc_making *making)
{
    if (making->fd >= 0)
        close(making->fd);
    making->fd = -1;
    if (making->fresh[0] && nftw(making->fresh, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS) != 0)
        fail(making->fresh, "");
    making->fresh[0] = '\0';
}

/* ---- digests ---- */

static bool digest(uint8_t sha32[32], uint64_t *len, int fd)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return false;
    *len = (uint64_t)facts.st_size;
    if (*len == 0) {
        enc_sha256(sha32, (struct enc_bytes){NULL, 0});
        return true;
    }
    void *bytes = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return false;
    posix_madvise(bytes, *len, POSIX_MADV_SEQUENTIAL);
    enc_sha256(sha32, enc_bytes_of(bytes, *len));
    return munmap(bytes, *len) == 0;
}

bool enc_file_digest(uint8_t sha32[32], uint64_t *len, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_read = fd >= 0 && digest(sha32, len, fd);
    if (!is_read)
        fail(path, "");
    if (fd >= 0)
        close(fd);
    return is_read;
}
