/**
 * Filters of queries and subscriptions (protocol.md 8.4). Pure; any thread.
 */
#pragma once

#include "proto/event.h"
#include "proto/span.h"

enum {
    ENC_FILTER_LIST_MAX = 100,
    ENC_FILTER_LIMIT_MAX = 1000,
    ENC_FILTER_LIMIT_DEFAULT = 100,
};

/** A member that is an array or a single value. is_set false: the member is absent, all match. */
struct enc_filter_ids {
    bool is_set;
    const uint8_t (*items32)[32]; /* each once */
    size_t count;
};

struct enc_filter_names {
    bool is_set;
    const struct enc_bytes *items;
    size_t count;
};

/** Wanted tag: key, and unless any_value one of the values as second member. */
struct enc_filter_tag {
    struct enc_bytes key;
    bool any_value;
    const struct enc_bytes *values;
    size_t count;
};

struct enc_filter {
    struct enc_filter_ids ids;
    struct enc_filter_ids from;
    struct enc_filter_names types;
    const struct enc_filter_tag *tags;
    size_t tag_count;
    struct enc_span seq;          /* 0..UINT64_MAX when absent */
    struct enc_span timestamp_ms; /* 0..UINT64_MAX when absent */
    uint8_t statuses;             /* mask of 1 << enum enc_event_status */
    uint32_t limit;
    bool reverse;
};

/**
 * Read a filter. NULL (absent) is the empty filter, which matches every event that is not deleted.
 * Strings point into the JSON, lists live in arena. limit_max lowers ENC_FILTER_LIMIT_MAX; larger
 * values do not raise it.
 *
 * A range whose lower number is above its upper one is malformed; one that is merely empty
 * (start_after 5, end_at 5) matches nothing, as paging needs it. At most ENC_FILTER_LIST_MAX tag
 * keys.
 *
 * Errors: INVALID_FILTER, TOO_LARGE (arena)
 * Source: protocol.md 8.4, 16.51-16.54, 16.92
 */
ENC_MUST_USE enum enc_err enc_filter_parse(struct enc_filter *out, struct enc_arena *arena,
                                           const struct enc_json *json, uint32_t limit_max);

/** A copy that lives in arena alone, for subscriptions. Errors: TOO_LARGE (arena) */
ENC_MUST_USE enum enc_err enc_filter_copy(struct enc_filter *out, struct enc_arena *arena,
                                          const struct enc_filter *filter);

/** Whether the event with this status matches; limit and reverse do not matter here. */
bool enc_filter_matches(const struct enc_filter *filter, const struct enc_event *event,
                        enum enc_event_status status);

/**
 * Whether a live event goes to a subscription: it matches as an active event or, for an Update or
 * Delete, its target does in all members but status (which the event is about to change). target
 * is NULL for other events.
 * Source: protocol.md 9.3
 */
bool enc_filter_matches_live(const struct enc_filter *filter, const struct enc_event *event,
                             const struct enc_event *target);

/** Whether nothing can match, whatever is in the log: an empty list or range. */
bool enc_filter_is_void(const struct enc_filter *filter);

/** Where the subscription stands, for enc_filter_is_complete. */
struct enc_filter_progress {
    uint64_t last_seq; /* of the log */
    uint64_t now_ms;
    size_t ids_served; /* how many different ids of the filter were sent */
};

/**
 * Whether no later event can match: an upper bound has passed, all ids are served, or the filter is
 * void.
 * Source: protocol.md 9.3, 16.62, 16.87
 */
bool enc_filter_is_complete(const struct enc_filter *filter,
                            const struct enc_filter_progress *progress);

/**
 * First millisecond at which the timestamp bound has passed, for a timer; UINT64_MAX when it never
 * does.
 */
uint64_t enc_filter_ends_ms(const struct enc_filter *filter);

/** The one type that all matches have, for the choice of an index; NULL when there is none. */
const struct enc_bytes *enc_filter_single_type(const struct enc_filter *filter);
