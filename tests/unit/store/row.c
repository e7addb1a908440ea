/** Rows of DataViews and walks over them. */
#include "tests/unit/store/rig.h"

#include <stdio.h>

static struct rig rig;
static const struct enc_view VIEW = {.ord = 1, .number = 7};

static void put(struct enc_view view, const char *key, const char *value)
{
    enc_put_row(&rig.set, view, enc_bytes_of_text(key), enc_bytes_of_text(value));
}

static void setup(void)
{
    static const char *const KEYS[] = {"b", "a", "ab", "ba", "abc", "b\x7f", "c"};
    rig_init(&rig);
    rig_open(&rig);
    rig_begin(&rig);
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
        put(VIEW, KEYS[i], KEYS[i]);
    put((struct enc_view){1, 6}, "zz", "before");
    put((struct enc_view){1, 8}, "", "behind");
    rig_apply(&rig);
    rig_look(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(row, .init = setup, .fini = teardown);

Test(row, is_found_by_its_key)
{
    bool found = false;
    struct enc_bytes value;
    rig_ok(enc_snap_row(rig.snap, &found, &value, VIEW, ENC_LIT("ab")));
    cr_assert(found && enc_bytes_is(value, "ab"));
    rig_ok(enc_snap_row(rig.snap, &found, &value, (struct enc_view){1, 8}, ENC_LIT("")));
    cr_assert(found && enc_bytes_is(value, "behind"));
    rig_ok(enc_snap_row(rig.snap, &found, &value, VIEW, ENC_LIT("aa")));
    cr_assert_not(found);
}

Test(row, may_be_empty_replaced_and_removed)
{
    bool found = false;
    struct enc_bytes value;
    rig_begin(&rig);
    put(VIEW, "ab", "");
    enc_del_row(&rig.set, VIEW, ENC_LIT("b"));
    rig_apply(&rig);
    rig_ok(enc_snap_row(rig_look(&rig), &found, &value, VIEW, ENC_LIT("ab")));
    cr_assert(found && value.len == 0);
    rig_ok(enc_snap_row(rig.snap, &found, &value, VIEW, ENC_LIT("b")));
    cr_assert_not(found);
}

struct walk_case {
    const char *prefix, *past;
    bool reverse;
    const char *due;
};

static void check_walk(const struct walk_case *c)
{
    char got[64] = "";
    size_t len = 0;
    struct enc_scan scan;
    struct enc_row_found found;
    const struct enc_row_range range = {VIEW, enc_bytes_of_text(c->prefix),
                                        enc_bytes_of_text(c->past), c->reverse};
    enc_scan_rows(&scan, rig.snap, &range);
    while (enc_scan_row(&scan, &found)) {
        cr_assert(enc_bytes_equal(found.key, found.value));
        len += (size_t)snprintf(got + len, sizeof got - len, "%.*s ", (int)found.key.len,
                                (const char *)found.key.data);
    }
    rig_ok(enc_scan_fini(&scan));
    cr_assert_str_eq(got, c->due, "prefix %s past %s", c->prefix, c->past);
}

Test(row, walks_keep_prefix_start_and_direction)
{
    static const struct walk_case CASES[] = {
        {"", "", false, "a ab abc b ba b\x7f c "},
        {"", "", true, "c b\x7f ba b abc ab a "},
        {"a", "", false, "a ab abc "},
        {"a", "", true, "abc ab a "},
        {"b", "", true, "b\x7f ba b "},
        {"", "ab", false, "abc b ba b\x7f c "},
        {"", "ab", true, "a "},
        {"", "aa", false, "ab abc b ba b\x7f c "},
        {"", "aa", true, "a "},
        {"a", "ab", false, "abc "},
        {"a", "ab", true, "a "},
        {"a", "a", false, "ab abc "},
        {"a", "a", true, ""},
        {"b", "a", false, "b ba b\x7f "},
        {"b", "c", true, "b\x7f ba b "},
        {"b", "c", false, ""},
        {"b", "a", true, ""},
        {"x", "", false, ""},
        {"x", "", true, ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        check_walk(&CASES[i]);
}

Test(row, the_longest_key_is_allowed)
{
    uint8_t longest[ENC_VIEW_KEY_LEN_MAX];
    bool found = false;
    struct enc_bytes value;
    struct enc_scan scan;
    struct enc_row_found row;
    memset(longest, 0xff, sizeof longest);
    rig_begin(&rig);
    enc_put_row(&rig.set, VIEW, enc_bytes_of(longest, sizeof longest), ENC_LIT("longest"));
    rig_apply(&rig);
    rig_ok(
        enc_snap_row(rig_look(&rig), &found, &value, VIEW, enc_bytes_of(longest, sizeof longest)));
    cr_assert(found && enc_bytes_is(value, "longest"));
    enc_scan_rows(&scan, rig.snap, &(struct enc_row_range){.view = VIEW, .reverse = true});
    cr_assert(enc_scan_row(&scan, &row) && enc_bytes_is(row.value, "longest"));
    rig_ok(enc_scan_fini(&scan));
}

static void put_too_long(void)
{
    static const uint8_t TOO_LONG[ENC_VIEW_KEY_LEN_MAX + 1];
    rig_begin(&rig);
    enc_put_row(&rig.set, VIEW, enc_bytes_of(TOO_LONG, sizeof TOO_LONG), ENC_LIT(""));
}

Test(row, too_long_a_key_is_a_mistake)
{
    rig_must_abort(put_too_long);
}

Test(row, views_are_walked_one_after_the_other)
{
    static const char *const FROM_SEVEN[] = {"a", "ab", "abc", "b", "b\x7f", "ba", "c", ""};
    struct enc_scan scan;
    struct enc_view_row_found found;
    size_t count = 0;
    rig_begin(&rig);
    put((struct enc_view){2, 7}, "x", "of another ord");
    put((struct enc_view){0, UINT32_MAX}, "x", "of another ord");
    rig_apply(&rig);
    enc_scan_views(&scan, rig_look(&rig), VIEW);
    for (; enc_scan_view_row(&scan, &found); count++) {
        cr_assert(count < sizeof FROM_SEVEN / sizeof *FROM_SEVEN);
        cr_assert_eq(found.number, FROM_SEVEN[count][0] ? 7 : 8);
        cr_assert_eq(found.key.len, strlen(FROM_SEVEN[count]));
    }
    rig_ok(enc_scan_fini(&scan));
    cr_assert_eq(count, sizeof FROM_SEVEN / sizeof *FROM_SEVEN);
    count = 0;
    enc_scan_views(&scan, rig.snap, (struct enc_view){1, 0});
    while (enc_scan_view_row(&scan, &found))
        count++;
    rig_ok(enc_scan_fini(&scan));
    cr_assert_eq(count, sizeof FROM_SEVEN / sizeof *FROM_SEVEN + 1);
}
