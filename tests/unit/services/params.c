#include "services/params.h"

#include <criterion/criterion.h>

TestSuite(params);

static uint8_t memory[4096];

static struct enc_arena arena(void)
{
    struct enc_arena out;
    enc_arena_init_fixed(&out, memory, sizeof memory);
    return out;
}

Test(params, a_number_is_in_its_range_and_comes_once)
{
    static const struct {
        const char *query;
        enum enc_err err;
        uint64_t value;
    } CASES[] = {
        {"", ENC_ERR_OK, 50},
        {"other=7&limitx=3&xlimit=3", ENC_ERR_OK, 50},
        {"limit=1", ENC_ERR_OK, 1},
        {"a=b&limit=100&c", ENC_ERR_OK, 100},
        {"limit=0", ENC_ERR_INVALID_QUERY, 0},
        {"limit=101", ENC_ERR_INVALID_QUERY, 0},
        {"limit=", ENC_ERR_INVALID_QUERY, 0},
        {"limit", ENC_ERR_INVALID_QUERY, 0},
        {"limit=+5", ENC_ERR_INVALID_QUERY, 0},
        {"limit=-5", ENC_ERR_INVALID_QUERY, 0},
        {"limit=5x", ENC_ERR_INVALID_QUERY, 0},
        {"limit=00000000000000005", ENC_ERR_INVALID_QUERY, 0},
        {"limit=5&limit=5", ENC_ERR_INVALID_QUERY, 0},
    };
    const struct enc_param_range range = {1, 100};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint64_t value = 50;
        bool given = false;
        enum enc_err err =
            enc_param_u64(enc_bytes_of_text(CASES[i].query), "limit", &range, &given, &value);
        cr_assert_eq(err, CASES[i].err, "%s", CASES[i].query);
        cr_assert_eq(value, err == ENC_ERR_OK ? CASES[i].value : 50, "%s", CASES[i].query);
    }
}

Test(params, a_key_is_64_hex_digits)
{
    uint8_t key32[32];
    bool given = true;
    cr_assert_eq(enc_param_hex32(ENC_LIT("a=1"), "from", &given, key32), ENC_ERR_OK);
    cr_assert_not(given);
    cr_assert_eq(enc_param_hex32(ENC_LIT("from=00112233445566778899AABBccddeeff00112233445566778899"
                                         "aabbccddeeff"),
                                 "from", &given, key32),
                 ENC_ERR_OK);
    cr_assert(given);
    cr_assert_eq(key32[10], 0xaa);
    cr_assert_eq(enc_param_hex32(ENC_LIT("from=0011"), "from", &given, key32),
                 ENC_ERR_INVALID_QUERY);
    cr_assert_eq(enc_param_hex32(ENC_LIT("from="), "from", &given, key32), ENC_ERR_INVALID_QUERY);
}

Test(params, text_is_decoded_utf8)
{
    static const struct {
        const char *query;
        const char *text; /* NULL: malformed */
    } CASES[] = {
        {"q=plain", "plain"},
        {"q=a+b%20c", "a b c"},
        {"q=gr%C3%BC%c3%9fe", "gr\xc3\xbc\xc3\x9f"
                              "e"},
        {"q=%F0%9F%98%80&x=%", "\xf0\x9f\x98\x80"},
        {"q=1%3D2%261", "1=2&1"},
        {"q=1=2", "1=2"},
        {"q=%", NULL},
        {"q=%4", NULL},
        {"q=%zz", NULL},
        {"q=%00", NULL},
        {"q=%ff", NULL},
        {"q=%c3", NULL},
        {"q=%ed%a0%80", NULL},
        {"q=a&q=a", NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct enc_arena at = arena();
        struct enc_bytes text;
        bool given = false;
        enum enc_err err =
            enc_param_text(enc_bytes_of_text(CASES[i].query), "q", &at, &given, &text);
        cr_assert_eq(err, CASES[i].text ? ENC_ERR_OK : ENC_ERR_INVALID_QUERY, "%s", CASES[i].query);
        cr_assert(!CASES[i].text || enc_bytes_is(text, CASES[i].text), "%s", CASES[i].query);
    }
}

Test(params, text_that_is_not_given_is_empty_and_memory_may_end)
{
    struct enc_arena at = arena();
    struct enc_bytes text = ENC_LIT("x");
    bool given = true;
    cr_assert_eq(enc_param_text(ENC_LIT("z=1"), "q", &at, &given, &text), ENC_ERR_OK);
    cr_assert(!given && text.len == 0);
    uint8_t few[64];
    static uint8_t query[512];
    memset(query, 'a', sizeof query);
    memcpy(query, "q=", 2);
    enc_arena_init_fixed(&at, few, sizeof few);
    cr_assert_eq(enc_param_text(enc_bytes_of(query, sizeof query), "q", &at, &given, &text),
                 ENC_ERR_TOO_LARGE);
}
