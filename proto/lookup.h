/**
 * A map from 32-byte hashes to whatever they stand for, growing in an arena. Keys are hashes, so
 * their first bytes are spread well enough. Pure; one owner at a time.
 */
#pragma once

#include "proto/base/arena.h"

struct enc_lookup_slot {
    const uint8_t *key32; /* NULL: free */
    void *value;
};

/** Treat the members as private. All zero but arena: empty. */
struct enc_lookup {
    struct enc_arena *arena;
    struct enc_lookup_slot *slots;
    size_t cap; /* 0 or a power of two */
    size_t count;
};

/** What was added under the key; NULL when nothing was. */
void *enc_lookup_find(const struct enc_lookup *lookup, const uint8_t key32[32]);

/**
 * Add a key that is not in it yet (checked). key32 is borrowed: it must live as long as the map.
 * Errors: TOO_LARGE (arena); the map is then unchanged
 */
ENC_MUST_USE enum enc_err enc_lookup_add(struct enc_lookup *lookup, const uint8_t *key32,
                                         void *value);
