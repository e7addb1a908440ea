#include "net/mount.h"

#include "net/config.h"

#include <stdio.h>
#include <strings.h>

static const char ROOT_SERVICE[] = "enc-node";

static bool is_wanted(const struct enc_config_list *only, const char *name)
{
    for (size_t i = 0; i < only->count; i++) {
        if (strcmp(only->items[i], name) == 0)
            return true;
    }
    return only->count == 0;
}

bool enc_mount_host_is_valid(const char *text)
{
    static const char NAME[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    static const char ADDRESS[] = "0123456789abcdefABCDEF:.";
    size_t len = strlen(text);
    if (len == 0 || len > ENC_MOUNT_HOST_LEN_MAX)
        return false;
    bool is_address = text[0] == '[' && 1 + strspn(text + 1, ADDRESS) == len - 1;
    return is_address ? len > 2 && text[len - 1] == ']' : strspn(text, NAME) == len;
}

/* As a reference that a client resolves against the address it has: "//host/" or "/name". */
static void write_text(char out[ENC_MOUNT_TEXT_MAX], const struct enc_config_list *hosts,
                       const char *name)
{
    bool is_root = strcmp(name, ROOT_SERVICE) == 0;
    if (hosts->count > 0)
        snprintf(out, ENC_MOUNT_TEXT_MAX, "//%s/", hosts->items[0]);
    else
        snprintf(out, ENC_MOUNT_TEXT_MAX, "/%s", is_root ? "" : name);
}

void enc_mounts_init(struct enc_mounts *mounts, const struct enc_config *config)
{
    *mounts = (struct enc_mounts){.count = enc_service_count()};
    for (size_t i = 0; i < mounts->count; i++) {
        const char *name = enc_service_at(i)->name;
        mounts->hosts[i] = &config->hosts[i];
        write_text(mounts->texts[i], mounts->hosts[i], name);
        mounts->paths[i] = is_wanted(&config->services, name) ? mounts->texts[i] : NULL;
    }
}

/* "Example.org:8080" without its port; the colons of an address in brackets are not before one. */
static struct enc_bytes host_of(struct enc_bytes authority)
{
    size_t len = authority.len;
    while (len > 0 && authority.data[len - 1] >= '0' && authority.data[len - 1] <= '9')
        len--;
    bool has_port = len > 0 && authority.data[len - 1] == ':';
    return enc_bytes_of(authority.data, has_port ? len - 1 : authority.len);
}

static bool has_host(const struct enc_config_list *hosts, struct enc_bytes host)
{
    for (size_t i = 0; i < hosts->count; i++) {
        const char *item = hosts->items[i];
        if (strlen(item) == host.len && strncasecmp(item, (const char *)host.data, host.len) == 0)
            return true;
    }
    return false;
}

static bool find_host(const struct enc_mounts *mounts, unsigned *service, struct enc_bytes host)
{
    for (unsigned i = 0; i < mounts->count; i++) {
        if (mounts->paths[i] && has_host(mounts->hosts[i], host)) {
            *service = i;
            return true;
        }
    }
    return false;
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

static ptrdiff_t find_path(const struct enc_mounts *mounts, unsigned *service,
                           struct enc_bytes path)
{
    ptrdiff_t best = -1;
    for (unsigned i = 0; i < mounts->count; i++) {
        bool has_path = mounts->paths[i] && mounts->hosts[i]->count == 0;
        ptrdiff_t len = has_path ? match(mounts->paths[i], path) : -1;
        if (len > best) {
            best = len;
            *service = i;
        }
    }
    return best;
}

bool enc_mounts_find(const struct enc_mounts *mounts, struct enc_mount_place *out,
                     const struct enc_mount_query *query)
{
    struct enc_bytes path = query->path;
    bool is_host = find_host(mounts, &out->service, host_of(query->authority));
    ptrdiff_t len = is_host ? 0 : find_path(mounts, &out->service, path);
    if (len < 0)
        return false;
    out->path = enc_bytes_of(path.data + len, path.len - (size_t)len);
    if (out->path.len == 0)
        out->path = ENC_LIT("/");
    return true;
}
