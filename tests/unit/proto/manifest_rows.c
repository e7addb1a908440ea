#include "logic.h"
#include "proto/manifest_part.h"

#include <criterion/criterion.h>

/** Rows of an enclave with the roles Member (32) and Guest (33). */
static enum enc_err take(struct enc_manifest *out, const char *schema)
{
    static const struct enc_bytes ROLES[] = {ENC_LIT("Member"), ENC_LIT("Guest")};
    const struct enc_manifest_reading reading = {out, arena(), arena()};
    *out = (struct enc_manifest){.roles = ROLES, .role_count = 2};
    return enc_manifest_take_rows(&reading, schema ? json(schema) : NULL);
}

Test(manifest_rows, who_holds_a_row)
{
    static const struct {
        const char *name;
        enum enc_holder holder;
        uint8_t bit;
    } ROWS[] = {
        {"Owner", ENC_HOLDER_ROLE, 1},    {"Member", ENC_HOLDER_ROLE, 32},
        {"Guest", ENC_HOLDER_ROLE, 33},   {"Self", ENC_HOLDER_SELF, 0},
        {"Sender", ENC_HOLDER_SELF, 0},   {"Any", ENC_HOLDER_ANY, 0},
        {"Public", ENC_HOLDER_PUBLIC, 0}, {"OUTSIDER", ENC_HOLDER_NOBODY, 0},
        {"*", ENC_HOLDER_NOBODY, 0},
    };
    struct enc_manifest manifest;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct enc_bytes source = text("[{'event':'Post','role':'%s','ops':['R']}]", ROWS[i].name);
        EXPECT_OK(take(&manifest, (const char *)source.data));
        cr_assert_eq(manifest.rows[0].holder, ROWS[i].holder, "%s", ROWS[i].name);
        if (ROWS[i].holder == ENC_HOLDER_ROLE)
            cr_assert_eq(manifest.rows[0].bit, ROWS[i].bit, "%s", ROWS[i].name);
    }
    EXPECT_ERR(take(&manifest, "[{'event':'Post','role':'Stranger','ops':[]}]"), INVALID_MANIFEST);
}

Test(manifest_rows, a_letter_grants_and_an_underscore_denies)
{
    struct enc_manifest manifest;
    EXPECT_OK(take(&manifest, "[{'event':'*','role':'Any','ops':['C','P','_R','_N','C']}]"));
    cr_assert(manifest.rows[0].is_wildcard);
    cr_assert_eq(manifest.rows[0].ops, 1 << ENC_OP_CREATE | 1 << ENC_OP_PUSH);
    cr_assert_eq(manifest.rows[0].denies, 1 << ENC_OP_READ | 1 << ENC_OP_NOTIFY);
    const char *const BAD[] = {"'c'", "'X'", "''", "'_'", "'CR'", "'__'", "'_Rx'", "1", "null"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct enc_bytes source = text("[{'event':'Post','role':'Any','ops':[%s]}]", BAD[i]);
        cr_assert_eq(take(&manifest, (const char *)source.data), ENC_ERR_INVALID_MANIFEST, "%s",
                     BAD[i]);
    }
}

Test(manifest_rows, targets_are_all_custom_roles_unless_named)
{
    struct enc_manifest manifest;
    struct enc_roles both = roles_of(32, 33, -1), guest = roles_of(33, -1);
    EXPECT_OK(take(&manifest, "[{'event':'Grant','role':'Owner','ops':['C']},"
                              "{'event':'Grant','role':'Owner','ops':['C'],"
                              "'target_roles':['Owner','Guest']}]"));
    cr_assert_eq(manifest.row_count, 2);
    cr_assert(enc_roles_equal(&manifest.rows[0].targets, &both));
    cr_assert(enc_roles_equal(&manifest.rows[1].targets, &guest), "Owner is no target");
    EXPECT_ERR(take(&manifest, "[{'event':'Post','role':'Owner','ops':['C'],'target_roles':[]}]"),
               INVALID_MANIFEST);
    EXPECT_ERR(take(&manifest, "[{'event':'Grant','role':'Owner','ops':['C'],"
                               "'target_roles':['Self']}]"),
               INVALID_MANIFEST);
}

Test(manifest_rows, a_schema_is_an_array)
{
    struct enc_manifest manifest;
    EXPECT_OK(take(&manifest, "[]"));
    EXPECT_ERR(take(&manifest, NULL), INVALID_MANIFEST);
    EXPECT_ERR(take(&manifest, "{}"), INVALID_MANIFEST);
    EXPECT_ERR(take(&manifest, "[[]]"), INVALID_MANIFEST);
}
