/* Contents of a Manifest: one that is accepted has an Owner and bounds that hold. */
#include "proto/manifest.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena;
    struct enc_arena scratch;
    struct enc_manifest manifest;
    bool has_owner = false;
    fuzz_arena(&arena, 0);
    fuzz_arena(&scratch, 1);
    if (enc_manifest_parse(&manifest, &arena, &scratch, enc_bytes_of(data, len), NULL) !=
        ENC_ERR_OK)
        return 0;
    for (uint32_t i = 0; i < manifest.initial_count; i++) {
        ENC_CHECK(!enc_roles_are_none(&manifest.initial[i].roles));
        has_owner |= enc_roles_have(&manifest.initial[i].roles, ENC_ROLE_OWNER);
    }
    ENC_CHECK(has_owner && manifest.bundle_size > 0);
    return 0;
}
