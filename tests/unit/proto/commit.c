#include "proto/commit.h"

#include "logic.h"

#include <criterion/criterion.h>

static const char MEMBER[] = "d20f2324d274a2ad4b676213a29dbf44321af50ed84374dc9eb3bfd7a8d60f0b";
static const char SIG[] =
    "00000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000";

/** A body with every required member, then changed by the members of edit. */
static const struct enc_json *body_with(const char *edit)
{
    json_error_t error;
    json_t *body = json_loads(
        (const char *)text("{'enclave':'%s','from':'%s','type':'Post','content':'hi','exp':1,"
                           "'sig':'%s'}",
                           MEMBER, MEMBER, SIG)
            .data,
        0, &error);
    json_t *edits = json_loads((const char *)text("%s", edit).data, JSON_ALLOW_NUL, &error);
    cr_assert(body && edits, "%s", error.text);
    json_object_update(body, edits);
    const struct enc_json *parsed = json_of(body);
    json_decref(body);
    json_decref(edits);
    return parsed;
}

/** Decode the default body with these members changed. */
static enum enc_err decode_with(const char *edit)
{
    struct enc_commit commit;
    return enc_commit_decode(&commit, arena(), body_with(edit), ENC_CONTENT_LEN_MAX);
}

/** Decode the default body without a member. */
static enum enc_err decode_without(const char *name)
{
    struct enc_commit commit;
    struct enc_buffer kept = buffer();
    enc_json_put_raw(&kept, "{");
    for (const struct enc_json *child = body_with("{}")->child; child; child = child->next)
        if (!enc_bytes_is(child->key, name)) {
            enc_json_comma(&kept);
            enc_json_put_text(&kept, child->key);
            enc_json_put_raw(&kept, ":");
            if (child->kind == ENC_JSON_STRING)
                enc_json_put_text(&kept, child->text);
            else
                enc_buffer_add(&kept, child->text);
        }
    enc_json_put_raw(&kept, "}");
    return enc_commit_decode(&commit, arena(), json(written(&kept)), ENC_CONTENT_LEN_MAX);
}

static const char *run_of(char c, size_t count)
{
    char *out = enc_arena_take(arena(), count + 1);
    cr_assert_not_null(out);
    memset(out, c, count);
    return out;
}

Test(commit, vectors_pass_steps_1_to_4)
{
    for (unsigned i = 0; i < 5; i++) {
        char path[32];
        struct enc_commit commit = vector_event(i).commit;
        EXPECT_OK(enc_commit_check(&commit));
        EXPECT_OK(enc_commit_expiry(&commit, commit.exp_ms - 60000));
        EXPECT_OK(enc_commit_hash_check(&commit));
        EXPECT_OK(enc_commit_signature(test_curve(), &commit));
        snprintf(path, sizeof path, "events.%u.hash", i);
        expect_vector(enc_bytes_of(commit.hash32, 32), path);
    }
}

Test(commit, vectors_are_signed_again_byte_for_byte)
{
    static const char *const AUTHORS[] = {"owner", "owner", "member", "member", "owner"};
    for (unsigned i = 0; i < 5; i++) {
        char path[32];
        struct enc_commit commit = vector_event(i).commit;
        struct enc_key key = vector_key(AUTHORS[i]);
        memset(commit.hash32, 0, 32);
        memset(commit.sig64, 0, 64);
        if (i == 0)
            memset(commit.enclave32, 0, 32);
        EXPECT_OK(enc_commit_sign(test_curve(), &commit, &key));
        snprintf(path, sizeof path, "events.%u.sig", i);
        expect_vector(enc_bytes_of(commit.sig64, 64), path);
        snprintf(path, sizeof path, "events.%u.enclave", i);
        expect_vector(enc_bytes_of(commit.enclave32, 32), path);
    }
}

Test(commit, enclave_id_of_the_vectors)
{
    uint8_t id32[32];
    struct enc_commit commit = vector_event(0).commit;
    enc_commit_hash_fill(&commit);
    enc_enclave_id(id32, &commit);
    expect_vector(enc_bytes_of(id32, 32), "events.0.enclave");
}

Test(commit, json_of_a_vector_is_read_back)
{
    struct enc_buffer out = buffer();
    struct enc_commit back, commit = vector_event(2).commit;
    enc_commit_put_json(&out, &commit);
    EXPECT_OK(enc_commit_decode(&back, arena(), json(written(&out)), ENC_CONTENT_LEN_MAX));
    EXPECT_OK(enc_commit_hash_check(&back));
    EXPECT_OK(enc_commit_signature(test_curve(), &back));
    cr_assert(back.has_hash);
    cr_assert(enc_bytes_is(back.tags.items[0].members[1], "en"));
}

/** With and without the author lifted before. */
Test(commit, signatures_of_others_are_refused)
{
    for (unsigned is_lifted = 0; is_lifted < 2; is_lifted++) {
        struct enc_commit commit = vector_event(2).commit, forged = commit;
        struct enc_key owner = vector_key("owner");
        memcpy(forged.from32, owner.pub32, 32);
        if (is_lifted) {
            enc_commit_lift(&commit);
            enc_commit_lift(&forged);
        }
        cr_assert_eq(forged.has_author, is_lifted);
        EXPECT_OK(enc_commit_check(&commit));
        EXPECT_OK(enc_commit_hash_check(&commit));
        EXPECT_OK(enc_commit_signature(test_curve(), &commit));
        enc_commit_hash_fill(&forged);
        EXPECT_ERR(enc_commit_signature(test_curve(), &forged), INVALID_SIGNATURE);
    }
}

Test(commit, a_hash_that_is_absent_is_computed)
{
    struct enc_commit commit;
    EXPECT_OK(enc_commit_decode(&commit, arena(), body_with("{}"), ENC_CONTENT_LEN_MAX));
    cr_assert_not(commit.has_hash);
    EXPECT_OK(enc_commit_hash_check(&commit));
    uint8_t hash32[32];
    enc_commit_hash(hash32, &commit);
    cr_assert_eq(memcmp(hash32, commit.hash32, 32), 0);
}

Test(commit, another_hash_or_signature_is_refused)
{
    struct enc_commit commit = vector_event(2).commit;
    commit.hash32[0] ^= 1;
    EXPECT_ERR(enc_commit_hash_check(&commit), INVALID_HASH);
    commit = vector_event(2).commit;
    commit.sig64[63] ^= 1;
    EXPECT_OK(enc_commit_hash_check(&commit));
    EXPECT_ERR(enc_commit_signature(test_curve(), &commit), INVALID_SIGNATURE);
}

/** Everything in the pre-image changes the hash; sig does not. */
Test(commit, every_member_is_hashed)
{
    struct enc_commit base = vector_event(2).commit;
    EXPECT_OK(enc_commit_hash_check(&base));
    struct enc_commit changed[7];
    for (unsigned i = 0; i < 7; i++)
        changed[i] = base;
    changed[0].enclave32[31] ^= 1;
    changed[1].from32[31] ^= 1;
    changed[2].type = ENC_LIT("Posu");
    changed[3].content = ENC_LIT("hellp");
    changed[4].exp_ms++;
    changed[5].tags = tags_of("[['lang','em']]");
    changed[6].tags = tags_of("[['lang'],['en']]");
    for (unsigned i = 0; i < 7; i++)
        EXPECT_ERR(enc_commit_hash_check(&changed[i]), INVALID_HASH);
}

Test(commit, members_of_another_type_are_refused)
{
    const char *const NAMES[] = {"hash",    "enclave", "from", "type",
                                 "content", "exp",     "tags", "sig"};
    const char *const VALUES[] = {"1.5", "true", "{}", "[1]", "'xy'"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        for (size_t j = 0; j < sizeof VALUES / sizeof *VALUES; j++) {
            bool is_text = j == 4 && (i == 3 || i == 4);
            enum enc_err err =
                decode_with((const char *)text("{'%s':%s}", NAMES[i], VALUES[j]).data);
            cr_assert_eq(err, is_text ? ENC_ERR_OK : ENC_ERR_INVALID_COMMIT, "%s %s", NAMES[i],
                         VALUES[j]);
        }
}

Test(commit, required_members)
{
    EXPECT_OK(decode_without("tags"));
    EXPECT_OK(decode_without("hash"));
    EXPECT_ERR(decode_without("from"), INVALID_COMMIT);
    EXPECT_ERR(decode_without("type"), INVALID_COMMIT);
    EXPECT_ERR(decode_without("content"), INVALID_COMMIT);
    EXPECT_ERR(decode_without("exp"), INVALID_COMMIT);
    EXPECT_ERR(decode_without("sig"), INVALID_COMMIT);
}

Test(commit, only_objects_are_commits)
{
    struct enc_commit commit;
    EXPECT_ERR(enc_commit_decode(&commit, arena(), json("[]"), 10), INVALID_COMMIT);
    EXPECT_ERR(enc_commit_decode(&commit, arena(), NULL, 10), INVALID_COMMIT);
}

Test(commit, alg_is_schnorr_or_absent)
{
    EXPECT_OK(decode_with("{'alg':'schnorr'}"));
    EXPECT_ERR(decode_with("{'alg':'ecdsa'}"), UNSUPPORTED_ALG);
    EXPECT_ERR(decode_with("{'alg':null}"), UNSUPPORTED_ALG);
    EXPECT_ERR(decode_with("{'alg':1}"), UNSUPPORTED_ALG);
}

Test(commit, unknown_members_are_ignored)
{
    EXPECT_OK(decode_with("{'seq':-1,'x':{'y':[null]}}"));
}

Test(commit, hex_of_either_case)
{
    struct enc_commit commit;
    const struct enc_json *body =
        body_with("{'from':'D20F2324D274A2AD4B676213A29DBF44321AF50ED84374DC9EB3BFD7A8D60F0B'}");
    EXPECT_OK(enc_commit_decode(&commit, arena(), body, 10));
    expect_hex(enc_bytes_of(commit.from32, 32), MEMBER);
}

Test(commit, nul_in_content_is_legal)
{
    struct enc_commit commit;
    EXPECT_OK(enc_commit_decode(&commit, arena(), body_with("{'content':'a\\u0000b'}"), 10));
    cr_assert(enc_bytes_equal(commit.content, ENC_LIT("a\0b")));
    struct enc_buffer out = buffer();
    enc_commit_put_json(&out, &commit);
    cr_assert(strstr(written(&out), "\"content\":\"a\\u0000b\""));
}

Test(commit, c4_limits_are_too_large)
{
    EXPECT_OK(decode_with((const char *)text("{'content':'%s'}", run_of('a', 262144)).data));
    EXPECT_ERR(decode_with((const char *)text("{'content':'%s'}", run_of('a', 262145)).data),
               TOO_LARGE);
    EXPECT_OK(decode_with((const char *)text("{'tags':[['%s']]}", run_of('a', 1024)).data));
    EXPECT_ERR(decode_with((const char *)text("{'tags':[['%s']]}", run_of('a', 1025)).data),
               TOO_LARGE);
}

static struct enc_bytes many_tags(unsigned count, const char *tag)
{
    struct enc_buffer out = buffer();
    enc_json_put_raw(&out, "{'tags':[");
    for (unsigned i = 0; i < count; i++) {
        enc_json_put_raw(&out, i ? "," : "");
        enc_json_put_raw(&out, tag);
    }
    enc_json_put_raw(&out, "]}");
    return enc_bytes_of_text(written(&out));
}

Test(commit, c4_number_and_sum_of_tags)
{
    EXPECT_OK(decode_with((const char *)many_tags(64, "['a']").data));
    EXPECT_ERR(decode_with((const char *)many_tags(65, "['a']").data), TOO_LARGE);
    const char *kilobyte = (const char *)text("['%s']", run_of('b', 1024)).data;
    EXPECT_OK(decode_with((const char *)many_tags(8, kilobyte).data));
    EXPECT_ERR(decode_with((const char *)many_tags(9, kilobyte).data), TOO_LARGE);
}

Test(commit, c4_sizes_are_utf8_bytes)
{
    struct enc_commit commit;
    const struct enc_json *body = body_with("{'content':'\\u20ac\\u20ac'}");
    EXPECT_OK(enc_commit_decode(&commit, arena(), body, 6));
    EXPECT_ERR(enc_commit_decode(&commit, arena(), body, 5), TOO_LARGE);
    EXPECT_OK(enc_commit_decode(&commit, arena(), body, SIZE_MAX));
}

Test(commit, the_largest_commit_can_be_hashed)
{
    struct enc_commit commit;
    const char *long_type = run_of('T', 64);
    const char *tag =
        (const char *)text("['%s','b','c','d','e','f','g','h']", run_of('a', 121)).data;
    struct enc_bytes tags = many_tags(64, tag);
    EXPECT_OK(enc_commit_decode(&commit, arena(), body_with((const char *)tags.data),
                                ENC_CONTENT_LEN_MAX));
    commit.type = enc_bytes_of_text(long_type);
    commit.exp_ms = (1ull << 53) - 1;
    EXPECT_OK(enc_commit_hash_check(&commit));
}

Test(commit, tags_have_one_to_eight_strings)
{
    EXPECT_OK(decode_with("{'tags':[['a','b','c','d','e','f','g','h']]}"));
    EXPECT_ERR(decode_with("{'tags':[['a','b','c','d','e','f','g','h','i']]}"), INVALID_COMMIT);
    EXPECT_ERR(decode_with("{'tags':[[]]}"), INVALID_COMMIT);
    EXPECT_ERR(decode_with("{'tags':['a']}"), INVALID_COMMIT);
    EXPECT_ERR(decode_with("{'tags':[['a',1]]}"), INVALID_COMMIT);
    EXPECT_ERR(decode_with("{'tags':[[null]]}"), INVALID_COMMIT);
}

Test(commit, bounds_of_tags_made_by_hand)
{
    const struct enc_bytes one = ENC_LIT("a"), nine[9] = {one, one, one, one, one, one, one, one};
    const struct enc_tag no_member = {nine, 0}, too_many = {nine, 9}, good = {nine, 8};
    const struct enc_tags none = {0}, bad_0 = {&no_member, 1}, bad_9 = {&too_many, 1},
                          fine = {&good, 1}, count = {&good, 65};
    cr_assert(enc_tags_are_bounded(&none));
    cr_assert(enc_tags_are_bounded(&fine));
    cr_assert_not(enc_tags_are_bounded(&bad_0));
    cr_assert_not(enc_tags_are_bounded(&bad_9));
    cr_assert_not(enc_tags_are_bounded(&count));
}

Test(commit, c5_exp_is_a_whole_number_up_to_2_53)
{
    const char *const GOOD[] = {"0", "1750000062000", "9007199254740991"};
    const char *const BAD[] = {"-1", "1.0", "1e3", "9007199254740992", "'1'", "null"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        EXPECT_OK(decode_with((const char *)text("{'exp':%s}", GOOD[i]).data));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct enc_commit commit;
        const struct enc_json *body =
            json((const char *)text("{'enclave':'%s','from':'%s','type':'Post','content':'hi',"
                                    "'exp':%s,'sig':'%s'}",
                                    MEMBER, MEMBER, BAD[i], SIG)
                     .data);
        cr_assert_eq(enc_commit_decode(&commit, arena(), body, 10), ENC_ERR_INVALID_COMMIT, "%s",
                     BAD[i]);
    }
}

Test(commit, c6_null_is_a_wrong_type)
{
    const char *const NAMES[] = {"hash",    "enclave", "from", "type",
                                 "content", "exp",     "tags", "sig"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        EXPECT_ERR(decode_with((const char *)text("{'%s':null}", NAMES[i]).data), INVALID_COMMIT);
}

Test(commit, c7_from_must_lift)
{
    struct enc_commit commit = vector_event(2).commit;
    EXPECT_OK(enc_commit_check(&commit));
    memset(commit.from32, 0xff, 32);
    EXPECT_ERR(enc_commit_check(&commit), INVALID_COMMIT);
    enc_commit_lift(&commit);
    cr_assert_not(commit.has_author);
    EXPECT_ERR(enc_commit_check(&commit), INVALID_COMMIT);
}

Test(commit, type_must_be_well_formed)
{
    struct enc_commit commit = vector_event(2).commit;
    commit.type = ENC_LIT("9lives");
    EXPECT_ERR(enc_commit_check(&commit), INVALID_COMMIT);
}

/** The bound holds before step 1 is done, so whatever was decoded can be hashed. */
Test(commit, a_long_type_is_refused_at_once)
{
    EXPECT_OK(decode_with((const char *)text("{'type':'%s'}", run_of('T', 64)).data));
    EXPECT_ERR(decode_with((const char *)text("{'type':'%s'}", run_of('T', 65)).data),
               INVALID_COMMIT);
}

Test(commit, c12_update_and_delete_need_a_target)
{
    uint8_t target32[32];
    struct enc_commit commit = vector_event(3).commit;
    EXPECT_OK(enc_commit_check(&commit));
    cr_assert(enc_commit_target(&commit, target32));
    expect_vector(enc_bytes_of(target32, 32), "events.2.id");
    const char *const BAD[] = {"[]", "[['r']]", "[['r','00']]", "[['R','x']]"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        commit.tags = tags_of(BAD[i]);
        EXPECT_ERR(enc_commit_check(&commit), INVALID_COMMIT);
        commit.type = ENC_LIT("Delete");
        EXPECT_ERR(enc_commit_check(&commit), INVALID_COMMIT);
        commit.type = ENC_LIT("Post");
        EXPECT_OK(enc_commit_check(&commit));
        commit.type = ENC_LIT("Update");
    }
}

Test(commit, c12_only_the_first_r_counts)
{
    struct enc_commit commit = vector_event(3).commit;
    commit.tags = tags_of((const char *)text("[['r','bad'],['r','%s']]", MEMBER).data);
    EXPECT_ERR(enc_commit_check(&commit), INVALID_COMMIT);
    commit.tags = tags_of((const char *)text("[['q'],['r','%s','x'],['r','bad']]", MEMBER).data);
    EXPECT_OK(enc_commit_check(&commit));
}

Test(commit, c19_reserved_types_are_refused)
{
    const char *const NAMES[] = {"Shared", "Own", "Transfer"};
    struct enc_commit commit = vector_event(2).commit;
    for (unsigned i = 0; i < 3; i++) {
        commit.type = enc_bytes_of_text(NAMES[i]);
        EXPECT_ERR(enc_commit_check(&commit), INVALID_COMMIT);
    }
}

Test(commit, c93_enclave_is_required)
{
    EXPECT_ERR(decode_without("enclave"), INVALID_COMMIT);
}

Test(commit, c93_lone_surrogates)
{
    const char *const MEMBERS[] = {
        "'type':'Post','content':'\\ud800'",
        "'type':'\\udc00','content':'x'",
        "'type':'Post','content':'x','tags':[['a','\\ud83d']]",
    };
    for (unsigned i = 0; i < 3; i++) {
        struct enc_commit commit;
        struct enc_bytes body = text("{%s,'enclave':'%s','from':'%s','exp':1,'sig':'%s'}",
                                     MEMBERS[i], MEMBER, MEMBER, SIG);
        EXPECT_ERR(enc_commit_decode(&commit, arena(), json_exact(body), 10), INVALID_COMMIT);
    }
}

Test(commit, expiry_window)
{
    const struct enc_commit commit = {.exp_ms = 10000000};
    EXPECT_OK(enc_commit_expiry(&commit, 10060000));
    EXPECT_ERR(enc_commit_expiry(&commit, 10060001), EXPIRED);
    EXPECT_OK(enc_commit_expiry(&commit, 10000000 - 3600000));
    EXPECT_ERR(enc_commit_expiry(&commit, 10000000 - 3600001), EXP_TOO_FAR);
    const struct enc_commit oldest = {.exp_ms = 0};
    EXPECT_OK(enc_commit_expiry(&oldest, 0));
}

Test(commit, what_cannot_be_sent_is_not_signed)
{
    struct enc_key key = vector_key("owner");
    struct enc_commit commit = {.type = ENC_LIT("Own"), .content = ENC_LIT("x")};
    EXPECT_ERR(enc_commit_sign(test_curve(), &commit, &key), INVALID_COMMIT);
    commit.type = ENC_LIT("Update");
    EXPECT_ERR(enc_commit_sign(test_curve(), &commit, &key), INVALID_COMMIT);
    commit.type = ENC_LIT("Post");
    commit.content = enc_bytes_of(run_of('a', 262145), 262145);
    EXPECT_ERR(enc_commit_sign(test_curve(), &commit, &key), TOO_LARGE);
    const struct enc_tag empty = {0};
    commit.content = ENC_LIT("x");
    commit.tags = (struct enc_tags){&empty, 1};
    EXPECT_ERR(enc_commit_sign(test_curve(), &commit, &key), TOO_LARGE);
}

Test(commit, memory_may_end)
{
    struct enc_commit commit;
    const struct enc_json *body = body_with("{'tags':[['a']]}");
    struct enc_arena none = small_arena(0), little = small_arena(16);
    EXPECT_ERR(enc_commit_decode(&commit, &none, body, 10), TOO_LARGE);
    EXPECT_ERR(enc_commit_decode(&commit, &little, body, 10), TOO_LARGE);
}
