/**
 * Enclaves: their ordinals and the service's record of each (tables enclave, enclave_ord, head).
 */
#pragma once

#include "store/scan.h"
#include "store/writeset.h"

/** Fixed facts of an enclave on this node. */
struct enc_enclave_row {
    uint64_t ord; /* key prefix of all that is its; from 1, never used twice in a shard */
    uint64_t created_ms;
    uint8_t service; /* the services' own number of the service that sequences it */
};

/** An ordinal that no enclave of the shard has. Any thread; burnt even when the creation fails. */
uint64_t enc_store_next_ord(struct enc_store *store);

/** A new enclave. Once per id and per ord. */
void enc_put_enclave(struct enc_writeset *set, const uint8_t enclave32[32],
                     const struct enc_enclave_row *row);

/** The service's record of the enclave, replaced whole. Not empty. */
void enc_put_head(struct enc_writeset *set, uint64_t ord, struct enc_bytes record);

/** Errors: ENCLAVE_NOT_FOUND, INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_enclave(struct enc_snap *snap, struct enc_enclave_row *out,
                                           const uint8_t enclave32[32]);

/** The id of an ordinal. Errors: ENCLAVE_NOT_FOUND, INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_enclave_id(struct enc_snap *snap, uint8_t enclave32[32],
                                              uint64_t ord);

/** Errors: ENCLAVE_NOT_FOUND when it has no head, INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_head(struct enc_snap *snap, struct enc_bytes *record,
                                        uint64_t ord);

/** Walk over the enclaves of the shard in the order of their ordinals. */
void enc_scan_enclaves(struct enc_scan *scan, struct enc_snap *snap, struct enc_range ords);

struct enc_enclave_found {
    uint64_t ord;
    const uint8_t *enclave32;
};

bool enc_scan_enclave(struct enc_scan *scan, struct enc_enclave_found *out);
