#include "logic.h"

#include <criterion/criterion.h>
#include <stdio.h>

static enum enc_err take(const char *source)
{
    struct enc_tags tags;
    return enc_tags_take(&tags, arena(), json(source));
}

Test(tags, what_is_read_is_what_is_written)
{
    static const char SOURCE[] = "[['r','00','x'],[''],['k\\n','\\u0000']]";
    struct enc_buffer out = buffer();
    struct enc_tags tags = tags_of(SOURCE);
    cr_assert_eq(tags.count, 3);
    cr_assert_eq(tags.items[0].count, 3);
    cr_assert_eq(tags.items[1].members[0].len, 0);
    cr_assert_eq(tags.items[2].members[1].len, 1, "U+0000 is a character");
    enc_tags_put(&out, &tags);
    expect_json(&out, SOURCE);
}

Test(tags, absent_is_none)
{
    struct enc_buffer out = buffer();
    struct enc_tags tags = {.count = 7};
    EXPECT_OK(enc_tags_take(&tags, arena(), NULL));
    cr_assert_eq(tags.count, 0);
    enc_tags_put(&out, &tags);
    cr_assert_str_eq(written(&out), "[]");
}

Test(tags, other_shapes_are_refused)
{
    const char *const BAD[] = {
        "{}",
        "null",
        "'r'",
        "['r']",
        "[[]]",
        "[['r',1]]",
        "[['r',null]]",
        "[['r',['x']]]",
        "[['1','2','3','4','5','6','7','8','9']]",
        "[['\\udc00']]",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(take(BAD[i]), ENC_ERR_INVALID_COMMIT, "%s", BAD[i]);
    EXPECT_OK(take("[['1','2','3','4','5','6','7','8']]"));
}

/** count tags, each of one member of len bytes. */
static enum enc_err take_many(unsigned count, int len)
{
    struct enc_buffer out = buffer();
    enc_json_put_raw(&out, "[");
    for (unsigned i = 0; i < count; i++) {
        enc_json_comma(&out);
        enc_buffer_add(&out, text("['%0*d']", len, 0));
    }
    enc_json_put_raw(&out, "]");
    return take(written(&out));
}

Test(tags, every_bound_is_exact)
{
    EXPECT_OK(take_many(ENC_TAG_COUNT_MAX, 1));
    EXPECT_ERR(take_many(ENC_TAG_COUNT_MAX + 1, 1), TOO_LARGE);
    EXPECT_OK(take_many(1, ENC_TAG_MEMBER_LEN_MAX));
    EXPECT_ERR(take_many(1, ENC_TAG_MEMBER_LEN_MAX + 1), TOO_LARGE);
    EXPECT_OK(take_many(8, ENC_TAGS_LEN_MAX / 8));
    EXPECT_OK(take_many(64, ENC_TAGS_LEN_MAX / 64));
    EXPECT_ERR(take_many(64, ENC_TAGS_LEN_MAX / 64 + 1), TOO_LARGE);
}
