#include "net/mount.h"

#include "net/config.h"

#include <stdio.h>

static const char ROOT_SERVICE[] = "enc-node";

static bool is_wanted(const struct enc_config_list *only, const char *name)
{
    for (size_t i = 0; i < only->count; i++) {
        if (strcmp(only->items[i], name) == 0)
            return true;
    }
    return only->count == 0;
}

void enc_mounts_init(struct enc_mounts *mounts, const struct enc_config_list *only)
{
    *mounts = (struct enc_mounts){.count = enc_service_count()};
    ENC_CHECK(mounts->count <= ENC_SERVICE_MAX);
    for (size_t i = 0; i < mounts->count; i++) {
        const char *name = enc_service_at(i)->name;
        bool is_root = strcmp(name, ROOT_SERVICE) == 0;
        snprintf(mounts->texts[i], ENC_MOUNT_TEXT_MAX, "/%s", is_root ? "" : name);
        mounts->paths[i] = is_wanted(only, name) ? mounts->texts[i] : NULL;
    }
}

/* Length of the mount when path lies in it, without a trailing slash; -1 otherwise. */
static ptrdiff_t match(const char *mount, struct enc_bytes path)
{
    size_t len = strlen(mount);
    if (len == 1)
        return 0;
    if (path.len < len || memcmp(path.data, mount, len) != 0)
        return -1;
    return path.len == len || path.data[len] == '/' ? (ptrdiff_t)len : -1;
}

bool enc_mounts_find(const struct enc_mounts *mounts, struct enc_mount_place *out,
                     struct enc_bytes path)
{
    ptrdiff_t best = -1;
    for (unsigned i = 0; i < mounts->count; i++) {
        ptrdiff_t len = mounts->paths[i] ? match(mounts->paths[i], path) : -1;
        if (len > best) {
            best = len;
            out->service = i;
        }
    }
    if (best < 0)
        return false;
    out->path = enc_bytes_of(path.data + best, path.len - (size_t)best);
    if (out->path.len == 0)
        out->path = ENC_LIT("/");
    return true;
}
