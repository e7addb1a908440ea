#include "services/points.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(points);

/* Half of all x coordinates are on the curve. */
static void candidate(uint8_t pub32[32], uint32_t number)
{
    memset(pub32, 7, 32);
    enc_be32_put(pub32, number * 2654435761u);
    enc_be32_put(pub32 + 28, number % 5000); /* some share an entry */
}

static void expect_same(struct enc_points *points, uint32_t number)
{
    uint8_t pub32[32];
    struct enc_point wanted, got;
    candidate(pub32, number);
    bool lifts = enc_point_lift(&wanted, pub32);
    cr_assert_eq(enc_points_lift(points, &got, pub32), lifts, "%u", number);
    cr_assert(!lifts || memcmp(&wanted, &got, sizeof got) == 0, "%u", number);
}

Test(points, every_answer_is_that_of_lift_x)
{
    struct enc_points *points = enc_points_new();
    for (unsigned round = 0; round < 3; round++)
        for (uint32_t number = 0; number < 6000; number++)
            expect_same(points, number);
    enc_points_free(points);
}

Test(points, two_keys_of_one_entry_take_turns)
{
    struct enc_points *points = enc_points_new();
    for (uint32_t i = 0; i < 200; i++)
        expect_same(points, i % 2 ? 17 + 5000 * (i % 7) : 17);
    enc_points_free(points);
}
