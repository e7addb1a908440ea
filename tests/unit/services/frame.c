#include "services/frame.h"

#include <criterion/criterion.h>
#include <pthread.h>

TestSuite(frame);

Test(frame, keeps_a_copy_of_its_bytes)
{
    char text[] = "hello";
    struct enc_frame *frame = enc_frame_new(enc_bytes_of_text(text));
    cr_assert_not_null(frame);
    text[0] = 'J';
    cr_assert(enc_bytes_is(enc_frame_bytes(frame), "hello"));
    enc_frame_drop(frame);
}

Test(frame, may_be_empty)
{
    struct enc_frame *frame = enc_frame_new((struct enc_bytes){NULL, 0});
    cr_assert_not_null(frame);
    cr_assert_eq(enc_frame_bytes(frame).len, 0);
    enc_frame_drop(frame);
    enc_frame_drop(NULL);
}

Test(frame, lives_until_the_last_holder_drops_it)
{
    enum { HOLDERS = 1000 };
    struct enc_frame *frame = enc_frame_new(ENC_LIT("shared"));
    for (int i = 0; i < HOLDERS; i++)
        cr_assert_eq(enc_frame_hold(frame), frame);
    for (int i = 0; i < HOLDERS; i++) {
        enc_frame_drop(frame);
        cr_assert(enc_bytes_is(enc_frame_bytes(frame), "shared"));
    }
    enc_frame_drop(frame);
}

enum { ROUNDS = 20000 };

static void *hold_and_drop(void *frame)
{
    for (int i = 0; i < ROUNDS; i++) {
        enc_frame_hold((struct enc_frame *)frame);
        cr_assert_eq(enc_frame_bytes((struct enc_frame *)frame).len, 6);
        enc_frame_drop((struct enc_frame *)frame);
    }
    enc_frame_drop((struct enc_frame *)frame);
    return NULL;
}

Test(frame, is_counted_by_several_threads)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct enc_frame *frame = enc_frame_new(ENC_LIT("shared"));
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, hold_and_drop, enc_frame_hold(frame)), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_assert(enc_bytes_is(enc_frame_bytes(frame), "shared"), "one reference is left");
    enc_frame_drop(frame);
}
