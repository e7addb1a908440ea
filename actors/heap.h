/** A bounded binary heap of things that are due; ties in the order of insertion. Not thread-safe.
 */
#pragma once

#include "proto/base/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Stands first in whatever lies in the heap. */
struct enc_due {
    uint64_t at_ms;
    uint64_t order; /* set by push */
    size_t index;   /* the heap's */
};

struct enc_heap {
    struct enc_due **slots; /* the caller's memory, room for all */
    size_t count;
    uint64_t pushed;
};

/** Add; slots must have room. */
void enc_heap_push(struct enc_heap *heap, struct enc_due *due);

/** Take out a thing that lies in the heap. */
void enc_heap_remove(struct enc_heap *heap, struct enc_due *due);

/**
 * Keep only the first keep things; the others lie in slots[keep] up to where count was, in any
 * order, and are the caller's. keep <= count.
 */
void enc_heap_cut(struct enc_heap *heap, size_t keep);

/** What is due first, or NULL. */
static inline struct enc_due *enc_heap_first(const struct enc_heap *heap)
{
    return heap->count > 0 ? heap->slots[0] : NULL;
}
