#include "actors/turnstile.h"

#include "actors/splitmix.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct enc_turnstile *turnstile;

static void open_for(uint32_t waiting_max)
{
    const struct enc_turnstile_config config = {.waiting_max = waiting_max, .hash_seed = 3};
    cr_assert_eq(enc_turnstile_open(&turnstile, &config), ENC_ERR_OK);
}

static struct enc_pass pass_of(unsigned key)
{
    struct enc_pass pass = {.key32 = {0}};
    enc_be32_put(pass.key32 + 28, key);
    return pass;
}

static bool enters_first(struct enc_pass *pass)
{
    bool is_first = false;
    cr_assert_eq(enc_turnstile_enter(turnstile, &is_first, pass), ENC_ERR_OK);
    return is_first;
}

TestSuite(turnstile);

Test(turnstile, the_first_goes_through_the_others_are_handed_back_in_order)
{
    struct enc_pass passes[4];
    open_for(8);
    for (int i = 0; i < 4; i++) {
        passes[i] = pass_of(7);
        cr_assert_eq(enters_first(&passes[i]), i == 0);
    }
    struct enc_link *list = enc_turnstile_leave(turnstile, &passes[0]);
    for (int i = 1; i < 4; i++, list = list->next)
        cr_assert_eq(list, &passes[i].link);
    cr_assert_null(list);
    cr_assert(enters_first(&passes[2]), "whoever comes next is a first again");
    cr_assert_not(enters_first(&passes[1]));
    cr_assert_eq(enc_turnstile_leave(turnstile, &passes[2]), &passes[1].link);
    enc_turnstile_close(turnstile);
}

Test(turnstile, one_key_does_not_wait_for_another)
{
    enum { KEYS = 3000 }; /* more than there are buckets */
    static struct enc_pass passes[KEYS], late[KEYS];
    open_for(KEYS);
    for (unsigned i = 0; i < KEYS; i++) {
        passes[i] = pass_of(i);
        cr_assert(enters_first(&passes[i]));
    }
    for (unsigned i = 0; i < KEYS; i++) {
        late[i] = pass_of(i);
        cr_assert_not(enters_first(&late[i]));
    }
    for (unsigned i = 0; i < KEYS; i++) {
        unsigned at = i * 7 % KEYS; /* not in the order of coming */
        struct enc_link *list = enc_turnstile_leave(turnstile, &passes[at]);
        cr_assert_eq(list, &late[at].link);
        cr_assert_null(list->next);
    }
    enc_turnstile_close(turnstile);
}

Test(turnstile, waiting_is_bounded_and_going_through_is_not)
{
    struct enc_pass first[3], waiting[3];
    bool is_first = true;
    open_for(2);
    for (unsigned i = 0; i < 3; i++) {
        first[i] = pass_of(i);
        waiting[i] = pass_of(i);
        cr_assert(enters_first(&first[i]));
    }
    cr_assert_not(enters_first(&waiting[0]));
    cr_assert_not(enters_first(&waiting[1]));
    cr_assert_eq(enc_turnstile_enter(turnstile, &is_first, &waiting[2]), ENC_ERR_BUSY);
    cr_assert_eq(enc_turnstile_leave(turnstile, &first[0]), &waiting[0].link);
    cr_assert_not(enters_first(&waiting[2]), "there is room again");
    cr_assert_eq(enc_turnstile_leave(turnstile, &first[2]), &waiting[2].link);
    cr_assert_eq(enc_turnstile_leave(turnstile, &first[1]), &waiting[1].link);
    enc_turnstile_close(turnstile);
    enc_turnstile_close(NULL);
}

Test(turnstile, against_a_model)
{
    enum { PASSES = 64, KEYS = 5, STEPS = 100000 };
    static struct enc_pass passes[PASSES];
    static enum { OUT, THROUGH, WAITING } states[PASSES];
    uint64_t random = 11;
    open_for(PASSES);
    for (size_t step = 0; step < STEPS; step++) {
        uint64_t draw = enc_splitmix(&random);
        size_t at = draw % PASSES;
        unsigned key = (unsigned)(draw >> 32) % KEYS;
        bool is_taken = false;
        for (size_t i = 0; i < PASSES; i++)
            is_taken |= states[i] == THROUGH && passes[i].key32[31] == key;
        if (states[at] == OUT) {
            passes[at] = pass_of(key);
            cr_assert_eq(enters_first(&passes[at]), !is_taken);
            states[at] = is_taken ? WAITING : THROUGH;
        } else if (states[at] == THROUGH) {
            uint8_t left = passes[at].key32[31];
            struct enc_link *list = enc_turnstile_leave(turnstile, &passes[at]);
            states[at] = OUT;
            for (; list; list = list->next) {
                size_t index = (size_t)((struct enc_pass *)list - passes);
                cr_assert(states[index] == WAITING && passes[index].key32[31] == left);
                states[index] = OUT;
            }
            for (size_t i = 0; i < PASSES; i++)
                cr_assert_not(states[i] == WAITING && passes[i].key32[31] == left,
                              "none forgotten");
        }
    }
    for (size_t i = 0; i < PASSES; i++)
        for (struct enc_link *list =
                 states[i] == THROUGH ? enc_turnstile_leave(turnstile, &passes[i]) : NULL;
             list; list = list->next)
            cr_assert_eq(states[(struct enc_pass *)list - passes], WAITING);
    enc_turnstile_close(turnstile);
}

Test(turnstile, leaving_without_having_come_is_a_mistake, .signal = SIGABRT)
{
    struct enc_pass pass = pass_of(1);
    open_for(1);
    cr_assert_null(enc_turnstile_leave(turnstile, &pass));
}

Test(turnstile, closing_with_somebody_inside_is_a_mistake, .signal = SIGABRT)
{
    struct enc_pass pass = pass_of(1);
    open_for(1);
    cr_assert(enters_first(&pass));
    enc_turnstile_close(turnstile);
}
