/** The node's key file: 32 bytes as hex. Main thread, at start. */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

/** One line for people; never holds key material. */
struct enc_key_fault {
    char text[512];
};

/**
 * Read the key at path, or make one there (mode 0600, synced) when the file does not exist. The caller wipes priv32.
 * False when it cannot be read or written, when group or others may read it, when it belongs to somebody else, or when
 * it is not 64 hex digits and at most one line end.
 *
 * Source: server.md, first start
 */
ENC_MUST_USE bool enc_key_load(uint8_t priv32[32], struct enc_key_fault *fault, const char *path);
