#include "logic.h"

#include "proto/base/hex.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct enc_arena *arena(void)
{
    static _Alignas(16) uint8_t memory[64 << 20];
    static struct enc_arena shared;
    if (!shared.end)
        enc_arena_init_fixed(&shared, memory, sizeof memory);
    return &shared;
}

struct enc_arena small_arena(size_t len)
{
    struct enc_arena small;
    void *memory = enc_arena_take(arena(), len);
    cr_assert_not_null(memory);
    enc_arena_init_fixed(&small, memory, len);
    return small;
}

struct enc_buffer buffer(void)
{
    struct enc_buffer made;
    enc_buffer_init(&made, arena(), 1 << 20);
    return made;
}

struct enc_bytes text(const char *format, ...)
{
    static char scratch[1 << 20];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(scratch, sizeof scratch, format, arguments);
    va_end(arguments);
    cr_assert(len >= 0 && (size_t)len < sizeof scratch);
    for (int i = 0; i < len; i++)
        if (scratch[i] == '\'')
            scratch[i] = '"';
    struct enc_bytes copy = enc_arena_copy(arena(), enc_bytes_of(scratch, (size_t)len));
    cr_assert_not_null(copy.data);
    return copy;
}

const struct enc_json *json_exact(struct enc_bytes source)
{
    struct enc_json_facts facts;
    struct enc_json *parsed;
    cr_assert_eq(enc_json_parse(&parsed, arena(), source, &facts), ENC_ERR_OK, "no JSON: %.*s",
                 (int)source.len, (const char *)source.data);
    return parsed;
}

const struct enc_json *json(const char *source)
{
    return json_exact(text("%s", source));
}

const char *written(const struct enc_buffer *made)
{
    struct enc_bytes bytes;
    EXPECT_OK(enc_buffer_bytes(made, &bytes));
    return (const char *)enc_arena_copy(arena(), bytes).data;
}

void expect_json(const struct enc_buffer *made, const char *expected)
{
    json_error_t error;
    const char *got = written(made);
    json_t *a = json_loads(got, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    cr_assert_not_null(a, "%s in %s", error.text, got);
    json_t *b = json_loads((const char *)text("%s", expected).data, JSON_ALLOW_NUL, &error);
    cr_assert_not_null(b, "%s in %s", error.text, expected);
    cr_assert(json_equal(a, b), "\n  got  %s\n  want %s", got, expected);
    json_decref(a);
    json_decref(b);
}

const char *hex32(const uint8_t bytes32[32])
{
    char *out = enc_arena_take(arena(), 65);
    cr_assert_not_null(out);
    enc_hex_encode(out, enc_bytes_of(bytes32, 32));
    return out;
}

struct enc_tags tags_of(const char *source)
{
    struct enc_tags tags;
    EXPECT_OK(enc_tags_take(&tags, arena(), source ? json(source) : NULL));
    return tags;
}

struct enc_commit commit_by(const char *who, const char *type, struct enc_bytes content,
                            const char *tags)
{
    struct enc_key key = vector_key(who);
    struct enc_commit commit = {
        .type = text("%s", type),
        .content = content,
        .exp_ms = 1750000060000,
        .tags = tags_of(tags),
    };
    vector_hex(commit.enclave32, 32, "events.0.enclave");
    EXPECT_OK(enc_commit_sign(test_curve(), &commit, &key));
    return commit;
}

const struct enc_json *json_of(json_t *value)
{
    char *dump = json_dumps(value, JSON_COMPACT);
    cr_assert_not_null(dump);
    struct enc_bytes copy = enc_arena_copy(arena(), enc_bytes_of_text(dump));
    free(dump);
    return json_exact(copy);
}

struct enc_event vector_event(unsigned index)
{
    char path[32];
    struct enc_event event;
    snprintf(path, sizeof path, "events.%u", index);
    json_t *object = json_deep_copy(vector_at(path));
    json_object_set_new(object, "type_seq", json_integer(1));
    EXPECT_OK(enc_event_take(&event, arena(), json_of(object)));
    json_decref(object);
    return event;
}

struct enc_manifest manifest_of(struct enc_bytes content)
{
    struct enc_manifest manifest;
    EXPECT_OK(enc_manifest_parse(&manifest, arena(), arena(), content, NULL));
    return manifest;
}

struct enc_manifest manifest_with(const char *roles, const char *rows)
{
    struct enc_key owner = vector_key("owner");
    return manifest_of(text("{'enc_v':1,'RBAC':{'roles':%s,'schema':%s,'initial_state':"
                            "{'Owner':['%s']}}}",
                            roles, rows, hex32(owner.pub32)));
}

struct enc_roles roles_of(int bit, ...)
{
    struct enc_roles roles = {0};
    va_list bits;
    va_start(bits, bit);
    for (; bit >= 0; bit = va_arg(bits, int))
        enc_roles_add(&roles, (unsigned)bit);
    va_end(bits);
    return roles;
}
