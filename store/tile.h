/**
 * Tiles of the CT log's tree: what five levels have over the same 32 nodes of the lowest of them
 * lies in one row, 62 hashes in the order in which they come to be. So a path through a log of a
 * million leaves is in four rows, and to append a leaf changes one, seldom two. Pure; any thread.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/err.h"

enum { ENC_TILE_LEVELS = 5, ENC_TILE_SLOTS = 62, ENC_TILE_BANDS = 64 / ENC_TILE_LEVELS + 1 };

/** Where the hash of a complete subtree stands. */
struct enc_tile_place {
    uint64_t tile; /* of those of the same band, from the oldest leaf on */
    uint8_t band;  /* five levels each, from the leaves up */
    uint8_t slot;  /* in the tile, in units of a hash */
};

struct enc_tile_place enc_tile_place_of(uint8_t level, uint64_t index);

/** The other way round, for a slot below ENC_TILE_SLOTS. False: no log can have that node. */
ENC_MUST_USE bool enc_tile_node_at(uint8_t *level, uint64_t *index,
                                   const struct enc_tile_place *place);

/** Whether a row of this length holds something in the slot: no hash is zeros. */
ENC_MUST_USE bool enc_tile_has(struct enc_bytes row, uint8_t slot);
