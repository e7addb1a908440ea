#include "store/mark.h"

#include "store/dir.h"
#include "store/note.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static enum enc_store_fault refuse(struct enc_store_note *note, const char *dir)
{
    return enc_note(note, ENC_STORE_FAULT_DIRECTORY, "%s/held: %s", dir, strerror(errno));
}

enum enc_store_fault enc_data_hold(struct enc_store_note *note, const char *dir, const char *why)
{
    char text[ENC_HELD_LEN_MAX + 1];
    snprintf(text, sizeof text, "%.*s\n", ENC_HELD_LEN_MAX - 1, why);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return refuse(note, dir);
    bool done = enc_dir_write(fd, "held", text);
    enum enc_store_fault fault = done ? ENC_STORE_FAULT_NONE : refuse(note, dir);
    close(fd);
    return fault;
}

static int open_mark(const char *dir)
{
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return -1;
    int fd = openat(dir_fd, "held", O_RDONLY | O_CLOEXEC);
    int failure = errno;
    close(dir_fd);
    errno = failure;
    return fd;
}

enum enc_store_fault enc_data_held(char why[ENC_HELD_LEN_MAX], struct enc_store_note *note,
                                   const char *dir)
{
    why[0] = '\0';
    int fd = open_mark(dir);
    if (fd < 0)
        return errno == ENOENT ? ENC_STORE_FAULT_NONE : refuse(note, dir);
    ssize_t len = read(fd, why, ENC_HELD_LEN_MAX - 1);
    close(fd);
    if (len < 0)
        return refuse(note, dir);
    why[len] = '\0';
    why[strcspn(why, "\n")] = '\0';
    if (!why[0])
        snprintf(why, ENC_HELD_LEN_MAX, "for a reason that is not told");
    return ENC_STORE_FAULT_NONE;
}

enum enc_store_fault enc_data_let_go(struct enc_store_note *note, const char *path)
{
    struct enc_dir dir;
    enum enc_store_fault fault = enc_dir_enter(&dir, note, path);
    if (fault)
        return fault;
    bool is_gone = unlinkat(dir.fd, "held", 0) == 0 || errno == ENOENT;
    if (!is_gone || fsync(dir.fd) != 0)
        fault = refuse(note, path);
    enc_dir_leave(&dir);
    return fault;
}
