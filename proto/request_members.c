#include "proto/request.h"

#include "proto/smt.h"

enum { PULL_LIMIT_MAX = 1000, PULL_LIMIT_DEFAULT = 100 };

static enum enc_err request_unless(bool good)
{
    return good ? ENC_ERR_OK : ENC_ERR_INVALID_REQUEST;
}

enum enc_err enc_inclusion_request_take(struct enc_inclusion_request *out,
                                        const struct enc_json *content)
{
    const struct enc_json *leaf = enc_json_get(content, "leaf_index");
    const struct enc_json *event = enc_json_get(content, "event_id");
    const struct enc_json *size = enc_json_get(content, "tree_size");
    *out = (struct enc_inclusion_request){.by_event = event != NULL, .has_tree_size = size != NULL};
    return request_unless((leaf == NULL) != (event == NULL) &&
                          (!leaf || enc_json_u64(leaf, &out->leaf_index)) &&
                          (!event || enc_json_hex(event, out->event_id32, 32)) &&
                          (!size || enc_json_u64(size, &out->tree_size)));
}

enum enc_err enc_inclusion_bounds(uint64_t *tree_size, const struct enc_inclusion_request *request,
                                  uint64_t leaf_index, uint64_t size)
{
    *tree_size = request->has_tree_size ? request->tree_size : size;
    if (*tree_size > size)
        return ENC_ERR_INVALID_RANGE;
    return leaf_index < *tree_size ? ENC_ERR_OK : ENC_ERR_LEAF_NOT_FOUND;
}

enum enc_err enc_bundle_request_take(uint8_t event_id32[32], const struct enc_json *content)
{
    return request_unless(enc_json_hex(enc_json_get(content, "event_id"), event_id32, 32));
}

enum enc_err enc_state_request_take(struct enc_state_request *out, const struct enc_json *content)
{
    struct enc_bytes name;
    *out = (struct enc_state_request){0};
    if (!enc_json_text(enc_json_get(content, "namespace"), &name))
        return ENC_ERR_INVALID_REQUEST;
    bool is_status = enc_bytes_is(name, "event_status");
    out->space = is_status ? ENC_SMT_EVENT_STATUS : ENC_SMT_RBAC;
    return request_unless((is_status || enc_bytes_is(name, "rbac")) &&
                          enc_json_hex(enc_json_get(content, "key"), out->key32, 32));
}

/** Decimal digits up to 2^53-1, as in JSON. */
static bool parse_number(uint64_t *out, struct enc_bytes text)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *out > UINT64_MAX / 16)
            return false;
        *out = *out * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.len > 0 && *out < (uint64_t)1 << 53;
}

struct parameter {
    const char *name;
    uint64_t *value;
    bool is_set;
};

/** A parameter that is not known is good; one that comes twice is not. */
static bool take_parameter(struct parameter parameters[2], struct enc_bytes pair)
{
    struct enc_bytes value = pair;
    struct enc_bytes name = enc_bytes_cut(&value, '=');
    for (unsigned i = 0; i < 2; i++)
        if (enc_bytes_is(name, parameters[i].name)) {
            bool is_first = !parameters[i].is_set;
            parameters[i].is_set = true;
            return is_first && parse_number(parameters[i].value, value);
        }
    return true;
}

enum enc_err enc_consistency_request_take(struct enc_consistency_request *out,
                                          struct enc_bytes query, uint64_t size)
{
    struct parameter parameters[2] = {{"from", &out->from, false}, {"to", &out->to, false}};
    *out = (struct enc_consistency_request){.to = size};
    while (query.len > 0)
        if (!take_parameter(parameters, enc_bytes_cut(&query, '&')))
            return ENC_ERR_INVALID_RANGE;
    out->is_fixed = parameters[0].is_set && parameters[1].is_set;
    bool is_good = parameters[0].is_set && out->from <= out->to && out->to <= size;
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_RANGE;
}

static bool take_limit(uint32_t *out, const struct enc_json *json)
{
    uint64_t limit = PULL_LIMIT_DEFAULT;
    if (json && (!enc_json_u64(json, &limit) || limit < 1 || limit > PULL_LIMIT_MAX))
        return false;
    *out = (uint32_t)limit;
    return true;
}

enum enc_err enc_pull_request_take(struct enc_pull_request *out, const struct enc_json *content)
{
    const struct enc_json *push_seq = enc_json_get(content, "push_seq");
    *out = (struct enc_pull_request){.push_seq = ENC_SPAN_ALL};
    if (!enc_json_text(enc_json_get(content, "url"), &out->url) ||
        !take_limit(&out->limit, enc_json_get(content, "limit")))
        return ENC_ERR_INVALID_QUERY;
    bool is_good = !push_seq || enc_span_take(&out->push_seq, push_seq);
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_RANGE;
}
