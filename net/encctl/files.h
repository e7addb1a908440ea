/** Files and directories that are there wholly or not at all. Main thread; failures are told. */
#pragma once

#include "net/encctl/ctl.h"

enum { ENC_PLACE_LEN_MAX = 4096 };

/** A directory that is being made beside its place. */
struct enc_making {
    char place[ENC_PLACE_LEN_MAX];
    char fresh[ENC_PLACE_LEN_MAX]; /* "" once it is in its place or dropped */
    int fd;
};

/** Make an empty directory, mode 0700, that is to stand at place; nothing may be there. */
ENC_MUST_USE bool enc_making_begin(struct enc_making *making, const char *place);

/** The same where an empty directory may be. */
ENC_MUST_USE bool enc_making_begin_over(struct enc_making *making, const char *place);

/** A new file in it, mode 0600, in a folder made when it is missing; -1 when that failed. */
ENC_MUST_USE int enc_making_file(const struct enc_making *making, const char *name);

/** Sync the file and close it. */
ENC_MUST_USE bool enc_making_close(const struct enc_making *making, const char *name, int fd);

/** A new file with this text. */
ENC_MUST_USE bool enc_making_text(const struct enc_making *making, const char *name,
                                  struct enc_bytes text);

/** A new file with what is in the file from. */
ENC_MUST_USE bool enc_making_copy(const struct enc_making *making, const char *name,
                                  const char *from);

/** Sync it and put it in its place. False: drop it. */
ENC_MUST_USE bool enc_making_settle(struct enc_making *making);

/** Remove it, unless it is in its place. */
void enc_making_drop(struct enc_making *making);

/** "dir/name" into path; false when that is too long. */
ENC_MUST_USE bool enc_path_join(char path[ENC_PLACE_LEN_MAX], const char *dir, const char *name);

/** SHA-256 and length of a whole file. */
ENC_MUST_USE bool enc_file_digest(uint8_t sha32[32], uint64_t *len, const char *path);
