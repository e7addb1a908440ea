#include "store/tile.h"

enum { HASH_LEN = 32 };

/* Those over the leaves of the tile before this one come first, then its own from the leaf up. */
static unsigned slot_of(unsigned last_leaf, unsigned height)
{
    unsigned slot = last_leaf + height;
    for (unsigned level = 1; level < ENC_TILE_LEVELS; level++)
        slot += last_leaf >> level;
    return slot;
}

struct enc_tile_place enc_tile_place_of(uint8_t level, uint64_t index)
{
    unsigned height = level % ENC_TILE_LEVELS;
    uint64_t width = (uint64_t)1 << (ENC_TILE_LEVELS - height);
    unsigned last_leaf = (unsigned)(((index & (width - 1)) + 1) << height) - 1;
    return (struct enc_tile_place){
        .tile = index / width,
        .band = level / ENC_TILE_LEVELS,
        .slot = (uint8_t)slot_of(last_leaf, height),
    };
}

bool enc_tile_node_at(uint8_t *level, uint64_t *index, const struct enc_tile_place *place)
{
    unsigned last_leaf = 0;
    while (slot_of(last_leaf + 1, 0) <= place->slot)
        last_leaf++;
    unsigned height = place->slot - slot_of(last_leaf, 0);
    *level = (uint8_t)(place->band * ENC_TILE_LEVELS + height);
    *index = (place->tile << (ENC_TILE_LEVELS - height)) + (last_leaf >> height);
    return place->band < ENC_TILE_BANDS && place->tile >> (64 - ENC_TILE_LEVELS) == 0;
}

bool enc_tile_has(struct enc_bytes row, uint8_t slot)
{
    static const uint8_t NONE32[HASH_LEN] = {0};
    size_t at = (size_t)slot * HASH_LEN;
    return at + HASH_LEN <= row.len && memcmp(row.data + at, NONE32, HASH_LEN) != 0;
}
