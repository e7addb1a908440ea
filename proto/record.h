/**
 * Records: an event as bytes in the store. The first byte is the version of the format; reading is
 * strict, every byte of a record is accounted for. Pure; any thread.
 *
 *     01 flags(1)  be64 seq, type_seq, timestamp, bundle, exp
 *     id(32) hash(32) enclave(32) from(32) sequencer(32) sig(64) seq_sig(64)
 *     type_len(1) type
 *     tag_count(1) { member_count(1) { be16 len, bytes } }
 *     the rest: content, or the content's hash (32) when flag 1 (erased) is set
 */
#pragma once

#include "proto/event.h"

enum { ENC_RECORD_ID_AT = 42 }; /* where the id stands */

/** Append the record. An event whose content is erased must have a valid content_hash32. */
void enc_record_put(struct enc_buffer *buffer, const struct enc_event *event);

/**
 * Read a record. Strings point into record, tag arrays live in arena. The content hash is not
 * computed (it is read when the content is erased).
 * Errors: INTERNAL (not a record: the store is damaged), TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_record_take(struct enc_event *out, struct enc_arena *arena,
                                          struct enc_bytes record);

/**
 * Only what a scan needs to decide, without tags or content: seq, type_seq, timestamp, ids, keys,
 * type. tags and content are empty. Errors: INTERNAL
 */
ENC_MUST_USE enum enc_err enc_record_peek(struct enc_event *out, struct enc_bytes record);
