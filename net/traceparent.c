#include "net/traceparent.h"

#include "proto/base/hex.h"

#include <stdio.h>

enum { TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, VERSION_NONE = 0xff, SAMPLED = 1 };

/* The decoder takes capitals, too. */
static bool is_small(struct enc_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 'A' && text.data[i] <= 'F')
            return false;
    return true;
}

static bool take(uint8_t *out, size_t len, struct enc_bytes field, size_t at)
{
    struct enc_bytes digits = enc_bytes_of(field.data + at, 2 * len);
    return is_small(digits) && enc_hex_decode(out, len, digits);
}

static bool is_zero(const uint8_t *id, size_t len)
{
    uint8_t all = 0;
    for (size_t i = 0; i < len; i++)
        all |= id[i];
    return all == 0;
}

static bool has_form(struct enc_bytes field)
{
    return field.len >= ENC_TRACEPARENT_LEN && field.data[TRACE_AT - 1] == '-' &&
           field.data[SPAN_AT - 1] == '-' && field.data[FLAGS_AT - 1] == '-' &&
           (field.len == ENC_TRACEPARENT_LEN || field.data[ENC_TRACEPARENT_LEN] == '-');
}

bool enc_traceparent_parse(struct enc_trace_context *out, struct enc_bytes field)
{
    struct enc_trace_context context;
    uint8_t version, flags;
    if (!has_form(field) || !take(&version, 1, field, 0) || !take(&flags, 1, field, FLAGS_AT) ||
        !take(context.trace16, sizeof context.trace16, field, TRACE_AT) ||
        !take(context.span8, sizeof context.span8, field, SPAN_AT))
        return false;
    if (version == VERSION_NONE || (version == 0 && field.len != ENC_TRACEPARENT_LEN) ||
        is_zero(context.trace16, sizeof context.trace16) ||
        is_zero(context.span8, sizeof context.span8))
        return false;
    context.is_sampled = (flags & SAMPLED) != 0;
    *out = context;
    return true;
}

void enc_traceparent_write(char out[ENC_TRACEPARENT_LEN + 1],
                           const struct enc_trace_context *context)
{
    memcpy(out, "00-", TRACE_AT);
    enc_hex_encode(out + TRACE_AT, enc_bytes_of(context->trace16, sizeof context->trace16));
    out[SPAN_AT - 1] = '-';
    enc_hex_encode(out + SPAN_AT, enc_bytes_of(context->span8, sizeof context->span8));
    snprintf(out + FLAGS_AT - 1, 4, "-%02x", context->is_sampled ? SAMPLED : 0);
}
