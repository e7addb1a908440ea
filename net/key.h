/** The node's key file: 32 bytes as hex. Main thread, at start. */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

#include <sys/stat.h>

/** One line for people; never holds key material. */
struct enc_key_fault {
    char text[512];
};

/** How a key file is come by. The caller wipes priv32. False, with the reason in fault. */
typedef bool enc_key_file(uint8_t priv32[32], struct enc_key_fault *fault, const char *path);

/** Make a new key at path: mode 0600, synced, nothing there before. */
ENC_MUST_USE enc_key_file enc_key_make;

/**
 * Read the key at path. False when it cannot be read, when enc_key_check_mode refuses, or when it
 * is not 64 hex digits and at most one line end.
 */
ENC_MUST_USE enc_key_file enc_key_read;

/**
 * What is wrong with owner and mode of a key file for this user; NULL: nothing. The user's own file
 * is nobody else's to read. One of root's may have a group that reads it, as mounted secrets have.
 */
const char *enc_key_check_mode(const struct stat *info, uid_t user);

/** Read the key at path, or make one there when nothing is there. Source: server.md, first start */
ENC_MUST_USE enc_key_file enc_key_load;
