/* What may be registered, and by whom. */
#include "proto/endpoint.h"
#include "services/registry.h"

/* ---- words ---- */

static bool is_alnum(uint8_t c)
{
    uint8_t lower = c | 0x20;
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
}

/* 1 to len_max letters, digits and whatever else is allowed: in any case plain ASCII. */
static bool is_word(struct enc_bytes text, size_t len_max, const char *others)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_alnum(text.data[i]) && (!text.data[i] || !strchr(others, text.data[i])))
            return false;
    return text.len >= 1 && text.len <= len_max;
}

/* ---- Reg_Node ---- */

/* A WebSocket URL is one of HTTP by another name. */
static bool is_url(struct enc_bytes uri)
{
    static const struct {
        const char *scheme;
        const char *as;
    } SCHEMES[] = {{"https:", "https:"}, {"http:", "http:"}, {"wss:", "https:"}, {"ws:", "http:"}};
    static const struct enc_endpoint_policy ANY = {.allow_http = true, .allow_private = true};
    uint8_t text[ENC_URL_LEN_MAX];
    for (size_t i = 0; i < sizeof SCHEMES / sizeof SCHEMES[0]; i++) {
        size_t len = strlen(SCHEMES[i].scheme);
        size_t as_len = strlen(SCHEMES[i].as);
        if (uri.len < len || memcmp(uri.data, SCHEMES[i].scheme, len) != 0)
            continue;
        if (uri.len - len + as_len > sizeof text)
            return false;
        memcpy(text, SCHEMES[i].as, as_len);
        memcpy(text + as_len, uri.data + len, uri.len - len);
        return enc_endpoint_is_allowed(enc_bytes_of(text, uri.len - len + as_len), &ANY);
    }
    return false;
}

static bool is_endpoint(const struct enc_json *json)
{
    struct enc_bytes uri;
    uint64_t priority = 0;
    return enc_json_text(enc_json_get(json, "uri"), &uri) && is_url(uri) &&
           enc_json_u64(enc_json_get(json, "priority"), &priority) &&
           priority <= ENC_REG_PRIORITY_MAX;
}

static bool is_protocol(const struct enc_json *json)
{
    struct enc_bytes name;
    return enc_json_text(json, &name) && is_word(name, ENC_REG_PROTOCOL_LEN_MAX, "+-.");
}

static bool is_list(const struct enc_json *json, size_t count_max,
                    bool (*is_good)(const struct enc_json *element))
{
    if (!json || json->kind != ENC_JSON_ARRAY || json->count < 1 || json->count > count_max)
        return false;
    for (const struct enc_json *at = json->child; at; at = at->next)
        if (!is_good(at))
            return false;
    return true;
}

enum enc_err enc_reg_node_take(struct enc_reg_node *out, const struct enc_json *content)
{
    out->endpoints = enc_json_get(content, "endpoints");
    out->protocols = enc_json_get(content, "protocols");
    bool is_good = enc_json_hex(enc_json_get(content, "seq_pub"), out->seq_pub32, 32) &&
                   is_list(out->endpoints, ENC_REG_ENDPOINTS_MAX, is_endpoint) &&
                   is_list(out->protocols, ENC_REG_PROTOCOLS_MAX, is_protocol) &&
                   enc_json_u64(enc_json_get(content, "enc_v"), &out->enc_v) && out->enc_v >= 1 &&
                   out->enc_v <= ENC_REG_ENC_V_MAX;
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

enum enc_err enc_reg_node_rule(const struct enc_fact *fact)
{
    struct enc_reg_node node;
    ENC_TRY(enc_reg_node_take(&node, fact->content));
    bool is_own = memcmp(node.seq_pub32, fact->commit->from32, 32) == 0;
    return is_own ? ENC_ERR_OK : ENC_ERR_UNAUTHORIZED;
}

/* ---- Reg_Enclave ---- */

/* What is wrong with an event or a Manifest in a content is wrong with the content. */
static enum enc_err as_content(enum enc_err err)
{
    bool is_ours = err == ENC_ERR_OK || err == ENC_ERR_TOO_LARGE;
    return is_ours ? err : ENC_ERR_INVALID_CONTENT;
}

static bool take_about(struct enc_reg_enclave *out, const struct enc_json *content)
{
    static const struct enc_text_rule APP = {"app", 1, ENC_TEXT_NAME_MAX, false};
    static const struct enc_text_rule DESC = {"desc", 0, ENC_TEXT_LONG_MAX, false};
    struct enc_text desc;
    const struct enc_json *meta = enc_json_get(content, "meta");
    return enc_json_hex(enc_json_get(content, "node_pub"), out->node_pub32, 32) &&
           enc_text_take(&out->app, content, &APP) && enc_text_take(&desc, content, &DESC) &&
           (!meta || meta->kind == ENC_JSON_OBJECT);
}

enum enc_err enc_reg_enclave_take(struct enc_reg_enclave *out, struct enc_arena *arena,
                                  const struct enc_json *content)
{
    struct enc_event *event = &out->event;
    if (!take_about(out, content))
        return ENC_ERR_INVALID_CONTENT;
    ENC_TRY(as_content(enc_event_take(event, arena, enc_json_get(content, "manifest"))));
    if (!enc_bytes_is(event->commit.type, "Manifest") || event->seq != 0)
        return ENC_ERR_INVALID_CONTENT;
    return as_content(
        enc_manifest_parse(&out->manifest, arena, arena, event->commit.content, NULL));
}

/* The sequencer is the one that signed it. */
static enum enc_err verify(struct enc_reg_enclave *enclave, const struct enc_curve *curve)
{
    struct enc_event *event = &enclave->event;
    if (enc_event_check(event, curve, NULL) != ENC_EVENT_SOUND)
        return ENC_ERR_INVALID_CONTENT;
    return as_content(enc_manifest_check(&enclave->manifest, &event->commit, event->sequencer32));
}

/* *found, and whose row it is. */
static enum enc_err find_row(const struct enc_fact *fact, bool *found, bool *is_own,
                             const uint8_t enclave32[32])
{
    struct enc_bytes value;
    struct enc_reg_row row;
    ENC_TRY(enc_rows_get(fact->rows, found, &value, ENC_REG_VIEW_TABLES + ENC_REG_ENCLAVES,
                         enc_bytes_of(enclave32, 32)));
    if (*found && !enc_reg_row_take(&row, value))
        return ENC_ERR_INTERNAL;
    *is_own = *found && memcmp(row.from32, fact->commit->from32, 32) == 0;
    return ENC_ERR_OK;
}

/* The node is the sequencer (16.98); its owner, who has registered it, may name another one later,
 * because it has moved (11.3, 12). */
static bool is_node(const struct enc_reg_enclave *enclave, const struct enc_fact *fact, bool is_own)
{
    const uint8_t *sequencer32 = enclave->event.sequencer32;
    bool is_first = memcmp(enclave->node_pub32, sequencer32, 32) == 0;
    return is_first || (is_own && memcmp(fact->commit->from32, sequencer32, 32) != 0);
}

enum enc_err enc_reg_enclave_rule(const struct enc_fact *fact)
{
    struct enc_reg_enclave enclave;
    ENC_TRY(enc_reg_enclave_take(&enclave, fact->arena, fact->content));
    bool found = false;
    bool is_own = false;
    ENC_TRY(verify(&enclave, fact->curve));
    ENC_TRY(find_row(fact, &found, &is_own, enclave.event.commit.enclave32));
    if (!is_node(&enclave, fact, is_own))
        return ENC_ERR_INVALID_CONTENT;
    bool may = enc_manifest_may_register(&enclave.manifest, &enclave.event, fact->commit->from32);
    return may && (is_own || !found) ? ENC_ERR_OK : ENC_ERR_UNAUTHORIZED;
}

/* ---- Reg_Identity ---- */

static bool is_map(const struct enc_json *json)
{
    uint8_t enclave32[32];
    if (json->kind != ENC_JSON_OBJECT || json->count > ENC_REG_MAP_MAX)
        return false;
    for (const struct enc_json *at = json->child; at; at = at->next)
        if (!is_word(at->key, ENC_REG_MAP_KEY_LEN_MAX, "_-.") || !enc_json_hex(at, enclave32, 32))
            return false;
    return true;
}

enum enc_err enc_reg_identity_take(struct enc_reg_identity *out, const struct enc_json *content)
{
    out->enclaves = enc_json_get(content, "enclaves");
    bool is_good =
        enc_persona_take(&out->persona, content) && (!out->enclaves || is_map(out->enclaves));
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

enum enc_err enc_reg_identity_rule(const struct enc_fact *fact)
{
    struct enc_reg_identity identity;
    return enc_reg_identity_take(&identity, fact->content);
}
