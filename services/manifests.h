/**
 * Manifests that were read lately, parsed. A Manifest never changes, for the enclave's id is made
 * from it, so what is known of one stays true. Any number of threads; nobody waits: an entry that
 * is in use is as good as absent.
 */
#pragma once

#include "proto/manifest.h"

struct enc_manifests;

/** A parsed Manifest, shared and counted. Constant. */
struct enc_held_manifest;

/** An empty cache; NULL when memory is short. chunks must outlive it and all that it handed out. */
ENC_MUST_USE struct enc_manifests *enc_manifests_new(const struct enc_chunk_source *chunks);
void enc_manifests_free(struct enc_manifests *manifests);

/** The Manifest of the enclave, held for the caller; NULL: it is not known. */
ENC_MUST_USE struct enc_held_manifest *enc_manifests_find(struct enc_manifests *manifests,
                                                          const uint8_t enclave32[32]);

/**
 * Parse a Manifest's content, keep it unless it is uncommonly large, and hold it for the caller.
 * Errors: as enc_manifest_parse, BUSY (memory)
 */
ENC_MUST_USE enum enc_err enc_manifests_add(struct enc_manifests *manifests,
                                            struct enc_held_manifest **out,
                                            const uint8_t enclave32[32], struct enc_bytes content);

/** What is held; lives until it is dropped. */
const struct enc_manifest *enc_held_manifest(const struct enc_held_manifest *held);

/** Let go. NULL is fine. */
void enc_held_manifest_drop(struct enc_held_manifest *held);
