#include "net/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Nothing that is set-uid could give them back. Beyond the last one the kernel knows: EINVAL. */
static bool empty_bounding_set(void)
{
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EPERM)
            return false;
    }
    return true;
}

static bool is_stuck(uid_t uid, gid_t gid)
{
    uid_t uids[3];
    gid_t gids[3];
    return getresuid(&uids[0], &uids[1], &uids[2]) == 0 &&
           getresgid(&gids[0], &gids[1], &gids[2]) == 0 && uids[0] == uid && uids[1] == uid &&
           uids[2] == uid && gids[0] == gid && gids[1] == gid && gids[2] == gid && setuid(0) != 0;
}

static const char *become(const char *name)
{
    const struct passwd *user = getpwnam(name);
    if (!user)
        return "security.user: no such user";
    if (user->pw_uid == geteuid() && user->pw_uid != 0)
        return NULL;
    if (user->pw_uid == 0)
        return "security.user: root keeps every right";
    uid_t uid = user->pw_uid;
    gid_t gid = user->pw_gid;
    if (!empty_bounding_set() || initgroups(name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0)
        return "security.user: only root can become another";
    return is_stuck(uid, gid) ? NULL : "security.user: root could come back";
}

/* A change of the user makes the kernel forget that memory is closed. */
const char *enc_privilege_drop(const char *user)
{
    const char *why = user[0] ? become(user) : NULL;
    if (why)
        return why;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
               ? NULL
               : "no_new_privs is not to be had";
}
