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
