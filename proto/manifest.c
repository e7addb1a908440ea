#include "proto/manifest_part.h"

static const char *const RESERVED[] = {"Self", "Sender", "Owner", "Any", "Public", "OUTSIDER", "*"};

static enum enc_err refuse_unless(bool good)
{
    return good ? ENC_ERR_OK : ENC_ERR_INVALID_MANIFEST;
}

bool enc_manifest_names_owner(const struct enc_manifest *manifest, const uint8_t key32[32])
{
    for (uint32_t i = 0; i < manifest->initial_count; i++)
        if (enc_roles_have(&manifest->initial[i].roles, ENC_ROLE_OWNER) &&
            memcmp(manifest->initial[i].identity32, key32, 32) == 0)
            return true;
    return false;
}

bool enc_manifest_may_register(const struct enc_manifest *manifest, const struct enc_event *event,
                               const uint8_t key32[32])
{
    return memcmp(key32, event->commit.from32, 32) == 0 ||
           memcmp(key32, event->sequencer32, 32) == 0 || enc_manifest_names_owner(manifest, key32);
}

int enc_manifest_role_bit(const struct enc_manifest *manifest, struct enc_bytes name)
{
    if (enc_bytes_is(name, "Owner"))
        return ENC_ROLE_OWNER;
    for (unsigned i = 0; i < manifest->role_count; i++)
        if (enc_bytes_equal(manifest->roles[i], name))
            return (int)(ENC_ROLE_CUSTOM + i);
    return -1;
}

struct enc_bytes enc_manifest_role_name(const struct enc_manifest *manifest, unsigned bit)
{
    if (bit == ENC_ROLE_OWNER)
        return ENC_LIT("Owner");
    if (bit < ENC_ROLE_CUSTOM || bit - ENC_ROLE_CUSTOM >= manifest->role_count)
        return (struct enc_bytes){0};
    return manifest->roles[bit - ENC_ROLE_CUSTOM];
}

static bool may_follow(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_role_name(struct enc_bytes name)
{
    if (name.len == 0 || name.len > 32 || name.data[0] < 'A' || name.data[0] > 'Z')
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!may_follow(name.data[i]))
            return false;
    for (size_t i = 0; i < sizeof RESERVED / sizeof *RESERVED; i++)
        if (enc_bytes_is(name, RESERVED[i]))
            return false;
    return true;
}

/** The names so far are in manifest; a new one is none of them. */
static bool is_new_role(const struct enc_manifest *manifest, struct enc_bytes name)
{
    return is_role_name(name) && enc_manifest_role_bit(manifest, name) < 0;
}

static enum enc_err take_roles(const struct enc_manifest_reading *reading,
                               const struct enc_json *json)
{
    struct enc_bytes name;
    if (!json || json->kind != ENC_JSON_ARRAY || json->count > ENC_ROLE_CUSTOM_MAX)
        return ENC_ERR_INVALID_MANIFEST;
    struct enc_bytes *roles = ENC_ARENA_NEW(reading->arena, struct enc_bytes, json->count);
    if (!roles)
        return ENC_ERR_TOO_LARGE;
    reading->out->roles = roles;
    for (const struct enc_json *child = json->child; child; child = child->next) {
        if (!enc_json_text(child, &name) || !is_new_role(reading->out, name))
            return ENC_ERR_INVALID_MANIFEST;
        roles[reading->out->role_count] = enc_arena_copy(reading->arena, name);
        if (!roles[reading->out->role_count++].data)
            return ENC_ERR_TOO_LARGE;
    }
    return ENC_ERR_OK;
}

/** An optional whole number within bounds. */
static bool take_number(uint32_t *out, const struct enc_json *json, uint32_t min, uint32_t max)
{
    uint64_t value;
    if (!json)
        return true;
    if (!enc_json_u64(json, &value) || value < min || value > max)
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool take_bundle(struct enc_manifest *out, const struct enc_json *json)
{
    out->bundle_size = ENC_BUNDLE_SIZE_DEFAULT;
    out->bundle_timeout_ms = ENC_BUNDLE_TIMEOUT_DEFAULT_MS;
    if (!json)
        return true;
    return json->kind == ENC_JSON_OBJECT &&
           take_number(&out->bundle_size, enc_json_get(json, "size"), 1, ENC_BUNDLE_SIZE_MAX) &&
           take_number(&out->bundle_timeout_ms, enc_json_get(json, "timeout"), 0,
                       ENC_BUNDLE_TIMEOUT_MAX_MS);
}

static bool take_sequencer(struct enc_manifest *out, const struct enc_json *json)
{
    out->has_sequencer = json != NULL;
    return !json || enc_json_hex(json, out->sequencer32, 32);
}

static bool is_version_1(const struct enc_json *content)
{
    uint64_t version = 0;
    return enc_json_u64(enc_json_get(content, "enc_v"), &version) && version == 1;
}

enum enc_err enc_manifest_parse(struct enc_manifest *out, struct enc_arena *arena,
                                struct enc_arena *scratch, struct enc_bytes content,
                                const struct enc_json **rbac_out)
{
    struct enc_manifest_reading reading = {out, arena, scratch};
    struct enc_json_facts facts;
    struct enc_json *json;
    *out = (struct enc_manifest){0};
    enum enc_err err = enc_json_parse(&json, scratch, content, &facts);
    if (err != ENC_ERR_OK)
        return err == ENC_ERR_INVALID_REQUEST ? ENC_ERR_INVALID_MANIFEST : err;
    const struct enc_json *rbac = enc_json_get(json, "RBAC");
    ENC_TRY(refuse_unless(is_version_1(json) && take_bundle(out, enc_json_get(json, "bundle")) &&
                          take_sequencer(out, enc_json_get(json, "sequencer"))));
    ENC_TRY(take_roles(&reading, enc_json_get(rbac, "roles")));
    ENC_TRY(enc_manifest_take_rows(&reading, enc_json_get(rbac, "schema")));
    if (rbac_out)
        *rbac_out = rbac;
    return enc_manifest_take_initial(&reading, enc_json_get(rbac, "initial_state"));
}

enum enc_err enc_manifest_check(const struct enc_manifest *manifest,
                                const struct enc_commit *commit, const uint8_t seq_pub32[32])
{
    uint8_t derived32[32];
    enc_enclave_id(derived32, commit);
    return refuse_unless(
        memcmp(derived32, commit->enclave32, 32) == 0 &&
        (!manifest->has_sequencer || memcmp(manifest->sequencer32, seq_pub32, 32) == 0));
}
