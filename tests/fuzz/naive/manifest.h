/** What a Manifest's content must be, read off protocol.md 4.2 over jansson's tree. */
#pragma once

#include "tests/fuzz/naive/tree.h"

/** Whether every rule holds but one: whether keys lift is the caller's question. */
bool naive_manifest_is_good(const json_t *content, bool (*lifts)(const uint8_t pub32[32]));

/** How many different identities the initial state names. */
size_t naive_manifest_members(const json_t *content);

/** Whether the initial state gives this identity the role. */
bool naive_manifest_gives(const json_t *content, const char *role, const uint8_t identity32[32]);
