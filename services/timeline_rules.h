/** What the contents of the timeline's events must be (protocol.md 11.5, 16.71). Pure; any thread.
 */
#pragma once

#include "services/timeline.h"

enum { ENC_FOLLOW_URI_LEN_MAX = 512 };

/** What a Post, a Profile, a Like or Unlike, a Follow or Unfollow says; content NULL: it is no
 * JSON. Texts are views into the content. Errors: INVALID_CONTENT */
ENC_MUST_USE enum enc_err enc_post_read(struct enc_bytes *text, const struct enc_json *content);
ENC_MUST_USE enum enc_err enc_profile_read(struct enc_profile *profile,
                                           const struct enc_json *content);
ENC_MUST_USE enum enc_err enc_ref_read(uint8_t ref32[32], const struct enc_json *content);
ENC_MUST_USE enum enc_err enc_follow_read(uint8_t enclave32[32], struct enc_followed *followed,
                                          const struct enc_json *content);

enc_rule_fn enc_rule_post;
enc_rule_fn enc_rule_profile;
enc_rule_fn enc_rule_ref;
enc_rule_fn enc_rule_follow; /* and Unfollow */
