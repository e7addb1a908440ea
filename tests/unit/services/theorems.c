/* The seventeen theorems of the seed's section VIII, by the seed's names. What the seed proves of a
 * definition is compared here with what the code computes, and asked of a running host besides. */
#include "realm.h"

#include "actors/splitmix.h"
#include "proto/base/hex.h"
#include "proto/sha256.h"
#include "services/enclave.h"
#include "services/inside.h"

static struct rig rig;
static struct realm realm;

static void fini(void)
{
    if (rig.sim)
        rig_close(&rig);
    rig.sim = NULL;
}

TestSuite(theorems, .fini = fini);

static void open_realm(const char *name, uint64_t seed)
{
    fini();
    realm_open(&realm, &rig, service_number(name), seed);
}

static const struct enc_enclave *fields(const char *name)
{
    return &enc_service_at(service_number(name))->enclave;
}

static bool is_one_of(const char *name, const char *first, const char *second)
{
    return strcmp(name, first) == 0 || strcmp(name, second) == 0;
}

static struct enc_call *ask(enum enc_method method, const char *path)
{
    return method == ENC_METHOD_GET ? rig_get(&rig, path) : rig_post(&rig, path, ENC_LIT("{}"));
}

/* There is such a route, whatever it says to an empty request. */
static bool is_routed(enum enc_method method, const char *path)
{
    const struct enc_call *call = ask(method, path);
    bool is_unknown = call->status != 200 &&
                      (json_is(call_json(call), "code", "INVALID_ROUTE") || call->status == 405);
    return !is_unknown;
}

/* ---- structure ---- */

static const struct {
    enum enc_method method;
    const char *path;
} PROTOCOL[] = {
    {ENC_METHOD_POST, "/"},
    {ENC_METHOD_GET, "/sth"},
    {ENC_METHOD_POST, "/inclusion"},
    {ENC_METHOD_POST, "/state"},
    {ENC_METHOD_GET, "/info/manifest"},
    {ENC_METHOD_GET, "/info/enclave"},
};

Test(theorems, protocol_routes_count)
{
    struct enc_routes routes = enc_protocol_routes();
    cr_assert_eq(routes.count, 6);
    for (size_t i = 0; i < 6; i++) {
        cr_assert_eq(routes.rows[i].method, PROTOCOL[i].method);
        cr_assert_str_eq(routes.rows[i].path, PROTOCOL[i].path);
    }
    for (unsigned s = 0; s < enc_service_count(); s++) {
        open_realm(enc_service_at(s)->name, s);
        for (size_t i = 0; i < 6; i++)
            cr_assert(
                is_routed(PROTOCOL[i].method, rig_path(&rig, realm.enclave32, PROTOCOL[i].path)),
                "%s %s", realm.of->name, PROTOCOL[i].path);
    }
}

/* Only there an endpoint can be registered, so only there push tables ever have rows. */
Test(theorems, push_only_encnode)
{
    for (unsigned s = 0; s < enc_service_count(); s++) {
        const char *name = enc_service_at(s)->name;
        bool is_node = strcmp(name, "enc-node") == 0;
        cr_assert_eq(enc_service_at(s)->enclave.has_push, is_node, "%s", name);
        open_realm(name, s);
        realm_live(&realm, 6);
        const char *role = realm.of->enclave.has_dataview ? "DataView" : is_node ? "Bell" : "Admin";
        const char *content = rig_text(&rig,
                                       "{\"identity\":\"%s\",\"role\":\"%s\","
                                       "\"endpoint\":\"https://more.example/\"}",
                                       rig_hex(&rig, rig.keys[GUEST].pub32, 32), role);
        struct draft draft = {OWNER, realm.enclave32, "Grant", content, NULL, 0};
        struct enc_call *call = rig_commit(&rig, &draft);
        if (is_node)
            cr_assert_eq(call->status, 200, "%s", call->body);
        else
            cr_assert(call_is(call, 501, "PUSH_UNSUPPORTED"), "%s", name);
        cr_assert_eq(rig.fetches_started > 0, is_node, "%s", name);
    }
}

/* Reads answer anybody, without a session, exactly there. */
Test(theorems, dataview_iff_public)
{
    for (unsigned s = 0; s < enc_service_count(); s++) {
        const struct enc_route *rows[ENC_ROUTE_MAX];
        const char *name = enc_service_at(s)->name;
        bool is_public = is_one_of(name, "registry", "timeline");
        cr_assert_eq(enc_service_at(s)->enclave.has_dataview, is_public, "%s", name);
        cr_assert_eq(enc_service_at(s)->view != NULL, is_public, "%s", name);
        size_t count = enc_enclave_reads(&enc_service_at(s)->enclave, rows);
        cr_assert_eq(count > 0, is_public, "%s", name);
        open_realm(name, s);
        realm_live(&realm, 6);
        for (size_t i = 0; i < count; i++) {
            const char *colon = strchr(rows[i]->path, ':');
            int len = colon ? (int)(colon - rows[i]->path) : (int)strlen(rows[i]->path);
            const char *id = colon ? rig_hex(&rig, rig.keys[GUEST].pub32, 32) : "";
            const char *action = rig_text(&rig, "%.*s%s", len, rows[i]->path, id);
            struct enc_call *call = rig_get(&rig, rig_path(&rig, realm.enclave32, action));
            cr_assert(call->status == 200 || call->status == 404 || call->status == 400, "%s %s",
                      name, call->body);
            cr_assert(call->status == 200 || !json_is(call_json(call), "code", "INVALID_ROUTE"),
                      "%s %s", name, call->body);
        }
    }
}

/* No index and no delivery, and content that nobody looks into. */
Test(theorems, chat_opaque)
{
    const struct enc_service *chat = enc_service_at(service_number("chat"));
    cr_assert_not(chat->enclave.has_dataview || chat->enclave.has_push);
    cr_assert_null(chat->view);
    open_realm("chat", 1);
    for (int i = 0; i < 100; i++) {
        uint8_t bytes[24];
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)(1 + enc_splitmix(&realm.random) % 127);
        const char *content = rig_text(&rig, "%.*s", (int)sizeof bytes, (const char *)bytes);
        struct draft draft = {MEMBER, realm.enclave32, "Message", content, NULL, 0};
        rig_accept(&rig, &draft);
    }
}

/* However it is addressed, it is the one enclave with the one sequence. */
Test(theorems, registry_singleton)
{
    const struct enc_addressing *addressing = &fields("registry")->addressing;
    cr_assert_eq(addressing->segment, 0);
    cr_assert_str_eq(addressing->name, "registry");
    for (unsigned s = 0; s < enc_service_count(); s++)
        cr_assert_eq(enc_service_at(s)->enclave.addressing.segment == 0,
                     s == service_number("registry"));
    open_realm("registry", 5);
    const char *named = rig_path(&rig, realm.enclave32, "");
    for (uint64_t seq = 1; seq <= 6; seq++) {
        struct draft draft = {
            STRANGER, realm.enclave32, "Reg_Identity", "{\"display_name\":\"x\"}", NULL, 0};
        struct enc_call *call = rig_post(&rig, seq % 2 ? "/" : named, rig_body(&rig, &draft));
        cr_assert_eq(call->status, 200, "%s", call->body);
        cr_assert_eq(json_u64(call_json(call), "seq"), seq);
    }
    struct enc_call *short_way = rig_get(&rig, "/info/enclave");
    struct enc_call *long_way = rig_get(&rig, rig_path(&rig, realm.enclave32, "/info/enclave"));
    cr_assert_str_eq(short_way->body, long_way->body);
}

/* ---- schemas ---- */

static bool precedes(const struct enc_json *a, const struct enc_json *b)
{
    size_t len = a->key.len < b->key.len ? a->key.len : b->key.len;
    int order = memcmp(a->key.data, b->key.data, len);
    return order < 0 || (order == 0 && a->key.len < b->key.len);
}

/* The first member behind `after` by name. */
static const struct enc_json *next_member(const struct enc_json *object,
                                          const struct enc_json *after)
{
    const struct enc_json *best = NULL;
    for (const struct enc_json *at = object->child; at; at = at->next)
        if ((!after || precedes(after, at)) && (!best || precedes(at, best)))
            best = at;
    return best;
}

/* No blanks, members by name. */
static void put_canonical(struct enc_buffer *out, const struct enc_json *json)
{
    if (json->kind == ENC_JSON_OBJECT) {
        enc_json_put_raw(out, "{");
        for (const struct enc_json *at = next_member(json, NULL); at; at = next_member(json, at)) {
            enc_json_comma(out);
            enc_json_put_text(out, at->key);
            enc_json_put_raw(out, ":");
            put_canonical(out, at);
        }
        enc_json_put_raw(out, "}");
    } else if (json->kind == ENC_JSON_ARRAY) {
        enc_json_put_raw(out, "[");
        for (const struct enc_json *at = json->child; at; at = at->next) {
            enc_json_comma(out);
            put_canonical(out, at);
        }
        enc_json_put_raw(out, "]");
    } else {
        cr_assert_eq(json->kind, ENC_JSON_STRING, "a schema holds nothing else");
        enc_json_put_text(out, json->text);
    }
}

static void assert_schema(const char *name, const char *appendix, const char *golden)
{
    static uint8_t memory[1 << 17];
    const char *const texts[] = {fields(name)->schema.fixed_json, appendix};
    for (size_t i = 0; i < 2; i++) {
        struct enc_arena arena;
        struct enc_json *json = NULL;
        struct enc_json_facts facts;
        struct enc_buffer buffer;
        struct enc_bytes bytes;
        uint8_t hash32[32];
        char hex[65] = {0};
        cr_assert_not_null(texts[i], "%s is not dynamic", name);
        enc_arena_init_fixed(&arena, memory, sizeof memory);
        cr_assert_eq(enc_json_parse(&json, &arena, enc_bytes_of_text(texts[i]), &facts),
                     ENC_ERR_OK);
        enc_buffer_init(&buffer, &arena, 1 << 14);
        put_canonical(&buffer, json);
        cr_assert_eq(enc_buffer_bytes(&buffer, &bytes), ENC_ERR_OK);
        enc_sha256(hash32, bytes);
        enc_hex_encode(hex, enc_bytes_of(hash32, 32));
        cr_assert_str_eq(hex, golden, "%s: %.*s", name, (int)bytes.len, (const char *)bytes.data);
    }
}

#define ROW(event, role, ops) "{\"event\":\"" event "\",\"role\":\"" role "\",\"ops\":[" ops "]}"
#define TARGETS(event, role, targets)                                                              \
    "{\"event\":\"" event "\",\"role\":\"" role "\",\"ops\":[\"C\"],\"target_roles\":[" targets "]}"
#define C "\"C\""
#define VIEW_ROWS                                                                                  \
    ROW("*", "Public", "\"R\"")                                                                    \
    "," ROW("*", "DataView", "\"P\"") "," TARGETS("Grant", "Owner", "\"DataView\"") "," TARGETS(   \
        "Grant_Push", "Owner", "\"DataView\"") "," TARGETS("Revoke", "Owner", "\"DataView\"")
#define LIFE_ROWS                                                                                  \
    ROW("Pause", "Owner", C)                                                                       \
    "," ROW("Resume", "Owner", C) "," ROW("Terminate", "Owner", C) "," ROW(                        \
        "Migrate", "Owner", C) "," ROW("Transfer_Owner", "Owner", C)

/* protocol.md Appendix A once more, and the SHA-256 of its canonical form. */
Test(theorems, registry_schema)
{
    assert_schema(
        "registry",
        "{\"roles\":[\"DataView\"],\"schema\":[" ROW("Reg_Node", "Any", C) "," ROW(
            "Reg_Enclave", "Any",
            C) "," ROW("Reg_Identity", "Any",
                       C) "," ROW("Reg_Node", "Self",
                                  "\"D\"") "," ROW("Reg_Enclave", "Self",
                                                   "\"D\"") "," ROW("Reg_Identity", "Self",
                                                                    "\"D\"") "," VIEW_ROWS
                                                                             "," LIFE_ROWS "," ROW(
                                                                                 "Gate", "Owner",
                                                                                 C) "]}",
        "37fe4ca5185a8ab839eaa331a2347abb23ae60a43a9888bf95848bbf6fd21382");
}

Test(theorems, chat_schema)
{
    assert_schema(
        "chat",
        "{\"roles\":[\"Admin\",\"Member\"],\"schema\":[" ROW("Message", "Member", "\"C\",\"R\"") "," ROW("Reaction", "Member", C) "," ROW(
            "Profile", "Member",
            C) "," ROW("Topic", "Admin",
                       C) "," ROW("Read", "Member",
                                  C) "," TARGETS("Grant", "Owner",
                                                 "\"Admin\",\"Member\"") "," TARGETS("Re"
                                                                                     "vo"
                                                                                     "k"
                                                                                     "e",
                                                                                     "Ow"
                                                                                     "ne"
                                                                                     "r",
                                                                                     "\""
                                                                                     "Ad"
                                                                                     "mi"
                                                                                     "n"
                                                                                     "\""
                                                                                     ","
                                                                                     "\""
                                                                                     "Me"
                                                                                     "mb"
                                                                                     "er"
                                                                                     "\"") "," ROW("*",
                                                                                                   "Member",
                                                                                                   "\"R\"") "," ROW("Message",
                                                                                                                    "Self",
                                                                                                                    "\"U\",\"D\"") "," ROW("Message",
                                                                                                                                           "Admin",
                                                                                                                                           "\"D\"") "," TARGETS("Revoke",
                                                                                                                                                                "Self",
                                                                                                                                                                "\"Member\"") "," ROW("Mls",
                                                                                                                                                                                      "Member",
                                                                                                                                                                                      C) "," LIFE_ROWS
                                                                                                                                                                                         "]}",
        "991014fe734b4698945408803c225aec56e5d4cec971d1cad179f4aa93136080");
}

Test(theorems, timeline_schema)
{
    assert_schema(
        "timeline",
        "{\"roles\":[\"DataView\"],\"schema\":[" ROW("Post", "Owner", C) "," ROW("Profile", "Owner", C) "," ROW(
            "Like", "Any",
            C) "," ROW("Unlike", "Any",
                       C) "," ROW("Follow", "Owner",
                                  C) "," ROW("Unfollow", "Owner",
                                             C) "," ROW("Post", "Self",
                                                        "\"U\",\"D\"") "," ROW("Profile", "Self",
                                                                               "\"U\",\"D\"") "," ROW("Like",
                                                                                                      "Self",
                                                                                                      "\"D\"") "," VIEW_ROWS
                                                                                                               "," LIFE_ROWS
                                                                                                               "]}",
        "b2ef2bb3cc9043f04f9ba9d7fea051b9b3ac25f0129f2be25643f02595eb45bb");
}

/* ---- what follows from the fields ---- */

Test(theorems, bootstrap_iff_app)
{
    for (unsigned s = 0; s < enc_service_count(); s++) {
        const char *name = enc_service_at(s)->name;
        bool is_app = is_one_of(name, "chat", "timeline");
        cr_assert_eq(enc_service_at(s)->enclave.has_bootstrap, is_app, "%s", name);
        open_realm(name, s);
        cr_assert_eq(is_routed(ENC_METHOD_POST, "/_bootstrap"), is_app, "%s", name);
    }
}

static size_t reads_of(const char *name)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    return enc_enclave_reads(fields(name), rows);
}

Test(theorems, registry_reads)
{
    cr_assert_eq(reads_of("registry"), 5);
}

Test(theorems, timeline_reads)
{
    cr_assert_eq(reads_of("timeline"), 7);
}

Test(theorems, chat_no_reads)
{
    cr_assert_eq(reads_of("chat"), 0);
}

/* Although it has a GET among its extra routes. */
Test(theorems, encnode_no_reads)
{
    cr_assert_eq(fields("enc-node")->extra_routes.rows[0].method, ENC_METHOD_GET);
    cr_assert_eq(reads_of("enc-node"), 0);
}

/* ---- tables, of every structure there is ---- */

enum { STRUCTURE_COUNT = 1 << 7 };

static struct enc_enclave structure(unsigned bits)
{
    return (struct enc_enclave){
        .has_dataview = bits & 1,
        .has_push = bits & 2,
        .has_bootstrap = bits & 4,
        .encrypted = bits & 8,
        .schema = {.fixed_json = bits & 16 ? "{}" : NULL},
        .addressing = {.segment = bits & 32 ? 1 : 0, .name = bits & 32 ? NULL : "one"},
        .extra_routes = bits & 64 ? fields("enc-node")->extra_routes : (struct enc_routes){NULL, 0},
    };
}

/* Tables are names of the seed's DDL; "node" is all of NODE_TABLES. */
static void assert_tables(bool has_dataview, size_t wanted)
{
    static const char *const NAMES[] = {"node", "sync_state"};
    unsigned seen = 0;
    for (unsigned bits = 0; bits < STRUCTURE_COUNT; bits++) {
        const char *names[ENC_TABLE_MAX];
        struct enc_enclave enclave = structure(bits);
        if (enclave.has_dataview != has_dataview)
            continue;
        seen++;
        cr_assert_eq(enc_enclave_tables(&enclave, names), wanted, "%u", bits);
        for (size_t i = 0; i < wanted; i++)
            cr_assert_str_eq(names[i], NAMES[i]);
    }
    cr_assert_eq(seen, STRUCTURE_COUNT / 2);
}

Test(theorems, ddl_without_dv)
{
    assert_tables(false, 1);
}

Test(theorems, ddl_with_dv)
{
    assert_tables(true, 2);
}

/* ---- axioms, as properties of random states ---- */

enum { ALARM_STATES = 20, ALARM_RINGS = 10, QUIET_MS = 120000 };

static size_t random_length(uint64_t seed)
{
    return enc_splitmix(&seed) % 20;
}

/* What is due of itself, bundles and retries, is over when the alarm rings. */
static void ring(void)
{
    rig_sleep(&rig, QUIET_MS);
    for (int i = 0; i < ALARM_RINGS; i++) {
        struct sight before = realm_look(&realm);
        realm_alarm(&realm);
        struct sight after = realm_look(&realm);
        cr_assert(sight_equal(&before, &after), "%s", realm.of->name);
        realm_live(&realm, 1);
        rig_sleep(&rig, QUIET_MS);
    }
}

Test(theorems, alarm_noop)
{
    for (unsigned s = 0; s < enc_service_count(); s++) {
        for (uint64_t seed = 1; seed <= ALARM_STATES; seed++) {
            if (enc_service_at(s)->enclave.has_push)
                continue;
            open_realm(enc_service_at(s)->name, seed);
            realm_live(&realm, random_length(seed));
            ring();
        }
    }
}

enum { GUARD_STEPS = 8, GUARD_STATES = 8, GUARD_COMMITS = 60 };

static void refuse(unsigned step, struct sight *sight)
{
    struct enc_bytes body = realm_bad(&realm, step);
    struct enc_call *call = rig_post(&rig, "/", body);
    struct sight after = realm_look(&realm);
    cr_assert_neq(call->status, 200, "%s, step %u took %.*s", realm.of->name, step, (int)body.len,
                  (const char *)body.data);
    cr_assert_eq(json_u64(call_json(call), "step"), step, "%s: %.300s for %.*s", realm.of->name,
                 call->body, (int)body.len, (const char *)body.data);
    cr_assert(sight_equal(sight, &after), "%s, step %u changed something: %.*s", realm.of->name,
              step, (int)body.len, (const char *)body.data);
}

/* Paused and terminated enclaves refuse at step 6 what they would take otherwise. */
static void guard_ended(void)
{
    static const char *const TYPES[] = {"Pause", "Resume", "Terminate"};
    for (size_t i = 0; i < 3; i++) {
        struct draft end = {OWNER, realm.enclave32, TYPES[i], "", NULL, 0};
        struct draft draft = {OWNER, realm.enclave32, "Message", "x", NULL, 0};
        rig_accept(&rig, &end);
        struct sight sight = realm_look(&realm);
        for (size_t k = 0; i != 1 && k < GUARD_COMMITS / 2; k++) {
            struct enc_call *call = rig_commit(&rig, &draft);
            struct sight after = realm_look(&realm);
            cr_assert_eq(json_u64(call_json(call), "step"), 6, "%s", call->body);
            cr_assert(sight_equal(&sight, &after));
        }
    }
}

static void guard(uint64_t seed)
{
    realm_live(&realm, 3 + random_length(seed));
    rig_sleep(&rig, QUIET_MS);
    cr_assert_gt(realm.conn->got_count, 3, "the subscriber sees what is accepted");
    struct sight sight = realm_look(&realm);
    for (unsigned step = 1; step <= GUARD_STEPS; step++)
        for (int i = 0; i < GUARD_COMMITS; i++)
            refuse(step, &sight);
    realm_live(&realm, 3);
    rig_check(&rig);
    guard_ended();
}

Test(theorems, pipeline_guard)
{
    _Static_assert(GUARD_STATES * GUARD_COMMITS * 4 >= 1000, "a thousand commits for each step");
    for (unsigned s = 0; s < enc_service_count(); s++) {
        for (uint64_t seed = 1; seed <= GUARD_STATES; seed++) {
            open_realm(enc_service_at(s)->name, 100 * s + seed);
            guard(seed);
        }
    }
}
