/** Bodies of answers in a coding that the client takes: brotli or gzip. */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

#include <stdbool.h>

enum enc_coding { ENC_CODING_NONE, ENC_CODING_GZIP, ENC_CODING_BROTLI };

/** The best coding that an Accept-Encoding field admits (RFC 9110 12.5.3). Any thread. */
enum enc_coding enc_coding_of_field(struct enc_bytes field);

/** "gzip" or "br"; NULL for none. */
const char *enc_coding_name(enum enc_coding coding);

/**
 * Write body in coding. Returns malloc'd bytes and their length, the caller's to free; NULL when it
 * would not become smaller or memory is short. Any thread but better not a loop: some ten
 * microseconds for a kilobyte.
 */
ENC_MUST_USE uint8_t *enc_coding_write(size_t *len, enum enc_coding coding, struct enc_bytes body);
