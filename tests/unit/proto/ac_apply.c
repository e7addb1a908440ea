#include "world.h"

#include <criterion/criterion.h>

Test(ac_apply, a_move_takes_from_where_the_identity_is)
{
    struct world *w = world();
    w->member = roles_of(32, 35, -1);
    EXPECT_OK(plan(w, "owner", "Move", "{'identity':'%M','from':'Member','to':'Pending'}"));
    cr_assert_eq(w->plan.change_count, 1);
    expect_change(w, 0, "member", roles_of(33, 35, -1));
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':'Pending','to':null}"),
               TARGET_LACKS_ROLE);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':null,'to':'Member'}"),
               TARGET_LACKS_ROLE);
    EXPECT_ERR(plan(w, "owner", "Move", "{'identity':'%M','from':'Member','to':'Member'}"),
               INVALID_CONTENT);
}

Test(ac_apply, a_forced_move_clears_the_targets_and_nothing_else)
{
    struct world *w = world();
    w->member = roles_of(32, 33, 35, -1);
    EXPECT_OK(plan(w, "owner", "Force_Move", "{'identity':'%M','to':'Blocked'}"));
    expect_change(w, 0, "member", roles_of(34, 35, -1));
    EXPECT_OK(plan(w, "owner", "Force_Move", "{'identity':'%M','to':null}"));
    expect_change(w, 0, "member", roles_of(35, -1));
}

/** Entries see what the ones before them left, and the plan tells only how it all ends. */
Test(ac_apply, a_bundle_works_on_its_own_results)
{
    struct world *w = world();
    EXPECT_OK(plan(w, "owner", "AC_Bundle",
                   "{'operations':[{'type':'Grant','identity':'%M','role':'Member'},"
                   "{'type':'Move','identity':'%M','from':'Member','to':'Pending'},"
                   "{'type':'Grant','identity':'%S','role':'Member'}]}"));
    cr_assert_eq(w->plan.change_count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool is_member = strcmp(hex32(w->plan.changes[i].identity32), pub("member")) == 0;
        expect_change(w, i, is_member ? "member" : "seq",
                      is_member ? roles_of(33, -1) : roles_of(32, -1));
    }
    EXPECT_ERR(plan(w, "owner", "AC_Bundle",
                    "{'operations':[{'type':'Grant','identity':'%M','role':'Member'},"
                    "{'type':'Revoke','identity':'%S','role':'Member'}]}"),
               TARGET_LACKS_ROLE);
}

Test(ac_apply, the_heir_gets_what_the_owner_loses)
{
    struct world *w = world();
    w->member = roles_of(32, -1);
    EXPECT_OK(plan(w, "owner", "Transfer_Owner", "{'new_owner':'%M'}"));
    cr_assert_eq(w->plan.change_count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool is_heir = strcmp(hex32(w->plan.changes[i].identity32), pub("member")) == 0;
        expect_change(w, i, is_heir ? "member" : "owner",
                      is_heir ? roles_of(1, 32, -1) : roles_of(-1));
    }
    EXPECT_ERR(plan(w, "owner", "Transfer_Owner", "{'new_owner':'%O'}"), INVALID_CONTENT);
    EXPECT_ERR(plan(w, "member", "Transfer_Owner", "{'new_owner':'%S'}"), UNAUTHORIZED);
}
