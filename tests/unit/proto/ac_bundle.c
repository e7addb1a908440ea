#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(ac_bundle, bundle_is_applied_in_order)
{
    struct world *w = world();
    w->member = roles_of(33, -1);
    EXPECT_OK(
        plan(w, "owner", "AC_Bundle",
             "{'operations':["
             "{'type':'Move','identity':'%M','from':'Pending','to':'Member'},"
             "{'type':'Grant','identity':'%M','role':'Sink','endpoint':'https://example.org'},"
             "{'type':'Revoke','identity':'%M','role':'Member'},"
             "{'type':'Force_Move','identity':'%S','to':'Blocked'}]}"));
    cr_assert_eq(w->plan.change_count, 2);
    expect_change(w, 0, "member", roles_of(35, -1));
    expect_change(w, 1, "seq", roles_of(34, -1));
    cr_assert_eq(w->plan.endpoint_count, 1);
}

Test(ac_bundle, bundle_that_changes_nothing_in_the_end)
{
    struct world *w = world();
    EXPECT_OK(plan(w, "owner", "AC_Bundle",
                   "{'operations':[{'type':'Grant','identity':'%M','role':'Member'},"
                   "{'type':'Revoke','identity':'%M','role':'Member'}]}"));
    cr_assert_eq(w->plan.change_count, 0);
}

Test(ac_bundle, bundle_sees_the_actors_bits_of_the_moment)
{
    struct world *w = world();
    EXPECT_ERR(plan(w, "owner", "AC_Bundle",
                    "{'operations':[{'type':'Transfer_Owner','new_owner':'%M'},"
                    "{'type':'Grant','identity':'%S','role':'Member'}]}"),
               UNAUTHORIZED);
    EXPECT_OK(plan(w, "owner", "AC_Bundle",
                   "{'operations':[{'type':'Grant','identity':'%S','role':'Member'},"
                   "{'type':'Transfer_Owner','new_owner':'%M'}]}"));
    cr_assert_eq(w->plan.change_count, 3);
}

Test(ac_bundle, c20_every_entry_needs_its_own_right)
{
    struct world *w = world();
    w->member = roles_of(32, 33, -1);
    EXPECT_ERR(plan(w, "member", "AC_Bundle",
                    "{'operations':[{'type':'Grant','identity':'%S','role':'Member'}]}"),
               UNAUTHORIZED);
    EXPECT_OK(plan(w, "member", "AC_Bundle",
                   "{'operations':[{'type':'Revoke','identity':'%M','role':'Pending'}]}"));
    w->member = roles_of(33, -1);
    EXPECT_ERR(step_7(w, "member", "AC_Bundle",
                      "{'operations':[{'type':'Revoke','identity':'%M','role':'Pending'}]}"),
               UNAUTHORIZED);
}

Test(ac_bundle, c21_the_first_failing_entry_names_the_code)
{
    struct world *w = world();
    const char *good = "{'type':'Grant','identity':'%M','role':'Member'}";
    const struct {
        const char *entry;
        enum enc_err err;
    } ENTRIES[] = {
        {"{'type':'Revoke','identity':'%S','role':'Member'}", ENC_ERR_TARGET_LACKS_ROLE},
        {"{'type':'Grant','identity':'%S','role':'Owner'}", ENC_ERR_UNAUTHORIZED},
        {"{'type':'Grant','identity':'%S'}", ENC_ERR_INVALID_CONTENT},
        {"{'type':'Gate','event':'Post','open':false}", ENC_ERR_INVALID_CONTENT},
        {"{'type':'AC_Bundle','operations':[]}", ENC_ERR_INVALID_CONTENT},
        {"{'type':'Grant_Push','identity':'%S','role':'Sink'}", ENC_ERR_INVALID_CONTENT},
        {"{'type':'Post'}", ENC_ERR_INVALID_CONTENT},
        {"{'identity':'%S'}", ENC_ERR_INVALID_CONTENT},
        {"{'type':1}", ENC_ERR_INVALID_CONTENT},
        {"7", ENC_ERR_INVALID_CONTENT},
        {"{'type':'Transfer_Owner','new_owner':'%O'}", ENC_ERR_INVALID_CONTENT},
    };
    for (size_t i = 0; i < sizeof ENTRIES / sizeof *ENTRIES; i++) {
        char content[512];
        const char *next = ENTRIES[(i + 1) % (sizeof ENTRIES / sizeof *ENTRIES)].entry;
        snprintf(content, sizeof content, "{'operations':[%s,%s,%s]}", good, ENTRIES[i].entry,
                 next);
        cr_assert_eq(plan(w, "owner", "AC_Bundle", content), ENTRIES[i].err, "%s", content);
    }
}

Test(ac_bundle, bundle_shape)
{
    struct world *w = world();
    const char *const BAD[] = {
        "{}", "{'operations':[]}", "{'operations':{}}", "{'operations':null}", "[]",
        "",   "{'operations':'x'}"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(plan(w, "owner", "AC_Bundle", BAD[i]), ENC_ERR_INVALID_CONTENT, "%s", BAD[i]);
}

static const char *bundle_of(unsigned count)
{
    struct enc_buffer out = buffer();
    enc_json_put_raw(&out, "{'operations':[");
    for (unsigned i = 0; i < count; i++)
        enc_json_put_raw(&out, i ? ",{'type':'Grant','identity':'%M','role':'Member'}"
                                 : "{'type':'Grant','identity':'%M','role':'Member'}");
    enc_json_put_raw(&out, "]}");
    return written(&out);
}

Test(ac_bundle, bundle_has_at_most_256_entries)
{
    struct world *w = world();
    EXPECT_OK(plan(w, "owner", "AC_Bundle", bundle_of(256)));
    EXPECT_ERR(plan(w, "owner", "AC_Bundle", bundle_of(257)), INVALID_CONTENT);
}
