#include "support.h"

#include "proto/base/hex.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static json_t *root(void)
{
    static json_t *loaded;
    json_error_t error;
    if (!loaded)
        loaded = json_load_file(ENC_VECTORS, 0, &error);
    cr_assert_not_null(loaded, "%s: %s", ENC_VECTORS, error.text);
    return loaded;
}

static json_t *step(json_t *at, const char *name)
{
    return json_is_array(at) ? json_array_get(at, (size_t)strtoul(name, NULL, 10))
                             : json_object_get(at, name);
}

json_t *vector_at(const char *path)
{
    char copy[128];
    char *rest = NULL;
    cr_assert_lt(strlen(path), sizeof copy);
    memcpy(copy, path, strlen(path) + 1);
    json_t *at = root();
    for (char *name = strtok_r(copy, ".", &rest); name; name = strtok_r(NULL, ".", &rest)) {
        at = step(at, name);
        cr_assert_not_null(at, "no vector %s (at %s)", path, name);
    }
    return at;
}

struct enc_bytes vector_text(const char *path)
{
    json_t *value = vector_at(path);
    cr_assert(json_is_string(value), "vector %s is no string", path);
    return enc_bytes_of(json_string_value(value), json_string_length(value));
}

void vector_hex(uint8_t *out, size_t len, const char *path)
{
    cr_assert(enc_hex_decode(out, len, vector_text(path)), "vector %s: not %zu bytes", path, len);
}

uint64_t vector_u64(const char *path)
{
    json_t *value = vector_at(path);
    cr_assert(json_is_integer(value), "vector %s is no integer", path);
    return (uint64_t)json_integer_value(value);
}

void unhex(uint8_t *out, size_t len, const char *hex)
{
    cr_assert(enc_hex_decode(out, len, enc_bytes_of_text(hex)), "not %zu bytes: %s", len, hex);
}

static void expect_hex_bytes(struct enc_bytes bytes, struct enc_bytes hex, const char *what)
{
    static char got[1 << 16];
    cr_assert_leq(2 * bytes.len, sizeof got);
    enc_hex_encode(got, bytes);
    cr_assert(enc_bytes_equal(enc_bytes_of(got, 2 * bytes.len), hex),
              "%s\n  got  %.*s\n  want %.*s", what, (int)(2 * bytes.len), got, (int)hex.len,
              (const char *)hex.data);
}

void expect_hex(struct enc_bytes bytes, const char *hex)
{
    expect_hex_bytes(bytes, enc_bytes_of_text(hex), "bytes differ");
}

void expect_vector(struct enc_bytes bytes, const char *path)
{
    expect_hex_bytes(bytes, vector_text(path), path);
}

struct enc_arena *fresh_arena(size_t max_len)
{
    static _Alignas(16) uint8_t memory[48 << 20];
    static struct enc_arena arena;
    cr_assert_leq(max_len, sizeof memory);
    enc_arena_init_fixed(&arena, memory, max_len);
    return &arena;
}

const struct enc_curve *test_curve(void)
{
    static const struct enc_curve *curve;
    static _Alignas(16) uint8_t memory[4096];
    if (!curve) {
        cr_assert_leq(enc_curve_size(), sizeof memory);
        curve = enc_curve_init(memory, (const uint8_t *)"a seed of exactly thirty-two byt");
    }
    return curve;
}

struct enc_key key_of_hex(const char *priv)
{
    uint8_t priv32[32];
    struct enc_key key;
    unhex(priv32, sizeof priv32, priv);
    cr_assert(enc_key_init(&key, test_curve(), priv32));
    return key;
}

struct enc_key vector_key(const char *name)
{
    char path[64];
    uint8_t priv32[32];
    struct enc_key key;
    snprintf(path, sizeof path, "keys.%s_priv", name);
    vector_hex(priv32, sizeof priv32, path);
    cr_assert(enc_key_init(&key, test_curve(), priv32));
    return key;
}
