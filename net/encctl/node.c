#include "net/encctl/node.h"

#include "net/encctl/out.h"
#include "net/process.h"
#include "proto/base/hex.h"

#include <stdio.h>

/* The path part of the url, "/" when there is none: the mount. */
static struct enc_bytes mount_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = strchr(host ? host + 3 : url, '/');
    return path ? enc_bytes_of_text(path) : ENC_LIT("/");
}

/* A service that has host names of its own is mounted at "/" there, beside enc-node: encrypted is
 * then a safe guess, because every service takes sealed requests. */
static void know_service(struct enc_ctl *ctl, const struct enc_json *services)
{
    struct enc_bytes mount;
    struct enc_bytes here = mount_of(ctl->url);
    ctl->is_encrypted = true;
    ctl->has_push = true;
    for (const struct enc_json *s = services ? services->child : NULL; s; s = s->next) {
        bool is_here =
            enc_json_text(enc_json_get(s, "mount"), &mount) && enc_bytes_equal(mount, here);
        if (is_here && enc_json_bool(enc_json_get(s, "encrypted"), &ctl->is_encrypted) &&
            enc_json_bool(enc_json_get(s, "has_push"), &ctl->has_push))
            return;
    }
}

bool enc_node_know(struct enc_ctl *ctl)
{
    struct enc_answer answer;
    if (ctl->has_node)
        return true;
    if (!enc_http_get(ctl, &ctl->arena, &answer, "/info/node") || !enc_http_good(ctl, &answer))
        return false;
    if (!enc_json_hex(enc_json_get(answer.json, "seq_pub"), ctl->seq_pub32, 32)) {
        enc_out_fault("%s is no node: /info/node has no seq_pub", ctl->url);
        return false;
    }
    know_service(ctl, enc_json_get(answer.json, "services"));
    ctl->has_node = true;
    return true;
}

bool enc_line_open(struct enc_ctl *ctl, struct enc_line *line, const uint8_t enclave32[32])
{
    struct enc_session session;
    struct enc_key session_key;
    struct enc_key signer_key;
    struct enc_scope scope;
    if (!enc_ctl_need_key(ctl) || !enc_node_know(ctl))
        return false;
    memcpy(scope.seq_pub32, ctl->seq_pub32, 32);
    memcpy(scope.enclave32, enclave32, 32);
    uint64_t expires_s = enc_process_now_ms() / 1000 + ENC_SESSION_LIFE_S;
    enc_session_make(ctl->curve, &session, &session_key, &ctl->key, (uint32_t)expires_s);
    enc_session_write(line->session136, &session);
    enc_session_signer_key(ctl->curve, &signer_key, &session_key, &scope);
    memcpy(line->signer32, signer_key.pub32, 32);
    bool is_open = enc_channel_derive(ctl->curve, &line->channel, &signer_key, ctl->seq_pub32);
    enc_key_wipe(&session_key);
    enc_key_wipe(&signer_key);
    if (!is_open)
        enc_out_fault("the node's seq_pub is no public key");
    return is_open;
}

void enc_line_wipe(struct enc_line *line)
{
    enc_channel_wipe(&line->channel);
}

void enc_line_seal(const struct enc_line *line, struct enc_buffer *out, struct enc_bytes plain)
{
    uint8_t nonce24[24];
    struct enc_bytes base64;
    enc_process_random(nonce24, sizeof nonce24);
    enum enc_err err =
        enc_seal_close(&base64, out->arena, line->channel.key_query32, nonce24, plain);
    ENC_CHECK(err == ENC_ERR_OK);
    enc_json_member_text(out, "content", base64);
}

bool enc_line_unseal(const struct enc_line *line, const struct enc_json **out,
                     struct enc_arena *arena, struct enc_bytes base64)
{
    struct enc_bytes plain;
    struct enc_json_facts facts;
    struct enc_json *json = NULL;
    bool is_open =
        enc_seal_open(&plain, arena, line->channel.key_response32, base64) == ENC_ERR_OK &&
        enc_json_parse(&json, arena, plain, &facts) == ENC_ERR_OK;
    if (!is_open)
        enc_out_fault("the sealed answer cannot be opened");
    *out = json;
    return is_open;
}

static void put_head(struct enc_buffer *out, const struct enc_question *question)
{
    enc_json_put_raw(out, "{");
    if (question->type)
        enc_json_member_text(out, "type", enc_bytes_of_text(question->type));
    if (question->sub_id.len)
        enc_json_member_text(out, "sub_id", question->sub_id);
    enc_json_member_hex(out, "enclave", enc_bytes_of(question->enclave32, 32));
}

static void put_sealed(struct enc_buffer *out, const struct enc_question *question,
                       const struct enc_line *line)
{
    struct enc_buffer plain;
    struct enc_bytes text;
    enc_buffer_init(&plain, out->arena, SIZE_MAX / 4);
    enc_json_put_raw(&plain, "{");
    enc_json_member_text(&plain, "session", enc_bytes_of(line->session136, ENC_SESSION_TEXT_LEN));
    enc_json_comma(&plain);
    enc_buffer_add(&plain, question->members);
    enc_json_put_raw(&plain, "}");
    ENC_CHECK(enc_buffer_bytes(&plain, &text) == ENC_ERR_OK);
    enc_json_member_hex(out, "signer", enc_bytes_of(line->signer32, 32));
    enc_line_seal(line, out, text);
}

void enc_question_put(struct enc_buffer *out, const struct enc_question *question,
                      const struct enc_ctl *ctl, const struct enc_line *line)
{
    put_head(out, question);
    if (line) {
        enc_json_member_hex(out, "from", enc_bytes_of(ctl->key.pub32, 32));
        put_sealed(out, question, line);
    } else {
        enc_json_member(out, "content");
        enc_json_put_raw(out, "{");
        enc_buffer_add(out, question->members);
        enc_json_put_raw(out, "}");
    }
    enc_json_put_raw(out, "}");
}

static void enclave_path(char path[ENC_PATH_LEN_MAX], const uint8_t enclave32[32],
                         const char *action)
{
    char hex[64];
    enc_hex_encode(hex, enc_bytes_of(enclave32, 32));
    snprintf(path, ENC_PATH_LEN_MAX, "/enclave/%.64s%s", hex, action);
}

static bool open_content(const struct enc_json **content, struct enc_arena *arena,
                         const struct enc_answer *answer, const struct enc_line *line)
{
    struct enc_bytes base64;
    const struct enc_json *found = enc_json_get(answer->json, "content");
    if (line && enc_json_text(found, &base64))
        return enc_line_unseal(line, content, arena, base64);
    *content = found;
    if (!found || found->kind != ENC_JSON_OBJECT)
        enc_out_fault("the answer has no content");
    return found && found->kind == ENC_JSON_OBJECT;
}

static bool post_question(struct enc_ctl *ctl, struct enc_arena *arena, struct enc_answer *answer,
                          const struct enc_question *question, const struct enc_line *line)
{
    char path[ENC_PATH_LEN_MAX];
    struct enc_buffer body;
    struct enc_bytes text;
    enc_buffer_init(&body, arena, SIZE_MAX / 4);
    enc_question_put(&body, question, ctl, line);
    ENC_CHECK(enc_buffer_bytes(&body, &text) == ENC_ERR_OK);
    enclave_path(path, question->enclave32, question->action);
    return enc_http_post(ctl, arena, answer, path, text) && enc_http_good(ctl, answer);
}

bool enc_ask(struct enc_ctl *ctl, struct enc_arena *arena, const struct enc_json **content,
             const struct enc_question *question)
{
    struct enc_line line;
    struct enc_answer answer;
    struct enc_line *sealed = ctl->has_key ? &line : NULL;
    if (sealed && !enc_line_open(ctl, sealed, question->enclave32))
        return false;
    bool has_content = post_question(ctl, arena, &answer, question, sealed) &&
                       open_content(content, arena, &answer, sealed);
    if (sealed)
        enc_line_wipe(sealed);
    return has_content;
}

bool enc_fetch_public(struct enc_ctl *ctl, struct enc_answer *answer, const uint8_t enclave32[32],
                      const char *action)
{
    char path[ENC_PATH_LEN_MAX];
    enclave_path(path, enclave32, action);
    return enc_http_get(ctl, &ctl->arena, answer, path) && enc_http_good(ctl, answer);
}
