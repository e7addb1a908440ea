#include "proto/ac_part.h"

#include "world.h"

#include <criterion/criterion.h>

Test(ac_rbac, self_is_whoever_the_event_is_about)
{
    struct world *w = world();
    EXPECT_OK(step_7(w, "member", "Revoke", "{'identity':'%M','role':'Pending'}"));
    EXPECT_ERR(step_7(w, "member", "Revoke", "{'identity':'%S','role':'Pending'}"), UNAUTHORIZED);
    EXPECT_OK(step_7(w, "owner", "Revoke", "{'identity':'%S','role':'Pending'}"));
}

/** Step 8 has a better name for what is wrong with it. */
Test(ac_rbac, what_cannot_be_read_passes_when_it_hangs_on_self)
{
    struct world *w = world();
    EXPECT_OK(step_7(w, "member", "Revoke", "no json"));
    EXPECT_OK(step_7(w, "member", "Move", "{'identity':'00'}"));
    EXPECT_ERR(step_7(w, "member", "Grant", "no json"), UNAUTHORIZED);
    EXPECT_ERR(step_7(w, "member", "Gate", "no json"), UNAUTHORIZED);
}

Test(ac_rbac, without_push_an_endpoint_is_refused_before_its_author)
{
    struct world *w = world();
    w->has_push = false;
    EXPECT_ERR(step_7(w, "member", "Grant_Push", "{}"), PUSH_UNSUPPORTED);
    EXPECT_ERR(step_7(w, "owner", "Grant",
                      "{'identity':'%M','role':'Member','endpoint':'https://example.org'}"),
               PUSH_UNSUPPORTED);
    EXPECT_OK(step_7(w, "owner", "Grant", "{'identity':'%M','role':'Member'}"));
}

Test(ac_rbac, whom_a_type_is_about)
{
    uint8_t identity32[32];
    struct enc_ac_op op = {ENC_TYPE_TRANSFER_OWNER, json_exact(fill("{'new_owner':'%S'}"))};
    cr_assert(enc_ac_is_about(&op, identity32));
    expect_vector(enc_bytes_of(identity32, 32), "keys.seq_pub");
    op.type = ENC_TYPE_GRANT;
    cr_assert_not(enc_ac_is_about(&op, identity32), "a Grant names an identity");
    op.json = NULL;
    cr_assert_not(enc_ac_is_about(&op, identity32));
    cr_assert(enc_ac_has_identity(ENC_TYPE_FORCE_MOVE));
    cr_assert_not(enc_ac_has_identity(ENC_TYPE_GATE));
    cr_assert_not(enc_ac_has_identity(ENC_TYPE_AC_BUNDLE));
}
