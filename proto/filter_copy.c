#include "proto/filter.h"

static bool copy_ids(struct enc_filter_ids *ids, struct enc_arena *arena)
{
    uint8_t(*items32)[32] = enc_arena_take(arena, 32 * ids->count);
    if (!items32)
        return false;
    if (ids->count)
        memcpy(items32, ids->items32, 32 * ids->count);
    ids->items32 = (const uint8_t(*)[32])items32;
    return true;
}

static const struct enc_bytes *copy_list(struct enc_arena *arena, const struct enc_bytes *items,
                                         size_t count)
{
    struct enc_bytes *copies = ENC_ARENA_NEW(arena, struct enc_bytes, count);
    for (size_t i = 0; copies && i < count; i++) {
        copies[i] = enc_arena_copy(arena, items[i]);
        if (!copies[i].data)
            return NULL;
    }
    return copies;
}

static bool copy_tag(struct enc_filter_tag *copy, struct enc_arena *arena,
                     const struct enc_filter_tag *tag)
{
    *copy = *tag;
    copy->key = enc_arena_copy(arena, tag->key);
    copy->values = copy_list(arena, tag->values, tag->count);
    return copy->key.data && copy->values;
}

static bool copy_tags(struct enc_filter *out, struct enc_arena *arena)
{
    struct enc_filter_tag *copies = ENC_ARENA_NEW(arena, struct enc_filter_tag, out->tag_count);
    for (size_t i = 0; copies && i < out->tag_count; i++)
        if (!copy_tag(&copies[i], arena, &out->tags[i]))
            return false;
    out->tags = copies;
    return copies != NULL;
}

enum enc_err enc_filter_copy(struct enc_filter *out, struct enc_arena *arena,
                             const struct enc_filter *filter)
{
    *out = *filter;
    out->types.items = copy_list(arena, filter->types.items, filter->types.count);
    bool is_whole = out->types.items && copy_ids(&out->ids, arena) && copy_ids(&out->from, arena) &&
                    copy_tags(out, arena);
    return is_whole ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}
