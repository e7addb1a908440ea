#include "actors/heap.h"
#include "actors/splitmix.h"

#include <criterion/criterion.h>

enum { MAX = 64 };

Test(heap, ties_in_order_of_insertion)
{
    struct enc_due *slots[8];
    struct enc_due dues[8];
    struct enc_heap heap = {slots, 0, 0};
    for (int i = 0; i < 8; i++) {
        dues[i].at_ms = 5;
        enc_heap_push(&heap, &dues[i]);
    }
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(enc_heap_first(&heap), &dues[i]);
        enc_heap_remove(&heap, &dues[i]);
    }
    cr_assert_null(enc_heap_first(&heap));
}

static size_t least(const struct enc_due *dues, const bool *is_in)
{
    size_t best = MAX;
    for (size_t i = 0; i < MAX; i++)
        if (is_in[i] && (best == MAX || dues[i].at_ms < dues[best].at_ms ||
                         (dues[i].at_ms == dues[best].at_ms && dues[i].order < dues[best].order)))
            best = i;
    return best;
}

/* Against a plain search, with removals from anywhere. */
Test(heap, agrees_with_a_plain_search)
{
    struct enc_due *slots[MAX];
    struct enc_due dues[MAX];
    bool is_in[MAX] = {false};
    struct enc_heap heap = {slots, 0, 0};
    uint64_t random = 1;
    for (int step = 0; step < 20000; step++) {
        size_t i = enc_splitmix(&random) % MAX;
        if (is_in[i]) {
            enc_heap_remove(&heap, &dues[i]);
        } else {
            dues[i].at_ms = enc_splitmix(&random) % 20;
            enc_heap_push(&heap, &dues[i]);
        }
        is_in[i] = !is_in[i];
        size_t best = least(dues, is_in);
        cr_assert_eq(enc_heap_first(&heap), best == MAX ? NULL : &dues[best]);
    }
}

/* What is kept comes out in order, what is cut off is due no earlier; every size, every cut. */
Test(heap, a_cut_keeps_the_first)
{
    struct enc_due *slots[MAX];
    struct enc_due dues[MAX];
    uint64_t random = 7;
    for (size_t count = 0; count <= MAX; count++) {
        size_t keep = count == 0 ? 0 : enc_splitmix(&random) % (count + 1);
        struct enc_heap heap = {slots, 0, 0};
        for (size_t i = 0; i < count; i++) {
            dues[i].at_ms = enc_splitmix(&random) % 10;
            enc_heap_push(&heap, &dues[i]);
        }
        enc_heap_cut(&heap, keep);
        cr_assert_eq(heap.count, keep);
        uint64_t last_ms = 0;
        for (struct enc_due *first; (first = enc_heap_first(&heap)); last_ms = first->at_ms) {
            cr_assert(first->at_ms >= last_ms);
            enc_heap_remove(&heap, first);
        }
        for (size_t i = keep; i < count; i++)
            cr_assert(slots[i]->at_ms >= last_ms);
    }
}
