#include "proto/proof_json.h"

#include "proto/base/hex.h"

static struct enc_bytes hash_of(const uint8_t hash32[32])
{
    return enc_bytes_of(hash32, 32);
}

static void hashes_put(struct enc_buffer *buffer, const char *name, const uint8_t (*hashes32)[32],
                       size_t count)
{
    enc_json_member(buffer, name);
    enc_json_put_raw(buffer, "[");
    for (size_t i = 0; i < count; i++) {
        enc_json_comma(buffer);
        enc_json_put_hex(buffer, hash_of(hashes32[i]));
    }
    enc_json_put_raw(buffer, "]");
}

static bool hashes_take(uint8_t (*hashes32)[32], size_t *count, const struct enc_json *list,
                        size_t count_max)
{
    if (!list || list->kind != ENC_JSON_ARRAY || list->count > count_max)
        return false;
    *count = 0;
    for (const struct enc_json *item = list->child; item; item = item->next)
        if (!enc_json_hex(item, hashes32[(*count)++], 32))
            return false;
    return true;
}

static void path_put(struct enc_buffer *buffer, const char *name, const struct enc_path *path)
{
    hashes_put(buffer, name, path->hashes32, path->count);
}

static bool path_take(struct enc_path *path, const struct enc_json *list)
{
    size_t count = 0;
    bool good = hashes_take(path->hashes32, &count, list, ENC_PATH_MAX);
    path->count = (uint32_t)count;
    return good;
}

static bool u64_take(uint64_t *out, const struct enc_json *object, const char *name)
{
    return enc_json_u64(enc_json_get(object, name), out);
}

static bool hex_take(uint8_t *out, size_t len, const struct enc_json *object, const char *name)
{
    return enc_json_hex(enc_json_get(object, name), out, len);
}

static enum enc_err outcome(bool good)
{
    return good ? ENC_ERR_OK : ENC_ERR_INVALID_REQUEST;
}

void enc_smt_proof_put(struct enc_buffer *buffer, const struct enc_smt_proof *proof)
{
    enc_json_member_hex(buffer, "k", enc_bytes_of(proof->key21, ENC_SMT_KEY_LEN));
    enc_json_member(buffer, "v");
    if (proof->value.len == 0)
        enc_json_put_raw(buffer, "null");
    else
        enc_json_put_hex(buffer, enc_bytes_of(proof->value.data, proof->value.len));
    enc_json_member_hex(buffer, "b", enc_bytes_of(proof->bitmap21, ENC_SMT_KEY_LEN));
    hashes_put(buffer, "s", proof->siblings32, proof->count);
}

static bool value_take(struct enc_smt_value *value, const struct enc_json *v)
{
    *value = (struct enc_smt_value){.len = 0};
    if (v && v->kind == ENC_JSON_NULL)
        return true;
    struct enc_bytes text;
    if (!enc_json_text(v, &text) || text.len == 0 || text.len > 2 * sizeof value->data)
        return false;
    value->len = (uint8_t)(text.len / 2);
    return enc_hex_decode(value->data, value->len, text);
}

enum enc_err enc_smt_proof_take(struct enc_smt_proof *out, const struct enc_json *object)
{
    size_t count = 0;
    bool good = hex_take(out->key21, ENC_SMT_KEY_LEN, object, "k") &&
                value_take(&out->value, enc_json_get(object, "v")) &&
                hex_take(out->bitmap21, ENC_SMT_KEY_LEN, object, "b") &&
                hashes_take(out->siblings32, &count, enc_json_get(object, "s"), ENC_SMT_DEPTH);
    out->count = (uint8_t)count;
    return outcome(good);
}

void enc_bundle_proof_put(struct enc_buffer *buffer, const struct enc_bundle_proof *proof)
{
    enc_json_member_hex(buffer, "event_id", hash_of(proof->event_id32));
    enc_json_member_u64(buffer, "bundle_index", proof->index);
    enc_json_member_u64(buffer, "bundle_size", proof->size);
    path_put(buffer, "siblings", &proof->siblings);
}

enum enc_err enc_bundle_proof_take(struct enc_bundle_proof *out, const struct enc_json *object)
{
    return outcome(hex_take(out->event_id32, 32, object, "event_id") &&
                   u64_take(&out->index, object, "bundle_index") &&
                   u64_take(&out->size, object, "bundle_size") &&
                   path_take(&out->siblings, enc_json_get(object, "siblings")));
}

void enc_inclusion_put(struct enc_buffer *buffer, const struct enc_inclusion *proof)
{
    enc_json_member_u64(buffer, "ts", proof->size);
    enc_json_member_u64(buffer, "li", proof->index);
    path_put(buffer, "p", &proof->path);
    enc_json_member_hex(buffer, "events_root", hash_of(proof->events_root32));
    enc_json_member_hex(buffer, "state_hash", hash_of(proof->state_hash32));
}

enum enc_err enc_inclusion_take(struct enc_inclusion *out, const struct enc_json *object)
{
    return outcome(u64_take(&out->size, object, "ts") && u64_take(&out->index, object, "li") &&
                   path_take(&out->path, enc_json_get(object, "p")) &&
                   hex_take(out->events_root32, 32, object, "events_root") &&
                   hex_take(out->state_hash32, 32, object, "state_hash"));
}

void enc_consistency_put(struct enc_buffer *buffer, const struct enc_consistency *proof)
{
    enc_json_member_u64(buffer, "ts1", proof->from);
    enc_json_member_u64(buffer, "ts2", proof->to);
    path_put(buffer, "p", &proof->path);
}

enum enc_err enc_consistency_take(struct enc_consistency *out, const struct enc_json *object)
{
    return outcome(u64_take(&out->from, object, "ts1") && u64_take(&out->to, object, "ts2") &&
                   path_take(&out->path, enc_json_get(object, "p")));
}

void enc_sth_put(struct enc_buffer *buffer, const struct enc_sth *sth)
{
    enc_json_member_u64(buffer, "t", sth->t_ms);
    enc_json_member_u64(buffer, "ts", sth->ts);
    enc_json_member_hex(buffer, "r", hash_of(sth->r32));
    enc_json_member_hex(buffer, "sig", enc_bytes_of(sth->sig64, 64));
}

enum enc_err enc_sth_take(struct enc_sth *out, const struct enc_json *object)
{
    return outcome(u64_take(&out->t_ms, object, "t") && u64_take(&out->ts, object, "ts") &&
                   hex_take(out->r32, 32, object, "r") && hex_take(out->sig64, 64, object, "sig"));
}
