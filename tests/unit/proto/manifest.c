#include "proto/manifest.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

static enum enc_err parse(struct enc_bytes content)
{
    struct enc_manifest manifest;
    return enc_manifest_parse(&manifest, arena(), arena(), content, NULL);
}

static const char *owner(void)
{
    struct enc_key key = vector_key("owner");
    return hex32(key.pub32);
}

/** A Manifest made of these parts; NULL leaves a member out. */
struct parts {
    const char *version, *roles, *schema, *initial, *more;
};

static enum enc_err parse_parts(struct parts parts)
{
    struct enc_bytes initial = text("{'Owner':['%s']}", owner());
    return parse(text("{'enc_v':%s,'RBAC':{'roles':%s,'schema':%s,'initial_state':%s}%s}",
                      parts.version ? parts.version : "1", parts.roles ? parts.roles : "['Member']",
                      parts.schema ? parts.schema : "[]",
                      parts.initial ? parts.initial : (const char *)initial.data,
                      parts.more ? parts.more : ""));
}

Test(manifest, content_of_the_vectors)
{
    struct enc_manifest manifest = manifest_of(vector_text("manifest_content"));
    cr_assert_eq(manifest.role_count, 1);
    cr_assert(enc_bytes_is(manifest.roles[0], "Member"));
    cr_assert_eq(manifest.bundle_size, 4);
    cr_assert_eq(manifest.bundle_timeout_ms, 5000);
    cr_assert_not(manifest.has_sequencer);
    cr_assert_eq(manifest.row_count, 5);
    cr_assert_eq(manifest.rows[2].holder, ENC_HOLDER_SELF);
    cr_assert_eq(manifest.rows[2].ops, 1 << ENC_OP_UPDATE | 1 << ENC_OP_DELETE);
    cr_assert(manifest.rows[3].is_wildcard);
    cr_assert(enc_roles_have(&manifest.rows[4].targets, ENC_ROLE_CUSTOM));
    cr_assert_eq(manifest.initial_count, 1);
    expect_vector(enc_bytes_of(manifest.initial[0].identity32, 32), "keys.owner_pub");
}

/** Section 5.7: the leaf of the first Owner. */
Test(manifest, roles_of_the_first_owner)
{
    uint8_t mask32[32];
    struct enc_manifest manifest = manifest_of(vector_text("manifest_content"));
    enc_roles_encode(mask32, &manifest.initial[0].roles);
    expect_hex(enc_bytes_of(mask32, 32),
               "0000000000000000000000000000000000000000000000000000000000000002");
}

Test(manifest, names_owners_and_no_other_members)
{
    struct enc_key first = vector_key("owner"), second = vector_key("member");
    struct enc_manifest manifest =
        manifest_of(text("{'enc_v':1,'RBAC':{'roles':['Member'],'schema':[],'initial_state':"
                         "{'Owner':['%s'],'Member':['%s']}}}",
                         hex32(first.pub32), hex32(second.pub32)));
    cr_assert(enc_manifest_names_owner(&manifest, first.pub32));
    cr_assert_not(enc_manifest_names_owner(&manifest, second.pub32));
    cr_assert_not(enc_manifest_names_owner(&manifest, vector_key("seq").pub32));
}

Test(manifest, may_be_registered_by_author_owner_and_sequencer)
{
    struct enc_event event = vector_event(0);
    struct enc_manifest manifest = manifest_of(event.commit.content);
    uint8_t other32[32] = {7};
    cr_assert(enc_manifest_may_register(&manifest, &event, vector_key("owner").pub32));
    cr_assert(enc_manifest_may_register(&manifest, &event, event.sequencer32));
    cr_assert_not(enc_manifest_may_register(&manifest, &event, other32));
    memcpy(event.commit.from32, other32, 32);
    cr_assert(enc_manifest_may_register(&manifest, &event, other32));
}

Test(manifest, commit_of_the_vectors_is_checked)
{
    struct enc_key sequencer = vector_key("seq"), other = vector_key("member");
    struct enc_commit commit = vector_event(0).commit;
    struct enc_manifest manifest = manifest_of(commit.content);
    enc_commit_hash_fill(&commit);
    EXPECT_OK(enc_manifest_check(&manifest, &commit, sequencer.pub32));
    manifest.has_sequencer = true;
    memcpy(manifest.sequencer32, sequencer.pub32, 32);
    EXPECT_OK(enc_manifest_check(&manifest, &commit, sequencer.pub32));
    EXPECT_ERR(enc_manifest_check(&manifest, &commit, other.pub32), INVALID_MANIFEST);
}

Test(manifest, c3_enclave_must_be_the_derived_id)
{
    struct enc_key sequencer = vector_key("seq");
    struct enc_commit commit = vector_event(0).commit;
    struct enc_manifest manifest = manifest_of(commit.content);
    enc_commit_hash_fill(&commit);
    commit.enclave32[0] ^= 1;
    EXPECT_ERR(enc_manifest_check(&manifest, &commit, sequencer.pub32), INVALID_MANIFEST);
}

Test(manifest, minimal)
{
    struct enc_manifest manifest = manifest_with("[]", "[]");
    cr_assert_eq(manifest.bundle_size, 256);
    cr_assert_eq(manifest.bundle_timeout_ms, 5000);
    cr_assert_eq(manifest.role_count, 0);
    EXPECT_OK(parse_parts((struct parts){0}));
}

Test(manifest, only_version_1)
{
    const char *const VERSIONS[] = {"2", "0", "3", "'1'", "null", "1.0", "{}"};
    for (size_t i = 0; i < sizeof VERSIONS / sizeof *VERSIONS; i++)
        EXPECT_ERR(parse_parts((struct parts){.version = VERSIONS[i]}), INVALID_MANIFEST);
}

Test(manifest, c88_content_is_strict_json)
{
    EXPECT_ERR(parse(ENC_LIT("")), INVALID_MANIFEST);
    EXPECT_ERR(parse(ENC_LIT("no json")), INVALID_MANIFEST);
    EXPECT_ERR(parse(ENC_LIT("[]")), INVALID_MANIFEST);
    EXPECT_ERR(parse_parts((struct parts){.more = ",'enc_v':1"}), INVALID_MANIFEST);
    EXPECT_ERR(parse_parts((struct parts){.more = ",'meta':{'a':1,'a':1}"}), INVALID_MANIFEST);
    EXPECT_OK(parse_parts((struct parts){.more = ",'meta':{'any':[1,null]},'unknown':0"}));
}

Test(manifest, parts_are_required)
{
    const char *const PARTS[] = {
        "{'enc_v':1}",
        "{'enc_v':1,'RBAC':[]}",
        "{'enc_v':1,'RBAC':{'schema':[],'initial_state':{'Owner':['%s']}}}",
        "{'enc_v':1,'RBAC':{'roles':[],'initial_state':{'Owner':['%s']}}}",
        "{'enc_v':1,'RBAC':{'roles':[],'schema':[]}}",
        "{'enc_v':1,'RBAC':{'roles':{},'schema':[],'initial_state':{'Owner':['%s']}}}",
        "{'enc_v':1,'RBAC':{'roles':[],'schema':{},'initial_state':{'Owner':['%s']}}}",
        "{'enc_v':1,'RBAC':{'roles':[],'schema':[],'initial_state':[]}}",
    };
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        static char content[512];
        snprintf(content, sizeof content, PARTS[i], owner());
        cr_assert_eq(parse(text("%s", content)), ENC_ERR_INVALID_MANIFEST, "%s", content);
    }
}

Test(manifest, role_names)
{
    const char *const GOOD[] = {"[]", "['A']", "['A','B']", "['Abcdefghijklmnopqrstuvwxyz_01234']"};
    const char *const BAD[] = {
        "['Self']",     "['Sender']", "['Owner']",   "['Any']",
        "['Public']",   "['*']",      "['a']",       "['']",
        "['OUTSIDER']", "['A','A']",  "['A-b']",     "['Abcdefghijklmnopqrstuvwxyz_012345']",
        "[1]",          "[null]",     "['\\ud800']", "['A b']",
    };
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        cr_assert_eq(parse_parts((struct parts){.roles = GOOD[i]}), ENC_ERR_OK, "%s", GOOD[i]);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(parse_parts((struct parts){.roles = BAD[i]}), ENC_ERR_INVALID_MANIFEST, "%s",
                     BAD[i]);
}

/** A JSON array of count items made with a printf format of their number. */
static const char *array_of(unsigned count, const char *format)
{
    struct enc_buffer out = buffer();
    enc_json_put_raw(&out, "[");
    for (unsigned i = 0; i < count; i++) {
        char item[128];
        int len = snprintf(item, sizeof item, format, i);
        enc_json_comma(&out);
        enc_buffer_add(&out, enc_bytes_of(item, (size_t)len));
    }
    enc_json_put_raw(&out, "]");
    return written(&out);
}

Test(manifest, at_most_224_roles)
{
    EXPECT_OK(parse_parts((struct parts){.roles = array_of(224, "'R%u'")}));
    EXPECT_ERR(parse_parts((struct parts){.roles = array_of(225, "'R%u'")}), INVALID_MANIFEST);
    struct enc_manifest manifest = manifest_with(array_of(224, "'R%u'"), "[]");
    cr_assert_eq(enc_manifest_role_bit(&manifest, ENC_LIT("R223")), 255);
}

Test(manifest, at_most_4096_rows)
{
    const char *row = "{'event':'E%u','role':'Owner','ops':['C']}";
    EXPECT_OK(parse_parts((struct parts){.schema = array_of(4096, row)}));
    EXPECT_ERR(parse_parts((struct parts){.schema = array_of(4097, row)}), INVALID_MANIFEST);
}

static enum enc_err parse_row(const char *row)
{
    return parse_parts((struct parts){.schema = (const char *)text("[%s]", row).data});
}

Test(manifest, rows)
{
    const char *const GOOD[] = {
        "{'event':'Post','role':'Member','ops':['C','R','U','D','P','N']}",
        "{'event':'*','role':'Owner','ops':['_C','_R','_U','_D','_P','_N']}",
        "{'event':'Post','role':'Self','ops':[]}",
        "{'event':'Post','role':'Sender','ops':['C','C']}",
        "{'event':'Post','role':'Any','ops':['C','_C'],'unknown':1}",
        "{'event':'Update','role':'Public','ops':['R']}",
        "{'event':'Post','role':'OUTSIDER','ops':['C']}",
        "{'event':'Post','role':'*','ops':['C']}",
        "{'event':'Grant_Push','role':'Owner','ops':['C'],'target_roles':[]}",
        "{'event':'Force_Move','role':'Owner','ops':['C'],'target_roles':['Member','Member']}",
    };
    const char *const BAD[] = {
        "1",
        "{}",
        "{'event':'Post','role':'Member'}",
        "{'event':'Post','ops':['C']}",
        "{'role':'Member','ops':['C']}",
        "{'event':'','role':'Member','ops':['C']}",
        "{'event':'a b','role':'Member','ops':['C']}",
        "{'event':null,'role':'Member','ops':['C']}",
        "{'event':'Post','role':'Nobody','ops':['C']}",
        "{'event':'Post','role':1,'ops':['C']}",
        "{'event':'Post','role':'Member','ops':'C'}",
        "{'event':'Post','role':'Member','ops':['X']}",
        "{'event':'Post','role':'Member','ops':['-C']}",
        "{'event':'Post','role':'Member','ops':['_X']}",
        "{'event':'Post','role':'Member','ops':['']}",
        "{'event':'Post','role':'Member','ops':['__C']}",
        "{'event':'Post','role':'Member','ops':['c']}",
        "{'event':'Post','role':'Member','ops':[1]}",
        "{'event':'Post','role':'Member','ops':['C'],'target_roles':['Member']}",
        "{'event':'*','role':'Member','ops':['C'],'target_roles':['Member']}",
        "{'event':'Gate','role':'Member','ops':['C'],'target_roles':['Member']}",
        "{'event':'Transfer_Owner','role':'Member','ops':['C'],'target_roles':['Member']}",
        "{'event':'Grant','role':'Owner','ops':['C'],'target_roles':'Member'}",
    };
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        cr_assert_eq(parse_row(GOOD[i]), ENC_ERR_OK, "%s", GOOD[i]);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(parse_row(BAD[i]), ENC_ERR_INVALID_MANIFEST, "%s", BAD[i]);
}

Test(manifest, what_rows_say)
{
    struct enc_manifest manifest = manifest_with(
        "['A','B']", "[{'event':'Post','role':'B','ops':['C','_D']},"
                     "{'event':'Grant','role':'Owner','ops':['C']},"
                     "{'event':'Grant','role':'Any','ops':['C'],'target_roles':['B','Owner']},"
                     "{'event':'*','role':'Public','ops':['R']}]");
    struct enc_roles all = roles_of(32, 33, -1), only_b = roles_of(33, -1);
    cr_assert_eq(manifest.rows[0].bit, 33);
    cr_assert_eq(manifest.rows[0].ops, 1 << ENC_OP_CREATE);
    cr_assert_eq(manifest.rows[0].denies, 1 << ENC_OP_DELETE);
    cr_assert(enc_roles_equal(&manifest.rows[1].targets, &all));
    cr_assert(enc_roles_equal(&manifest.rows[2].targets, &only_b), "Owner is no target");
    cr_assert_eq(manifest.rows[2].holder, ENC_HOLDER_ANY);
    cr_assert_eq(manifest.rows[3].holder, ENC_HOLDER_PUBLIC);
    cr_assert(manifest.rows[3].is_wildcard);
}

Test(manifest, c29_targets_are_owner_or_declared)
{
    EXPECT_OK(parse_row("{'event':'Grant','role':'Owner','ops':['C'],"
                        "'target_roles':['Owner','Member']}"));
    const char *const BAD[] = {"'Self'", "'Nobody'", "'Any'", "'*'", "1", "null"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        EXPECT_ERR(parse_row((const char *)text("{'event':'Grant','role':'Owner','ops':['C'],"
                                                "'target_roles':[%s]}",
                                                BAD[i])
                                 .data),
                   INVALID_MANIFEST);
}

static enum enc_err parse_initial(const char *format, const char *who)
{
    char initial[512];
    snprintf(initial, sizeof initial, format, owner(), who, who);
    return parse_parts((struct parts){.initial = initial});
}

Test(manifest, c29_initial_state_names_declared_roles)
{
    struct enc_key member = vector_key("member");
    const char *key = hex32(member.pub32);
    EXPECT_OK(parse_initial("{'Owner':['%s'],'Member':['%s']}", key));
    EXPECT_ERR(parse_initial("{'Owner':['%s'],'Nobody':['%s']}", key), INVALID_MANIFEST);
    EXPECT_ERR(parse_initial("{'Owner':['%s'],'Self':['%s']}", key), INVALID_MANIFEST);
    EXPECT_ERR(parse_initial("{'Owner':['%s'],'Any':[]}", key), INVALID_MANIFEST);
    EXPECT_ERR(parse_initial("{'Member':['%s']}", key), INVALID_MANIFEST);
    EXPECT_ERR(parse_initial("{'Owner':[]}", key), INVALID_MANIFEST);
    EXPECT_ERR(parse_initial("{}", key), INVALID_MANIFEST);
    EXPECT_ERR(parse_initial("{'Owner':'%s'}", key), INVALID_MANIFEST);
    EXPECT_ERR(parse_initial("{'Owner':['%s',1]}", key), INVALID_MANIFEST);
    EXPECT_ERR(parse_initial("{'Owner':['%s','00']}", key), INVALID_MANIFEST);
    EXPECT_ERR(parse_initial("{'Owner':['%s','ffffffffffffffffffffffffffffffffffffffffffffffff"
                             "ffffffffffffffff']}",
                             key),
               INVALID_MANIFEST);
}

Test(manifest, c29_duplicates_are_ignored_and_roles_united)
{
    struct enc_key owner_key = vector_key("owner"), member = vector_key("member"),
                   seq = vector_key("seq");
    const char *o = hex32(owner_key.pub32), *m = hex32(member.pub32), *s = hex32(seq.pub32);
    struct enc_manifest manifest =
        manifest_of(text("{'enc_v':1,'RBAC':{'roles':['A','B'],'schema':[],'initial_state':{"
                         "'B':['%s','%s','%s','%s'],'Owner':['%s','%s'],'A':['%s']}}}",
                         m, s, m, o, o, o, m));
    struct enc_roles of_o = roles_of(1, 33, -1), of_m = roles_of(32, 33, -1),
                     of_s = roles_of(33, -1);
    cr_assert_eq(manifest.initial_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        const struct enc_member *got = &manifest.initial[i];
        const struct enc_roles *want = memcmp(got->identity32, member.pub32, 32) == 0 ? &of_m
                                       : memcmp(got->identity32, seq.pub32, 32) == 0  ? &of_s
                                                                                      : &of_o;
        cr_assert(enc_roles_equal(&got->roles, want));
        cr_assert(i == 0 || memcmp(got[-1].identity32, got->identity32, 32) < 0);
    }
}

/** More keys than the limit, all of which lift: the first x coordinates that do. */
static const char *lifting_keys(unsigned count)
{
    struct enc_buffer out = buffer();
    enc_json_put_raw(&out, "[");
    for (uint32_t x = 1; count > 0; x++) {
        uint8_t key32[32] = {0};
        enc_be32_put(key32 + 28, x);
        if (!enc_point_lifts(key32))
            continue;
        enc_json_comma(&out);
        enc_json_put_hex(&out, enc_bytes_of(key32, 32));
        count--;
    }
    enc_json_put_raw(&out, "]");
    return written(&out);
}

Test(manifest, at_most_4096_initial_identities)
{
    const char *most = lifting_keys(4096), *more = lifting_keys(4097);
    EXPECT_OK(
        parse_parts((struct parts){.initial = (const char *)text("{'Owner':%s}", most).data}));
    EXPECT_OK(parse_parts((struct parts){
        .initial = (const char *)text("{'Owner':%s,'Member':%s}", most, most).data}));
    EXPECT_ERR(
        parse_parts((struct parts){.initial = (const char *)text("{'Owner':%s}", more).data}),
        INVALID_MANIFEST);
}

Test(manifest, bundle)
{
    const char *const GOOD[] = {"{}", "{'size':1}", "{'size':65536}", "{'timeout':0}",
                                "{'timeout':86400000}"};
    const char *const BAD[] = {
        "[]",           "null",           "{'size':0}",           "{'size':65537}",  "{'size':'1'}",
        "{'size':1.5}", "{'timeout':-1}", "{'timeout':86400001}", "{'timeout':null}"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        EXPECT_OK(
            parse_parts((struct parts){.more = (const char *)text(",'bundle':%s", GOOD[i]).data}));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        EXPECT_ERR(
            parse_parts((struct parts){.more = (const char *)text(",'bundle':%s", BAD[i]).data}),
            INVALID_MANIFEST);
}

Test(manifest, sequencer)
{
    struct enc_bytes good = text(",'sequencer':'%s'", owner());
    EXPECT_OK(parse_parts((struct parts){.more = (const char *)good.data}));
    EXPECT_ERR(parse_parts((struct parts){.more = ",'sequencer':'00'"}), INVALID_MANIFEST);
    EXPECT_ERR(parse_parts((struct parts){.more = ",'sequencer':null"}), INVALID_MANIFEST);
}

Test(manifest, names_and_bits)
{
    struct enc_manifest manifest = manifest_with("['A','B']", "[]");
    cr_assert_eq(enc_manifest_role_bit(&manifest, ENC_LIT("Owner")), 1);
    cr_assert_eq(enc_manifest_role_bit(&manifest, ENC_LIT("B")), 33);
    cr_assert_eq(enc_manifest_role_bit(&manifest, ENC_LIT("Self")), -1);
    cr_assert(enc_bytes_is(enc_manifest_role_name(&manifest, 1), "Owner"));
    cr_assert(enc_bytes_is(enc_manifest_role_name(&manifest, 32), "A"));
    cr_assert_eq(enc_manifest_role_name(&manifest, 34).len, 0);
    cr_assert_eq(enc_manifest_role_name(&manifest, 0).len, 0);
}

static enum enc_err match(const char *rbac, const char *schema)
{
    return enc_manifest_matches_schema(json(rbac), arena(), text("%s", schema));
}

Test(manifest, fixed_schema_is_compared_as_json)
{
    const char *ours = "{'roles':['A','B'],'schema':[{'event':'E','role':'A','ops':['C','R']},"
                       "{'event':'F','role':'B','ops':[]}]}";
    EXPECT_OK(match(ours, ours));
    EXPECT_OK(match("{'schema':[{'ops':['C','R'],'role':'\\u0041','event':'E'},"
                    " {'event':'F','role':'B','ops':[]}],'roles':['A','B'],'initial_state':{}}",
                    ours));
    const char *const OTHERS[] = {
        "{}",
        "{'roles':['A','B']}",
        "{'roles':['B','A'],'schema':[{'event':'E','role':'A','ops':['C','R']},"
        "{'event':'F','role':'B','ops':[]}]}",
        "{'roles':['A','B'],'schema':[{'event':'F','role':'B','ops':[]},"
        "{'event':'E','role':'A','ops':['C','R']}]}",
        "{'roles':['A','B'],'schema':[{'event':'E','role':'A','ops':['R','C']},"
        "{'event':'F','role':'B','ops':[]}]}",
        "{'roles':['A','B'],'schema':[{'event':'E','role':'A','ops':['C','R'],'x':1},"
        "{'event':'F','role':'B','ops':[]}]}",
        "{'roles':['A','B'],'schema':[{'event':'E','rolf':'A','ops':['C','R']},"
        "{'event':'F','role':'B','ops':[]}]}",
        "{'roles':['A','B'],'schema':[{'event':'E','role':'A','ops':['C','R']}]}",
        "{'roles':'AB','schema':[]}",
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        cr_assert_eq(match(OTHERS[i], ours), ENC_ERR_SCHEMA_MISMATCH, "%s", OTHERS[i]);
}

Test(manifest, rbac_as_parsed_is_handed_out)
{
    struct enc_manifest manifest;
    const struct enc_json *rbac;
    EXPECT_OK(
        enc_manifest_parse(&manifest, arena(), arena(), vector_text("manifest_content"), &rbac));
    cr_assert_eq(enc_json_get(rbac, "schema")->count, 5);
    struct enc_arena none = small_arena(0);
    EXPECT_ERR(enc_manifest_matches_schema(rbac, &none, ENC_LIT("{}")), TOO_LARGE);
}

Test(manifest, our_own_schema_must_be_json, .signal = SIGABRT)
{
    match("{}", "no json");
}

/** Wherever memory ends, the answer is TOO_LARGE, and what was parsed does not need the scratch. */
Test(manifest, memory_may_end)
{
    struct enc_bytes content = vector_text("manifest_content");
    for (size_t len = 0;; len += 16) {
        struct enc_manifest manifest;
        struct enc_arena small = small_arena(len);
        enum enc_err err = enc_manifest_parse(&manifest, &small, arena(), content, NULL);
        if (err == ENC_ERR_OK)
            break;
        EXPECT_ERR(err, TOO_LARGE);
    }
    for (size_t len = 0;; len += 16) {
        struct enc_manifest manifest;
        struct enc_arena small = small_arena(len);
        enum enc_err err = enc_manifest_parse(&manifest, arena(), &small, content, NULL);
        if (err == ENC_ERR_OK)
            break;
        EXPECT_ERR(err, TOO_LARGE);
    }
}
