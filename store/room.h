/**
 * Room ahead: the data file of a shard is longer than its pages, by zeros that are really written.
 * A transaction that only overwrites leaves nothing for the file system to note beside it, so that
 * its sync is about a third shorter.
 */
#pragma once

#include "store/data.h"

enum {
    ENC_ROOM_LEN_MIN = 1 << 20,  /* less ahead of the last page, and a slice is added */
    ENC_ROOM_SLICE_LEN = 1 << 20 /* at once, so that no sync takes long over it */
};

/**
 * Add a slice of room if little is left; otherwise cheap. Nothing is added where durability is
 * "os", at the end of the map, and where it fails: applies do as well without, only slower. Blocks
 * for the writing, not for a sync. The writer's thread, best after those who waited for an apply
 * have their answers.
 *
 * Returns: bytes added
 */
uint64_t enc_store_add_room(struct enc_store *store);

/** Bytes of pages ever used; what is in the file behind them is room. Any thread; 0 in doubt. */
uint64_t enc_store_used_len(struct enc_store *store);
