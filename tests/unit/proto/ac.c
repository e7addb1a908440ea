#include "world.h"

#include <criterion/criterion.h>
#include <signal.h>

Test(ac, grant_of_the_vectors)
{
    struct world *w = world();
    struct input made;
    w->manifest = manifest_of(vector_text("manifest_content"));
    w->commit = vector_event(1).commit;
    make_input(&made, w);
    EXPECT_OK(enc_ac_rbac(arena(), &made.input));
    EXPECT_OK(step_8(w));
    cr_assert_eq(w->plan.change_count, 1);
    expect_change(w, 0, "member", roles_of(32, -1));
    cr_assert_null(w->plan.gates);
    cr_assert_eq(w->plan.endpoint_count, 0);
}

Test(ac, grant_is_idempotent)
{
    struct world *w = world();
    w->member = roles_of(32, -1);
    EXPECT_OK(plan(w, "owner", "Grant", "{'identity':'%M','role':'Member'}"));
    cr_assert_eq(w->plan.change_count, 0);
    w->member = roles_of(33, -1);
    EXPECT_OK(plan(w, "owner", "Grant", "{'identity':'%M','role':'Member','note':1}"));
    expect_change(w, 0, "member", roles_of(32, 33, -1));
}

Test(ac, strangers_grant_nothing)
{
    EXPECT_ERR(step_7(world(), "member", "Grant", "{'identity':'%S','role':'Member'}"),
               UNAUTHORIZED);
}

Test(ac, c22_owner_is_never_handed_out)
{
    struct world *w = world();
    w->member = roles_of(32, -1);
    w->manifest = manifest_with(
        "['Member']",
        "[{'event':'Grant','role':'Owner','ops':['C'],'target_roles':['Owner']},"
        "{'event':'Grant_Push','role':'Owner','ops':['C'],'target_roles':['Owner']},"
        "{'event':'Revoke','role':'Owner','ops':['C'],'target_roles':['Owner']},"
        "{'event':'Move','role':'Owner','ops':['C'],'target_roles':['Owner','Member']},"
        "{'event':'Force_Move','role':'Owner','ops':['C'],'target_roles':['Owner']}]");
    EXPECT_ERR(plan(w, "owner", "Grant", "{'identity':'%M','role':'Owner'}"), UNAUTHORIZED);
    EXPECT_ERR(plan(w, "owner", "Grant_Push",
                    "{'identity':'%M','role':'Owner','endpoint':'https://example.org'}"),
               UNAUTHORIZED);
    EXPECT_ERR(plan(w, "owner", "Revoke", "{'identity':'%O','role':'Owner'}"), UNAUTHORIZED);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%O','from':'Owner','to':null}"),
               UNAUTHORIZED);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':'Member','to':'Owner'}"),
               UNAUTHORIZED);
    EXPECT_ERR(plan(w, "owner", "Force_Move", "{'identity':'%M','to':'Owner'}"), UNAUTHORIZED);
    EXPECT_OK(plan(w, "owner", "Force_Move", "{'identity':'%O','to':null}"));
    cr_assert_eq(w->plan.change_count, 0, "Owner survives a Force_Move that names it a target");
}

Test(ac, c23_roles_outside_the_targets)
{
    struct world *w = world();
    EXPECT_ERR(plan(w, "owner", "Grant", "{'identity':'%M','role':'Blocked'}"), UNAUTHORIZED);
    EXPECT_ERR(plan(w, "owner", "Grant", "{'identity':'%M','role':'Nobody'}"), UNAUTHORIZED);
    EXPECT_ERR(plan(w, "owner", "Grant", "{'identity':'%M','role':''}"), UNAUTHORIZED);
    EXPECT_ERR(plan(w, "owner", "Grant", "{'identity':'%M','role':1}"), INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Grant", "{'identity':'%M','role':null}"), INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Grant", "{'identity':'%M'}"), INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':'Blocked','to':null}"),
               UNAUTHORIZED);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':7,'to':null}"), INVALID_CONTENT);
}

Test(ac, missing_target_roles_are_all_custom_roles)
{
    struct world *w = world();
    EXPECT_OK(plan(w, "owner", "Grant_Push",
                   "{'identity':'%M','role':'Sink','endpoint':'https://example.org/p'}"));
    expect_change(w, 0, "member", roles_of(35, -1));
}

Test(ac, c25_identity_must_lift)
{
    static const char NO_KEY[] =
        "{'role':'Member','identity':"
        "'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'}";
    struct world *w = world();
    const char *const CONTENTS[] = {
        NO_KEY,
        "{'identity':'00','role':'Member'}",
        "{'identity':null,'role':'Member'}",
        "{'role':'Member'}",
        "[]",
        "no json",
        "",
        "{'identity':'%M','identity':'%M','role':'Member'}",
    };
    for (size_t i = 0; i < sizeof CONTENTS / sizeof *CONTENTS; i++)
        cr_assert_eq(plan(w, "owner", "Grant", CONTENTS[i]), ENC_ERR_INVALID_CONTENT, "%s",
                     CONTENTS[i]);
}

Test(ac, revoke)
{
    struct world *w = world();
    w->member = roles_of(32, 33, -1);
    EXPECT_OK(plan(w, "owner", "Revoke", "{'identity':'%M','role':'Member'}"));
    expect_change(w, 0, "member", roles_of(33, -1));
    EXPECT_ERR(plan(w, "owner", "Revoke", "{'identity':'%S','role':'Member'}"), TARGET_LACKS_ROLE);
    EXPECT_ERR(plan(w, "owner", "Revoke", "{'identity':'%S','role':'Pending'}"), UNAUTHORIZED);
}

Test(ac, giving_up_ones_own_role)
{
    struct world *w = world();
    w->member = roles_of(32, 33, -1);
    EXPECT_OK(plan(w, "member", "Revoke", "{'identity':'%M','role':'Pending'}"));
    expect_change(w, 0, "member", roles_of(32, -1));
    EXPECT_ERR(plan(w, "member", "Revoke", "{'identity':'%M','role':'Member'}"), UNAUTHORIZED);
    EXPECT_ERR(step_7(w, "member", "Revoke", "{'identity':'%S','role':'Pending'}"), UNAUTHORIZED);
}

Test(ac, nobody_may_promote_himself)
{
    struct world *w = world();
    w->manifest = manifest_with("['Member']", "[{'event':'Grant','role':'Any','ops':['C']},"
                                              "{'event':'Grant','role':'Self','ops':['_C']}]");
    EXPECT_ERR(step_7(w, "member", "Grant", "{'identity':'%M','role':'Member'}"), UNAUTHORIZED);
    EXPECT_OK(plan(w, "member", "Grant", "{'identity':'%S','role':'Member'}"));
    EXPECT_ERR(plan(w, "member", "Grant", "no json"), INVALID_CONTENT);
}

Test(ac, c79_rbac_first_whenever_it_can_be_evaluated)
{
    struct world *w = world();
    EXPECT_ERR(step_7(w, "member", "Grant", "no json"), UNAUTHORIZED);
    EXPECT_ERR(step_7(w, "member", "Grant", "{'identity':'%S','role':7}"), UNAUTHORIZED);
    EXPECT_ERR(step_7(w, "member", "Gate", "no json"), UNAUTHORIZED);
    EXPECT_ERR(step_7(w, "seq", "AC_Bundle", "no json"), UNAUTHORIZED);
    EXPECT_OK(step_7(w, "member", "Revoke", "no json"));
    EXPECT_ERR(step_8(w), INVALID_CONTENT);
    EXPECT_OK(step_7(w, "owner", "Grant", "no json"));
    EXPECT_ERR(step_8(w), INVALID_CONTENT);
}

Test(ac, move)
{
    struct world *w = world();
    w->member = roles_of(33, 34, -1);
    EXPECT_OK(plan(w, "owner", "Move", "{'identity':'%M','from':'Pending','to':'Member'}"));
    expect_change(w, 0, "member", roles_of(32, 34, -1));
    EXPECT_OK(plan(w, "owner", "Move", "{'identity':'%M','from':'Pending','to':null}"));
    expect_change(w, 0, "member", roles_of(34, -1));
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%S','from':'Pending','to':'Member'}"),
               TARGET_LACKS_ROLE);
}

Test(ac, c26_from_null_means_none_of_the_targets)
{
    struct world *w = world();
    w->member = roles_of(33, -1);
    w->seq = roles_of(34, -1);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':null,'to':'Member'}"),
               TARGET_LACKS_ROLE);
    EXPECT_OK(plan(w, "owner", "Move", "{'identity':'%S','from':null,'to':'Member'}"));
    expect_change(w, 0, "seq", roles_of(32, 34, -1));
}

Test(ac, c26_members_are_required)
{
    struct world *w = world();
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','to':'Member'}"), INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':'Member'}"), INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Move", "{'from':null,'to':'Member'}"), INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Force_Move", "{'identity':'%M'}"), INVALID_CONTENT);
}

Test(ac, c81_from_equal_to_is_checked_first)
{
    struct world *w = world();
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':'Owner','to':'Owner'}"),
               INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':'Nobody','to':'Nobody'}"),
               INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':null,'to':null}"),
               INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':null,'to':''}"), UNAUTHORIZED);
}

Test(ac, joining_by_oneself)
{
    struct world *w = world();
    EXPECT_OK(plan(w, "member", "Move", "{'identity':'%M','from':null,'to':'Pending'}"));
    expect_change(w, 0, "member", roles_of(33, -1));
    EXPECT_ERR(plan(w, "member", "Move", "{'identity':'%M','from':null,'to':'Member'}"),
               UNAUTHORIZED);
}

Test(ac, force_move)
{
    struct world *w = world();
    w->member = roles_of(32, 33, 35, -1);
    EXPECT_OK(plan(w, "owner", "Force_Move", "{'identity':'%M','to':'Blocked'}"));
    expect_change(w, 0, "member", roles_of(34, 35, -1));
    EXPECT_OK(plan(w, "owner", "Force_Move", "{'identity':'%M','to':null}"));
    expect_change(w, 0, "member", roles_of(35, -1));
    EXPECT_ERR(plan(w, "owner", "Force_Move", "{'identity':'%M','to':'Sink'}"), UNAUTHORIZED);
}

Test(ac, transfer_owner)
{
    struct world *w = world();
    w->member = roles_of(32, -1);
    EXPECT_OK(plan(w, "owner", "Transfer_Owner", "{'new_owner':'%M'}"));
    cr_assert_eq(w->plan.change_count, 2);
    expect_change(w, 0, "owner", (struct enc_roles){0});
    expect_change(w, 1, "member", roles_of(1, 32, -1));
    w->member = roles_of(1, -1);
    EXPECT_OK(plan(w, "owner", "Transfer_Owner", "{'new_owner':'%M'}"));
    cr_assert_eq(w->plan.change_count, 1, "the other one is an Owner already");
}

Test(ac, only_owners_transfer)
{
    struct world *w = world();
    w->member = roles_of(32, -1);
    EXPECT_ERR(plan(w, "member", "Transfer_Owner", "{'new_owner':'%S'}"), UNAUTHORIZED);
    EXPECT_ERR(plan(w, "member", "Transfer_Owner", "no json"), UNAUTHORIZED);
    EXPECT_ERR(step_7(w, "seq", "Transfer_Owner", "{'new_owner':'%S'}"), UNAUTHORIZED);
}

Test(ac, c24_new_owner_is_another_key_that_lifts)
{
    struct world *w = world();
    EXPECT_ERR(plan(w, "owner", "Transfer_Owner", "{'new_owner':'%O'}"), INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Transfer_Owner",
                    "{'new_owner':'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                    "ffff'}"),
               INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Transfer_Owner", "{'identity':'%M'}"), INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Transfer_Owner", ""), INVALID_CONTENT);
}

Test(ac, gate)
{
    struct world *w = world();
    EXPECT_OK(plan(w, "owner", "Gate", "{'event':'Message','open':false}"));
    cr_assert(enc_gates_stop(w->plan.gates, ENC_LIT("Message")));
    w->gates = *w->plan.gates;
    EXPECT_OK(plan(w, "owner", "Gate", "{'event':'Message','open':false}"));
    cr_assert_null(w->plan.gates);
    EXPECT_OK(plan(w, "owner", "Gate", "{'event':'Message','open':true}"));
    cr_assert_eq(w->plan.gates->count, 0);
    w->gates = *w->plan.gates;
    EXPECT_OK(plan(w, "owner", "Gate", "{'event':'Message','open':true}"));
    cr_assert_null(w->plan.gates);
}

Test(ac, c27_gate_names_one_content_type)
{
    struct world *w = world();
    const char *const BAD[] = {
        "{'event':'Grant','open':false}",
        "{'event':'*','open':false}",
        "{'event':'Update','open':false}",
        "{'event':['Post'],'open':false}",
        "{'event':'Own','open':false}",
        "{'event':'a b','open':false}",
        "{'event':'Post'}",
        "{'open':false}",
        "{'event':'Post','open':'false'}",
        "{'event':'Post','open':null}",
        "{'event':'Post','open':0}",
        "",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(plan(w, "owner", "Gate", BAD[i]), ENC_ERR_INVALID_CONTENT, "%s", BAD[i]);
}

Test(ac, c95_gate_on_a_type_that_no_row_names)
{
    struct world *w = world();
    EXPECT_OK(plan(w, "owner", "Gate", "{'event':'Never.Named','open':false}"));
    cr_assert_eq(w->plan.gates->count, 1);
}

Test(ac, grant_push_registers)
{
    struct world *w = world();
    EXPECT_OK(plan(w, "owner", "Grant_Push",
                   "{'identity':'%M','role':'Sink','endpoint':'https://example.org/p'}"));
    cr_assert_eq(w->plan.endpoint_count, 1);
    cr_assert(enc_bytes_is(w->plan.endpoints[0].url, "https://example.org/p"));
    cr_assert_str_eq(hex32(w->plan.endpoints[0].identity32), pub("member"));
    w->member = roles_of(35, -1);
    EXPECT_OK(plan(w, "owner", "Grant",
                   "{'identity':'%M','role':'Sink','endpoint':'https://example.org/q'}"));
    cr_assert_eq(w->plan.change_count, 0);
    cr_assert_eq(w->plan.endpoint_count, 1);
}

Test(ac, grant_push_needs_an_endpoint)
{
    struct world *w = world();
    EXPECT_ERR(plan(w, "owner", "Grant_Push", "{'identity':'%M','role':'Sink'}"), INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Grant_Push", "{'identity':'%M','role':'Sink','endpoint':null}"),
               INVALID_CONTENT);
    EXPECT_ERR(plan(w, "owner", "Grant", "{'identity':'%M','role':'Sink','endpoint':null}"),
               INVALID_CONTENT);
}

Test(ac, c33_refused_endpoints_and_roles_that_do_not_deliver)
{
    struct world *w = world();
    EXPECT_ERR(plan(w, "owner", "Grant_Push",
                    "{'identity':'%M','role':'Member','endpoint':'https://example.org/p'}"),
               INVALID_CONTENT);
    const char *http = "{'identity':'%M','role':'Sink','endpoint':'http://127.0.0.1:9/p'}";
    EXPECT_ERR(plan(w, "owner", "Grant_Push", http), INVALID_CONTENT);
    w->endpoints = (struct enc_endpoint_policy){true, true};
    EXPECT_OK(plan(w, "owner", "Grant_Push", http));
}

Test(ac, c32_and_c80_push_unsupported_before_rbac)
{
    struct world *w = world();
    w->has_push = false;
    const char *with = "{'identity':'%M','role':'Sink','endpoint':'https://example.org/p'}";
    EXPECT_ERR(step_7(w, "owner", "Grant_Push", with), PUSH_UNSUPPORTED);
    EXPECT_ERR(step_7(w, "seq", "Grant_Push", with), PUSH_UNSUPPORTED);
    EXPECT_ERR(step_7(w, "seq", "Grant_Push", "no json"), PUSH_UNSUPPORTED);
    EXPECT_ERR(step_7(w, "seq", "Grant", with), PUSH_UNSUPPORTED);
    EXPECT_ERR(step_7(w, "seq", "Grant", "{'endpoint':null}"), PUSH_UNSUPPORTED);
    EXPECT_ERR(step_7(w, "seq", "Grant", "no json"), UNAUTHORIZED);
    EXPECT_OK(plan(w, "owner", "Grant", "{'identity':'%M','role':'Sink'}"));
    EXPECT_ERR(plan(w, "owner", "AC_Bundle",
                    "{'operations':[{'type':'Grant','identity':'%M','role':'Sink',"
                    "'endpoint':'https://example.org/p'}]}"),
               PUSH_UNSUPPORTED);
}

Test(ac, errors_of_the_source_come_through)
{
    struct world *w = world();
    w->source_err = ENC_ERR_INTERNAL;
    EXPECT_ERR(step_7(w, "owner", "Grant", "{'identity':'%M','role':'Member'}"), INTERNAL);
    EXPECT_ERR(step_8(w), INTERNAL);
    w->commit = commit_by("owner", "Transfer_Owner", fill("{'new_owner':'%M'}"), NULL);
    EXPECT_ERR(step_8(w), INTERNAL);
}

/** Wherever memory ends, the answer is TOO_LARGE. */
Test(ac, memory_may_end)
{
    const struct {
        const char *type, *content;
    } EVENTS[] = {{"Grant", "{'identity':'%M','role':'Member'}"},
                  {"Gate", "{'event':'Post','open':false}"}};
    for (unsigned i = 0; i < 2; i++) {
        struct world *w = world();
        EXPECT_OK(plan(w, "owner", EVENTS[i].type, EVENTS[i].content));
        for (size_t len = 0;; len += 16) {
            struct input made;
            make_input(&made, w);
            struct enc_arena small = small_arena(len), same = small;
            enum enc_err err = enc_ac_plan(&w->plan, &small, &made.input);
            enum enc_err rbac_err = enc_ac_rbac(&same, &made.input);
            cr_assert(rbac_err == ENC_ERR_OK || rbac_err == ENC_ERR_TOO_LARGE);
            if (err == ENC_ERR_OK)
                break;
            EXPECT_ERR(err, TOO_LARGE);
        }
    }
}

Test(ac, other_types_are_our_mistake, .signal = SIGABRT)
{
    step_7(world(), "owner", "Post", "");
}
