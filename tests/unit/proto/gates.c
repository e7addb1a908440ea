#include "proto/gates.h"

#include "logic.h"

#include <criterion/criterion.h>

static const struct enc_gates OPEN;

static struct enc_gates set(struct enc_gates gates, const char *type, bool is_open)
{
    struct enc_gates out;
    EXPECT_OK(enc_gates_set(&out, arena(), &gates, text("%s", type), is_open));
    return out;
}

Test(gates, nothing_is_closed_at_first)
{
    cr_assert_not(enc_gates_stop(&OPEN, ENC_LIT("Post")));
}

Test(gates, closing_and_opening)
{
    struct enc_gates closed = set(set(set(OPEN, "Post", false), "Like", false), "Po", false);
    cr_assert_eq(closed.count, 3);
    cr_assert(enc_gates_stop(&closed, ENC_LIT("Post")));
    cr_assert(enc_gates_stop(&closed, ENC_LIT("Po")));
    cr_assert(enc_gates_stop(&closed, ENC_LIT("Like")));
    cr_assert_not(enc_gates_stop(&closed, ENC_LIT("P")));
    cr_assert_not(enc_gates_stop(&closed, ENC_LIT("Posts")));
    struct enc_gates opened = set(closed, "Po", true);
    cr_assert_eq(opened.count, 2);
    cr_assert_not(enc_gates_stop(&opened, ENC_LIT("Po")));
    cr_assert(enc_gates_stop(&closed, ENC_LIT("Po")), "a list is never edited");
}

Test(gates, repeating_changes_nothing)
{
    struct enc_gates closed = set(OPEN, "Post", false);
    cr_assert_eq(set(closed, "Post", false).types, closed.types);
    cr_assert_eq(set(closed, "Like", true).types, closed.types);
    cr_assert_eq(set(OPEN, "Post", true).count, 0);
}

static struct enc_bytes record_of(const struct enc_gates *gates)
{
    struct enc_bytes bytes;
    struct enc_buffer out = buffer();
    enc_gates_put(&out, gates);
    EXPECT_OK(enc_buffer_bytes(&out, &bytes));
    return bytes;
}

Test(gates, order_of_closing_does_not_show)
{
    struct enc_gates ab = set(set(OPEN, "A", false), "B", false),
                     ba = set(set(OPEN, "B", false), "A", false);
    cr_assert(enc_bytes_equal(record_of(&ab), record_of(&ba)));
    expect_hex(record_of(&ab), "000201410142");
    expect_hex(record_of(&OPEN), "0000");
}

Test(gates, records_come_back)
{
    struct enc_gates back, gates = set(set(OPEN, "Post", false), "Like", false);
    EXPECT_OK(enc_gates_take(&back, arena(), record_of(&gates)));
    cr_assert_eq(back.count, 2);
    cr_assert(enc_gates_stop(&back, ENC_LIT("Post")));
    EXPECT_OK(enc_gates_take(&back, arena(), record_of(&OPEN)));
    cr_assert_eq(back.count, 0);
}

Test(gates, damage_is_found)
{
    static const char *const BAD[] = {
        "",         "00",           "0001",         "000101",
        "00010041", "0001024141ff", "000201420141", "000201410141",
        "00010130", "ffff",         "000100",       "0401",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        uint8_t bytes[8];
        struct enc_gates back;
        size_t len = strlen(BAD[i]) / 2;
        unhex(bytes, len, BAD[i]);
        cr_assert_eq(enc_gates_take(&back, arena(), enc_bytes_of(bytes, len)), ENC_ERR_INTERNAL,
                     "%s", BAD[i]);
    }
}

Test(gates, there_is_a_limit)
{
    struct enc_gates more, gates = OPEN;
    for (unsigned i = 0; i < ENC_GATES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "T%u", i);
        gates = set(gates, name, false);
    }
    EXPECT_ERR(enc_gates_set(&more, arena(), &gates, ENC_LIT("Post"), false), TOO_LARGE);
    EXPECT_OK(enc_gates_set(&more, arena(), &gates, ENC_LIT("T7"), true));
    EXPECT_OK(enc_gates_take(&more, arena(), record_of(&gates)));
    cr_assert_eq(more.count, ENC_GATES_MAX);
}

Test(gates, memory_may_end)
{
    struct enc_gates out, gates = set(OPEN, "Post", false);
    struct enc_bytes record = record_of(&gates);
    struct enc_arena none = small_arena(0), little = small_arena(32);
    EXPECT_ERR(enc_gates_set(&out, &none, &gates, ENC_LIT("Like"), false), TOO_LARGE);
    EXPECT_ERR(enc_gates_set(&out, &none, &gates, ENC_LIT("Post"), true), TOO_LARGE);
    EXPECT_ERR(enc_gates_set(&out, &little, &gates, ENC_LIT("Like"), false), TOO_LARGE);
    EXPECT_ERR(enc_gates_take(&out, &none, record), TOO_LARGE);
    little = small_arena(16);
    EXPECT_ERR(enc_gates_take(&out, &little, record), TOO_LARGE);
}
