#include "proto/gates.h"

#include "proto/type.h"

static int compare(struct enc_bytes a, struct enc_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;
    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

/** Index of the first name that is not below type. */
static size_t place(const struct enc_gates *gates, struct enc_bytes type)
{
    size_t low = 0, high = gates->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(gates->types[middle], type) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct enc_gates *gates, size_t at, struct enc_bytes type)
{
    return at < gates->count && enc_bytes_equal(gates->types[at], type);
}

bool enc_gates_stop(const struct enc_gates *gates, struct enc_bytes type)
{
    return is_at(gates, place(gates, type), type);
}

static void copy_names(struct enc_bytes *to, const struct enc_bytes *from, size_t count)
{
    if (count)
        memcpy(to, from, sizeof *to * count);
}

static enum enc_err with(struct enc_gates *out, struct enc_arena *arena,
                         const struct enc_gates *gates, struct enc_bytes type)
{
    size_t at = place(gates, type);
    if (gates->count == ENC_GATES_MAX)
        return ENC_ERR_TOO_LARGE;
    struct enc_bytes *types = ENC_ARENA_NEW(arena, struct enc_bytes, gates->count + 1);
    struct enc_bytes name = enc_arena_copy(arena, type);
    if (!types || !name.data)
        return ENC_ERR_TOO_LARGE;
    copy_names(types, gates->types, at);
    types[at] = name;
    if (at < gates->count)
        copy_names(types + at + 1, gates->types + at, gates->count - at);
    *out = (struct enc_gates){.types = types, .count = gates->count + 1};
    return ENC_ERR_OK;
}

static enum enc_err without(struct enc_gates *out, struct enc_arena *arena,
                            const struct enc_gates *gates, struct enc_bytes type)
{
    size_t at = place(gates, type);
    struct enc_bytes *types = ENC_ARENA_NEW(arena, struct enc_bytes, gates->count);
    if (!types)
        return ENC_ERR_TOO_LARGE;
    copy_names(types, gates->types, at);
    copy_names(types + at, gates->types + at + 1, gates->count - at - 1);
    *out = (struct enc_gates){.types = types, .count = gates->count - 1};
    return ENC_ERR_OK;
}

enum enc_err enc_gates_set(struct enc_gates *out, struct enc_arena *arena,
                           const struct enc_gates *gates, struct enc_bytes type, bool is_open)
{
    if (enc_gates_stop(gates, type) == !is_open) {
        *out = *gates;
        return ENC_ERR_OK;
    }
    return is_open ? without(out, arena, gates, type) : with(out, arena, gates, type);
}

void enc_gates_put(struct enc_buffer *buffer, const struct enc_gates *gates)
{
    const uint8_t count2[2] = {(uint8_t)(gates->count >> 8), (uint8_t)gates->count};
    enc_buffer_add(buffer, enc_bytes_of(count2, 2));
    for (size_t i = 0; i < gates->count; i++) {
        const uint8_t len = (uint8_t)gates->types[i].len;
        enc_buffer_add(buffer, enc_bytes_of(&len, 1));
        enc_buffer_add(buffer, gates->types[i]);
    }
}

/** Cut the first name off left; false when there is no whole, well-formed name. */
static bool cut_name(struct enc_bytes *name, struct enc_bytes *left)
{
    if (left->len == 0 || left->data[0] > left->len - 1)
        return false;
    *name = enc_bytes_of(left->data + 1, left->data[0]);
    *left = enc_bytes_of(left->data + 1 + name->len, left->len - 1 - name->len);
    return enc_type_is_well_formed(*name);
}

static enum enc_err take_names(struct enc_gates *out, struct enc_bytes *types,
                               struct enc_arena *arena, struct enc_bytes left)
{
    struct enc_bytes name;
    for (size_t i = 0; i < out->count; i++) {
        if (!cut_name(&name, &left) || (i && compare(types[i - 1], name) >= 0))
            return ENC_ERR_INTERNAL;
        types[i] = enc_arena_copy(arena, name);
        if (!types[i].data)
            return ENC_ERR_TOO_LARGE;
    }
    return left.len == 0 ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

enum enc_err enc_gates_take(struct enc_gates *out, struct enc_arena *arena, struct enc_bytes record)
{
    if (record.len < 2)
        return ENC_ERR_INTERNAL;
    size_t count = (size_t)record.data[0] << 8 | record.data[1];
    if (count > ENC_GATES_MAX)
        return ENC_ERR_INTERNAL;
    struct enc_bytes *types = ENC_ARENA_NEW(arena, struct enc_bytes, count);
    if (!types)
        return ENC_ERR_TOO_LARGE;
    *out = (struct enc_gates){.types = types, .count = count};
    return take_names(out, types, arena, enc_bytes_of(record.data + 2, record.len - 2));
}
