/** Where the nodes of the CT log's tree stand. */
#include "store/tile.h"

#include <criterion/criterion.h>

static void check_place(uint8_t level, uint64_t index)
{
    uint8_t found_level = 0;
    uint64_t found_index = 0;
    struct enc_tile_place place = enc_tile_place_of(level, index);
    cr_assert_lt(place.slot, ENC_TILE_SLOTS);
    cr_assert_lt(place.band, ENC_TILE_BANDS);
    cr_assert(enc_tile_node_at(&found_level, &found_index, &place));
    cr_assert_eq(found_level, level);
    cr_assert_eq(found_index, index, "level %u", level);
}

Test(tile, each_node_has_a_place_and_is_found_there)
{
    for (uint8_t level = 0; level < 64; level++) {
        uint64_t last = UINT64_MAX >> level;
        for (uint64_t index = 0; index < 100 && index < last; index++) {
            check_place(level, index);
            check_place(level, last - index);
            check_place(level, (last / 100) * index);
        }
    }
}

/* In the order in which a log makes its nodes each tile is filled without a gap. */
Test(tile, a_log_that_grows_only_appends)
{
    enum { LEAVES = 5000 };
    uint8_t filled[ENC_TILE_BANDS][LEAVES / 32 + 1] = {{0}};
    for (uint64_t leaf = 0; leaf < LEAVES; leaf++)
        for (uint8_t level = 0; (leaf + 1) >> level << level == leaf + 1; level++) {
            struct enc_tile_place place = enc_tile_place_of(level, leaf >> level);
            cr_assert_eq(filled[place.band][place.tile]++, place.slot, "leaf %lu level %u",
                         (unsigned long)leaf, level);
        }
    cr_assert_eq(filled[0][0], ENC_TILE_SLOTS);
}

Test(tile, a_path_through_five_levels_is_in_one_tile)
{
    for (uint64_t leaf = 0; leaf < 1000; leaf++)
        for (uint8_t level = 0; level < 5; level++) {
            struct enc_tile_place place = enc_tile_place_of(level, (leaf >> level) ^ 1);
            cr_assert_eq(place.band, 0);
            cr_assert_eq(place.tile, leaf / 32);
        }
    cr_assert_eq(enc_tile_place_of(5, 1).band, 1);
}

Test(tile, what_no_log_can_have_is_no_node)
{
    uint8_t level = 0;
    uint64_t index = 0;
    cr_assert_not(enc_tile_node_at(&level, &index, &(struct enc_tile_place){.band = 13}));
    cr_assert_not(
        enc_tile_node_at(&level, &index, &(struct enc_tile_place){.tile = UINT64_MAX >> 4}));
}

Test(tile, zeros_are_nothing)
{
    uint8_t row[96] = {0};
    row[63] = 1;
    cr_assert_not(enc_tile_has(enc_bytes_of(row, 96), 0));
    cr_assert(enc_tile_has(enc_bytes_of(row, 96), 1));
    cr_assert_not(enc_tile_has(enc_bytes_of(row, 96), 2));
    cr_assert_not(enc_tile_has(enc_bytes_of(row, 63), 1));
    cr_assert_not(enc_tile_has(enc_bytes_of(row, 96), 3));
}
