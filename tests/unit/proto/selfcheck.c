#include "proto/selfcheck.h"

#include <criterion/criterion.h>
#include <pthread.h>

Test(selfcheck, the_library_gives_the_published_answers)
{
    cr_assert(enc_crypto_self_check());
    cr_assert(enc_crypto_self_check(), "and leaves nothing behind that would change them");
}

enum { THREADS = 4, ROUNDS = 50, STACK_LEN = 64 << 10 };

static void *check_often(void *passed)
{
    for (int i = 0; i < ROUNDS; i++)
        *(int *)passed += enc_crypto_self_check();
    return NULL;
}

/** Four at a time, on stacks smaller than any worker's. */
Test(selfcheck, any_thread_may_ask)
{
    pthread_t threads[THREADS];
    pthread_attr_t small;
    int passed[THREADS] = {0};
    cr_assert_eq(pthread_attr_init(&small), 0);
    cr_assert_eq(pthread_attr_setstacksize(&small, STACK_LEN), 0);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], &small, check_often, &passed[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        cr_assert_eq(passed[i], ROUNDS);
    }
    pthread_attr_destroy(&small);
}
