#include "net/otlp.h"

#include "net/process.h"
#include "proto/json.h"
#include "services/host.h"

#include <stdio.h>

/* Of OTLP. */
enum { KIND_INTERNAL = 1, KIND_SERVER = 2, KIND_CLIENT = 3, STATUS_ERROR = 2 };
enum { FLAG_SAMPLED = 1, FLAG_KNOWS_REMOTE = 0x100, FLAG_IS_REMOTE = 0x200 };

static void put_text(struct enc_buffer *out, const char *key, const char *value)
{
    enc_json_comma(out);
    enc_json_put_raw(out, "{");
    enc_json_member_text(out, "key", enc_bytes_of_text(key));
    enc_json_put_raw(out, ",\"value\":{");
    enc_json_member_text(out, "stringValue", enc_bytes_of_text(value));
    enc_json_put_raw(out, "}}");
}

/* 64-bit numbers are texts in Protobuf's JSON. */
static void member_u64_text(struct enc_buffer *out, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    enc_json_member_text(out, name, enc_bytes_of_text(text));
}

static void put_number(struct enc_buffer *out, const char *key, uint64_t value)
{
    enc_json_comma(out);
    enc_json_put_raw(out, "{");
    enc_json_member_text(out, "key", enc_bytes_of_text(key));
    enc_json_put_raw(out, ",\"value\":{");
    member_u64_text(out, "intValue", value);
    enc_json_put_raw(out, "}}");
}

/* ---- the resource ---- */

static bool has_attribute(const struct enc_otel *otel, const char *key)
{
    struct enc_otel_pair pair;
    const char *rest = otel->attributes, *wrong;
    while (enc_otel_pair_take(&pair, &rest, &wrong))
        if (strcmp(pair.key, key) == 0)
            return true;
    return false;
}

static void put_own(struct enc_buffer *out, const struct enc_otel *otel, const char *key,
                    const char *value)
{
    if (!has_attribute(otel, key))
        put_text(out, key, value);
}

/* A UUID of version 4. */
static void make_instance(char out[40])
{
    uint8_t r[16];
    enc_process_draw(r, sizeof r);
    snprintf(out, 40, "%02x%02x%02x%02x-%02x%02x-4%01x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0],
             r[1], r[2], r[3], r[4], r[5], r[6] & 15U, r[7], (r[8] & 0x3fU) | 0x80U, r[9], r[10],
             r[11], r[12], r[13], r[14], r[15]);
}

void enc_otlp_put_resource(struct enc_buffer *out, const struct enc_otel *otel)
{
    struct enc_otel_pair pair;
    const char *rest = otel->attributes, *wrong;
    char instance[40];
    bool is_named = otel->service_name[0] != '\0';
    make_instance(instance);
    enc_json_put_raw(out, "{\"attributes\":[");
    while (enc_otel_pair_take(&pair, &rest, &wrong))
        if (!is_named || strcmp(pair.key, "service.name") != 0)
            put_text(out, pair.key, pair.value);
    if (is_named)
        put_text(out, "service.name", otel->service_name);
    else
        put_own(out, otel, "service.name", "enclaved");
    put_own(out, otel, "service.version", ENC_VERSION);
    put_own(out, otel, "service.instance.id", instance);
    enc_json_put_raw(out, "]}");
}

/* ---- spans ---- */

static const char *method_of(const struct enc_trace *trace)
{
    return strcmp(trace->method, "other") == 0 ? "_OTHER" : trace->method;
}

static bool is_routed(const struct enc_trace *trace)
{
    return trace->place.is_known && trace->place.route > 0;
}

static void put_name(struct enc_buffer *out, const struct enc_trace *trace)
{
    char name[256];
    const char *method = strcmp(trace->method, "other") == 0 ? "HTTP" : trace->method;
    bool has_route = trace->kind == ENC_TRACE_REQUEST && is_routed(trace);
    snprintf(name, sizeof name, "%s%s%s%s", trace->kind == ENC_TRACE_MESSAGE ? "message " : "",
             method, has_route ? " " : "", has_route ? enc_route_name(trace->place) : "");
    enc_json_member_text(out, "name", enc_bytes_of_text(name));
}

static void put_place(struct enc_buffer *out, const struct enc_trace *trace)
{
    if (trace->place.is_known)
        put_text(out, "enclaved.service", enc_service_at(trace->place.service)->name);
    if (is_routed(trace))
        put_text(out, "http.route", enc_route_name(trace->place));
}

static void put_http(struct enc_buffer *out, const struct enc_trace *trace)
{
    put_text(out, "http.request.method", method_of(trace));
    if (trace->version)
        put_text(out, "network.protocol.version", trace->version);
    if (trace->kind == ENC_TRACE_REQUEST)
        put_text(out, "url.scheme", trace->is_tls ? "https" : "http");
    if (trace->status)
        put_number(out, "http.response.status_code", trace->status);
}

static void put_message(struct enc_buffer *out, const struct enc_trace *trace)
{
    put_text(out, "network.protocol.name", "websocket");
    put_text(out, "enclaved.message", trace->method);
}

static bool has_failed(const struct enc_trace *trace)
{
    return trace->has_failed || trace->status >= 500;
}

static void put_attributes(struct enc_buffer *out, const struct enc_trace *trace)
{
    enc_json_member(out, "attributes");
    enc_json_put_raw(out, "[");
    if (trace->kind == ENC_TRACE_MESSAGE)
        put_message(out, trace);
    else
        put_http(out, trace);
    put_place(out, trace);
    if (trace->step)
        put_number(out, "enclaved.step", trace->step);
    if (trace->code[0] && trace->kind != ENC_TRACE_POST)
        put_text(out, "enclaved.error.code", trace->code);
    if (has_failed(trace))
        put_text(out, "error.type", trace->code[0] ? trace->code : "_OTHER");
    enc_json_put_raw(out, "]");
}

struct ids {
    const uint8_t *trace16;
    const uint8_t *span8;
    const uint8_t *parent8; /* NULL: none */
};

static void put_ids(struct enc_buffer *out, const struct ids *ids, unsigned kind, unsigned flags)
{
    enc_json_member_hex(out, "traceId", enc_bytes_of(ids->trace16, 16));
    enc_json_member_hex(out, "spanId", enc_bytes_of(ids->span8, 8));
    if (ids->parent8)
        enc_json_member_hex(out, "parentSpanId", enc_bytes_of(ids->parent8, 8));
    enc_json_member_u64(out, "flags", flags);
    enc_json_member_u64(out, "kind", kind);
}

static void put_times(struct enc_buffer *out, uint64_t began_ns, uint64_t ended_ns)
{
    member_u64_text(out, "startTimeUnixNano", began_ns);
    member_u64_text(out, "endTimeUnixNano", ended_ns);
}

static void put_own_span(struct enc_buffer *out, const struct enc_trace *trace, uint64_t wall_ns)
{
    bool is_post = trace->kind == ENC_TRACE_POST;
    struct ids ids = {trace->context.trace16, trace->context.span8,
                      trace->has_parent ? trace->parent8 : NULL};
    unsigned flags = FLAG_SAMPLED | FLAG_KNOWS_REMOTE;
    enc_json_put_raw(out, "{");
    put_ids(out, &ids, is_post ? KIND_CLIENT : KIND_SERVER,
            trace->has_parent && !is_post ? flags | FLAG_IS_REMOTE : flags);
    put_name(out, trace);
    put_times(out, trace->began_ns + wall_ns, trace->ended_ns + wall_ns);
    put_attributes(out, trace);
    if (has_failed(trace)) {
        enc_json_member(out, "status");
        enc_json_put_raw(out, "{");
        enc_json_member_u64(out, "code", STATUS_ERROR);
        enc_json_put_raw(out, "}");
    }
    enc_json_put_raw(out, "}");
}

static void put_span(struct enc_buffer *out, const struct enc_trace *trace,
                     const struct enc_trace_span *span, uint64_t wall_ns)
{
    uint8_t span8[8];
    struct ids ids = {trace->context.trace16, span8, trace->context.span8};
    enc_process_draw(span8, sizeof span8);
    enc_json_put_raw(out, ",{");
    put_ids(out, &ids, KIND_INTERNAL, FLAG_SAMPLED | FLAG_KNOWS_REMOTE);
    enc_json_member_text(out, "name", enc_bytes_of_text(span->name));
    put_times(out, span->began_ns + wall_ns, span->ended_ns + wall_ns);
    enc_json_put_raw(out, "}");
}

size_t enc_otlp_span_count(const struct enc_trace *trace)
{
    return 1 + trace->span_count;
}

void enc_otlp_put(struct enc_buffer *out, struct enc_bytes resource, const struct enc_trace *list,
                  uint64_t wall_ns)
{
    enc_json_put_raw(out, "{\"resourceSpans\":[{\"resource\":");
    enc_buffer_add(out, resource);
    enc_json_put_raw(out, ",\"scopeSpans\":[{\"scope\":{\"name\":\"enclaved\",\"version\":"
                          "\"" ENC_VERSION "\"},\"spans\":[");
    for (; list; list = list->next) {
        enc_json_comma(out);
        put_own_span(out, list, wall_ns);
        for (size_t i = 0; i < list->span_count; i++)
            put_span(out, list, &list->spans[i], wall_ns);
    }
    enc_json_put_raw(out, "]}]}]}");
}
