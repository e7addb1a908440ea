#include "proto/rbac.h"

#include "logic.h"

#include <criterion/criterion.h>

static const struct enc_context NOBODY, KNOWN = {false, true}, AUTHOR = {true, true};
static const struct enc_roles NONE;

static bool permits(const struct enc_manifest *manifest, struct enc_roles roles, const char *type,
                    enum enc_op op, struct enc_context context)
{
    return enc_rbac_permits(manifest, &roles, enc_bytes_of_text(type), op, context);
}

Test(rbac, rows_of_the_vectors)
{
    struct enc_manifest manifest = manifest_of(vector_text("manifest_content"));
    struct enc_roles owner = roles_of(1, -1), member = roles_of(32, -1);
    cr_assert(permits(&manifest, owner, "Post", ENC_OP_CREATE, KNOWN));
    cr_assert(permits(&manifest, member, "Post", ENC_OP_CREATE, KNOWN));
    cr_assert(permits(&manifest, member, "Post", ENC_OP_READ, KNOWN));
    cr_assert(permits(&manifest, NONE, "Post", ENC_OP_UPDATE, AUTHOR));
    cr_assert_not(permits(&manifest, owner, "Post", ENC_OP_UPDATE, KNOWN));
    cr_assert(permits(&manifest, owner, "Grant", ENC_OP_CREATE, KNOWN));
    cr_assert_not(permits(&manifest, member, "Grant", ENC_OP_CREATE, KNOWN));
    cr_assert(permits(&manifest, owner, "Anything", ENC_OP_READ, KNOWN));
    cr_assert_not(permits(&manifest, NONE, "Post", ENC_OP_READ, KNOWN));
}

Test(rbac, contexts)
{
    struct enc_manifest manifest = manifest_with(
        "[]", "[{'event':'A','role':'Self','ops':['C']},{'event':'B','role':'Sender','ops':['C']},"
              "{'event':'D','role':'Any','ops':['C']},{'event':'E','role':'Public','ops':['C']},"
              "{'event':'F','role':'OUTSIDER','ops':['C']},{'event':'G','role':'*','ops':['C']}]");
    static const struct {
        const char *type;
        bool nobody, known, author;
    } ROWS[] = {
        {"A", false, false, true}, {"B", false, false, true},  {"D", false, true, true},
        {"E", true, true, true},   {"F", false, false, false}, {"G", false, false, false},
    };
    struct enc_roles all = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const char *type = ROWS[i].type;
        cr_assert_eq(permits(&manifest, NONE, type, ENC_OP_CREATE, NOBODY), ROWS[i].nobody);
        cr_assert_eq(permits(&manifest, NONE, type, ENC_OP_CREATE, KNOWN), ROWS[i].known);
        cr_assert_eq(permits(&manifest, NONE, type, ENC_OP_CREATE, AUTHOR), ROWS[i].author);
        cr_assert_eq(permits(&manifest, all, type, ENC_OP_CREATE, NOBODY), ROWS[i].nobody);
    }
}

Test(rbac, a_deny_beats_any_grant)
{
    struct enc_manifest manifest =
        manifest_with("['Member','Muted']", "[{'event':'Post','role':'Member','ops':['C','R']},"
                                            "{'event':'Post','role':'Muted','ops':['_C']},"
                                            "{'event':'*','role':'Muted','ops':['C']}]");
    struct enc_roles both = roles_of(32, 33, -1);
    cr_assert_not(permits(&manifest, both, "Post", ENC_OP_CREATE, KNOWN));
    cr_assert(permits(&manifest, both, "Post", ENC_OP_READ, KNOWN));
    cr_assert(permits(&manifest, both, "Like", ENC_OP_CREATE, KNOWN));
    cr_assert_not(permits(&manifest, roles_of(33, -1), "Post", ENC_OP_CREATE, KNOWN));
}

Test(rbac, a_wildcard_never_hands_out_the_protocols_types)
{
    struct enc_manifest manifest =
        manifest_with("[]", "[{'event':'*','role':'Owner','ops':['C','R','U','D','P','N']}]");
    struct enc_roles owner = roles_of(1, -1);
    for (unsigned type = ENC_TYPE_CONTENT + 1; type < ENC_TYPE_COUNT; type++) {
        const char *name = enc_type_row((enum enc_type)type)->name;
        cr_assert_not(permits(&manifest, owner, name, ENC_OP_CREATE, KNOWN), "%s", name);
        cr_assert_not(permits(&manifest, owner, name, ENC_OP_UPDATE, KNOWN), "%s", name);
        cr_assert_not(permits(&manifest, owner, name, ENC_OP_DELETE, KNOWN), "%s", name);
        cr_assert(permits(&manifest, owner, name, ENC_OP_READ, KNOWN), "%s", name);
        cr_assert(permits(&manifest, owner, name, ENC_OP_PUSH, KNOWN), "%s", name);
        cr_assert(permits(&manifest, owner, name, ENC_OP_NOTIFY, KNOWN), "%s", name);
    }
}

Test(rbac, c18_a_wildcard_names_every_content_type)
{
    struct enc_manifest all = manifest_with("[]", "[{'event':'*','role':'Owner','ops':['C']}]"),
                        one = manifest_with("[]", "[{'event':'Post','role':'Owner','ops':['C']}]");
    cr_assert(permits(&all, roles_of(1, -1), "Never.Named", ENC_OP_CREATE, KNOWN));
    cr_assert_not(permits(&one, roles_of(1, -1), "Never.Named", ENC_OP_CREATE, KNOWN));
}

Test(rbac, targets_are_those_of_the_permitting_rows)
{
    struct enc_manifest manifest = manifest_with(
        "['A','B','D']", "[{'event':'Grant','role':'A','ops':['C'],'target_roles':['B']},"
                         "{'event':'Grant','role':'Self','ops':['C'],'target_roles':['D']},"
                         "{'event':'Grant','role':'A','ops':['R'],'target_roles':['A']},"
                         "{'event':'Grant','role':'B','ops':['_C']},"
                         "{'event':'Revoke','role':'A','ops':['C'],'target_roles':['A']}]");
    struct enc_roles targets, a = roles_of(32, -1), ab = roles_of(32, 33, -1);
    struct enc_roles b_only = roles_of(33, -1), b_and_d = roles_of(33, 34, -1);
    cr_assert(enc_rbac_targets(&targets, &manifest, &a, ENC_LIT("Grant"), KNOWN));
    cr_assert(enc_roles_equal(&targets, &b_only));
    cr_assert(enc_rbac_targets(&targets, &manifest, &a, ENC_LIT("Grant"), AUTHOR));
    cr_assert(enc_roles_equal(&targets, &b_and_d));
    cr_assert_not(enc_rbac_targets(&targets, &manifest, &ab, ENC_LIT("Grant"), AUTHOR));
    cr_assert(enc_roles_are_none(&targets));
}

static const char GATED[] = "[{'event':'Post','role':'Any','ops':['C']},"
                            "{'event':'Post','role':'Owner','ops':['C']},"
                            "{'event':'Pause','role':'Owner','ops':['C']}]";

Test(rbac, c27_gates_stop_everyone_but_owners)
{
    struct enc_manifest manifest = manifest_with("['Member']", GATED);
    struct enc_gates gates, open = {0};
    struct enc_roles owner = roles_of(1, -1), member = roles_of(32, -1);
    EXPECT_OK(enc_gates_set(&gates, arena(), &open, ENC_LIT("Post"), false));
    EXPECT_OK(enc_rbac_create(&manifest, &open, &member, ENC_LIT("Post")));
    EXPECT_ERR(enc_rbac_create(&manifest, &gates, &member, ENC_LIT("Post")), GATE_CLOSED);
    EXPECT_OK(enc_rbac_create(&manifest, &gates, &owner, ENC_LIT("Post")));
    EXPECT_OK(enc_rbac_create(&manifest, &gates, &owner, ENC_LIT("Pause")));
    EXPECT_ERR(enc_rbac_create(&manifest, &gates, &member, ENC_LIT("Pause")), UNAUTHORIZED);
}

Test(rbac, c28_rbac_comes_before_the_gate)
{
    struct enc_manifest manifest =
        manifest_with("[]", "[{'event':'Post','role':'Owner','ops':['C']}]");
    struct enc_gates gates, open = {0};
    EXPECT_OK(enc_gates_set(&gates, arena(), &open, ENC_LIT("Post"), false));
    EXPECT_ERR(enc_rbac_create(&manifest, &gates, &NONE, ENC_LIT("Post")), UNAUTHORIZED);
}

Test(rbac, creating_is_never_self)
{
    struct enc_manifest manifest =
        manifest_with("[]", "[{'event':'Post','role':'Self','ops':['C']}]");
    const struct enc_gates open = {0};
    EXPECT_ERR(enc_rbac_create(&manifest, &open, &NONE, ENC_LIT("Post")), UNAUTHORIZED);
}

static struct enc_reader reader_of(const char *who)
{
    struct enc_reader reader = {.is_known = who != NULL};
    if (who) {
        struct enc_key key = vector_key(who);
        memcpy(reader.pub32, key.pub32, 32);
    }
    return reader;
}

static bool reads(const struct enc_manifest *manifest, struct enc_roles roles, const char *who,
                  struct enc_sight sight)
{
    struct enc_reader reader = reader_of(who);
    return enc_rbac_can_read(manifest, &roles, &reader, &sight);
}

Test(rbac, reading)
{
    struct enc_manifest manifest =
        manifest_with("['Member']", "[{'event':'Post','role':'Member','ops':['R']},"
                                    "{'event':'Note','role':'Self','ops':['R']},"
                                    "{'event':'News','role':'Public','ops':['R']},"
                                    "{'event':'Room','role':'Any','ops':['R']}]");
    struct enc_commit post = commit_by("member", "Post", ENC_LIT(""), NULL),
                      note = commit_by("member", "Note", ENC_LIT(""), NULL),
                      news = commit_by("member", "News", ENC_LIT(""), NULL),
                      room = commit_by("member", "Room", ENC_LIT(""), NULL);
    cr_assert(reads(&manifest, roles_of(32, -1), "owner", enc_sight_of(&post, NULL)));
    cr_assert_not(reads(&manifest, NONE, "owner", enc_sight_of(&post, NULL)));
    cr_assert(reads(&manifest, NONE, "member", enc_sight_of(&note, NULL)));
    cr_assert_not(reads(&manifest, NONE, "owner", enc_sight_of(&note, NULL)));
    cr_assert(reads(&manifest, NONE, NULL, enc_sight_of(&news, NULL)));
    cr_assert_not(reads(&manifest, NONE, NULL, enc_sight_of(&room, NULL)));
    cr_assert(reads(&manifest, NONE, "owner", enc_sight_of(&room, NULL)));
    cr_assert_not(reads(&manifest, roles_of(32, -1), NULL, enc_sight_of(&post, NULL)),
                  "roles do not count for Public");
}

Test(rbac, the_public_reader_wrote_nothing)
{
    struct enc_manifest manifest =
        manifest_with("[]", "[{'event':'Post','role':'Self','ops':['R']}]");
    struct enc_commit post = commit_by("member", "Post", ENC_LIT(""), NULL);
    memset(post.from32, 0, 32);
    cr_assert_not(reads(&manifest, NONE, NULL, enc_sight_of(&post, NULL)));
}

static const char R_TAG[] =
    "[['r','08d92394d1e997a5121f251a03efbfda6825814feab97147be5bded0b11674a0']]";

Test(rbac, c31_update_is_read_by_its_own_or_its_targets_type)
{
    struct enc_manifest manifest =
        manifest_with("['A','B']", "[{'event':'Post','role':'A','ops':['R']},"
                                   "{'event':'Update','role':'B','ops':['R']}]");
    struct enc_commit post = commit_by("member", "Post", ENC_LIT(""), NULL),
                      update = commit_by("member", "Update", ENC_LIT(""), R_TAG);
    struct enc_sight sight = enc_sight_of(&update, &post);
    cr_assert(reads(&manifest, roles_of(32, -1), "owner", sight));
    cr_assert(reads(&manifest, roles_of(33, -1), "owner", sight));
    cr_assert_not(reads(&manifest, NONE, "owner", sight));
    cr_assert_not(reads(&manifest, roles_of(32, -1), "owner", enc_sight_of(&update, NULL)));
}

Test(rbac, c84_self_on_the_target_means_its_author)
{
    struct enc_manifest manifest =
        manifest_with("[]", "[{'event':'Post','role':'Self','ops':['R']}]");
    struct enc_commit post = commit_by("member", "Post", ENC_LIT(""), NULL),
                      removal = commit_by("owner", "Delete", ENC_LIT(""), R_TAG);
    struct enc_sight sight = enc_sight_of(&removal, &post);
    cr_assert(reads(&manifest, NONE, "member", sight), "wrote the target");
    cr_assert_not(reads(&manifest, NONE, "owner", sight), "wrote only the Delete");
}

static bool reads_any(const char *rows, struct enc_roles roles, struct enc_context context)
{
    struct enc_manifest manifest = manifest_with("['A','B']", rows);
    return enc_rbac_reads_any(&manifest, &roles, context);
}

Test(rbac, reads_any)
{
    struct enc_roles a = roles_of(32, -1), b = roles_of(33, -1), ab = roles_of(32, 33, -1);
    const char *wild =
        "[{'event':'*','role':'A','ops':['R']},{'event':'*','role':'B','ops':['_R']}]";
    cr_assert(reads_any(wild, a, KNOWN));
    cr_assert_not(reads_any(wild, b, KNOWN));
    cr_assert_not(reads_any(wild, ab, KNOWN));
    const char *one =
        "[{'event':'*','role':'A','ops':['R']},{'event':'P','role':'B','ops':['_R']}]";
    cr_assert(reads_any(one, ab, KNOWN), "only P is denied");
    const char *named =
        "[{'event':'P','role':'A','ops':['R']},{'event':'P','role':'B','ops':['_R']}]";
    cr_assert_not(reads_any(named, ab, KNOWN));
    cr_assert_not(reads_any("[{'event':'P','role':'A','ops':['C']}]", a, KNOWN));
    cr_assert_not(reads_any("[]", a, KNOWN));
    cr_assert(reads_any("[{'event':'P','role':'Public','ops':['R']}]", NONE, NOBODY));
}

Test(rbac, c30_and_c85_self_counts_only_for_subscriptions)
{
    const char *own = "[{'event':'P','role':'Self','ops':['R']}]";
    cr_assert_not(reads_any(own, NONE, KNOWN));
    cr_assert(reads_any(own, NONE, AUTHOR));
    const char *not_own =
        "[{'event':'P','role':'A','ops':['R']},{'event':'P','role':'Sender','ops':['_R']}]";
    cr_assert(reads_any(not_own, roles_of(32, -1), KNOWN));
    cr_assert_not(reads_any(not_own, roles_of(32, -1), AUTHOR));
}

Test(rbac, delivery)
{
    struct enc_manifest manifest =
        manifest_with("['P','N','Both','Off']", "[{'event':'*','role':'P','ops':['P']},"
                                                "{'event':'Post','role':'N','ops':['N']},"
                                                "{'event':'*','role':'Both','ops':['P','N']},"
                                                "{'event':'Post','role':'Off','ops':['_P']},"
                                                "{'event':'Mine','role':'Self','ops':['P']},"
                                                "{'event':'Mine','role':'Any','ops':['N']}]");
    static const struct {
        int bit;
        const char *type;
        enum enc_delivery delivery;
    } ROWS[] = {
        {32, "Post", ENC_DELIVERY_PUSH},  {33, "Post", ENC_DELIVERY_NOTIFY},
        {33, "Like", ENC_DELIVERY_NONE},  {34, "Like", ENC_DELIVERY_PUSH},
        {1, "Post", ENC_DELIVERY_NONE},   {1, "Mine", ENC_DELIVERY_NONE},
        {32, "Grant", ENC_DELIVERY_PUSH},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct enc_roles roles = roles_of(ROWS[i].bit, -1);
        cr_assert_eq(enc_rbac_delivery(&manifest, &roles, enc_bytes_of_text(ROWS[i].type)),
                     ROWS[i].delivery, "row %zu", i);
    }
    struct enc_roles denied = roles_of(34, 35, -1);
    cr_assert_eq(enc_rbac_delivery(&manifest, &denied, ENC_LIT("Post")), ENC_DELIVERY_NOTIFY);
}

Test(rbac, c33_roles_that_deliver)
{
    struct enc_manifest manifest = manifest_with(
        "['P','N','C','Off']",
        "[{'event':'*','role':'P','ops':['P']},{'event':'Post','role':'N','ops':['N']},"
        "{'event':'Post','role':'C','ops':['C','R']},{'event':'Post','role':'Off','ops':['_P']},"
        "{'event':'*','role':'Public','ops':['P']}]");
    struct enc_roles p = roles_of(32, -1), n = roles_of(33, 34, -1), c = roles_of(34, -1),
                     off = roles_of(35, -1), owner = roles_of(1, -1);
    cr_assert(enc_rbac_delivers(&manifest, &p));
    cr_assert(enc_rbac_delivers(&manifest, &n));
    cr_assert_not(enc_rbac_delivers(&manifest, &c));
    cr_assert_not(enc_rbac_delivers(&manifest, &off));
    cr_assert_not(enc_rbac_delivers(&manifest, &owner));
}
