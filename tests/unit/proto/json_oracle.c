/* The reader against jansson, over documents that are generated, and then damaged. */
#include "proto/json.h"

#include "support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* ---- generator ---- */

struct maker {
    uint64_t state;
    char *text;
    size_t len;
    size_t cap;
};

static uint32_t below(struct maker *m, uint32_t bound)
{
    m->state = m->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((m->state >> 33) % bound);
}

static void say(struct maker *m, const char *text)
{
    size_t len = strlen(text);
    cr_assert_lt(m->len + len, m->cap);
    memcpy(m->text + m->len, text, len);
    m->len += len;
}

static void make_blanks(struct maker *m)
{
    static const char *const BLANKS[] = {"", "", "", "", " ", "\n", "\t\r", "  "};
    say(m, BLANKS[below(m, 8)]);
}

static void make_string(struct maker *m)
{
    static const char *const PIECES[] = {
        "a",
        "b",
        "plain text of some length",
        "\xc3\xa9",
        "\xe2\x82\xac",
        "\\n",
        "\\\\",
        "\\\"",
        "\\/",
        "\\u0041",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\xf0\x9f\x98\x80",
        "\\t",
        "\x7f",
        "\\u0000",
        "\\ud800",
        "\\udc00",
    };
    /* the last three are rare: jansson refuses the two surrogates, and U+0000 in names */
    uint32_t count = below(m, 5);
    say(m, "\"");
    while (count-- > 0)
        say(m, PIECES[below(m, 60) ? below(m, 15) : 15 + below(m, 3)]);
    say(m, "\"");
}

static void make_scalar(struct maker *m)
{
    static const char *const SCALARS[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-17",
        "3.25",
        "1e3",
        "-2.5E-3",
        "1E+2",
        "0.1",
        "12345678901",
        "9007199254740993",
        "9223372036854775807",
    };
    if (below(m, 2))
        make_string(m);
    else
        say(m, SCALARS[below(m, sizeof SCALARS / sizeof *SCALARS)]);
}

static void make_value(struct maker *m, unsigned depth)
{
    uint32_t shape = depth ? below(m, 4) : 0;
    make_blanks(m);
    if (shape < 2) {
        make_scalar(m);
    } else {
        uint32_t count = below(m, 5);
        say(m, shape == 2 ? "[" : "{");
        for (uint32_t i = 0; i < count; i++) {
            say(m, i ? "," : "");
            if (shape == 3) {
                make_blanks(m);
                make_string(m);
                make_blanks(m);
                say(m, ":");
            }
            make_value(m, depth - 1);
        }
        say(m, shape == 2 ? "]" : "}");
    }
    make_blanks(m);
}

static void damage(struct maker *m)
{
    static const char BYTES[] = "\"\\{}[]:,0123456789eE+-.u tfn\x80\xc3\xed\xf4\xff\x01\x1f";
    size_t at = m->len ? below(m, (uint32_t)m->len) : 0;
    char byte = BYTES[below(m, sizeof BYTES - 1)]; /* no NUL: jansson skips one behind a number */
    switch (below(m, 4)) {
    case 0:
        m->text[at] = byte;
        break;
    case 1: /* insert */
        memmove(m->text + at + 1, m->text + at, m->len - at);
        m->text[at] = byte;
        m->len++;
        break;
    case 2: /* delete */
        m->len -= m->len ? 1 : 0;
        memmove(m->text + at, m->text + at + 1, m->len - at);
        break;
    default: /* cut */
        m->len = at;
    }
}

/* ---- comparison ---- */

static bool same_value(const struct enc_json *ours, json_t *theirs);

static bool same_number(struct enc_bytes text, json_t *theirs)
{
    char copy[64];
    cr_assert_lt(text.len, sizeof copy);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (json_is_integer(theirs))
        return strtoll(copy, NULL, 10) == json_integer_value(theirs);
    return json_is_real(theirs) && !(fabs(strtod(copy, NULL) - json_real_value(theirs)) > 0);
}

static bool same_array(const struct enc_json *ours, json_t *theirs)
{
    if (!json_is_array(theirs) || ours->count != json_array_size(theirs))
        return false;
    size_t i = 0;
    for (const struct enc_json *item = ours->child; item; item = item->next)
        if (!same_value(item, json_array_get(theirs, i++)))
            return false;
    return i == ours->count;
}

static bool same_object(const struct enc_json *ours, json_t *theirs)
{
    if (!json_is_object(theirs) || ours->count != json_object_size(theirs))
        return false;
    size_t count = 0;
    for (const struct enc_json *item = ours->child; item; item = item->next, count++)
        if (!same_value(item,
                        json_object_getn(theirs, (const char *)item->key.data, item->key.len)))
            return false;
    return count == ours->count;
}

static bool same_string(const struct enc_json *ours, json_t *theirs)
{
    struct enc_bytes text;
    return json_is_string(theirs) && enc_json_text(ours, &text) &&
           enc_bytes_equal(text,
                           enc_bytes_of(json_string_value(theirs), json_string_length(theirs)));
}

static bool same_value(const struct enc_json *ours, json_t *theirs)
{
    switch (ours->kind) {
    case ENC_JSON_NULL:
        return json_is_null(theirs);
    case ENC_JSON_FALSE:
        return json_is_false(theirs);
    case ENC_JSON_TRUE:
        return json_is_true(theirs);
    case ENC_JSON_NUMBER:
        return same_number(ours->text, theirs);
    case ENC_JSON_STRING:
        return same_string(ours, theirs);
    case ENC_JSON_ARRAY:
        return same_array(ours, theirs);
    default:
        return same_object(ours, theirs);
    }
}

/* jansson has bounds for numbers, no U+0000 in names, no lone surrogates; RFC 8259 allows all. */
static bool is_known_difference(const json_error_t *error, const struct enc_json_facts *facts)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
           (facts->has_lone_surrogate && strstr(error->text, "Unicode"));
}

struct tally {
    size_t accepted, refused, differing;
};

static void compare(struct tally *tally, const struct maker *m)
{
    char *copy = (char *)malloc(m->len ? m->len : 1); /* exact: reading past it is an error */
    struct enc_json *ours;
    struct enc_json_facts facts = {false};
    json_error_t error;
    memcpy(copy, m->text, m->len);
    json_t *theirs =
        json_loadb(copy, m->len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    enum enc_err err =
        enc_json_parse(&ours, fresh_arena(1 << 20), enc_bytes_of(copy, m->len), &facts);
    if (theirs && err == ENC_ERR_OK) {
        cr_assert(same_value(ours, theirs), "values differ: %.*s", (int)m->len, m->text);
        tally->accepted++;
    } else if (!theirs && err == ENC_ERR_INVALID_REQUEST) {
        tally->refused++;
    } else {
        cr_assert(err == ENC_ERR_OK && is_known_difference(&error, &facts),
                  "jansson: %s, ours: %d: %.*s", theirs ? "ok" : error.text, (int)err, (int)m->len,
                  m->text);
        tally->differing++;
    }
    json_decref(theirs);
    free(copy);
}

static struct tally run(uint64_t seed, size_t documents, size_t damages)
{
    static char text[1 << 20];
    struct tally tally = {0};
    struct maker m = {seed, text, 0, sizeof text - 64};
    for (size_t i = 0; i < documents; i++) {
        m.len = 0;
        make_value(&m, 5);
        compare(&tally, &m);
        for (size_t j = 0; j < damages; j++) {
            damage(&m);
            compare(&tally, &m);
        }
    }
    return tally;
}

Test(json_oracle, generated_documents, .timeout = 120)
{
    struct tally tally = run(20261122, 20000, 0);
    cr_assert_gt(tally.accepted, 15000, "%zu accepted", tally.accepted);
    cr_assert_gt(tally.refused, 500, "duplicate names: %zu refused", tally.refused);
    cr_assert_gt(tally.differing, 100, "%zu differing", tally.differing);
}

Test(json_oracle, damaged_documents, .timeout = 120)
{
    struct tally tally = run(340, 20000, 6);
    cr_assert_gt(tally.accepted, 20000, "%zu accepted", tally.accepted);
    cr_assert_gt(tally.refused, 40000, "%zu refused", tally.refused);
}
