#include "actors/heap.h"

static bool is_before(const struct enc_due *a, const struct enc_due *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void put(struct enc_heap *heap, size_t index, struct enc_due *due)
{
    heap->slots[index] = due;
    due->index = index;
}

static void sift_up(struct enc_heap *heap, size_t index, struct enc_due *due)
{
    while (index > 0 && is_before(due, heap->slots[(index - 1) / 2])) {
        put(heap, index, heap->slots[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    put(heap, index, due);
}

static void sift_down(struct enc_heap *heap, size_t index, struct enc_due *due)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child + 1 < heap->count && is_before(heap->slots[child + 1], heap->slots[child]))
            child++;
        if (child >= heap->count || !is_before(heap->slots[child], due))
            break;
        put(heap, index, heap->slots[child]);
        index = child;
    }
    put(heap, index, due);
}

void enc_heap_push(struct enc_heap *heap, struct enc_due *due)
{
    due->order = heap->pushed++;
    sift_up(heap, heap->count++, due);
}

void enc_heap_remove(struct enc_heap *heap, struct enc_due *due)
{
    ENC_CHECK(due->index < heap->count && heap->slots[due->index] == due);
    size_t index = due->index;
    struct enc_due *last = heap->slots[--heap->count];
    if (last == due)
        return;
    if (is_before(last, due))
        sift_up(heap, index, last);
    else
        sift_down(heap, index, last);
}

static void swap(struct enc_heap *heap, ptrdiff_t a, ptrdiff_t b)
{
    struct enc_due *due = heap->slots[a];
    heap->slots[a] = heap->slots[b];
    heap->slots[b] = due;
}

/* Hoare's selection: nothing in front of middle is due later than what is behind it. */
static void select_first(struct enc_heap *heap, ptrdiff_t middle)
{
    ptrdiff_t low = 0, high = (ptrdiff_t)heap->count - 1;
    while (low < high) {
        const struct enc_due *pivot = heap->slots[middle];
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (is_before(heap->slots[i], pivot))
                i++;
            while (is_before(pivot, heap->slots[j]))
                j--;
            if (i <= j)
                swap(heap, i++, j--);
        }
        low = j < middle ? i : low;
        high = middle < i ? j : high;
    }
}

void enc_heap_cut(struct enc_heap *heap, size_t keep)
{
    ENC_CHECK(keep <= heap->count);
    if (keep < heap->count)
        select_first(heap, (ptrdiff_t)keep);
    heap->count = keep;
    for (size_t i = keep; i-- > 0;)
        sift_down(heap, i, heap->slots[i]);
}
