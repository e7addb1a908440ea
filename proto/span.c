#include "proto/span.h"

/** The numbers as they stand, to see whether they are the wrong way round. */
struct bounds {
    uint64_t lower, upper;
    bool has_lower, has_upper;
};

static bool set(uint64_t *bound, bool *is_set, uint64_t value)
{
    bool is_first = !*is_set;
    *bound = value;
    *is_set = true;
    return is_first;
}

/** end_before 0 leaves nothing, which an inclusive end can only say with a start above it. */
static void end_before(struct enc_span *span, uint64_t value)
{
    span->last = value ? value - 1 : 0;
    if (value == 0)
        span->first = UINT64_MAX;
}

static bool take_bound(struct enc_span *out, struct bounds *bounds, const struct enc_json *json)
{
    uint64_t value;
    if (!enc_json_u64(json, &value))
        return false;
    if (enc_bytes_is(json->key, "start_at") || enc_bytes_is(json->key, "start_after")) {
        uint64_t first = value + enc_bytes_is(json->key, "start_after");
        out->first = first > out->first ? first : out->first;
        return set(&bounds->lower, &bounds->has_lower, value);
    }
    if (enc_bytes_is(json->key, "end_at"))
        out->last = value;
    else if (enc_bytes_is(json->key, "end_before"))
        end_before(out, value);
    else
        return false;
    return set(&bounds->upper, &bounds->has_upper, value);
}

bool enc_span_take(struct enc_span *out, const struct enc_json *json)
{
    struct bounds bounds = {0};
    *out = ENC_SPAN_ALL;
    if (!json || json->kind != ENC_JSON_OBJECT)
        return false;
    for (const struct enc_json *child = json->child; child; child = child->next)
        if (!take_bound(out, &bounds, child))
            return false;
    return !bounds.has_lower || !bounds.has_upper || bounds.lower <= bounds.upper;
}
