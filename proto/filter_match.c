#include "proto/filter.h"

static bool has_id(const struct enc_filter_ids *ids, const uint8_t id32[32])
{
    for (size_t i = 0; i < ids->count; i++)
        if (memcmp(ids->items32[i], id32, 32) == 0)
            return true;
    return !ids->is_set;
}

static bool has_name(const struct enc_bytes *items, size_t count, struct enc_bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (enc_bytes_equal(items[i], name))
            return true;
    return false;
}

static bool fits_tag(const struct enc_filter_tag *wanted, const struct enc_tag *tag)
{
    if (!enc_bytes_equal(tag->members[0], wanted->key))
        return false;
    return wanted->any_value ||
           (tag->count > 1 && has_name(wanted->values, wanted->count, tag->members[1]));
}

static bool has_tag(const struct enc_tags *tags, const struct enc_filter_tag *wanted)
{
    for (size_t i = 0; i < tags->count; i++)
        if (fits_tag(wanted, &tags->items[i]))
            return true;
    return false;
}

static bool has_all_tags(const struct enc_filter *filter, const struct enc_tags *tags)
{
    for (size_t i = 0; i < filter->tag_count; i++)
        if (!has_tag(tags, &filter->tags[i]))
            return false;
    return true;
}

/** All members but status. */
static bool fits(const struct enc_filter *filter, const struct enc_event *event)
{
    const struct enc_filter_names *types = &filter->types;
    return enc_span_has(&filter->seq, event->seq) &&
           enc_span_has(&filter->timestamp_ms, event->timestamp_ms) &&
           (!types->is_set || has_name(types->items, types->count, event->commit.type)) &&
           has_id(&filter->from, event->commit.from32) && has_id(&filter->ids, event->id32) &&
           has_all_tags(filter, &event->commit.tags);
}

bool enc_filter_matches(const struct enc_filter *filter, const struct enc_event *event,
                        enum enc_event_status status)
{
    return (filter->statuses >> status & 1) && fits(filter, event);
}

bool enc_filter_matches_live(const struct enc_filter *filter, const struct enc_event *event,
                             const struct enc_event *target)
{
    return enc_filter_matches(filter, event, ENC_EVENT_ACTIVE) || (target && fits(filter, target));
}

bool enc_filter_is_void(const struct enc_filter *filter)
{
    bool has_void_tag = false;
    for (size_t i = 0; i < filter->tag_count; i++)
        has_void_tag |= !filter->tags[i].any_value && filter->tags[i].count == 0;
    return has_void_tag || enc_span_is_empty(&filter->seq) ||
           enc_span_is_empty(&filter->timestamp_ms) || filter->statuses == 0 ||
           (filter->ids.is_set && filter->ids.count == 0) ||
           (filter->from.is_set && filter->from.count == 0) ||
           (filter->types.is_set && filter->types.count == 0);
}

bool enc_filter_is_complete(const struct enc_filter *filter,
                            const struct enc_filter_progress *progress)
{
    return progress->last_seq >= filter->seq.last ||
           progress->now_ms >= enc_filter_ends_ms(filter) ||
           (filter->ids.is_set && progress->ids_served >= filter->ids.count) ||
           enc_filter_is_void(filter);
}

uint64_t enc_filter_ends_ms(const struct enc_filter *filter)
{
    uint64_t last_ms = filter->timestamp_ms.last;
    return last_ms == UINT64_MAX ? UINT64_MAX : last_ms + 1;
}

const struct enc_bytes *enc_filter_single_type(const struct enc_filter *filter)
{
    return filter->types.is_set && filter->types.count == 1 ? filter->types.items : NULL;
}
