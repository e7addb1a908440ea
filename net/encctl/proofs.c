/* sth, state, info: what can be checked is checked before it is printed. */
#include "net/encctl/node.h"
#include "net/encctl/out.h"
#include "proto/manifest.h"
#include "proto/proof_json.h"

static bool fetch_object(struct enc_ctl *ctl, const struct enc_json **out, const uint8_t *enclave32,
                         const char *action)
{
    struct enc_answer answer;
    bool is_good =
        enclave32 ? enc_fetch_public(ctl, &answer, enclave32, action)
                  : enc_http_get(ctl, &ctl->arena, &answer, action) && enc_http_good(ctl, &answer);
    *out = is_good ? answer.json : NULL;
    return is_good;
}

static void tell(const struct enc_ctl *ctl, const struct enc_json *object)
{
    if (ctl->is_json)
        enc_out_line(object->text);
    else
        enc_out_members(object);
}

/* Who must have signed when nobody was named: the one that /info/node names. */
static bool ask_sequencer(struct enc_ctl *ctl, uint8_t out32[32])
{
    bool is_known = enc_node_know(ctl);
    memcpy(out32, ctl->seq_pub32, 32);
    return is_known;
}

enum enc_exit enc_command_sth(struct enc_ctl *ctl, const struct enc_args *args)
{
    uint8_t enclave32[32];
    uint8_t sequencer32[32];
    const struct enc_json *json = NULL;
    struct enc_sth sth;
    const char *given = args->values[ENC_OPTION_SEQUENCER];
    if (!enc_ctl_hex32(enclave32, args->words[0], "ENCLAVE") ||
        (given && !enc_ctl_hex32(sequencer32, given, "--sequencer")))
        return ENC_EXIT_USAGE;
    if ((!given && !ask_sequencer(ctl, sequencer32)) ||
        !fetch_object(ctl, &json, enclave32, "/sth"))
        return ENC_EXIT_REFUSED;
    if (enc_sth_take(&sth, json) != ENC_ERR_OK || !enc_sth_verify(ctl->curve, &sth, sequencer32)) {
        enc_out_fault("the tree head is not signed by the sequencer");
        return ENC_EXIT_REFUSED;
    }
    tell(ctl, json);
    return ENC_EXIT_OK;
}

enum enc_exit enc_command_info(struct enc_ctl *ctl, const struct enc_args *args)
{
    uint8_t enclave32[32];
    const struct enc_json *json = NULL;
    bool has_enclave = args->word_count > 0;
    if (has_enclave && !enc_ctl_hex32(enclave32, args->words[0], "ENCLAVE"))
        return ENC_EXIT_USAGE;
    if (!fetch_object(ctl, &json, has_enclave ? enclave32 : NULL,
                      has_enclave ? "/info/enclave" : "/info/node"))
        return ENC_EXIT_REFUSED;
    tell(ctl, json);
    return ENC_EXIT_OK;
}

/* ---- state ---- */

struct state_answer {
    struct enc_smt_proof proof;
    uint8_t key21[21]; /* that was asked for */
    uint8_t state_hash32[32];
};

static bool ask_state(struct enc_ctl *ctl, const struct enc_json **content,
                      const uint8_t enclave32[32], struct enc_bytes members)
{
    struct enc_question question = {.action = "/state", .enclave32 = enclave32, .members = members};
    return enc_ask(ctl, &ctl->arena, content, &question);
}

static const char *check_state(struct state_answer *answer, const struct enc_json *content)
{
    if (enc_smt_proof_take(&answer->proof, content) != ENC_ERR_OK ||
        !enc_json_hex(enc_json_get(content, "state_hash"), answer->state_hash32, 32))
        return "the answer is no state proof";
    if (memcmp(answer->proof.key21, answer->key21, 21) != 0)
        return "the proof is about another key";
    return enc_smt_proof_verify(&answer->proof, answer->state_hash32)
               ? NULL
               : "the proof does not lead to its state_hash";
}

static void tell_roles(struct enc_ctl *ctl, const struct enc_smt_value *value,
                       const struct enc_json *manifest)
{
    struct enc_manifest rules;
    struct enc_bytes content;
    struct enc_buffer names;
    struct enc_roles roles = {{0}};
    if (value->len == 32)
        roles = enc_roles_decode(value->data);
    enc_buffer_init(&names, &ctl->arena, 1 << 16);
    if (!enc_json_text(enc_json_get(manifest, "content"), &content) ||
        enc_manifest_parse(&rules, &ctl->arena, &ctl->arena, content, NULL) != ENC_ERR_OK)
        return;
    for (unsigned bit = 0; bit < ENC_ROLE_BIT_COUNT; bit++) {
        if (!enc_roles_have(&roles, bit))
            continue;
        enc_buffer_add(&names, names.len ? ENC_LIT(" ") : ENC_LIT(""));
        enc_buffer_add(&names, enc_manifest_role_name(&rules, bit));
    }
    enc_out_text("roles", names.len ? enc_bytes_of(names.data, names.len) : ENC_LIT("none"));
}

static void tell_status(const struct enc_smt_value *value)
{
    static const char *const NAMES[] = {"active, or no event", "deleted", "updated"};
    enc_out_text("status", enc_bytes_of_text(NAMES[value->len == 0 ? 0 : value->len == 1 ? 1 : 2]));
    if (value->len == 32)
        enc_out_hex("updated by", value->data, 32);
}

static void tell_state(struct enc_ctl *ctl, const struct state_answer *answer, bool is_rbac,
                       const uint8_t enclave32[32])
{
    const struct enc_json *manifest = NULL;
    if (!is_rbac)
        tell_status(&answer->proof.value);
    else if (fetch_object(ctl, &manifest, enclave32, "/info/manifest"))
        tell_roles(ctl, &answer->proof.value, manifest);
    enc_out_hex("state hash", answer->state_hash32, 32);
    enc_out_text("proof", ENC_LIT("verified"));
}

enum enc_exit enc_command_state(struct enc_ctl *ctl, const struct enc_args *args)
{
    uint8_t enclave32[32];
    uint8_t key32[32];
    struct state_answer answer;
    struct enc_buffer members;
    struct enc_bytes text;
    const struct enc_json *content = NULL;
    const char *space = args->values[ENC_OPTION_NAMESPACE];
    space = space ? space : "rbac";
    bool is_rbac = strcmp(space, "rbac") == 0;
    if (!is_rbac && strcmp(space, "event_status") != 0) {
        enc_out_fault("--namespace is rbac or event_status, not: %s", space);
        return ENC_EXIT_USAGE;
    }
    if (!enc_ctl_hex32(enclave32, args->words[0], "ENCLAVE") ||
        !enc_ctl_hex32(key32, args->words[1], "HEX"))
        return ENC_EXIT_USAGE;
    enc_smt_key(answer.key21, is_rbac ? ENC_SMT_RBAC : ENC_SMT_EVENT_STATUS, key32);
    enc_buffer_init(&members, &ctl->arena, 1024);
    enc_json_member_text(&members, "namespace", enc_bytes_of_text(space));
    enc_json_member_hex(&members, "key", enc_bytes_of(key32, 32));
    ENC_CHECK(enc_buffer_bytes(&members, &text) == ENC_ERR_OK);
    if (!ask_state(ctl, &content, enclave32, text))
        return ENC_EXIT_REFUSED;
    const char *why = check_state(&answer, content);
    if (why) {
        enc_out_fault("%s", why);
        return ENC_EXIT_REFUSED;
    }
    if (ctl->is_json)
        enc_out_line(content->text);
    else
        tell_state(ctl, &answer, is_rbac, enclave32);
    return ENC_EXIT_OK;
}
