/* Any bytes: jansson says the same, apart from what is named here, and what is written back reads
 * the same. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/naive/tree.h"

#include <math.h>
#include <stdlib.h>

/* ---- the same value as jansson's ---- */

static bool same_value(const struct enc_json *ours, const json_t *theirs);

static bool same_number(struct enc_bytes text, const json_t *theirs)
{
    char copy[512];
    if (text.len >= sizeof copy)
        return json_is_number(theirs);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (json_is_integer(theirs))
        return strtoll(copy, NULL, 10) == json_integer_value(theirs);
    return json_is_real(theirs) && !(fabs(strtod(copy, NULL) - json_real_value(theirs)) > 0);
}

static bool same_array(const struct enc_json *ours, const json_t *theirs)
{
    size_t i = 0;
    if (!json_is_array(theirs) || ours->count != json_array_size(theirs))
        return false;
    for (const struct enc_json *item = ours->child; item; item = item->next)
        if (!same_value(item, json_array_get(theirs, i++)))
            return false;
    return i == ours->count;
}

static bool same_object(const struct enc_json *ours, const json_t *theirs)
{
    size_t count = 0;
    if (!json_is_object(theirs) || ours->count != json_object_size(theirs))
        return false;
    for (const struct enc_json *item = ours->child; item; item = item->next, count++) {
        const char *key = item->key.len ? (const char *)item->key.data : "";
        if (!same_value(item, json_object_getn(theirs, key, item->key.len)))
            return false;
    }
    return count == ours->count;
}

static bool same_string(const struct enc_json *ours, const json_t *theirs)
{
    struct enc_bytes text;
    return json_is_string(theirs) && enc_json_text(ours, &text) &&
           enc_bytes_equal(text, tree_text(theirs));
}

static bool same_value(const struct enc_json *ours, const json_t *theirs)
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

/* RFC 8259 allows what jansson has bounds for: numbers, U+0000 in names, lone surrogates. */
static bool may_refuse(const json_error_t *error, const struct enc_json_facts *facts)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
           (facts->has_lone_surrogate && strstr(error->text, "Unicode"));
}

/* Ours is stricter in one thing only: depth. A NUL byte is nowhere in JSON; jansson skips some. */
static void compare(const struct enc_json *ours, const struct enc_json_facts *facts,
                    struct enc_bytes text)
{
    json_error_t error;
    if (text.len && memchr(text.data, 0, text.len)) {
        ENC_CHECK(!ours);
        return;
    }
    const json_t *theirs = tree_of(text, &error);
    if (ours && theirs)
        ENC_CHECK(same_value(ours, theirs));
    else if (theirs)
        ENC_CHECK(tree_depth(theirs) > ENC_JSON_DEPTH_MAX);
    else
        ENC_CHECK(!ours || may_refuse(&error, facts));
}

/* ---- written and read again ---- */

static void put(struct enc_buffer *buffer, const struct enc_json *json)
{
    bool is_object = json->kind == ENC_JSON_OBJECT;
    if (json->kind == ENC_JSON_STRING) {
        enc_json_put_text(buffer, json->text);
    } else if (json->kind < ENC_JSON_STRING) {
        enc_buffer_add(buffer, json->text);
    } else {
        enc_json_put_raw(buffer, is_object ? "{" : "[");
        for (const struct enc_json *child = json->child; child; child = child->next) {
            enc_json_comma(buffer);
            if (is_object) {
                enc_json_put_text(buffer, child->key);
                enc_json_put_raw(buffer, ":");
            }
            put(buffer, child);
        }
        enc_json_put_raw(buffer, is_object ? "}" : "]");
    }
}

static bool is_same(const struct enc_json *a, const struct enc_json *b)
{
    bool is_container = a->kind >= ENC_JSON_ARRAY;
    if (a->kind != b->kind || a->count != b->count || !enc_bytes_equal(a->key, b->key) ||
        (!is_container && !enc_bytes_equal(a->text, b->text)))
        return false;
    const struct enc_json *x = a->child, *y = b->child;
    size_t count = 0;
    for (; x && y && is_same(x, y); x = x->next, y = y->next)
        count++;
    return !x && !y && count == a->count;
}

static void read_again(const struct enc_json *json)
{
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes text;
    fuzz_arena(&arena, 1);
    enc_buffer_init(&buffer, &arena, FUZZ_MEMORY_LEN);
    put(&buffer, json);
    ENC_CHECK(enc_buffer_bytes(&buffer, &text) == ENC_ERR_OK);
    const struct enc_json *again = fuzz_json(&arena, text);
    ENC_CHECK(again && is_same(json, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena;
    struct enc_json *json = NULL;
    struct enc_json_facts facts = {false};
    fuzz_arena(&arena, 0);
    enum enc_err err = enc_json_parse(&json, &arena, enc_bytes_of(data, len), &facts);
    ENC_CHECK(err == ENC_ERR_OK || err == ENC_ERR_INVALID_REQUEST);
    json = err == ENC_ERR_OK ? json : NULL;
    compare(json, &facts, enc_bytes_of(data, len));
    if (json && !facts.has_lone_surrogate)
        read_again(json);
    return 0;
}
