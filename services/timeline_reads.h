/** What the timeline's reads share: parameters and the JSON of a post (protocol.md 11.5). */
#pragma once

#include "services/read.h"
#include "services/timeline.h"

/** limit: 1 to 100, 50 when not given. Errors: INVALID_QUERY */
ENC_MUST_USE enum enc_err enc_timeline_limit(uint64_t *limit, const struct enc_read *read);

/** A row of the enclave. *found false: there is none. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_timeline_row(const struct enc_read *read, bool *found,
                                           struct enc_bytes *value, enum enc_timeline_view view,
                                           struct enc_bytes key);

/** A number that is counted; 0 when there is no row. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_timeline_count(const struct enc_read *read, uint64_t *number,
                                             enum enc_timeline_view view, struct enc_bytes key);

/**
 * Append {"seq","id","from_pub","text","timestamp","likes"} of the post at that place; with its
 * "enclave" where posts of several are shown. Errors: INTERNAL (there is no such post)
 */
ENC_MUST_USE enum enc_err enc_timeline_put_post(const struct enc_read *read, struct enc_buffer *out,
                                                struct enc_bytes place, bool with_enclave);

/** The members of a post without braces. Errors: as enc_timeline_put_post */
ENC_MUST_USE enum enc_err enc_timeline_put_members(const struct enc_read *read,
                                                   struct enc_buffer *out, struct enc_bytes place,
                                                   bool with_enclave);

/** The GET routes (protocol.md 11.5). */
enc_read_fn enc_timeline_read_posts;
enc_read_fn enc_timeline_read_post;
enc_read_fn enc_timeline_read_feed;
enc_read_fn enc_timeline_read_likes;
enc_read_fn enc_timeline_read_profile;
enc_read_fn enc_timeline_read_search;
enc_read_fn enc_timeline_read_health;
