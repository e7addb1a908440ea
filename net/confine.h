/**
 * The system calls and the files that the node is left with once it serves. Rows of confine.def say
 * which; everything else fails. Builds with sanitizers or counters are never confined, since those
 * do as they like.
 */
#pragma once

#include "proto/base/check.h"

#include <stdbool.h>
#include <stddef.h>

/** What a call that is not in the list meets: security.seccomp, by the order of its names. */
enum enc_confine_way {
    ENC_CONFINE_OFF,
    ENC_CONFINE_LOG,    /* goes through; the kernel's audit log tells */
    ENC_CONFINE_REFUSE, /* ENOSYS, so that libc takes another way where it knows one */
    ENC_CONFINE_KILL,   /* the process ends */
};

/** The names of enum enc_confine_way, as a choice of the configuration. */
#define ENC_CONFINE_WAYS "off|log|refuse|kill"

/**
 * Leave this and every other thread with the listed calls; for good. After PR_SET_NO_NEW_PRIVS.
 * Returns NULL, or why not, a static text. Main thread.
 */
ENC_MUST_USE const char *enc_confine_calls(enum enc_confine_way way);

/** What may be done below one path; "" is skipped. */
struct enc_confine_path {
    const char *path;
    bool is_writable; /* else it is read */
    bool is_parent;   /* the folder it is in, since files are replaced by renaming */
};

/**
 * Leave this thread and those it starts from now on with these paths and what libc reads; for good.
 * After PR_SET_NO_NEW_PRIVS. Paths that are not there are skipped. Returns NULL, or why not, a
 * static text: the kernel knows no Landlock. Main thread, before others start.
 */
ENC_MUST_USE const char *enc_confine_files(const struct enc_confine_path *paths, size_t count);
