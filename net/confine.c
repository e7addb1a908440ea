#include "net/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- calls ---- */

struct row {
    const char *name;
    int argument; /* -1: any */
    scmp_datum_t mask, value;
};

#define ENC_CALL(name) {#name, -1, 0, 0},
#define ENC_CALL_MASKED(name, argument, mask, value) {#name, argument, mask, value},
static const struct row ROWS[] = {
#include "net/confine.def"
};
#undef ENC_CALL
#undef ENC_CALL_MASKED

static bool add_row(scmp_filter_ctx filter, const struct row *row)
{
    int number = seccomp_syscall_resolve_name(row->name);
    if (number == __NR_SCMP_ERROR)
        return true;
    if (row->argument < 0)
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) == 0;
    struct scmp_arg_cmp when =
        SCMP_CMP((unsigned)row->argument, SCMP_CMP_MASKED_EQ, row->mask, row->value);
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &when) == 0;
}

static bool fill(scmp_filter_ctx filter)
{
    enum { BINARY_TREE = 2 };
    /* Its flags lie in memory, where no filter can look; without it libc takes clone. EACCES: all
     * that is not listed is refused the same way. */
    int refused = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if ((refused != 0 && refused != -EACCES) ||
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) != 0 ||
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) != 0 ||
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1) != 0 ||
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE) != 0)
        return false;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (!add_row(filter, &ROWS[i]))
            return false;
    }
    return true;
}

const char *enc_confine_calls(enum enc_confine_way way)
{
    const uint32_t actions[] = {SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_ERRNO(ENOSYS),
                                SCMP_ACT_KILL_PROCESS};
    if (way == ENC_CONFINE_OFF || !ENC_CONFINABLE)
        return NULL;
    scmp_filter_ctx filter = seccomp_init(actions[way]);
    bool is_loaded = filter && fill(filter) && seccomp_load(filter) == 0;
    if (filter)
        seccomp_release(filter);
    return is_loaded ? NULL : "the kernel takes no filter of system calls";
}

/* ---- files ---- */

enum { ABI_FIRST = 1, RIGHTS_FIRST = 13, ABI_LAST = 3 };

static const uint64_t READING = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

/* What libc, OpenSSL and libcurl read: names, certificates, zones, devices, ourselves. */
static const struct enc_confine_path ALWAYS[] = {
    {"/etc", false, false},   {"/usr", false, false},  {"/lib", false, false},
    {"/lib64", false, false}, {"/proc", false, false}, {"/sys", false, false},
    {"/run", false, false},   {"/dev", true, false},
};

/* Every right that this kernel can withhold; each version of its interface added one. */
static uint64_t all_rights(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < ABI_FIRST)
        return 0;
    unsigned more = abi < ABI_LAST ? (unsigned)(abi - ABI_FIRST) : ABI_LAST - ABI_FIRST;
    return (1ULL << (RIGHTS_FIRST + more)) - 1;
}

static int open_path(const struct enc_confine_path *path)
{
    char folder[4096];
    const char *slash = strrchr(path->path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path->path) + 1 : 1,
             slash ? path->path : ".");
    return open(path->is_parent ? folder : path->path, O_PATH | O_CLOEXEC | O_DIRECTORY);
}

static bool add_path(int rules, const struct enc_confine_path *path, uint64_t all)
{
    struct landlock_path_beneath_attr beneath = {
        .allowed_access = path->is_writable ? all & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE : READING,
        .parent_fd = path->path[0] ? open_path(path) : -1,
    };
    if (beneath.parent_fd < 0)
        return true;
    bool is_added =
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
    close(beneath.parent_fd);
    return is_added;
}

static bool add_paths(int rules, const struct enc_confine_path *paths, size_t count, uint64_t all)
{
    for (size_t i = 0; i < count; i++) {
        if (!add_path(rules, &paths[i], all))
            return false;
    }
    return true;
}

const char *enc_confine_files(const struct enc_confine_path *paths, size_t count)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = all_rights()};
    if (!ENC_CONFINABLE)
        return NULL;
    if (!attr.handled_access_fs)
        return "the kernel knows no Landlock";
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (rules < 0)
        return "the kernel makes no Landlock ruleset";
    bool is_on = add_paths(rules, ALWAYS, sizeof ALWAYS / sizeof *ALWAYS, attr.handled_access_fs) &&
                 add_paths(rules, paths, count, attr.handled_access_fs) &&
                 syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return is_on ? NULL : "the kernel does not take the Landlock rules";
}
