/** Well-formed UTF-8 (RFC 3629: shortest forms, no surrogates, up to U+10FFFF). Pure; any
 * thread. */
#pragma once

#include "proto/base/bytes.h"

/** Length of the character that begins at `at`; 0 when there is no well-formed one before end. */
size_t enc_utf8_len(const uint8_t *at, const uint8_t *end);

/** Whether the text is nothing but characters; an empty one is. */
bool enc_utf8_is_valid(struct enc_bytes text);
