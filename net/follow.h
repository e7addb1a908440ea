/** Public keys and followed enclaves as the configuration writes them. Main thread. */
#pragma once

#include "net/config.h"

/** 64 hex digits that name a point of the curve. */
ENC_MUST_USE bool enc_public_key_parse(uint8_t out32[32], const char *text);

/** "ENCLAVE/SEQUENCER": a hex64 and a public key. */
ENC_MUST_USE bool enc_follow_parse(struct enc_follow *out, const char *text);

/** What is wrong with the items of a list, NULL when nothing is; *item is then the first bad one.
 * Static text. */
ENC_MUST_USE const char *enc_follows_check(const struct enc_config_list *list, const char **item);

/** The items of a checked list; to be freed, NULL when it is empty. */
struct enc_follow *enc_follows_new(const struct enc_config_list *list);
