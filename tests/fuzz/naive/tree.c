#include "tests/fuzz/naive/tree.h"

#include "proto/base/check.h"

#include <ctype.h>

enum { MEMORY_LEN = 32 << 20 };

static _Alignas(16) uint8_t memory[MEMORY_LEN];
static size_t used_len;

/* Taken in order and given back all at once: nothing of it survives the next text. */
static void *take(size_t len)
{
    len = (len + 15) / 16 * 16;
    if (len > MEMORY_LEN - used_len)
        return NULL;
    used_len += len;
    return memory + used_len - len;
}

static void give(void *unused)
{
    (void)unused;
}

static void prepare(void)
{
    static bool is_prepared;
    used_len = 0;
    if (is_prepared)
        return;
    json_set_alloc_funcs(take, give);
    json_object_seed(1);
    is_prepared = true;
}

json_t *tree_of(struct enc_bytes text, json_error_t *error)
{
    prepare();
    return json_loadb(text.len ? (const char *)text.data : "", text.len,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
}

bool tree_is_fair(struct enc_bytes text)
{
    return text.len > 0 && !memchr(text.data, 0, text.len) && !memmem(text.data, text.len, "-0", 2);
}

static size_t max_of(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t tree_depth(const json_t *tree)
{
    size_t depth = 0, index;
    const char *key;
    json_t *at, *object = (json_t *)(uintptr_t)tree;
    json_array_foreach(tree, index, at) depth = max_of(depth, tree_depth(at));
    json_object_foreach(object, key, at) depth = max_of(depth, tree_depth(at));
    return depth + (json_is_array(tree) || json_is_object(tree));
}

struct enc_bytes tree_text(const json_t *value)
{
    if (!json_is_string(value))
        return (struct enc_bytes){NULL, 0};
    return enc_bytes_of(json_string_value(value), json_string_length(value));
}

bool tree_is(const json_t *value, const char *text)
{
    return json_is_string(value) && enc_bytes_is(tree_text(value), text);
}

bool tree_hex(const json_t *value, uint8_t *out, size_t len)
{
    struct enc_bytes text = tree_text(value);
    char two[3] = {0};
    if (!json_is_string(value) || text.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        memcpy(two, text.data + 2 * i, 2);
        if (!isxdigit((unsigned char)two[0]) || !isxdigit((unsigned char)two[1]))
            return false;
        if (out)
            out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return true;
}

bool tree_int(const json_t *value, uint64_t *out, uint64_t min, uint64_t max)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    uint64_t number = (uint64_t)json_integer_value(value);
    if (out)
        *out = number;
    return number >= min && number <= max;
}

bool tree_type(const json_t *value)
{
    struct enc_bytes text = tree_text(value);
    if (!json_is_string(value) || text.len < 1 || text.len > 64 || !isalpha(text.data[0]))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum(text.data[i]) && (text.data[i] == 0 || !strchr("_.:-", text.data[i])))
            return false;
    return true;
}
