#include "tests/fuzz/naive/filter.h"

static const uint64_t NUMBER_MAX = ((uint64_t)1 << 53) - 1;

/* A value that is no array counts as an array of one. */
static size_t size_of(const json_t *value)
{
    return json_is_array(value) ? json_array_size(value) : 1;
}

static const json_t *item_of(const json_t *value, size_t at)
{
    return json_is_array(value) ? json_array_get(value, at) : value;
}

/* ---- good? ---- */

typedef bool judge_fn(const json_t *value);

static bool all_are(const json_t *value, judge_fn *is_good)
{
    for (size_t i = 0; i < size_of(value); i++)
        if (!is_good(item_of(value, i)))
            return false;
    return size_of(value) <= 100;
}

static bool is_id(const json_t *value)
{
    return tree_hex(value, NULL, 32);
}

static bool is_text(const json_t *value)
{
    return json_is_string(value);
}

static bool is_status(const json_t *value)
{
    return tree_is(value, "active") || tree_is(value, "updated") || tree_is(value, "deleted");
}

static bool is_range(const json_t *range)
{
    uint64_t numbers[4] = {0};
    const json_t *bounds[4];
    static const char *const NAMES[4] = {"start_at", "start_after", "end_at", "end_before"};
    size_t known = 0;
    for (unsigned i = 0; i < 4; i++) {
        bounds[i] = json_object_get(range, NAMES[i]);
        known += bounds[i] != NULL;
        if (bounds[i] && !tree_int(bounds[i], &numbers[i], 0, NUMBER_MAX))
            return false;
    }
    if (!json_is_object(range) || known != json_object_size(range) || (bounds[0] && bounds[1]) ||
        (bounds[2] && bounds[3]))
        return false;
    bool has_both = (bounds[0] || bounds[1]) && (bounds[2] || bounds[3]);
    return !has_both || numbers[0] + numbers[1] <= numbers[2] + numbers[3];
}

static bool is_seq(const json_t *value)
{
    return tree_int(value, NULL, 0, NUMBER_MAX) || is_range(value);
}

static bool are_tags(const json_t *tags)
{
    const char *key;
    json_t *wanted, *object = (json_t *)(uintptr_t)tags;
    if (!json_is_object(tags) || json_object_size(tags) > 100)
        return false;
    json_object_foreach(object, key, wanted)
    {
        if (!json_is_true(wanted) && !all_are(wanted, is_text))
            return false;
    }
    return true;
}

static bool is_member(const char *key, const json_t *value)
{
    if (strcmp(key, "id") == 0 || strcmp(key, "from") == 0)
        return all_are(value, is_id);
    if (strcmp(key, "type") == 0)
        return all_are(value, is_text);
    if (strcmp(key, "status") == 0)
        return all_are(value, is_status);
    if (strcmp(key, "seq") == 0)
        return is_seq(value);
    if (strcmp(key, "timestamp") == 0)
        return is_range(value);
    if (strcmp(key, "tags") == 0)
        return are_tags(value);
    if (strcmp(key, "limit") == 0)
        return tree_int(value, NULL, 1, 1000);
    return strcmp(key, "reverse") == 0 && json_is_boolean(value);
}

bool naive_filter_is_good(const json_t *filter)
{
    const char *key;
    json_t *value, *object = (json_t *)(uintptr_t)filter;
    if (!filter)
        return true;
    json_object_foreach(object, key, value)
    {
        if (!is_member(key, value))
            return false;
    }
    return json_is_object(filter);
}

/* ---- taken? ---- */

static bool has_id(const json_t *ids, const uint8_t id32[32])
{
    uint8_t one32[32];
    for (size_t i = 0; i < size_of(ids); i++)
        if (tree_hex(item_of(ids, i), one32, 32) && memcmp(one32, id32, 32) == 0)
            return true;
    return false;
}

static bool has_text(const json_t *texts, struct enc_bytes text)
{
    for (size_t i = 0; i < size_of(texts); i++)
        if (enc_bytes_equal(tree_text(item_of(texts, i)), text))
            return true;
    return false;
}

static bool is_in(const json_t *range, uint64_t number)
{
    uint64_t bound;
    if (tree_int(range, &bound, 0, UINT64_MAX))
        return number == bound;
    return (!tree_int(json_object_get(range, "start_at"), &bound, 0, UINT64_MAX) ||
            number >= bound) &&
           (!tree_int(json_object_get(range, "start_after"), &bound, 0, UINT64_MAX) ||
            number > bound) &&
           (!tree_int(json_object_get(range, "end_at"), &bound, 0, UINT64_MAX) ||
            number <= bound) &&
           (!tree_int(json_object_get(range, "end_before"), &bound, 0, UINT64_MAX) ||
            number < bound);
}

static bool has_tag(const struct enc_tags *tags, const char *key, const json_t *wanted)
{
    for (size_t i = 0; i < tags->count; i++) {
        const struct enc_tag *tag = &tags->items[i];
        bool is_named = enc_bytes_is(tag->members[0], key);
        if (is_named &&
            (json_is_true(wanted) || (tag->count > 1 && has_text(wanted, tag->members[1]))))
            return true;
    }
    return false;
}

static bool has_tags(const json_t *wanted_tags, const struct enc_tags *tags)
{
    const char *key;
    json_t *wanted, *object = (json_t *)(uintptr_t)wanted_tags;
    json_object_foreach(object, key, wanted)
    {
        if (!has_tag(tags, key, wanted))
            return false;
    }
    return true;
}

bool naive_filter_fits(const json_t *filter, const struct enc_event *event)
{
    const json_t *id = json_object_get(filter, "id"), *from = json_object_get(filter, "from");
    const json_t *type = json_object_get(filter, "type"), *seq = json_object_get(filter, "seq");
    const json_t *time = json_object_get(filter, "timestamp");
    return (!id || has_id(id, event->id32)) && (!from || has_id(from, event->commit.from32)) &&
           (!type || has_text(type, event->commit.type)) && (!seq || is_in(seq, event->seq)) &&
           (!time || is_in(time, event->timestamp_ms)) &&
           has_tags(json_object_get(filter, "tags"), &event->commit.tags);
}

bool naive_filter_has_status(const json_t *filter, enum enc_event_status status)
{
    static const char *const NAMES[] = {"active", "updated", "deleted"};
    const json_t *wanted = json_object_get(filter, "status");
    if (!wanted)
        return status != ENC_EVENT_DELETED;
    for (size_t i = 0; i < size_of(wanted); i++)
        if (tree_is(item_of(wanted, i), NAMES[status]))
            return true;
    return false;
}
