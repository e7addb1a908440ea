#include "actors/queue.h"

#include <criterion/criterion.h>

Test(queue, first_in_first_out)
{
    struct enc_link links[3];
    struct enc_queue queue = {NULL, NULL, 0};
    for (int i = 0; i < 3; i++)
        enc_queue_push(&queue, &links[i]);
    cr_assert_eq(queue.count, 3);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(enc_queue_pick(&queue, 0), &links[i]);
    cr_assert_eq(queue.count, 0);
    cr_assert_null(queue.head);
    cr_assert_null(queue.tail);
}

Test(queue, pick_from_anywhere_keeps_the_order_of_the_rest)
{
    for (size_t out = 0; out < 3; out++) {
        struct enc_link links[4];
        struct enc_queue queue = {NULL, NULL, 0};
        for (int i = 0; i < 3; i++)
            enc_queue_push(&queue, &links[i]);
        cr_assert_eq(enc_queue_pick(&queue, out), &links[out]);
        enc_queue_push(&queue, &links[3]);
        for (size_t i = 0; i < 4; i++)
            if (i != out)
                cr_assert_eq(enc_queue_pick(&queue, 0), &links[i]);
        cr_assert_eq(queue.count, 0);
    }
}

Test(queue, take_all_is_oldest_first)
{
    struct enc_link links[2];
    struct enc_queue queue = {NULL, NULL, 0};
    cr_assert_null(enc_queue_take_all(&queue));
    enc_queue_push(&queue, &links[0]);
    enc_queue_push(&queue, &links[1]);
    cr_assert_eq(enc_queue_take_all(&queue), &links[0]);
    cr_assert_eq(links[0].next, &links[1]);
    cr_assert_null(links[1].next);
    cr_assert_eq(queue.count, 0);
}
