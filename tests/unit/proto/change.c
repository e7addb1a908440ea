#include "proto/change.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <signal.h>

static const char R_TAG[] =
    "[['r','08d92394d1e997a5121f251a03efbfda6825814feab97147be5bded0b11674a0']]";
static const char ROWS[] = "[{'event':'Post','role':'Self','ops':['U','D']},"
                           "{'event':'Post','role':'Admin','ops':['D']}]";

struct world {
    struct enc_manifest manifest;
    struct enc_commit commit, target;
    struct enc_roles roles;
    struct enc_change_input input;
};

/** who changes a Post of the member. */
static struct world *world(const char *who, const char *type, const char *content)
{
    static struct world made;
    made.manifest = manifest_with("['Admin']", ROWS);
    made.commit = commit_by(who, type, text("%s", content), R_TAG);
    made.target = commit_by("member", "Post", ENC_LIT("hello"), NULL);
    made.roles = (struct enc_roles){0};
    made.input = (struct enc_change_input){
        .manifest = &made.manifest,
        .commit = &made.commit,
        .roles = &made.roles,
        .target = &made.target,
    };
    return &made;
}

static enum enc_err both(struct world *w)
{
    ENC_TRY(enc_change_rbac(&w->input));
    return enc_change_check(arena(), &w->input);
}

Test(change, authors_update_and_delete)
{
    EXPECT_OK(both(world("member", "Update", "anything")));
    EXPECT_OK(both(world("member", "Delete", "")));
    EXPECT_ERR(both(world("owner", "Update", "")), UNAUTHORIZED);
    EXPECT_ERR(both(world("owner", "Delete", "")), UNAUTHORIZED);
}

Test(change, roles_delete)
{
    struct world *w = world("owner", "Delete", "{'reason':'moderator','note':'spam'}");
    w->roles = roles_of(32, -1);
    EXPECT_OK(both(w));
    w = world("owner", "Update", "");
    w->roles = roles_of(32, -1);
    EXPECT_ERR(both(w), UNAUTHORIZED);
}

Test(change, c13_order_of_the_checks)
{
    struct world *w = world("owner", "Update", "");
    w->input.target = NULL;
    EXPECT_OK(enc_change_rbac(&w->input));
    EXPECT_ERR(both(w), EVENT_NOT_FOUND);
    w = world("owner", "Delete", "no json");
    w->target = commit_by("owner", "Grant", ENC_LIT(""), NULL);
    w->input.target_status = ENC_EVENT_DELETED;
    EXPECT_OK(enc_change_rbac(&w->input));
    EXPECT_ERR(both(w), INVALID_CONTENT);
    w = world("owner", "Delete", "no json");
    w->input.target_status = ENC_EVENT_DELETED;
    EXPECT_ERR(both(w), UNAUTHORIZED);
    w = world("member", "Delete", "no json");
    w->input.target_status = ENC_EVENT_DELETED;
    EXPECT_ERR(both(w), ALREADY_DELETED);
}

Test(change, c12_predefined_targets)
{
    const char *const TYPES[] = {"Manifest", "Update", "Delete", "Grant", "Pause", "Gate"};
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        struct world *w = world("member", "Update", "");
        w->target.type = enc_bytes_of_text(TYPES[i]);
        EXPECT_ERR(both(w), INVALID_CONTENT);
    }
}

Test(change, an_updated_target_may_be_changed_again)
{
    struct world *w = world("member", "Update", "");
    w->input.target_status = ENC_EVENT_UPDATED;
    EXPECT_OK(both(w));
}

Test(change, content_of_a_delete)
{
    const char *const GOOD[] = {"", "{}", "{'reason':'author'}", "{'reason':'moderator'}",
                                "{'note':'','more':1}"};
    const char *const BAD[] = {"no json",           "[]",           "1",
                               "{'reason':'spam'}", "{'reason':1}", "{'reason':null}",
                               "{'note':1}",        "{'a':1,'a':1}"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        cr_assert_eq(both(world("member", "Delete", GOOD[i])), ENC_ERR_OK, "%s", GOOD[i]);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(both(world("member", "Delete", BAD[i])), ENC_ERR_INVALID_CONTENT, "%s",
                     BAD[i]);
    struct enc_arena none = small_arena(0);
    struct world *w = world("member", "Delete", "{}");
    EXPECT_ERR(enc_change_check(&none, &w->input), TOO_LARGE);
}

Test(change, statuses)
{
    cr_assert_eq(enc_change_status(ENC_TYPE_UPDATE), ENC_EVENT_UPDATED);
    cr_assert_eq(enc_change_status(ENC_TYPE_DELETE), ENC_EVENT_DELETED);
}

Test(change, other_types_have_no_status, .signal = SIGABRT)
{
    enc_change_status(ENC_TYPE_GRANT);
}

Test(change, other_types_are_our_mistake, .signal = SIGABRT)
{
    struct world *w = world("member", "Post", "");
    enum enc_err err = enc_change_rbac(&w->input);
    cr_assert_eq(err, ENC_ERR_OK);
}
