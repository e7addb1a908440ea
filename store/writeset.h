/**
 * A list of puts and deletes that becomes durable as one. Built in an arena by the typed enc_put_*
 * and enc_del_* functions of the table families; nothing happens before enc_store_apply. One owner
 * at a time.
 *
 * Keys and fixed values are copied into the arena. What a put takes as struct enc_bytes (records,
 * urls, payloads, rows) is borrowed: it must stay unchanged until the apply returns.
 *
 * Operations take effect in the order given; a later one on the same key wins, except that tables
 * whose rows are written once (table.def) refuse a second put of a key. Deleting what does not
 * exist is no error.
 */
#pragma once

#include "proto/base/arena.h"
#include "store/table.h"

struct enc_write; /* one put or delete */

struct enc_writeset {
    struct enc_arena *arena;
    struct enc_write *first;
    struct enc_write *last;
    size_t op_count;
    uint64_t byte_count; /* keys and values */
    bool failed;         /* the arena was exhausted */
};

/** An empty set that lives in arena and dies with it. */
void enc_writeset_init(struct enc_writeset *set, struct enc_arena *arena);

/**
 * Whether every operation found room. Ask once, after the last; a set that failed must not be
 * applied.
 */
ENC_MUST_USE bool enc_writeset_ok(const struct enc_writeset *set);
