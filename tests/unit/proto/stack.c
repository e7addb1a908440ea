/* What is left of secrets on the stack of a thread that worked with them. */
#include "proto/base/stack.h"

#include "proto/seal.h"
#include "proto/session.h"
#include "proto/sha256.h"
#include "support.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/mman.h>

enum { STACK_LEN = 1 << 20, NEEDLES_MAX = 16, HALF_LEN = 16, PAINT = 0xa5 };

static struct enc_key own, peer;
static struct enc_channel channel;
static uint8_t secret32[32], shared32[32], push32[32];
static struct enc_key result;

static struct {
    const char *name;
    uint8_t bytes32[32];
} needles[NEEDLES_MAX];
static unsigned needle_count;

static void add_needle(const char *name, const uint8_t bytes32[32])
{
    cr_assert_lt(needle_count + 1, NEEDLES_MAX);
    needles[needle_count].name = name;
    memcpy(needles[needle_count++].bytes32, bytes32, 32);
    needles[needle_count].name = name; /* limbs of a little-endian machine */
    for (unsigned i = 0; i < 32; i++)
        needles[needle_count].bytes32[i] = bytes32[31 - i];
    needle_count++;
}

static void init(void)
{
    vector_hex(secret32, 32, "keys.owner_priv");
    own = vector_key("owner");
    peer = vector_key("seq");
    cr_assert(enc_ecdh_x(test_curve(), shared32, &own, peer.pub32));
    cr_assert(enc_channel_derive(test_curve(), &channel, &own, peer.pub32));
    cr_assert(enc_push_key(test_curve(), push32, &own, peer.pub32));
    add_needle("the key", secret32);
    add_needle("the shared secret", shared32);
    add_needle("the query key", channel.key_query32);
    add_needle("the push key", push32);
}

TestSuite(stack, .init = init);

static const uint8_t MESSAGE[32] = {1, 2, 3};

static void make(void)
{
    cr_assert(enc_key_init(&result, test_curve(), secret32));
}

static void sign(void)
{
    uint8_t sig64[64];
    enc_schnorr_sign(test_curve(), sig64, &own, MESSAGE);
}

static void shift(void)
{
    cr_assert(enc_key_shift(test_curve(), &result, &own, MESSAGE));
}

static void agree(void)
{
    static uint8_t out32[32];
    cr_assert(enc_ecdh_x(test_curve(), out32, &own, peer.pub32));
}

static void derive(void)
{
    static struct enc_channel out;
    cr_assert(enc_channel_derive(test_curve(), &out, &own, peer.pub32));
}

static void derive_push(void)
{
    static uint8_t out32[32];
    cr_assert(enc_push_key(test_curve(), out32, &own, peer.pub32));
}

static void seal_and_open(void)
{
    const uint8_t nonce24[24] = {9};
    struct enc_arena *arena = fresh_arena(1 << 16);
    struct enc_bytes sealed, plain;
    cr_assert_eq(enc_seal_close(&sealed, arena, push32, nonce24, ENC_LIT("text")), ENC_ERR_OK);
    cr_assert_eq(enc_seal_open(&plain, arena, push32, sealed), ENC_ERR_OK);
}

static void *run(void *opaque)
{
    void (*const *work)(void) = opaque;
    (*work)();
    return NULL;
}

static bool contains(const uint8_t *hay, size_t len, const uint8_t *needle16)
{
    return memmem(hay, len, needle16, HALF_LEN) != NULL;
}

static void expect_clean(const char *what, const uint8_t *stack)
{
    for (unsigned i = 0; i < needle_count; i++) {
        for (unsigned half = 0; half < 2; half++)
            cr_expect(!contains(stack, STACK_LEN, needles[i].bytes32 + half * HALF_LEN),
                      "%s leaves %s", what, needles[i].name);
    }
}

static void work_on_own_stack(void (*work)(void), const char *what)
{
    uint8_t *stack =
        mmap(NULL, STACK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attr;
    pthread_t thread;
    cr_assert(stack != MAP_FAILED);
    memset(stack, PAINT, STACK_LEN);
    pthread_attr_init(&attr);
    cr_assert_eq(pthread_attr_setstack(&attr, stack, STACK_LEN), 0);
    cr_assert_eq(pthread_create(&thread, &attr, run, &work), 0);
    pthread_join(thread, NULL);
    expect_clean(what, stack);
    munmap(stack, STACK_LEN);
}

Test(stack, what_is_left_is_found)
{
    static uint8_t stack[STACK_LEN];
    memcpy(stack + 4711, secret32 + HALF_LEN, HALF_LEN);
    cr_assert(contains(stack, STACK_LEN, needles[0].bytes32 + HALF_LEN));
    cr_assert(!contains(stack, STACK_LEN, needles[0].bytes32));
}

/* Only where AddressSanitizer is: it keeps locals apart, deeper than what is shipped does. */
void __asan_init(void) __attribute__((weak));

Test(stack, nothing_is_left_of_a_secret)
{
    if (__asan_init)
        cr_skip_test("under AddressSanitizer stacks are others");
    static const struct {
        const char *what;
        void (*work)(void);
    } ROWS[] = {{"enc_key_init", make},
                {"enc_schnorr_sign", sign},
                {"enc_key_shift", shift},
                {"enc_ecdh_x", agree},
                {"enc_channel_derive", derive},
                {"enc_push_key", derive_push},
                {"enc_seal_close, enc_seal_open", seal_and_open}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        work_on_own_stack(ROWS[i].work, ROWS[i].what);
}
