#include "services/stream.h"

#include "services/params.h"

static const struct enc_param_range SEQS = {0, ((uint64_t)1 << 53) - 1};

static enum enc_err take_resume(struct enc_asker *asker, struct enc_bytes last_event_id)
{
    uint8_t text[32] = "id=";
    bool given;
    if (last_event_id.len == 0)
        return ENC_ERR_OK;
    if (last_event_id.len > sizeof text - 3)
        return ENC_ERR_INVALID_QUERY;
    memcpy(text + 3, last_event_id.data, last_event_id.len);
    ENC_TRY(enc_param_u64(enc_bytes_of(text, 3 + last_event_id.len), "id", &SEQS, &given,
                          &asker->resume_seq));
    asker->resumes = true;
    return ENC_ERR_OK;
}

static void put_types(struct enc_buffer *out, struct enc_bytes types)
{
    enc_json_put_raw(out, "[");
    for (bool is_first = true; types.len > 0; is_first = false) {
        struct enc_bytes type = enc_bytes_cut(&types, ',');
        if (!is_first)
            enc_json_put_raw(out, ",");
        enc_json_put_text(out, type);
    }
    enc_json_put_raw(out, "]");
}

static enum enc_err put_filter(struct enc_buffer *out, struct enc_arena *arena,
                               struct enc_bytes query)
{
    struct enc_bytes types;
    uint64_t from = 0;
    bool has_from, has_types;
    ENC_TRY(enc_param_u64(query, "from", &SEQS, &has_from, &from));
    ENC_TRY(enc_param_text(query, "type", arena, &has_types, &types));
    enc_json_put_raw(out, "{\"seq\":{\"start_at\":");
    enc_json_put_u64(out, from);
    enc_json_put_raw(out, "}");
    if (has_types) {
        enc_json_put_raw(out, ",\"type\":");
        put_types(out, types);
    }
    enc_json_put_raw(out, "}");
    return ENC_ERR_OK;
}

enum enc_err enc_stream_ask(struct enc_exchange *exchange, struct enc_bytes last_event_id)
{
    struct enc_arena *arena = &exchange->arena;
    struct enc_bytes query = exchange->body;
    struct enc_buffer out;
    bool is_whole;
    ENC_TRY(take_resume(&exchange->asker, last_event_id));
    ENC_TRY(enc_param_text(query, "query", arena, &is_whole, &exchange->body));
    if (is_whole)
        return ENC_ERR_OK;
    enc_buffer_init(&out, arena, SIZE_MAX / 4);
    enc_json_put_raw(&out, "{\"type\":\"Query\",\"sub_id\":\"events\",\"content\":{\"filter\":");
    ENC_TRY(put_filter(&out, arena, query));
    enc_json_put_raw(&out, "}}");
    return enc_buffer_bytes(&out, &exchange->body);
}

enum enc_err enc_stream_widen(struct enc_filter *filter)
{
    filter->limit = UINT32_MAX;
    return filter->reverse ? ENC_ERR_INVALID_FILTER : ENC_ERR_OK;
}
