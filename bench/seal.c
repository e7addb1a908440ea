/*
 * load seal --dir DIR --enclave ID --node SEQ_PUB --count N: queries.txt, N live queries, each
 * sealed by a reader of its own (protocol.md 1.5, 8.3).
 */
#include "bench/load.h"

#include "proto/base/hex.h"
#include "proto/json.h"
#include "proto/session.h"
#include "proto/sha256.h"

#include <stdlib.h>

enum { ARENA_LEN = 1 << 16, LIFE_S = 3600 };

struct sealer {
    const struct load_options *options;
    struct enc_curve *curve;
    struct enc_scope scope;
    uint32_t expires_s;
    uint8_t *memory; /* of one query */
};

/* Session and channel of reader number index. */
struct line {
    struct enc_key reader;
    struct enc_key signer;
    struct enc_channel channel;
    char session136[ENC_SESSION_TEXT_LEN];
};

static void sealer_init(struct sealer *sealer, const struct load_options *options)
{
    uint8_t seed32[32];
    enc_sha256(seed32, enc_bytes_of_text(options->seed));
    sealer->options = options;
    sealer->expires_s = (uint32_t)time(NULL) + LIFE_S;
    sealer->memory = (uint8_t *)load_alloc(1, ARENA_LEN);
    sealer->curve =
        enc_curve_init(aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15), seed32);
    ENC_CHECK(options->enclave && options->node);
    ENC_CHECK(enc_hex_decode(sealer->scope.enclave32, 32, enc_bytes_of_text(options->enclave)));
    ENC_CHECK(enc_hex_decode(sealer->scope.seq_pub32, 32, enc_bytes_of_text(options->node)));
}

static void line_open(const struct sealer *sealer, struct line *line, size_t index)
{
    uint8_t priv32[32];
    struct enc_session session;
    struct enc_key session_key;
    enc_be64_put(priv32, index);
    enc_sha256(priv32, enc_bytes_of(priv32, 8));
    ENC_CHECK(enc_key_init(&line->reader, sealer->curve, priv32));
    enc_session_make(sealer->curve, &session, &session_key, &line->reader, sealer->expires_s);
    enc_session_write(line->session136, &session);
    enc_session_signer_key(sealer->curve, &line->signer, &session_key, &sealer->scope);
    ENC_CHECK(
        enc_channel_derive(sealer->curve, &line->channel, &line->signer, sealer->scope.seq_pub32));
}

static struct enc_bytes seal_content(struct enc_arena *arena, const struct line *line, size_t index)
{
    char plain[512];
    uint8_t nonce24[24] = {0};
    struct enc_bytes base64;
    int len = snprintf(plain, sizeof plain,
                       "{\"session\":\"%.136s\",\"filter\":{\"type\":\"Post\"}}", line->session136);
    enc_be64_put(nonce24, index);
    ENC_CHECK(enc_seal_close(&base64, arena, line->channel.key_query32, nonce24,
                             enc_bytes_of(plain, (size_t)len)) == ENC_ERR_OK);
    return base64;
}

static void write_query(const struct sealer *sealer, FILE *out, size_t index)
{
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes json;
    struct line line;
    enc_arena_init_fixed(&arena, sealer->memory, ARENA_LEN);
    enc_buffer_init(&buffer, &arena, ARENA_LEN);
    line_open(sealer, &line, index);
    enc_json_put_raw(&buffer, "{\"type\":\"Query\",\"sub_id\":\"s\"");
    enc_json_member_text(&buffer, "enclave", enc_bytes_of_text(sealer->options->enclave));
    enc_json_member_hex(&buffer, "from", enc_bytes_of(line.reader.pub32, 32));
    enc_json_member_hex(&buffer, "signer", enc_bytes_of(line.signer.pub32, 32));
    enc_json_member_text(&buffer, "content", seal_content(&arena, &line, index));
    enc_json_put_raw(&buffer, "}");
    ENC_CHECK(enc_buffer_bytes(&buffer, &json) == ENC_ERR_OK);
    fprintf(out, "POST / %.*s\n", (int)json.len, (const char *)json.data);
}

int load_run_seal(const struct load_options *options)
{
    struct sealer sealer;
    FILE *out = load_create(options, "queries.txt");
    sealer_init(&sealer, options);
    for (size_t i = 0; i < options->count; i++)
        write_query(&sealer, out, i);
    if (fclose(out) != 0)
        load_die("write");
    printf("{\"count\":%zu}\n", options->count);
    return 0;
}
