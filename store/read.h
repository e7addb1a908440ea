/** Untyped reads, for the families. Free of the engine's types. */
#pragma once

#include "store/scan.h"

/** The row under key, if any; a row of wrong shape is damage. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_find(struct enc_snap *snap, bool *found, struct enc_bytes *value,
                                        enum enc_table table, const struct enc_row_key *key);

/** The same where absence has a name. Errors: absent, INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_get(struct enc_snap *snap, struct enc_bytes *value,
                                       enum enc_table table, const struct enc_row_key *key,
                                       enum enc_err absent);

/** Start a walk; the caller then sets low and high. */
void enc_scan_start(struct enc_scan *scan, struct enc_snap *snap, enum enc_table table,
                    bool reverse);

/** Start a walk over the rows whose keys are ord and a number within range. */
void enc_scan_start_numbered(struct enc_scan *scan, struct enc_snap *snap, enum enc_table table,
                             uint64_t ord, struct enc_range range);

/** The next row within the bounds. False at the end and on failure. */
bool enc_scan_step(struct enc_scan *scan, struct enc_bytes *key, struct enc_bytes *value);

/** The last 8 bytes of a key as a number. */
uint64_t enc_key_tail64(struct enc_bytes key);
