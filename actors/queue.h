/**
 * Intrusive first-in first-out list. Not thread-safe: whoever guards the owner guards the queue.
 */
#pragma once

#include <stddef.h>

/** Stands first in whatever is queued. Free for other use while the thing is in no queue. */
struct enc_link {
    struct enc_link *next;
};

/** Zeroed memory is an empty queue. */
struct enc_queue {
    struct enc_link *head;
    struct enc_link *tail;
    size_t count;
};

static inline void enc_queue_push(struct enc_queue *queue, struct enc_link *link)
{
    link->next = NULL;
    if (queue->tail)
        queue->tail->next = link;
    else
        queue->head = link;
    queue->tail = link;
    queue->count++;
}

/** Take out the link that stands at index (0 = oldest), which must be below count. */
static inline struct enc_link *enc_queue_pick(struct enc_queue *queue, size_t index)
{
    struct enc_link *before = NULL;
    struct enc_link *link = queue->head;
    for (; index > 0; index--) {
        before = link;
        link = link->next;
    }
    if (before)
        before->next = link->next;
    else
        queue->head = link->next;
    if (queue->tail == link)
        queue->tail = before;
    queue->count--;
    return link;
}

/**
 * Everything, oldest first, linked through next; NULL when empty. The queue is empty afterwards.
 */
static inline struct enc_link *enc_queue_take_all(struct enc_queue *queue)
{
    struct enc_link *list = queue->head;
    *queue = (struct enc_queue){NULL, NULL, 0};
    return list;
}
