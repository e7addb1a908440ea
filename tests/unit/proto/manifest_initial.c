#include "logic.h"
#include "proto/manifest_part.h"

#include <criterion/criterion.h>

/** initial_state with %O %M %S for the keys of the vectors. */
static enum enc_err take(struct enc_manifest *out, const char *format)
{
    static const struct enc_bytes ROLES[] = {ENC_LIT("Member"), ENC_LIT("Guest")};
    const struct enc_manifest_reading reading = {out, arena(), arena()};
    struct enc_buffer source = buffer();
    for (; *format; format++) {
        const char *who = format[0] != '%'   ? NULL
                          : format[1] == 'M' ? "member"
                          : format[1] == 'S' ? "seq"
                                             : "owner";
        struct enc_key key = vector_key(who ? who : "owner");
        enc_buffer_add(&source,
                       who ? enc_bytes_of_text(hex32(key.pub32)) : enc_bytes_of(format, 1));
        format += who != NULL;
    }
    *out = (struct enc_manifest){.roles = ROLES, .role_count = 2};
    return enc_manifest_take_initial(&reading, json(written(&source)));
}

Test(manifest_initial, identities_are_sorted_and_their_roles_united)
{
    struct enc_manifest manifest;
    const struct enc_roles roles[] = {roles_of(1, 33, -1), roles_of(32, 33, -1), roles_of(32, -1)};
    const char *const PATHS[] = {"keys.owner_pub", "keys.seq_pub", "keys.member_pub"};
    EXPECT_OK(take(&manifest, "{'Member':['%M','%S','%M'],'Guest':['%S','%O'],'Owner':['%O']}"));
    cr_assert_eq(manifest.initial_count, 3);
    for (size_t i = 0; i < 3; i++) {
        expect_vector(enc_bytes_of(manifest.initial[i].identity32, 32), PATHS[i]);
        cr_assert(enc_roles_equal(&manifest.initial[i].roles, &roles[i]), "%s", PATHS[i]);
    }
}

Test(manifest_initial, there_is_an_owner_or_no_enclave)
{
    struct enc_manifest manifest;
    EXPECT_OK(take(&manifest, "{'Owner':['%M','%O']}"));
    cr_assert_eq(manifest.initial_count, 2);
    EXPECT_ERR(take(&manifest, "{}"), INVALID_MANIFEST);
    EXPECT_ERR(take(&manifest, "{'Owner':[]}"), INVALID_MANIFEST);
    EXPECT_ERR(take(&manifest, "{'Member':['%M']}"), INVALID_MANIFEST);
}

Test(manifest_initial, names_and_identities_must_be_real)
{
    static const char *const BAD[] = {
        "{'Owner':['%O'],'Stranger':[]}",
        "{'Owner':['%O'],'Self':['%M']}",
        "{'Owner':['%O'],'Member':'%M'}",
        "{'Owner':['%O','00']}",
        "{'Owner':['%O',null]}",
        "{'Owner':['%O','ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff']}",
        "[]",
    };
    struct enc_manifest manifest;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(take(&manifest, BAD[i]), ENC_ERR_INVALID_MANIFEST, "%s", BAD[i]);
}
