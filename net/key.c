#include "net/key.h"

#include "net/process.h"
#include "proto/base/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX_LEN = 64, FILE_LEN_MAX = HEX_LEN + 2, PATH_LEN_MAX = 4096 };

static bool refuse(struct enc_key_fault *fault, const char *path, const char *why)
{
    snprintf(fault->text, sizeof fault->text, "%s: %s", path, why);
    return false;
}

/* A key of root's may be readable by a group: so a secret reaches a process that is not root. */
const char *enc_key_check_mode(const struct stat *info, uid_t user)
{
    if (!S_ISREG(info->st_mode))
        return "not a regular file";
    if (info->st_uid == user)
        return info->st_mode & (S_IRWXG | S_IRWXO) ? "others can read it; chmod 600" : NULL;
    if (info->st_uid != 0)
        return "belongs to another user";
    return info->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO) ? "others can read it; chmod 640" : NULL;
}

static const char *check_file(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 ? enc_key_check_mode(&info, geteuid()) : strerror(errno);
}

/* 64 digits, then nothing but one line end. */
static bool decode(uint8_t priv32[32], const char *text, size_t len)
{
    if (len < HEX_LEN || !enc_hex_decode(priv32, 32, enc_bytes_of(text, HEX_LEN)))
        return false;
    struct enc_bytes rest = enc_bytes_of(text + HEX_LEN, len - HEX_LEN);
    return rest.len == 0 || enc_bytes_is(rest, "\n") || enc_bytes_is(rest, "\r\n");
}

static bool read_key(uint8_t priv32[32], struct enc_key_fault *fault, const char *path, int fd)
{
    char text[FILE_LEN_MAX + 1];
    const char *why = check_file(fd);
    if (why)
        return refuse(fault, path, why);
    ssize_t len = read(fd, text, sizeof text);
    bool is_good = len >= 0 && decode(priv32, text, (size_t)len);
    enc_process_wipe(text, sizeof text);
    return is_good || refuse(fault, path, "not 64 hex digits");
}

static bool write_text(int fd, const char *text, size_t len)
{
    return write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
}

static bool sync_folder(const char *path)
{
    char folder[PATH_LEN_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    int kept = errno;
    if (fd >= 0)
        close(fd);
    errno = kept;
    return is_synced;
}

static bool write_key(const char *path, const uint8_t priv32[32])
{
    char text[HEX_LEN + 1];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    enc_hex_encode(text, enc_bytes_of(priv32, 32));
    text[HEX_LEN] = '\n';
    bool is_written = write_text(fd, text, sizeof text);
    int kept = errno;
    enc_process_wipe(text, sizeof text);
    close(fd);
    errno = kept;
    return is_written;
}

/* Half a key would stop every later start, so the name is given to a whole one, which is synced. */
bool enc_key_make(uint8_t priv32[32], struct enc_key_fault *fault, const char *path)
{
    char draft[PATH_LEN_MAX];
    if (snprintf(draft, sizeof draft, "%s.%d", path, (int)getpid()) >= (int)sizeof draft)
        return refuse(fault, path, strerror(ENAMETOOLONG));
    enc_process_random(priv32, 32);
    unlink(draft); /* of one who had our number and died */
    bool is_made = write_key(draft, priv32) && link(draft, path) == 0;
    int kept = errno;
    unlink(draft);
    if (is_made && sync_folder(path))
        return true;
    return refuse(fault, path, strerror(is_made ? errno : kept));
}

bool enc_key_read(uint8_t priv32[32], struct enc_key_fault *fault, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse(fault, path, strerror(errno));
    bool is_good = read_key(priv32, fault, path, fd);
    close(fd);
    return is_good;
}

bool enc_key_load(uint8_t priv32[32], struct enc_key_fault *fault, const char *path)
{
    bool is_absent = access(path, F_OK) != 0 && errno == ENOENT;
    return is_absent ? enc_key_make(priv32, fault, path) : enc_key_read(priv32, fault, path);
}
