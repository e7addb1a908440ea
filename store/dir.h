/** The directory around the shards: its owner, its lock and the file that says what it is. */
#pragma once

#include "store/data.h"

enum { ENC_DATA_FORMAT = 3 };

/** An entered directory. path is the caller's. */
struct enc_dir {
    const char *path;
    int fd;
    int lock_fd;
};

/** Make, enter and lock. Errors: DIRECTORY, ACCESS, LOCKED; dir is then as after enc_dir_leave. */
ENC_MUST_USE enum enc_store_fault enc_dir_enter(struct enc_dir *dir, struct enc_store_note *note,
                                                const char *path);

/** Enter without making or locking anything. Errors: DIRECTORY, ACCESS; as above */
ENC_MUST_USE enum enc_store_fault enc_dir_visit(struct enc_dir *dir, struct enc_store_note *note,
                                                const char *path);

/**
 * Write a small file into the directory fd so that it is there wholly or not at all, durably.
 * False: errno says why.
 */
ENC_MUST_USE bool enc_dir_write(int fd, const char *name, const char *text);

/** Unlock and leave. Allowed twice. */
void enc_dir_leave(struct enc_dir *dir);

/**
 * What the version file says: *shard_count, 0 when there is no such file yet.
 *
 * Errors: DIRECTORY, FORMAT
 */
ENC_MUST_USE enum enc_store_fault
enc_dir_version(const struct enc_dir *dir, struct enc_store_note *note, uint32_t *shard_count);

/** Write the version file so that it is there wholly or not at all. Errors: DIRECTORY */
ENC_MUST_USE enum enc_store_fault enc_dir_found(const struct enc_dir *dir,
                                                struct enc_store_note *note, uint32_t shard_count);
