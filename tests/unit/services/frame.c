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

Test(frame, a_twin_is_set_once_and_lives_as_long)
{
    struct enc_frame *frame = enc_frame_new(ENC_LIT("clear"));
    struct enc_frame *first = enc_frame_new(ENC_LIT("coded"));
    struct enc_frame *second = enc_frame_new(ENC_LIT("later"));
    cr_assert_null(enc_frame_twin(frame));
    cr_assert_eq(enc_frame_twin_set(frame, first), first);
    cr_assert_eq(enc_frame_twin_set(frame, enc_frame_hold(second)), first);
    cr_assert_eq(enc_frame_twin(frame), first);
    cr_assert(enc_bytes_is(enc_frame_bytes(second), "later"));
    enc_frame_hold(first);
    enc_frame_drop(frame);
    cr_assert(enc_bytes_is(enc_frame_bytes(first), "coded"), "held beyond its frame");
    enc_frame_drop(first);
    enc_frame_drop(second);
}

static void *set_twin(void *frame)
{
    struct enc_frame *mine = enc_frame_new(ENC_LIT("a twin"));
    struct enc_frame *got = enc_frame_twin_set((struct enc_frame *)frame, mine);
    cr_assert(enc_bytes_is(enc_frame_bytes(got), "a twin"));
    return got;
}

Test(frame, threads_that_race_agree_on_one_twin)
{
    enum { THREADS = 4, TURNS = 500 };
    for (int turn = 0; turn < TURNS; turn++) {
        pthread_t threads[THREADS];
        void *got[THREADS];
        struct enc_frame *frame = enc_frame_new(ENC_LIT("shared"));
        for (int i = 0; i < THREADS; i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, set_twin, frame), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], &got[i]);
        for (int i = 0; i < THREADS; i++)
            cr_assert_eq(got[i], enc_frame_twin(frame));
        enc_frame_drop(frame);
    }
}
