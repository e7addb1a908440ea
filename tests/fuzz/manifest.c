/* Contents of a Manifest: the verdict is that of a naive reader over jansson's tree, and so is what
 * was read: bundle, roles, who holds which role at the start. */
#include "proto/manifest.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/naive/manifest.h"

static void compare_member(const struct enc_manifest *manifest, const struct enc_member *member,
                           const json_t *content)
{
    char name[33];
    bool is_owner = naive_manifest_gives(content, "Owner", member->identity32);
    ENC_CHECK(enc_roles_have(&member->roles, ENC_ROLE_OWNER) == is_owner);
    ENC_CHECK(enc_manifest_names_owner(manifest, member->identity32) == is_owner);
    for (unsigned bit = ENC_ROLE_CUSTOM; bit < ENC_ROLE_BIT_COUNT; bit++) {
        struct enc_bytes role = enc_manifest_role_name(manifest, bit);
        ENC_CHECK((bit - ENC_ROLE_CUSTOM < manifest->role_count) == (role.len > 0));
        ENC_CHECK(role.len < sizeof name);
        memcpy(name, role.len ? role.data : (const uint8_t *)"", role.len);
        name[role.len] = '\0';
        ENC_CHECK(enc_roles_have(&member->roles, bit) ==
                  (role.len && naive_manifest_gives(content, name, member->identity32)));
    }
}

static void compare_members(const struct enc_manifest *manifest, const json_t *content)
{
    ENC_CHECK(manifest->initial_count == naive_manifest_members(content));
    for (uint32_t i = 0; i < manifest->initial_count; i++) {
        const struct enc_member *member = &manifest->initial[i];
        ENC_CHECK(i == 0 || memcmp(member[-1].identity32, member->identity32, 32) < 0);
        compare_member(manifest, member, content);
    }
}

static uint64_t number_of(const json_t *bundle, const char *name, uint64_t preset)
{
    uint64_t number = preset;
    const json_t *value = json_object_get(bundle, name);
    return value && tree_int(value, &number, 0, UINT64_MAX) ? number : preset;
}

static void compare(const struct enc_manifest *manifest, const json_t *content)
{
    const json_t *bundle = json_object_get(content, "bundle");
    const json_t *rbac = json_object_get(content, "RBAC");
    uint8_t sequencer32[32];
    ENC_CHECK(manifest->bundle_size == number_of(bundle, "size", 256));
    ENC_CHECK(manifest->bundle_timeout_ms == number_of(bundle, "timeout", 5000));
    ENC_CHECK(manifest->role_count == json_array_size(json_object_get(rbac, "roles")));
    ENC_CHECK(manifest->row_count == json_array_size(json_object_get(rbac, "schema")));
    bool has_sequencer = tree_hex(json_object_get(content, "sequencer"), sequencer32, 32);
    ENC_CHECK(manifest->has_sequencer == has_sequencer);
    ENC_CHECK(!has_sequencer || memcmp(manifest->sequencer32, sequencer32, 32) == 0);
    compare_members(manifest, content);
}

/* What it was read from is its own schema; the same with a row less is another. */
static void match_itself(struct enc_arena *scratch, const struct enc_json *rbac)
{
    struct enc_buffer buffer;
    struct enc_bytes text;
    enc_buffer_init(&buffer, scratch, FUZZ_MEMORY_LEN / 4);
    enc_json_put_raw(&buffer, "{");
    enc_json_member_raw(&buffer, "roles", enc_json_get(rbac, "roles")->text);
    enc_json_member_raw(&buffer, "schema", enc_json_get(rbac, "schema")->text);
    enc_json_put_raw(&buffer, "}");
    ENC_CHECK(enc_buffer_bytes(&buffer, &text) == ENC_ERR_OK);
    ENC_CHECK(enc_manifest_matches_schema(rbac, scratch, text) == ENC_ERR_OK);
    static const char OTHER[] = "{\"roles\":[],\"schema\":[{\"event\":\"\"}]}";
    ENC_CHECK(enc_manifest_matches_schema(rbac, scratch, enc_bytes_of_text(OTHER)) ==
              ENC_ERR_SCHEMA_MISMATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena, scratch;
    struct enc_manifest manifest;
    const struct enc_json *rbac = NULL;
    struct enc_bytes text = enc_bytes_of(data, len);
    fuzz_arena(&arena, 0);
    fuzz_arena(&scratch, 1);
    enum enc_err err = enc_manifest_parse(&manifest, &arena, &scratch, text, &rbac);
    ENC_CHECK(err == ENC_ERR_OK || err == ENC_ERR_INVALID_MANIFEST);
    const json_t *content = tree_is_fair(text) ? tree_of(text, NULL) : NULL;
    if (content && tree_depth(content) <= ENC_JSON_DEPTH_MAX) {
        ENC_CHECK(naive_manifest_is_good(content, enc_point_lifts) == (err == ENC_ERR_OK));
        if (err == ENC_ERR_OK)
            compare(&manifest, content);
    }
    if (err == ENC_ERR_OK)
        match_itself(&scratch, rbac);
    return 0;
}
