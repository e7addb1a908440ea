#include "disk_fixture.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { META_END = 2 * 4096 }; /* the engine's two pages that make a transaction durable */

struct rig_disk rig_disk;

/* The C library's headers name the parameters so that nobody else may. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    if (rig_disk.meta_write_fails && offset < META_END) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, len, offset);
}

static bool is_counted_out(void)
{
    if (!rig_disk.is_counted || rig_disk.syncs_left-- > 0)
        return false;
    rig_disk.is_counted = false;
    return true;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int fdatasync(int fd)
{
    if (is_counted_out() || rig_disk.sync_fails) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}
