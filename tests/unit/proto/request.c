#include "proto/request.h"

#include "proto/filter.h"
#include "proto/smt.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

static const uint64_t NOW_MS = 1750000000500;

Test(request, detection)
{
    const struct {
        const char *body;
        enum enc_body_kind kind;
    } ROWS[] = {
        {"{'exp':1,'type':'Query'}", ENC_BODY_COMMIT},
        {"{'exp':null}", ENC_BODY_COMMIT},
        {"{'type':'Query'}", ENC_BODY_QUERY},
        {"{'type':'Pull'}", ENC_BODY_PULL},
        {"{'type':'Commit'}", ENC_BODY_SEALED_COMMIT},
        {"{'type':'Close'}", ENC_BODY_CLOSE},
        {"{'type':'query'}", ENC_BODY_UNKNOWN},
        {"{'type':1}", ENC_BODY_UNKNOWN},
        {"{'content':{}}", ENC_BODY_UNKNOWN},
        {"{}", ENC_BODY_UNKNOWN},
        {"[]", ENC_BODY_UNKNOWN},
        {"'exp'", ENC_BODY_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        cr_assert_eq(enc_body_kind(json(ROWS[i].body)), ROWS[i].kind, "%s", ROWS[i].body);
}

/** c6: presence is a matter of the key alone. */
Test(request, c6_detection_looks_at_the_key_only)
{
    cr_assert_eq(enc_body_kind(json("{'exp':null,'type':'Query'}")), ENC_BODY_COMMIT);
    cr_assert_eq(enc_body_kind(json("{'exp':'x'}")), ENC_BODY_COMMIT);
}

static const char *pub(const char *who)
{
    struct enc_key key = vector_key(who);
    return hex32(key.pub32);
}

static const char *signer(void)
{
    return (const char *)vector_text("session.signer_pub").data;
}

static enum enc_err parse(struct enc_envelope *out, const char *body, enum enc_body_kind kind)
{
    return enc_envelope_parse(out, json(body), kind);
}

Test(request, c48_malformed_members_of_an_envelope)
{
    struct enc_envelope out;
    EXPECT_OK(parse(&out, "{'type':'Query','content':{}}", ENC_BODY_QUERY));
    cr_assert_not(out.has_enclave || out.has_from || out.is_sealed);
    EXPECT_OK(parse(&out, "{'content':{}}", ENC_BODY_QUERY));
    const char *const BAD[] = {
        "{'type':'Query'}",
        "{'type':'Query','content':null}",
        "{'type':'Query','content':[]}",
        "{'type':'Query','content':1}",
        "{'type':'Pull','content':{}}",
        "{'type':null,'content':{}}",
        "{'type':'Query','content':{},'from':'00'}",
        "{'type':'Query','content':{},'from':null}",
        "{'type':'Query','content':'\\ud800'}",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(parse(&out, BAD[i], ENC_BODY_QUERY), ENC_ERR_INVALID_QUERY, "%s", BAD[i]);
    EXPECT_ERR(parse(&out, "[]", ENC_BODY_QUERY), INVALID_REQUEST);
    EXPECT_ERR(enc_envelope_parse(&out, NULL, ENC_BODY_QUERY), INVALID_REQUEST);
}

Test(request, c91_malformed_enclave)
{
    struct enc_envelope out;
    EXPECT_ERR(parse(&out, "{'content':{},'enclave':'xyz'}", ENC_BODY_QUERY), INVALID_QUERY);
    EXPECT_ERR(parse(&out, "{'content':{},'enclave':null}", ENC_BODY_PULL), INVALID_QUERY);
}

static const char *sealed_body(const char *content, const char *from, const char *signer_pub)
{
    return (const char *)text("{'type':'Query','content':'%s'%s%s%s%s%s%s}", content,
                              from ? ",'from':'" : "", from ? from : "", from ? "'" : "",
                              signer_pub ? ",'signer':'" : "", signer_pub ? signer_pub : "",
                              signer_pub ? "'" : "")
        .data;
}

Test(request, c90_sealed_without_from)
{
    struct enc_envelope out;
    EXPECT_OK(parse(&out, sealed_body("AAAA", pub("member"), signer()), ENC_BODY_QUERY));
    cr_assert(out.is_sealed && out.has_from);
    cr_assert_null(out.content);
    EXPECT_ERR(parse(&out, sealed_body("AAAA", NULL, signer()), ENC_BODY_QUERY), INVALID_QUERY);
    EXPECT_ERR(parse(&out, sealed_body("AAAA", pub("member"), NULL), ENC_BODY_QUERY),
               INVALID_QUERY);
    EXPECT_ERR(parse(&out, sealed_body("AAAA", pub("member"), "00"), ENC_BODY_QUERY),
               INVALID_QUERY);
}

Test(request, a_commit_envelope_is_sealed)
{
    struct enc_envelope out;
    const char *body = sealed_body("AAAA", pub("member"), signer());
    EXPECT_ERR(parse(&out, body, ENC_BODY_SEALED_COMMIT), INVALID_QUERY);
    EXPECT_ERR(parse(&out, "{'type':'Commit','content':{}}", ENC_BODY_SEALED_COMMIT),
               INVALID_QUERY);
}

/** The node of the vectors at the time of their proof. */
static struct enc_node_side *node(bool is_encrypted)
{
    static struct enc_node_side side;
    static struct enc_key key;
    key = vector_key("seq");
    side = (struct enc_node_side){
        .curve = test_curve(), .key = &key, .now_ms = NOW_MS, .is_encrypted = is_encrypted};
    memcpy(side.scope.seq_pub32, key.pub32, 32);
    vector_hex(side.scope.enclave32, 32, "events.0.enclave");
    return &side;
}

static enum enc_err open_vector(struct enc_envelope *envelope, struct enc_sealed *sealed)
{
    struct enc_bytes base64 = vector_text("session.content_b64");
    EXPECT_OK(parse(envelope, sealed_body((const char *)base64.data, pub("member"), signer()),
                    ENC_BODY_QUERY));
    return enc_envelope_open(envelope, sealed, arena(), node(true));
}

Test(request, sealed_query_of_the_vectors)
{
    struct enc_envelope envelope;
    struct enc_sealed sealed;
    struct enc_reader reader;
    EXPECT_OK(open_vector(&envelope, &sealed));
    cr_assert(enc_bytes_equal(sealed.opened.plain, vector_text("session.plaintext")));
    expect_vector(enc_bytes_of(sealed.channel.key_response32, 32), "session.key_response");
    EXPECT_OK(enc_envelope_reader(&reader, &envelope, &sealed, node(true)));
    cr_assert(reader.is_known);
    expect_vector(enc_bytes_of(reader.pub32, 32), "keys.member_pub");
    struct enc_filter filter;
    EXPECT_OK(enc_filter_parse(&filter, arena(), enc_json_get(envelope.content, "filter"), 1000));
    cr_assert_eq(filter.limit, 10);
    EXPECT_OK(enc_envelope_reader(&reader, &envelope, &sealed, node(false)));
}

Test(request, a_sealed_session_of_somebody_else)
{
    struct enc_envelope envelope;
    struct enc_sealed sealed;
    struct enc_reader reader;
    EXPECT_OK(open_vector(&envelope, &sealed));
    struct enc_key owner = vector_key("owner");
    memcpy(envelope.from32, owner.pub32, 32);
    EXPECT_ERR(enc_envelope_reader(&reader, &envelope, &sealed, node(true)), INVALID_SESSION);
    cr_assert_not(reader.is_known);
}

/** Seal any text as the member of the vectors would, with the vectors' signer. */
static const char *seal_as_member(const char *plain)
{
    struct enc_key key;
    struct enc_channel channel;
    struct enc_bytes base64;
    uint8_t priv32[32], nonce24[24] = {1};
    vector_hex(priv32, 32, "session.signer_priv");
    cr_assert(enc_key_init(&key, test_curve(), priv32));
    struct enc_key seq = vector_key("seq");
    cr_assert(enc_channel_derive(test_curve(), &channel, &key, seq.pub32));
    EXPECT_OK(enc_seal_close(&base64, arena(), channel.key_query32, nonce24, text("%s", plain)));
    return (const char *)text("%.*s", (int)base64.len, (const char *)base64.data).data;
}

static enum enc_err open_sealed(struct enc_envelope *envelope, struct enc_sealed *sealed,
                                const char *content, const char *signer_pub)
{
    EXPECT_OK(parse(envelope, sealed_body(content, pub("member"), signer_pub), ENC_BODY_QUERY));
    return enc_envelope_open(envelope, sealed, arena(), node(true));
}

Test(request, c48_what_cannot_be_opened)
{
    struct enc_envelope envelope;
    struct enc_sealed sealed;
    EXPECT_ERR(open_sealed(&envelope, &sealed, "no base64!", signer()), DECRYPT_FAILED);
    EXPECT_ERR(open_sealed(&envelope, &sealed, "AAAA", signer()), DECRYPT_FAILED);
    EXPECT_ERR(open_sealed(&envelope, &sealed, "", signer()), DECRYPT_FAILED);
    EXPECT_ERR(open_sealed(&envelope, &sealed, seal_as_member("{}"), pub("owner")), DECRYPT_FAILED);
    EXPECT_ERR(open_sealed(&envelope, &sealed, seal_as_member("{}"),
                           "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
               INVALID_SESSION);
    const struct enc_channel wiped = {0};
    EXPECT_ERR(open_sealed(&envelope, &sealed, "AAAA", signer()), DECRYPT_FAILED);
    cr_assert_eq(memcmp(sealed.channel.key_response32, wiped.key_response32, 32), 0);
}

Test(request, c88_sealed_content_is_strict_json)
{
    struct enc_envelope envelope;
    struct enc_sealed sealed;
    EXPECT_OK(open_sealed(&envelope, &sealed, seal_as_member("{}"), signer()));
    EXPECT_ERR(open_sealed(&envelope, &sealed, seal_as_member("no json"), signer()),
               INVALID_REQUEST);
    EXPECT_ERR(open_sealed(&envelope, &sealed, seal_as_member("{'a':1,'a':1}"), signer()),
               INVALID_REQUEST);
    EXPECT_ERR(open_sealed(&envelope, &sealed, seal_as_member("[]"), signer()), INVALID_QUERY);
}

Test(request, c90_sealed_without_a_session)
{
    struct enc_envelope envelope;
    struct enc_sealed sealed;
    struct enc_reader reader;
    const char *const PLAINS[] = {"{}", "{'session':null}", "{'session':'00'}", "{'session':1}"};
    for (unsigned i = 0; i < 4; i++) {
        EXPECT_OK(open_sealed(&envelope, &sealed, seal_as_member(PLAINS[i]), signer()));
        EXPECT_ERR(enc_envelope_reader(&reader, &envelope, &sealed, node(true)), INVALID_SESSION);
    }
}

/** Members of the clear form, each of which a test may change or (NULL) leave out. */
struct clear {
    const char *from, *session, *at, *proof;
};

static const char *quoted(const char *path)
{
    struct enc_bytes value = vector_text(path);
    return (const char *)text("'%.*s'", (int)value.len, (const char *)value.data).data;
}

static struct clear clear_vector(void)
{
    return (struct clear){(const char *)text("'%s'", pub("member")).data, quoted("session.token"),
                          "1750000000500", quoted("session.proof.proof")};
}

static void put_member(struct enc_buffer *out, const char *name, const char *value)
{
    if (value)
        enc_json_member_raw(out, name, enc_bytes_of_text(value));
}

static enum enc_err clear_reader(struct enc_reader *reader, struct clear clear,
                                 const struct enc_node_side *side)
{
    struct enc_buffer out = buffer();
    struct enc_envelope envelope;
    enc_json_put_raw(&out, "{'type':'Query'");
    put_member(&out, "from", clear.from);
    enc_json_member(&out, "content");
    enc_json_put_raw(&out, "{");
    put_member(&out, "session", clear.session);
    put_member(&out, "at", clear.at);
    put_member(&out, "proof", clear.proof);
    enc_json_put_raw(&out, "}}");
    ENC_TRY(parse(&envelope, written(&out), ENC_BODY_QUERY));
    return enc_envelope_reader(reader, &envelope, NULL, side);
}

Test(request, clear_query_of_the_vectors)
{
    struct enc_reader reader;
    EXPECT_OK(clear_reader(&reader, clear_vector(), node(false)));
    cr_assert(reader.is_known);
    expect_vector(enc_bytes_of(reader.pub32, 32), "keys.member_pub");
}

Test(request, nobody_in_particular)
{
    struct enc_reader reader;
    EXPECT_OK(clear_reader(&reader, (struct clear){0}, node(false)));
    cr_assert_not(reader.is_known);
    EXPECT_OK(clear_reader(&reader, (struct clear){0}, node(true)));
    cr_assert_not(reader.is_known);
}

Test(request, c46_the_encrypted_service_takes_no_session_in_the_clear)
{
    struct enc_reader reader;
    EXPECT_ERR(clear_reader(&reader, clear_vector(), node(true)), INVALID_SESSION);
    cr_assert_not(reader.is_known);
}

/** All 14 proper, non-empty subsets of the four members. */
Test(request, c47_all_four_or_none)
{
    for (unsigned mask = 1; mask < 15; mask++) {
        struct enc_reader reader;
        struct clear clear = clear_vector();
        if (!(mask & 1))
            clear.from = NULL;
        if (!(mask & 2))
            clear.session = NULL;
        if (!(mask & 4))
            clear.at = NULL;
        if (!(mask & 8))
            clear.proof = NULL;
        cr_assert_eq(clear_reader(&reader, clear, node(false)), ENC_ERR_INVALID_SESSION, "%u",
                     mask);
        cr_assert_not(reader.is_known);
    }
}

Test(request, c91_session_members_of_another_type)
{
    const char *const VALUES[] = {"null", "'00'", "-1", "{}", "1.5"};
    for (unsigned i = 0; i < 5; i++)
        for (unsigned member = 0; member < 3; member++) {
            struct enc_reader reader;
            struct clear clear = clear_vector();
            *(member == 0 ? &clear.session : member == 1 ? &clear.at : &clear.proof) = VALUES[i];
            EXPECT_ERR(clear_reader(&reader, clear, node(false)), INVALID_SESSION);
        }
    struct enc_reader reader;
    struct clear clear = clear_vector();
    clear.from = "null";
    EXPECT_ERR(clear_reader(&reader, clear, node(false)), INVALID_QUERY);
}

Test(request, c50_window_before_equation)
{
    struct enc_reader reader;
    struct enc_node_side side = *node(false);
    struct clear clear = clear_vector();
    side.now_ms = 1750003660000;
    clear.at = "1750003660000";
    EXPECT_ERR(clear_reader(&reader, clear, &side), SESSION_EXPIRED);
    clear.from = (const char *)text("'%s'", pub("owner")).data;
    EXPECT_ERR(clear_reader(&reader, clear, &side), SESSION_EXPIRED);
    side.now_ms = 1749990000000;
    EXPECT_ERR(clear_reader(&reader, clear, &side), INVALID_SESSION);
}

Test(request, the_forged_token_of_the_vectors)
{
    struct enc_reader reader;
    struct clear clear = clear_vector();
    clear.from = (const char *)text("'%s'", pub("owner")).data;
    clear.session = quoted("session.forged_token_that_passes_equation");
    EXPECT_ERR(clear_reader(&reader, clear, node(false)), INVALID_SESSION);
    cr_assert_not(reader.is_known);
    struct enc_envelope envelope;
    struct enc_sealed sealed;
    const char *plain = (const char *)text("{'session':%s}", clear.session).data;
    EXPECT_OK(open_sealed(&envelope, &sealed, seal_as_member(plain), signer()));
    struct enc_key owner = vector_key("owner");
    memcpy(envelope.from32, owner.pub32, 32);
    EXPECT_ERR(enc_envelope_reader(&reader, &envelope, &sealed, node(true)), INVALID_SESSION);
    cr_assert_not(reader.is_known);
}

Test(request, a_sealed_envelope_has_something_sealed, .signal = SIGABRT)
{
    struct enc_envelope envelope;
    struct enc_sealed sealed;
    struct enc_reader reader;
    EXPECT_OK(open_vector(&envelope, &sealed));
    enum enc_err err = enc_envelope_reader(&reader, &envelope, NULL, node(true));
    cr_assert_neq(err, ENC_ERR_OK);
}

Test(request, c49_outer_and_inner_commit)
{
    struct enc_commit commit = vector_event(2).commit;
    struct enc_envelope envelope = {.is_sealed = true, .has_from = true};
    memcpy(envelope.from32, commit.from32, 32);
    EXPECT_OK(enc_envelope_commit_check(&envelope, &commit));
    envelope.has_enclave = true;
    EXPECT_ERR(enc_envelope_commit_check(&envelope, &commit), INVALID_REQUEST);
    memcpy(envelope.enclave32, commit.enclave32, 32);
    EXPECT_OK(enc_envelope_commit_check(&envelope, &commit));
    envelope.from32[0] ^= 1;
    EXPECT_ERR(enc_envelope_commit_check(&envelope, &commit), INVALID_REQUEST);
}

Test(request, c66_sub_id)
{
    struct enc_bytes sub_id;
    char euros[64 * 3 + 1] = "";
    EXPECT_OK(enc_sub_id_take(&sub_id, json("{'sub_id':'s1'}")));
    cr_assert(enc_bytes_is(sub_id, "s1"));
    for (unsigned i = 0; i < 64; i++)
        strcat(euros, "\xe2\x82\xac");
    EXPECT_OK(enc_sub_id_take(&sub_id, json((const char *)text("{'sub_id':'%s'}", euros).data)));
    EXPECT_ERR(enc_sub_id_take(&sub_id, json((const char *)text("{'sub_id':'%sx'}", euros).data)),
               INVALID_REQUEST);
    EXPECT_ERR(enc_sub_id_take(&sub_id, json("{'sub_id':''}")), INVALID_REQUEST);
    EXPECT_ERR(enc_sub_id_take(&sub_id, json("{'sub_id':1}")), INVALID_REQUEST);
    EXPECT_ERR(enc_sub_id_take(&sub_id, json("{}")), INVALID_REQUEST);
}

static enum enc_err inclusion(struct enc_inclusion_request *out, const char *content)
{
    return enc_inclusion_request_take(out, json(content));
}

static const char ID[] = "08d92394d1e997a5121f251a03efbfda6825814feab97147be5bded0b11674a0";

Test(request, c37_leaf_index_or_event_id)
{
    struct enc_inclusion_request out;
    EXPECT_OK(inclusion(&out, "{'leaf_index':3,'session':'x'}"));
    cr_assert(!out.by_event && out.leaf_index == 3 && !out.has_tree_size);
    EXPECT_OK(inclusion(&out, (const char *)text("{'event_id':'%s','tree_size':5}", ID).data));
    cr_assert(out.by_event && out.has_tree_size && out.tree_size == 5);
    expect_hex(enc_bytes_of(out.event_id32, 32), ID);
    EXPECT_ERR(inclusion(&out, "{}"), INVALID_REQUEST);
    EXPECT_ERR(inclusion(&out, (const char *)text("{'event_id':'%s','leaf_index':0}", ID).data),
               INVALID_REQUEST);
    EXPECT_ERR(inclusion(&out, "{'event_id':null,'leaf_index':0}"), INVALID_REQUEST);
}

Test(request, c38_and_c96_malformed_proof_members)
{
    struct enc_inclusion_request out;
    const char *const BAD[] = {
        "{'leaf_index':'0'}",
        "{'leaf_index':-1}",
        "{'leaf_index':1.0}",
        "{'leaf_index':null}",
        "{'event_id':'00'}",
        "{'event_id':1}",
        "{'leaf_index':0,'tree_size':-1}",
        "{'leaf_index':0,'tree_size':'1'}",
        "{'leaf_index':0,'tree_size':null}",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(inclusion(&out, BAD[i]), ENC_ERR_INVALID_REQUEST, "%s", BAD[i]);
}

Test(request, c36_bounds_of_an_inclusion_proof)
{
    uint64_t size;
    struct enc_inclusion_request latest = {0}, third = {.has_tree_size = true, .tree_size = 3};
    EXPECT_OK(enc_inclusion_bounds(&size, &latest, 4, 5));
    cr_assert_eq(size, 5);
    EXPECT_ERR(enc_inclusion_bounds(&size, &latest, 5, 5), LEAF_NOT_FOUND);
    EXPECT_ERR(enc_inclusion_bounds(&size, &latest, 0, 0), LEAF_NOT_FOUND);
    EXPECT_OK(enc_inclusion_bounds(&size, &third, 2, 5));
    cr_assert_eq(size, 3);
    EXPECT_ERR(enc_inclusion_bounds(&size, &third, 3, 5), LEAF_NOT_FOUND);
    EXPECT_ERR(enc_inclusion_bounds(&size, &third, 0, 2), INVALID_RANGE);
}

Test(request, bundle_proof)
{
    uint8_t id32[32];
    EXPECT_OK(
        enc_bundle_request_take(id32, json((const char *)text("{'event_id':'%s'}", ID).data)));
    EXPECT_ERR(enc_bundle_request_take(id32, json("{}")), INVALID_REQUEST);
    EXPECT_ERR(enc_bundle_request_take(id32, json("{'event_id':'zz'}")), INVALID_REQUEST);
}

static enum enc_err state(struct enc_state_request *out, const char *space, const char *key)
{
    return enc_state_request_take(
        out, json((const char *)text("{'namespace':%s,'key':%s}", space, key).data));
}

Test(request, state_proof)
{
    struct enc_state_request out;
    const char *key = (const char *)text("'%s'", ID).data;
    EXPECT_OK(state(&out, "'rbac'", key));
    cr_assert_eq(out.space, ENC_SMT_RBAC);
    EXPECT_OK(state(&out, "'event_status'", key));
    cr_assert_eq(out.space, ENC_SMT_EVENT_STATUS);
    expect_hex(enc_bytes_of(out.key32, 32), ID);
    EXPECT_ERR(state(&out, "'kv'", key), INVALID_REQUEST);
    EXPECT_ERR(state(&out, "0", key), INVALID_REQUEST);
    EXPECT_ERR(state(&out, "'rbac'", "'00'"), INVALID_REQUEST);
    EXPECT_ERR(enc_state_request_take(&out, json("{}")), INVALID_REQUEST);
}

static enum enc_err consistency(struct enc_consistency_request *out, const char *query)
{
    return enc_consistency_request_take(out, enc_bytes_of_text(query), 7);
}

Test(request, consistency)
{
    struct enc_consistency_request out;
    EXPECT_OK(consistency(&out, "from=1&to=2"));
    cr_assert(out.from == 1 && out.to == 2);
    EXPECT_OK(consistency(&out, "to=7&x=y&from=7&z"));
    cr_assert(out.from == 7 && out.to == 7);
    EXPECT_OK(consistency(&out, "from=0"));
    cr_assert(out.from == 0 && out.to == 7);
    const char *const BAD[] = {
        "",
        "to=1",
        "from=2&to=1",
        "from=1&to=8",
        "from=8",
        "from=",
        "from",
        "from=x",
        "from=-1",
        "from=1&from=1",
        "from=1&to=",
        "from=1&to=99999999999999999999999",
        "from=+1",
        "from=1.0",
        "from=%31",
        "from=9007199254740992",
        "from=1&to=1&to=1",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(consistency(&out, BAD[i]), ENC_ERR_INVALID_RANGE, "%s", BAD[i]);
}

static enum enc_err pull(struct enc_pull_request *out, const char *content)
{
    return enc_pull_request_take(out, json(content));
}

Test(request, pull)
{
    struct enc_pull_request out;
    EXPECT_OK(pull(&out, "{'url':'https://x','push_seq':{'start_after':41},'limit':7}"));
    cr_assert(enc_bytes_is(out.url, "https://x"));
    cr_assert(out.push_seq.first == 42 && out.push_seq.last == UINT64_MAX && out.limit == 7);
    EXPECT_OK(pull(&out, "{'url':'https://x'}"));
    cr_assert(out.push_seq.first == 0 && out.limit == 100);
    EXPECT_ERR(pull(&out, "{}"), INVALID_QUERY);
    EXPECT_ERR(pull(&out, "{'url':1}"), INVALID_QUERY);
    EXPECT_ERR(pull(&out, "{'url':'x','limit':0}"), INVALID_QUERY);
    EXPECT_ERR(pull(&out, "{'url':'x','limit':1001}"), INVALID_QUERY);
    EXPECT_ERR(pull(&out, "{'url':'x','limit':null}"), INVALID_QUERY);
    EXPECT_ERR(pull(&out, "{'url':'x','push_seq':41}"), INVALID_RANGE);
    EXPECT_ERR(pull(&out, "{'url':'x','push_seq':{'start_at':2,'end_at':1}}"), INVALID_RANGE);
}
