#include "net/sampler.h"

#include <criterion/criterion.h>

enum { ON, OFF, RATIO, PARENT_ON, PARENT_OFF, PARENT_RATIO, SAMPLERS };

static bool samples(unsigned index, double ratio, const struct enc_trace_context *parent,
                    uint64_t low)
{
    uint8_t trace16[16];
    struct enc_sampler sampler = enc_sampler_of(index, ratio);
    memset(trace16, 0xff, sizeof trace16);
    enc_be64_put(trace16 + 8, low);
    return enc_sampler_samples(&sampler, parent, trace16);
}

Test(sampler, a_parent_decides_where_it_is_followed)
{
    const struct enc_trace_context sampled = {.is_sampled = true}, not = {.is_sampled = false};
    for (unsigned i = PARENT_ON; i < SAMPLERS; i++) {
        cr_assert(samples(i, 0, &sampled, UINT64_MAX));
        cr_assert(!samples(i, 1, &not, 0));
    }
    cr_assert(samples(ON, 0, &not, 0));
    cr_assert(!samples(OFF, 1, &sampled, 0));
    cr_assert(!samples(RATIO, 0, &sampled, 0));
    cr_assert(samples(RATIO, 1, &not, UINT64_MAX));
}

Test(sampler, roots)
{
    cr_assert(samples(PARENT_ON, 0, NULL, UINT64_MAX));
    cr_assert(!samples(PARENT_OFF, 1, NULL, 0));
    cr_assert(samples(PARENT_RATIO, 1, NULL, UINT64_MAX));
    cr_assert(!samples(PARENT_RATIO, 0, NULL, 0));
}

Test(sampler, the_bound_of_a_ratio_is_exact)
{
    const uint64_t half = UINT64_C(1) << 63;
    cr_assert(samples(RATIO, 0.5, NULL, half - 1));
    cr_assert(!samples(RATIO, 0.5, NULL, half));
    cr_assert(samples(RATIO, 0.25, NULL, half / 2 - 1));
    cr_assert(!samples(RATIO, 0.25, NULL, half / 2));
}
