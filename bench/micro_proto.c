/* Rows of proto: signatures, hashes, JSON, records. */
#include "bench/micro.h"

#include "proto/cbor.h"
#include "proto/record.h"
#include "proto/seal.h"
#include "proto/sha256.h"

static struct enc_bytes kept(struct enc_buffer *buffer)
{
    struct enc_bytes bytes;
    ENC_CHECK(enc_buffer_bytes(buffer, &bytes) == ENC_ERR_OK);
    uint8_t *copy = (uint8_t *)malloc(bytes.len);
    ENC_CHECK(copy);
    memcpy(copy, bytes.data, bytes.len);
    return enc_bytes_of(copy, bytes.len);
}

static void make_commit(struct micro *micro)
{
    struct enc_arena arena = micro_arena(micro);
    struct enc_buffer buffer;
    enc_sha256(micro->commit.enclave32, ENC_LIT("an enclave"));
    micro->commit.type = ENC_LIT("Post");
    micro->commit.content = ENC_LIT("{\"text\":\"a post of the usual length, number 12345, as "
                                    "people write them when they have something short to say "
                                    "to each other\"}");
    micro->commit.exp_ms = 1750000062000;
    ENC_CHECK(enc_commit_sign(micro->curve, &micro->commit, &micro->key) == ENC_ERR_OK);
    enc_commit_lift(&micro->commit);
    enc_buffer_init(&buffer, &arena, MICRO_ARENA_LEN);
    enc_commit_put_json(&buffer, &micro->commit);
    micro->json = kept(&buffer);
}

static void make_event(struct micro *micro)
{
    struct enc_arena arena = micro_arena(micro);
    struct enc_buffer buffer;
    micro->event = (struct enc_event){.commit = micro->commit, .seq = 1000, .type_seq = 999};
    micro->event.timestamp_ms = 1750000002001;
    enc_event_finalise(&micro->event, micro->curve, &micro->key);
    enc_buffer_init(&buffer, &arena, MICRO_ARENA_LEN);
    enc_record_put(&buffer, &micro->event);
    micro->record = kept(&buffer);
}

void micro_init(struct micro *micro)
{
    uint8_t seed32[32];
    enc_sha256(seed32, ENC_LIT("micro"));
    micro->memory = (uint8_t *)aligned_alloc(64, MICRO_ARENA_LEN);
    micro->curve = enc_curve_init(aligned_alloc(64, (enc_curve_size() + 63) & ~(size_t)63), seed32);
    ENC_CHECK(micro->memory && enc_key_init(&micro->key, micro->curve, seed32));
    make_commit(micro);
    make_event(micro);
}

void micro_verify(struct micro *micro, size_t count)
{
    const struct enc_commit *commit = &micro->commit;
    for (size_t i = 0; i < count; i++)
        ENC_CHECK(enc_schnorr_verify(micro->curve, commit->sig64, commit->hash32, commit->from32));
}

void micro_verify_lifted(struct micro *micro, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ENC_CHECK(enc_commit_signature(micro->curve, &micro->commit) == ENC_ERR_OK);
}

void micro_sign(struct micro *micro, size_t count)
{
    uint8_t sig64[64];
    for (size_t i = 0; i < count; i++) {
        enc_be64_put(micro->sink, i);
        enc_schnorr_sign(micro->curve, sig64, &micro->key, micro->sink);
    }
    memcpy(micro->sink, sig64, sizeof micro->sink);
}

void micro_pair(struct micro *micro, size_t count)
{
    for (size_t i = 0; i < count; i++)
        enc_h_pair(micro->sink, 0x21, micro->sink, micro->commit.hash32);
}

void micro_sha_600(struct micro *micro, size_t count)
{
    uint8_t bytes[600] = {0};
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes, micro->sink, sizeof micro->sink);
        enc_sha256(micro->sink, enc_bytes_of(bytes, sizeof bytes));
    }
}

static struct enc_json *parse(struct micro *micro, struct enc_arena *arena)
{
    struct enc_json_facts facts;
    struct enc_json *json = NULL;
    ENC_CHECK(enc_json_parse(&json, arena, micro->json, &facts) == ENC_ERR_OK);
    return json;
}

void micro_parse(struct micro *micro, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct enc_arena arena = micro_arena(micro);
        micro->sink[0] ^= (uint8_t)parse(micro, &arena)->count;
    }
}

void micro_decode(struct micro *micro, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct enc_arena arena = micro_arena(micro);
        struct enc_commit commit;
        ENC_CHECK(enc_commit_decode(&commit, &arena, parse(micro, &arena), ENC_CONTENT_LEN_MAX) ==
                  ENC_ERR_OK);
        micro->sink[0] ^= commit.hash32[0];
    }
}

void micro_hash(struct micro *micro, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        micro->commit.exp_ms ^= i & 1;
        enc_commit_hash_fill(&micro->commit);
    }
}

void micro_receipt(struct micro *micro, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct enc_arena arena = micro_arena(micro);
        struct enc_buffer buffer;
        enc_buffer_init(&buffer, &arena, MICRO_ARENA_LEN);
        enc_receipt_put_json(&buffer, &micro->event);
        micro->sink[0] ^= (uint8_t)buffer.len;
    }
}

/* Writing the JSON is part of it. */
void micro_seal(struct micro *micro, size_t count)
{
    uint8_t nonce24[24] = {0};
    for (size_t i = 0; i < count; i++) {
        struct enc_arena arena = micro_arena(micro);
        struct enc_buffer buffer;
        struct enc_bytes plain;
        struct enc_bytes base64;
        enc_be64_put(nonce24, i);
        enc_buffer_init(&buffer, &arena, MICRO_ARENA_LEN / 4);
        enc_event_put_json(&buffer, &micro->event, false);
        ENC_CHECK(enc_buffer_bytes(&buffer, &plain) == ENC_ERR_OK);
        ENC_CHECK(enc_seal_close(&base64, &arena, micro->commit.hash32, nonce24, plain) ==
                  ENC_ERR_OK);
        micro->sink[0] ^= base64.data[0];
    }
}

void micro_encode(struct micro *micro, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct enc_arena arena = micro_arena(micro);
        struct enc_buffer buffer;
        enc_buffer_init(&buffer, &arena, MICRO_ARENA_LEN);
        enc_record_put(&buffer, &micro->event);
        micro->sink[0] ^= (uint8_t)buffer.len;
    }
}

void micro_take(struct micro *micro, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct enc_arena arena = micro_arena(micro);
        struct enc_event event;
        ENC_CHECK(enc_record_take(&event, &arena, micro->record) == ENC_ERR_OK);
        micro->sink[0] ^= event.id32[0];
    }
}
