/* register: a node, an enclave or an identity, at a registry. */
#include "net/encctl/commits.h"
#include "net/encctl/out.h"
#include "net/encctl/registry.h"
#include "proto/manifest.h"
#include "proto/proof_json.h"

#include <stdio.h>

/* ---- shared with resolve ---- */

bool enc_registry_find(struct enc_ctl *ctl, uint8_t enclave32[32])
{
    struct enc_answer answer;
    struct enc_bytes service;
    if (!enc_http_get(ctl, &ctl->arena, &answer, "/info/enclave"))
        return false;
    bool is_one = answer.status == 200 &&
                  enc_json_text(enc_json_get(answer.json, "service"), &service) &&
                  enc_bytes_is(service, "registry") &&
                  enc_json_hex(enc_json_get(answer.json, "enclave"), enclave32, 32);
    if (!is_one)
        enc_out_fault("%s is no registry; its mount is mostly /registry", ctl->url);
    return is_one;
}

const char *enc_ctl_turn_to(struct enc_ctl *ctl, const char *url)
{
    const char *before = ctl->url;
    ctl->url = url;
    ctl->has_node = false;
    return before;
}

const char *enc_registry_check_manifest(struct enc_ctl *ctl, struct enc_event *out,
                                        const struct enc_json *json, const uint8_t enclave32[32])
{
    struct enc_manifest rules;
    struct enc_arena *arena = &ctl->arena;
    if (enc_event_take(out, arena, json) != ENC_ERR_OK || out->is_erased)
        return "is no event";
    enum enc_event_fault fault = enc_event_check(out, ctl->curve, NULL);
    if (fault != ENC_EVENT_SOUND)
        return enc_event_fault_text(fault);
    if (!enc_bytes_is(out->commit.type, "Manifest") || out->seq != 0 ||
        memcmp(out->commit.enclave32, enclave32, 32) != 0)
        return "is not that of the enclave";
    bool is_good =
        enc_manifest_parse(&rules, arena, arena, out->commit.content, NULL) == ENC_ERR_OK &&
        enc_manifest_check(&rules, &out->commit, out->sequencer32) == ENC_ERR_OK;
    return is_good ? NULL : "does not make this enclave";
}

/* ---- node ---- */

static struct enc_bytes scheme_of(const char *uri)
{
    return enc_bytes_of(uri, strcspn(uri, ":"));
}

static bool is_new(const struct enc_args *args, size_t index)
{
    for (size_t i = 1; i < index; i++)
        if (enc_bytes_equal(scheme_of(args->words[i]), scheme_of(args->words[index])))
            return false;
    return true;
}

/* In the order given: the first is tried first. */
static enum enc_exit put_node(struct enc_ctl *ctl, struct enc_buffer *out,
                              const struct enc_args *args)
{
    enc_json_member_hex(out, "seq_pub", enc_bytes_of(ctl->key.pub32, 32));
    enc_json_member(out, "endpoints");
    enc_json_put_raw(out, "[");
    for (size_t i = 1; i < args->word_count; i++) {
        enc_json_comma(out);
        enc_json_put_raw(out, "{");
        enc_json_member_text(out, "uri", enc_bytes_of_text(args->words[i]));
        enc_json_member_u64(out, "priority", i - 1);
        enc_json_put_raw(out, "}");
    }
    enc_json_put_raw(out, "]");
    enc_json_member(out, "protocols");
    enc_json_put_raw(out, "[");
    for (size_t i = 1; i < args->word_count; i++) {
        if (!is_new(args, i))
            continue;
        enc_json_comma(out);
        enc_json_put_text(out, scheme_of(args->words[i]));
    }
    enc_json_put_raw(out, "]");
    enc_json_member_u64(out, "enc_v", 1);
    return ENC_EXIT_OK;
}

/* ---- enclave ---- */

/* The registry is mounted below the node: without --node the enclave is looked for above it. */
static const char *node_url(struct enc_ctl *ctl, const struct enc_args *args)
{
    const char *given = args->values[ENC_OPTION_NODE];
    const char *host = strstr(ctl->url, "://");
    struct enc_bytes url = enc_bytes_of_text(given ? given : ctl->url);
    const char *path = strchr(host ? host + 3 : ctl->url, '/');
    if (!given && path)
        url.len = (size_t)(path - ctl->url);
    while (url.len > 0 && url.data[url.len - 1] == '/')
        url.len--;
    url = enc_arena_copy(&ctl->arena, url);
    ENC_CHECK(url.data != NULL);
    return (const char *)url.data;
}

/* Who sequences it now: the node's own word, and a tree head that its key has signed. */
static bool fetch_sequencer(struct enc_ctl *ctl, uint8_t out32[32], const uint8_t enclave32[32])
{
    struct enc_answer info;
    struct enc_answer head;
    struct enc_sth sth;
    bool is_told = enc_fetch_public(ctl, &info, enclave32, "/info/enclave") &&
                   enc_fetch_public(ctl, &head, enclave32, "/sth");
    bool is_good = is_told && enc_json_hex(enc_json_get(info.json, "sequencer"), out32, 32) &&
                   enc_sth_take(&sth, head.json) == ENC_ERR_OK &&
                   enc_sth_verify(ctl->curve, &sth, out32);
    if (is_told && !is_good)
        enc_out_fault("the node's tree head is not signed by the sequencer that it names");
    return is_good;
}

static bool fetch_manifest(struct enc_ctl *ctl, struct enc_event *event, uint8_t node32[32],
                           const char *url)
{
    struct enc_answer answer;
    const char *registry = enc_ctl_turn_to(ctl, url);
    uint8_t asked32[32];
    memcpy(asked32, event->commit.enclave32, 32);
    bool is_here = enc_fetch_public(ctl, &answer, asked32, "/info/manifest") &&
                   fetch_sequencer(ctl, node32, asked32);
    enc_ctl_turn_to(ctl, registry);
    const char *wrong =
        is_here ? enc_registry_check_manifest(ctl, event, answer.json, asked32) : NULL;
    if (wrong)
        enc_out_fault("the Manifest lies: %s", wrong);
    return is_here && !wrong;
}

static enum enc_exit put_enclave(struct enc_ctl *ctl, struct enc_buffer *out,
                                 const struct enc_args *args)
{
    uint8_t node32[32];
    struct enc_event event;
    uint8_t *enclave32 = event.commit.enclave32;
    if (args->word_count != 2)
        enc_out_fault("register enclave ENCLAVE");
    if (args->word_count != 2 || !enc_ctl_hex32(enclave32, args->words[1], "ENCLAVE"))
        return ENC_EXIT_USAGE;
    if (!fetch_manifest(ctl, &event, node32, node_url(ctl, args)))
        return ENC_EXIT_REFUSED;
    enc_json_member(out, "manifest");
    enc_event_put_json(out, &event, false);
    enc_json_member_hex(out, "node_pub", enc_bytes_of(node32, 32));
    if (args->values[ENC_OPTION_APP])
        enc_json_member_text(out, "app", enc_bytes_of_text(args->values[ENC_OPTION_APP]));
    return ENC_EXIT_OK;
}

/* ---- identity ---- */

static bool put_label(struct enc_buffer *out, const char *word)
{
    uint8_t enclave32[32];
    const char *equals = strchr(word, '=');
    if (!equals || equals == word) {
        enc_out_fault("LABEL=ENCLAVE, not: %s", word);
        return false;
    }
    if (!enc_ctl_hex32(enclave32, equals + 1, "ENCLAVE"))
        return false;
    enc_json_comma(out);
    enc_json_put_text(out, enc_bytes_of(word, (size_t)(equals - word)));
    enc_json_put_raw(out, ":");
    enc_json_put_hex(out, enc_bytes_of(enclave32, 32));
    return true;
}

static enum enc_exit put_identity(struct enc_ctl *ctl, struct enc_buffer *out,
                                  const struct enc_args *args)
{
    (void)ctl;
    enc_json_member_text(out, "display_name", enc_bytes_of_text(args->words[1]));
    if (args->values[ENC_OPTION_AVATAR])
        enc_json_member_text(out, "avatar", enc_bytes_of_text(args->values[ENC_OPTION_AVATAR]));
    if (args->values[ENC_OPTION_BIO])
        enc_json_member_text(out, "bio", enc_bytes_of_text(args->values[ENC_OPTION_BIO]));
    enc_json_member(out, "enclaves");
    enc_json_put_raw(out, "{");
    for (size_t i = 2; i < args->word_count; i++)
        if (!put_label(out, args->words[i]))
            return ENC_EXIT_USAGE;
    enc_json_put_raw(out, "}");
    return ENC_EXIT_OK;
}

/* ---- the command ---- */

/* Append the members of the content. */
typedef enum enc_exit put_fn(struct enc_ctl *ctl, struct enc_buffer *out,
                             const struct enc_args *args);

static const struct kind {
    const char *name;
    const char *type;
    put_fn *put;
} KINDS[] = {
    {"node", "Reg_Node", put_node},
    {"enclave", "Reg_Enclave", put_enclave},
    {"identity", "Reg_Identity", put_identity},
};

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (strcmp(KINDS[i].name, name) == 0)
            return &KINDS[i];
    enc_out_fault("register node, enclave or identity, not: %s", name);
    return NULL;
}

enum enc_exit enc_command_register(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct enc_buffer out;
    const struct kind *kind = kind_of(args->words[0]);
    if (!kind || !enc_ctl_need_key(ctl))
        return ENC_EXIT_USAGE;
    struct enc_commit commit = {.type = enc_bytes_of_text(kind->type)};
    if (!enc_registry_find(ctl, commit.enclave32))
        return ENC_EXIT_REFUSED;
    enc_buffer_init(&out, &ctl->arena, SIZE_MAX / 4);
    enc_json_put_raw(&out, "{");
    enum enc_exit status = kind->put(ctl, &out, args);
    if (status != ENC_EXIT_OK)
        return status;
    enc_json_put_raw(&out, "}");
    ENC_CHECK(enc_buffer_bytes(&out, &commit.content) == ENC_ERR_OK);
    return enc_commits_send(ctl, &commit);
}
