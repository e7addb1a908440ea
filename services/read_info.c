/* The public reads: tree head, Manifest, status, consistency (protocol.md 7.3, 8.6). */
#include "proto/proof_json.h"
#include "proto/record.h"
#include "services/heads.h"
#include "services/inside.h"
#include "services/read.h"

enum { STH_AGE_MAX_MS = 60000, STH_AGE_MARGIN_MS = 5000 };

static bool is_fresh(const struct enc_read *read, const struct enc_sth *sth)
{
    bool is_past = sth->t_ms <= read->now_ms; /* else the clock was ahead when it was signed */
    return is_past && sth->t_ms + STH_AGE_MAX_MS - STH_AGE_MARGIN_MS > read->now_ms;
}

/* The stored head was signed when the newest bundle closed; an old one is signed anew, for those
 * who ask within the next minute. */
static void fresh_head(const struct enc_read *read, struct enc_sth *sth)
{
    struct enc_heads *heads = read->host->heads;
    const uint8_t *enclave32 = read->state.enclave32;
    *sth = read->state.sth;
    bool is_whole = sth->t_ms != 0 && sth->ts == read->state.ct.count; /* 0: no bundle yet */
    if (is_whole && is_fresh(read, sth))
        return;
    if (!is_whole)
        enc_frontier_root(&read->state.ct, sth->r32);
    sth->ts = read->state.ct.count;
    if (enc_heads_find(heads, sth, enclave32) && is_fresh(read, sth))
        return;
    sth->t_ms = read->now_ms;
    enc_sth_sign(read->host->curve, sth, read->host->key);
    enc_heads_keep(heads, sth, enclave32);
}

enum enc_err enc_read_sth(struct enc_read *read, struct enc_buffer *out,
                          const struct enc_json *content)
{
    struct enc_sth sth;
    (void)content;
    fresh_head(read, &sth);
    enc_sth_put(out, &sth);
    return ENC_ERR_OK;
}

enum enc_err enc_read_consistency(struct enc_read *read, struct enc_buffer *out,
                                  const struct enc_json *content)
{
    struct enc_consistency_request request;
    struct enc_consistency proof;
    (void)content;
    ENC_TRY(enc_consistency_request_take(&request, read->exchange->query, read->state.ct.count));
    ENC_TRY(enc_consistency_prove(&proof, &read->source.subtrees, request.from, request.to));
    read->exchange->is_immutable = request.is_fixed;
    enc_consistency_put(out, &proof);
    return ENC_ERR_OK;
}

/* The Manifest event's own JSON object without its braces: a GET puts them back. */
enum enc_err enc_read_manifest(struct enc_read *read, struct enc_buffer *out,
                               const struct enc_json *content)
{
    struct enc_event event;
    struct enc_bytes object;
    struct enc_buffer json;
    (void)content;
    ENC_TRY(enc_read_first_event(read, &event));
    read->exchange->is_immutable = true;
    enc_buffer_init(&json, &read->exchange->arena, SIZE_MAX / 4);
    enc_event_put_json(&json, &event, false);
    ENC_TRY(enc_buffer_bytes(&json, &object));
    ENC_CHECK(object.len > 2);
    enc_buffer_add(out, enc_bytes_of(object.data + 1, object.len - 2));
    return ENC_ERR_OK;
}

static void put_bundle(struct enc_buffer *out, const struct enc_manifest *manifest)
{
    enc_json_member(out, "bundle");
    enc_json_put_raw(out, "{");
    enc_json_member_u64(out, "size", manifest->bundle_size);
    enc_json_member_u64(out, "timeout", manifest->bundle_timeout_ms);
    enc_json_put_raw(out, "}");
}

static void put_ct(struct enc_buffer *out, const struct enc_state *state)
{
    uint8_t root32[32];
    enc_frontier_root(&state->ct, root32);
    enc_json_member(out, "ct");
    enc_json_put_raw(out, "{");
    enc_json_member_u64(out, "ts", state->ct.count);
    enc_json_member_hex(out, "r", enc_bytes_of(root32, 32));
    enc_json_put_raw(out, "}");
}

enum enc_err enc_read_enclave(struct enc_read *read, struct enc_buffer *out,
                              const struct enc_json *content)
{
    const struct enc_state *state = &read->state;
    (void)content;
    const struct enc_service *service = enc_service_at(state->service);
    enc_json_member_hex(out, "enclave", enc_bytes_of(state->enclave32, 32));
    enc_json_member_hex(out, "sequencer", enc_bytes_of(read->host->key->pub32, 32));
    enc_json_member_text(out, "status", enc_bytes_of_text(enc_status_name(state->status)));
    enc_json_member_u64(out, "seq", state->next_seq - 1);
    enc_json_member_u64(out, "created_at", state->created_ms);
    enc_json_member_u64(out, "enc_v", 1);
    put_bundle(out, read->manifest);
    put_ct(out, state);
    enc_json_member_hex(out, "state_hash", enc_bytes_of(state->smt.hash32, 32));
    enc_json_member_text(out, "service", enc_bytes_of_text(service->name));
    enc_json_member_raw(out, "encrypted",
                        service->enclave.encrypted ? ENC_LIT("true") : ENC_LIT("false"));
    return ENC_ERR_OK;
}
