#include "proto/filter.h"

struct filtering {
    struct enc_filter *out;
    struct enc_arena *arena;
    uint32_t limit_max;
};

typedef enum enc_err take_fn(const struct filtering *filtering, const struct enc_json *json);

static enum enc_err refuse_unless(bool good)
{
    return good ? ENC_ERR_OK : ENC_ERR_INVALID_FILTER;
}

/** A value or an array of values: how many, and the first of them. False: too many. */
static bool open_list(const struct enc_json **first, size_t *count, const struct enc_json *json)
{
    bool is_array = json->kind == ENC_JSON_ARRAY;
    *first = is_array ? json->child : json;
    *count = is_array ? json->count : 1;
    return *count <= ENC_FILTER_LIST_MAX;
}

static bool has_id(const struct enc_filter_ids *ids, const uint8_t id32[32])
{
    for (size_t i = 0; i < ids->count; i++)
        if (memcmp(ids->items32[i], id32, 32) == 0)
            return true;
    return false;
}

static enum enc_err take_ids(struct enc_filter_ids *ids, const struct filtering *filtering,
                             const struct enc_json *json)
{
    const struct enc_json *item;
    size_t count;
    if (!open_list(&item, &count, json))
        return ENC_ERR_INVALID_FILTER;
    uint8_t(*items32)[32] = enc_arena_take(filtering->arena, 32 * count);
    if (!items32)
        return ENC_ERR_TOO_LARGE;
    *ids = (struct enc_filter_ids){.is_set = true, .items32 = (const uint8_t(*)[32])items32};
    for (; count > 0; count--, item = item->next) {
        uint8_t *id32 = items32[ids->count];
        if (!enc_json_hex(item, id32, 32))
            return ENC_ERR_INVALID_FILTER;
        ids->count += !has_id(ids, id32);
    }
    return ENC_ERR_OK;
}

static enum enc_err take_names(struct enc_filter_names *names, const struct filtering *filtering,
                               const struct enc_json *json)
{
    const struct enc_json *item;
    size_t count;
    if (!open_list(&item, &count, json))
        return ENC_ERR_INVALID_FILTER;
    struct enc_bytes *items = ENC_ARENA_NEW(filtering->arena, struct enc_bytes, count);
    if (!items)
        return ENC_ERR_TOO_LARGE;
    *names = (struct enc_filter_names){.is_set = true, .items = items, .count = count};
    for (size_t i = 0; i < count; i++, item = item->next)
        if (!enc_json_text(item, &items[i]))
            return ENC_ERR_INVALID_FILTER;
    return ENC_ERR_OK;
}

static enum enc_err take_id(const struct filtering *filtering, const struct enc_json *json)
{
    return take_ids(&filtering->out->ids, filtering, json);
}

static enum enc_err take_from(const struct filtering *filtering, const struct enc_json *json)
{
    return take_ids(&filtering->out->from, filtering, json);
}

static enum enc_err take_type(const struct filtering *filtering, const struct enc_json *json)
{
    return take_names(&filtering->out->types, filtering, json);
}

static enum enc_err take_seq(const struct filtering *filtering, const struct enc_json *json)
{
    struct enc_span *seq = &filtering->out->seq;
    if (json->kind == ENC_JSON_OBJECT)
        return refuse_unless(enc_span_take(seq, json));
    bool is_good = enc_json_u64(json, &seq->first);
    seq->last = seq->first;
    return refuse_unless(is_good);
}

static enum enc_err take_timestamp(const struct filtering *filtering, const struct enc_json *json)
{
    return refuse_unless(enc_span_take(&filtering->out->timestamp_ms, json));
}

static enum enc_err take_tag(struct enc_filter_tag *tag, const struct filtering *filtering,
                             const struct enc_json *json)
{
    struct enc_filter_names values = {0};
    tag->key = json->key;
    tag->any_value = json->kind == ENC_JSON_TRUE;
    if (tag->any_value)
        return ENC_ERR_OK;
    ENC_TRY(take_names(&values, filtering, json));
    tag->values = values.items;
    tag->count = values.count;
    return ENC_ERR_OK;
}

static enum enc_err take_tags(const struct filtering *filtering, const struct enc_json *json)
{
    if (json->kind != ENC_JSON_OBJECT || json->count > ENC_FILTER_LIST_MAX)
        return ENC_ERR_INVALID_FILTER;
    struct enc_filter_tag *tags =
        ENC_ARENA_NEW(filtering->arena, struct enc_filter_tag, json->count);
    if (!tags)
        return ENC_ERR_TOO_LARGE;
    filtering->out->tags = tags;
    filtering->out->tag_count = json->count;
    for (const struct enc_json *child = json->child; child; child = child->next)
        ENC_TRY(take_tag(tags++, filtering, child));
    return ENC_ERR_OK;
}

static bool add_status(struct enc_filter *out, const struct enc_json *json)
{
    static const char *const NAMES[ENC_EVENT_STATUS_COUNT] = {
        [ENC_EVENT_ACTIVE] = "active",
        [ENC_EVENT_UPDATED] = "updated",
        [ENC_EVENT_DELETED] = "deleted",
    };
    struct enc_bytes name;
    if (!enc_json_text(json, &name))
        return false;
    for (unsigned i = 0; i < ENC_EVENT_STATUS_COUNT; i++)
        if (enc_bytes_is(name, NAMES[i])) {
            out->statuses |= (uint8_t)(1U << i);
            return true;
        }
    return false;
}

static enum enc_err take_status(const struct filtering *filtering, const struct enc_json *json)
{
    const struct enc_json *item;
    size_t count;
    filtering->out->statuses = 0;
    if (!open_list(&item, &count, json))
        return ENC_ERR_INVALID_FILTER;
    for (; count > 0; count--, item = item->next)
        if (!add_status(filtering->out, item))
            return ENC_ERR_INVALID_FILTER;
    return ENC_ERR_OK;
}

static enum enc_err take_limit(const struct filtering *filtering, const struct enc_json *json)
{
    uint64_t limit = 0;
    bool is_good = enc_json_u64(json, &limit) && limit >= 1 && limit <= filtering->limit_max;
    filtering->out->limit = (uint32_t)limit;
    return refuse_unless(is_good);
}

static enum enc_err take_reverse(const struct filtering *filtering, const struct enc_json *json)
{
    return refuse_unless(enc_json_bool(json, &filtering->out->reverse));
}

static const struct {
    const char *name;
    take_fn *take;
} MEMBERS[] = {
    {"id", take_id},         {"seq", take_seq},     {"type", take_type},
    {"from", take_from},     {"tags", take_tags},   {"timestamp", take_timestamp},
    {"status", take_status}, {"limit", take_limit}, {"reverse", take_reverse},
};

static enum enc_err take_member(const struct filtering *filtering, const struct enc_json *json)
{
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++)
        if (enc_bytes_is(json->key, MEMBERS[i].name))
            return MEMBERS[i].take(filtering, json);
    return ENC_ERR_INVALID_FILTER;
}

static uint32_t at_most(uint32_t value, uint32_t bound)
{
    return value < bound ? value : bound;
}

enum enc_err enc_filter_parse(struct enc_filter *out, struct enc_arena *arena,
                              const struct enc_json *json, uint32_t limit_max)
{
    const struct filtering filtering = {out, arena, at_most(limit_max, ENC_FILTER_LIMIT_MAX)};
    *out = (struct enc_filter){
        .seq = ENC_SPAN_ALL,
        .timestamp_ms = ENC_SPAN_ALL,
        .statuses = 1U << ENC_EVENT_ACTIVE | 1U << ENC_EVENT_UPDATED,
        .limit = at_most(ENC_FILTER_LIMIT_DEFAULT, filtering.limit_max),
    };
    if (!json)
        return ENC_ERR_OK;
    if (json->kind != ENC_JSON_OBJECT)
        return ENC_ERR_INVALID_FILTER;
    for (const struct enc_json *child = json->child; child; child = child->next)
        ENC_TRY(take_member(&filtering, child));
    return ENC_ERR_OK;
}
