#include "net/access.h"

#include <criterion/criterion.h>
#include <stdio.h>

static unsigned sampled_of(unsigned count, uint32_t ppm)
{
    char id[16];
    unsigned sampled = 0;
    for (unsigned i = 0; i < count; i++) {
        snprintf(id, sizeof id, "%u", i);
        sampled += enc_access_is_sampled(id, ppm);
    }
    return sampled;
}

Test(access, a_sample_has_its_size)
{
    cr_assert_eq(sampled_of(1000, 0), 0);
    cr_assert_eq(sampled_of(1000, 1000000), 1000);
    for (uint32_t ppm = 10000; ppm < 1000000; ppm += 90000) {
        double part = sampled_of(100000, ppm) / 100000.0;
        cr_assert_lt(part, ppm / 1e6 + 0.006);
        cr_assert_gt(part, ppm / 1e6 - 0.006);
    }
}

Test(access, an_id_that_is_in_a_sample_is_in_every_larger_one)
{
    char id[16];
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(id, sizeof id, "r-%u", i);
        cr_assert(!enc_access_is_sampled(id, 100000) || enc_access_is_sampled(id, 200000));
    }
}
