#include "realm.h"

#include "actors/splitmix.h"
#include "services/exchange.h"
#include "services/inside.h"

static uint64_t pick(struct realm *realm, uint64_t below)
{
    return enc_splitmix(&realm->random) % below;
}

unsigned service_number(const char *name)
{
    unsigned i = 0;
    while (i < enc_service_count() && strcmp(enc_service_at(i)->name, name) != 0)
        i++;
    cr_assert(i < enc_service_count(), "there is a service %s", name);
    return i;
}

/* ---- contents ---- */

static const char *pub_of(struct realm *realm, enum who who)
{
    return rig_hex(realm->rig, realm->rig->keys[who].pub32, 32);
}

static const char *random_hex(struct realm *realm)
{
    uint8_t bytes32[32];
    for (size_t i = 0; i < 32; i++)
        bytes32[i] = (uint8_t)pick(realm, 256);
    return rig_hex(realm->rig, bytes32, 32);
}

static const char *text(struct realm *realm, enum who who)
{
    (void)who;
    return rig_text(realm->rig, "text %s", random_hex(realm));
}

static const char *about(struct realm *realm, enum who who, const char *role)
{
    return rig_text(realm->rig, "{\"identity\":\"%s\",\"role\":\"%s\"}", pub_of(realm, who), role);
}

static const char *member_guest(struct realm *realm, enum who who)
{
    (void)who;
    return about(realm, GUEST, "Member");
}

static const char *view_guest(struct realm *realm, enum who who)
{
    (void)who;
    return about(realm, GUEST, "DataView");
}

static const char *open_gate(struct realm *realm, enum who who)
{
    (void)realm;
    (void)who;
    return "{\"event\":\"Note\",\"open\":true}";
}

static const char *reg_node(struct realm *realm, enum who who)
{
    return rig_text(realm->rig,
                    "{\"seq_pub\":\"%s\",\"endpoints\":[{\"uri\":\"https://%.8s.example/\","
                    "\"priority\":%u}],\"protocols\":[\"https\",\"wss\"],\"enc_v\":1}",
                    pub_of(realm, who), random_hex(realm), (unsigned)pick(realm, 10));
}

static const char *named(struct realm *realm, enum who who)
{
    (void)who;
    return rig_text(realm->rig, "{\"display_name\":\"%.12s\",\"bio\":\"b\"}", random_hex(realm));
}

static const char *post(struct realm *realm, enum who who)
{
    return rig_text(realm->rig, "{\"text\":\"%s\"}", text(realm, who));
}

static const char *like(struct realm *realm, enum who who)
{
    (void)who;
    return rig_text(realm->rig, "{\"ref_id\":\"%s\"}", random_hex(realm));
}

static const char *follow(struct realm *realm, enum who who)
{
    (void)who;
    return rig_text(realm->rig, "{\"enclave\":\"%s\",\"pub\":\"%s\"}", random_hex(realm),
                    pub_of(realm, MEMBER));
}

/* ---- what each service accepts ---- */

static const struct good {
    const char *service;
    enum who who;
    const char *type;
    const char *(*content)(struct realm *realm, enum who who);
    bool is_target; /* its author may update it */
} GOOD[] = {
    {"enc-node", MEMBER, "Message", text, true},
    {"enc-node", OWNER, "Message", text, false},
    {"enc-node", MEMBER, "Note", text, false},
    {"enc-node", OWNER, "Grant", member_guest, false},
    {"enc-node", OWNER, "Gate", open_gate, false},
    {"enc-node", MEMBER, "Update", text, false},
    {"chat", MEMBER, "Message", text, true},
    {"chat", MEMBER, "Reaction", text, false},
    {"chat", OWNER, "Profile", text, false},
    {"chat", OWNER, "Topic", text, false},
    {"chat", MEMBER, "Read", text, false},
    {"chat", MEMBER, "Mls", text, false},
    {"chat", OWNER, "Grant", member_guest, false},
    {"chat", MEMBER, "Update", text, false},
    {"registry", OWNER, "Reg_Node", reg_node, false},
    {"registry", STRANGER, "Reg_Node", reg_node, false},
    {"registry", MEMBER, "Reg_Identity", named, false},
    {"registry", STRANGER, "Reg_Identity", named, false},
    {"registry", OWNER, "Grant", view_guest, false},
    {"timeline", OWNER, "Post", post, true},
    {"timeline", OWNER, "Profile", named, false},
    {"timeline", STRANGER, "Like", like, false},
    {"timeline", MEMBER, "Like", like, false},
    {"timeline", OWNER, "Follow", follow, false},
    {"timeline", OWNER, "Grant", view_guest, false},
    {"timeline", OWNER, "Update", post, false},
};
enum { GOOD_COUNT = sizeof GOOD / sizeof GOOD[0] };

static const struct good *pick_good(struct realm *realm)
{
    for (;;) {
        const struct good *good = &GOOD[pick(realm, GOOD_COUNT)];
        bool is_update = strcmp(good->type, "Update") == 0;
        if (strcmp(good->service, realm->of->name) == 0 && (!is_update || realm->has_target))
            return good;
    }
}

static struct draft draft_of(struct realm *realm, const struct good *good)
{
    bool is_update = strcmp(good->type, "Update") == 0;
    return (struct draft){good->who,
                          realm->enclave32,
                          good->type,
                          good->content(realm, good->who),
                          is_update ? realm->target32 : NULL,
                          0};
}

static void live_one(struct realm *realm)
{
    const struct good *good = pick_good(realm);
    struct draft draft = draft_of(realm, good);
    struct enc_bytes body = rig_body(realm->rig, &draft);
    struct enc_call *call = rig_post(realm->rig, "/", body);
    cr_assert_eq(call->status, 200, "%s %s: %.300s", realm->of->name, good->type, call->body);
    realm->accepted[realm->accepted_count++ % REALM_ACCEPTED_MAX] = body;
    if (good->is_target) {
        json_hex(call_json(call), "id", realm->target32, 32);
        realm->has_target = true;
    }
}

void realm_live(struct realm *realm, size_t count)
{
    for (size_t i = 0; i < count; i++)
        live_one(realm);
}

/* ---- founding ---- */

static const char *fixed_manifest(struct realm *realm)
{
    const char *owner = pub_of(realm, OWNER);
    const char *fixed = realm->of->enclave.schema.fixed_json;
    const char *members = rig_text(realm->rig, ",\"Admin\":[\"%s\"],\"Member\":[\"%s\",\"%s\"]",
                                   owner, owner, pub_of(realm, MEMBER));
    return rig_text(realm->rig,
                    "{\"enc_v\":1,\"RBAC\":%.*s,\"initial_state\":{\"Owner\":[\"%s\"]%s}},"
                    "\"bundle\":{\"size\":4,\"timeout\":0},\"meta\":{\"nonce\":\"%s\"}}",
                    (int)strlen(fixed) - 1, fixed, owner,
                    strcmp(realm->of->name, "chat") == 0 ? members : "", random_hex(realm));
}

static const uint8_t *found(struct realm *realm)
{
    struct rig *rig = realm->rig;
    if (realm->of->enclave.addressing.segment == 0)
        return rig->host->singletons32[realm->service];
    if (!realm->of->enclave.schema.fixed_json)
        return rig_create(rig, &(struct shape){.bundle_size = 4, .nonce = random_hex(realm)});
    struct enc_commit commit = rig_sign_manifest(rig, fixed_manifest(realm));
    struct enc_call *call = rig_post(rig, "/", rig_commit_json(rig, &commit));
    cr_assert_eq(call->status, 200, "%.300s", call->body);
    return enc_arena_copy(&rig->arena, enc_bytes_of(commit.enclave32, 32)).data;
}

/* What a clear request of the Owner carries to be theirs. */
static const char *owner_proof(struct realm *realm)
{
    struct rig *rig = realm->rig;
    struct enc_session session;
    struct enc_key session_key, signer;
    struct enc_proof proof;
    struct enc_scope scope;
    char token[ENC_SESSION_TEXT_LEN];
    memcpy(scope.seq_pub32, rig->node.pub32, 32);
    memcpy(scope.enclave32, realm->enclave32, 32);
    enc_session_make(rig->curve, &session, &session_key, &rig->keys[OWNER],
                     (uint32_t)(rig_now_ms(rig) / 1000) + rig_session_s);
    enc_session_signer_key(rig->curve, &signer, &session_key, &scope);
    enc_session_prove(rig->curve, &proof, &signer, &scope, rig_now_ms(rig));
    enc_session_write(token, &session);
    return rig_text(rig, "\"session\":\"%.*s\",\"at\":%llu,\"proof\":\"%s\"", (int)sizeof token,
                    token, (unsigned long long)proof.at_ms, rig_hex(rig, proof.sig64, 64));
}

static struct enc_bytes query_frame(struct realm *realm)
{
    struct rig *rig = realm->rig;
    if (realm->of->enclave.encrypted)
        return rig_seal_frame(rig, OWNER, realm->enclave32, "all", "{}").body;
    return enc_bytes_of_text(rig_text(rig,
                                      "{\"type\":\"Query\",\"sub_id\":\"all\",\"enclave\":\"%s\","
                                      "\"from\":\"%s\",\"content\":{\"filter\":{},%s}}",
                                      rig_hex(rig, realm->enclave32, 32), pub_of(realm, OWNER),
                                      owner_proof(realm)));
}

static void subscribe(struct realm *realm)
{
    realm->conn = rig_connect(realm->rig, realm->enclave32);
    rig_frame(realm->conn, query_frame(realm));
    rig_settle(realm->rig);
    cr_assert_eq(conn_count(realm->conn, "EOSE", "all"), 1, "%s", realm->of->name);
}

/* Somebody to whom every event is delivered. */
static void add_bell(struct realm *realm)
{
    const char *content = rig_text(realm->rig,
                                   "{\"identity\":\"%s\",\"role\":\"Bell\","
                                   "\"endpoint\":\"https://bell.example/\"}",
                                   pub_of(realm, GUEST));
    struct draft draft = {OWNER, realm->enclave32, "Grant_Push", content, NULL, 0};
    rig_accept(realm->rig, &draft);
}

void realm_open(struct realm *realm, struct rig *rig, unsigned service, uint64_t seed)
{
    *realm = (struct realm){
        .rig = rig, .of = enc_service_at(service), .service = service, .random = seed};
    rig_init(rig, seed);
    rig->config.registry_owner32 = rig->keys[OWNER].pub32;
    rig_start(rig);
    rig->service = 0;
    realm->foreign32 = service == 0 ? rig->host->singletons32[service_number("registry")]
                                    : rig_create(rig, &(struct shape){.nonce = "foreign"});
    rig->service = service;
    realm->enclave32 = found(realm);
    if (realm->of->enclave.has_push)
        add_bell(realm);
    subscribe(realm);
}

/* ---- what each step refuses ---- */

static const uint8_t *random32(struct realm *realm)
{
    uint8_t *out = (uint8_t *)enc_arena_take(&realm->rig->arena, 32);
    for (size_t i = 0; i < 32; i++)
        out[i] = (uint8_t)pick(realm, 256);
    return out;
}

static struct draft good_draft(struct realm *realm)
{
    return draft_of(realm, pick_good(realm));
}

/* A member left out (by another name), or of another type. */
static struct enc_bytes bad_shape(struct realm *realm)
{
    static const char *const CHANGES[][2] = {
        {"\"enclave\":\"", "\"enclave\":7,\"a\":\""},
        {"\"from\":", "\"frm\":"},
        {"\"from\":\"", "\"from\":\"0"},
        {"\"type\":", "\"tpye\":"},
        {"\"content\":", "\"content\":{},\"c\":"},
        {"\"sig\":\"", "\"sig\":null,\"s\":\""},
        {"\"tags\":[", "\"tags\":[7,"},
        {"\"exp\":", "\"exp\":-"},
        {"\"exp\":", "\"exp\":\"\",\"e\":"},
    };
    struct draft draft = good_draft(realm);
    draft.target32 = realm->foreign32; /* a tag to have one */
    struct enc_bytes body = rig_body(realm->rig, &draft);
    const char *const *change = CHANGES[pick(realm, sizeof CHANGES / sizeof CHANGES[0])];
    const char *json = rig_text(realm->rig, "%.*s", (int)body.len, (const char *)body.data);
    const char *at = strstr(json, change[0]);
    cr_assert_not_null(at, "%s in %s", change[0], json);
    return enc_bytes_of_text(rig_text(realm->rig, "%.*s%s%s", (int)(at - json), json, change[1],
                                      at + strlen(change[0])));
}

static struct enc_bytes bad_structure(struct realm *realm)
{
    if (pick(realm, 2))
        return bad_shape(realm);
    static const char *const TYPES[] = {"no type",        "",        "Shared", "Own",
                                        "Transfer",       "a\tb",    "Update", "Delete",
                                        "Mess\xc3\xa4ge", "1Message"};
    struct draft draft = good_draft(realm);
    draft.type = TYPES[pick(realm, sizeof TYPES / sizeof TYPES[0])];
    draft.target32 = NULL;
    struct enc_commit commit = rig_sign(realm->rig, &draft);
    if (pick(realm, 4) == 0) {
        commit.type = ENC_LIT("Message");
        memset(commit.from32, 0xff, 32); /* beyond the field */
    }
    return rig_commit_json(realm->rig, &commit);
}

static struct enc_bytes bad_expiration(struct realm *realm)
{
    struct draft draft = good_draft(realm);
    uint64_t now_ms = rig_now_ms(realm->rig);
    uint64_t far_ms = 1 + (pick(realm, 2) ? pick(realm, 10) : pick(realm, 1ULL << 40));
    draft.exp_ms = pick(realm, 2) ? now_ms - 60000 - far_ms : now_ms + 3600000 + far_ms;
    return rig_body(realm->rig, &draft);
}

static struct enc_bytes bad_hash(struct realm *realm)
{
    struct draft draft = good_draft(realm);
    struct enc_commit commit = rig_sign(realm->rig, &draft);
    commit.hash32[pick(realm, 32)] ^= (uint8_t)(1U << pick(realm, 8));
    return rig_commit_json(realm->rig, &commit);
}

static struct enc_bytes bad_signature(struct realm *realm)
{
    struct draft draft = good_draft(realm);
    struct enc_commit commit = rig_sign(realm->rig, &draft);
    commit.has_hash = pick(realm, 2);
    if (pick(realm, 4) == 0)
        memcpy(commit.sig64, random32(realm), 32);
    else
        commit.sig64[pick(realm, 64)] ^= (uint8_t)(1U << pick(realm, 8));
    return rig_commit_json(realm->rig, &commit);
}

static struct enc_bytes bad_dedup(struct realm *realm)
{
    size_t count = realm->accepted_count;
    cr_assert_gt(count, 0);
    return realm->accepted[pick(realm, count < REALM_ACCEPTED_MAX ? count : REALM_ACCEPTED_MAX)];
}

static struct enc_bytes bad_lifecycle(struct realm *realm)
{
    struct draft draft = good_draft(realm);
    uint64_t kind = pick(realm, 4);
    draft.enclave32 = kind == 0 ? realm->foreign32 : random32(realm);
    if (kind == 1) {
        draft.type = "Manifest";
        draft.enclave32 = realm->enclave32;
    } else if (kind == 2) {
        draft.type = "Manifest";
        draft.content = pick(realm, 2) ? "{\"enc_v\":1}" : text(realm, OWNER);
    }
    return rig_body(realm->rig, &draft);
}

static struct enc_bytes bad_rbac(struct realm *realm)
{
    static const char *const OWNERS[] = {"Pause", "Terminate", "Transfer_Owner", "Grant"};
    struct draft draft = good_draft(realm);
    draft.who = STRANGER;
    draft.target32 = NULL;
    if (pick(realm, 2)) {
        draft.type = rig_text(realm->rig, "X%.8s", random_hex(realm));
        draft.who = (enum who)pick(realm, WHO_COUNT);
        return rig_body(realm->rig, &draft);
    }
    draft.type = OWNERS[pick(realm, 4)];
    draft.content =
        strcmp(draft.type, "Grant") == 0
            ? about(realm, GUEST, realm->of->enclave.has_dataview ? "DataView" : "Member")
        : strcmp(draft.type, "Transfer_Owner") == 0
            ? rig_text(realm->rig, "{\"new_owner\":\"%s\"}", pub_of(realm, GUEST))
            : "";
    return rig_body(realm->rig, &draft);
}

/* Contents that the services themselves refuse. */
static const struct good BAD_CONTENTS[] = {
    {"registry", STRANGER, "Reg_Node", text, false},
    {"registry", STRANGER, "Reg_Node", named, false},
    {"registry", STRANGER, "Reg_Identity", post, false},
    {"registry", STRANGER, "Reg_Enclave", like, false},
    {"timeline", OWNER, "Post", text, false},
    {"timeline", OWNER, "Post", like, false},
    {"timeline", OWNER, "Profile", post, false},
    {"timeline", STRANGER, "Like", follow, false},
    {"timeline", OWNER, "Follow", like, false},
};

static const char *bad_ac(struct realm *realm, const char **type)
{
    static const char *const TYPES[] = {"Grant", "Revoke", "Transfer_Owner", "Migrate", "Resume"};
    const char *role = realm->of->enclave.has_dataview ? "DataView" : "Member";
    *type = TYPES[pick(realm, 5)];
    if (strcmp(*type, "Resume") == 0)
        return "";
    if (strcmp(*type, "Revoke") == 0)
        return about(realm, STRANGER, role);
    if (strcmp(*type, "Grant") == 0 && pick(realm, 2))
        return about(realm, GUEST, "Owner");
    return text(realm, OWNER);
}

static struct enc_bytes bad_ac_logic(struct realm *realm)
{
    enum { COUNT = sizeof BAD_CONTENTS / sizeof BAD_CONTENTS[0] };
    struct draft draft = {.who = OWNER, .enclave32 = realm->enclave32};
    const struct good *bad = &BAD_CONTENTS[pick(realm, COUNT)];
    if (strcmp(bad->service, realm->of->name) == 0 && pick(realm, 2)) {
        draft = draft_of(realm, bad);
    } else if (pick(realm, 4) == 0) {
        draft.type = pick(realm, 2) ? "Update" : "Delete";
        draft.target32 = random32(realm);
        draft.content = "";
    } else {
        draft.content = bad_ac(realm, &draft.type);
    }
    return rig_body(realm->rig, &draft);
}

struct enc_bytes realm_bad(struct realm *realm, unsigned step)
{
    static struct enc_bytes (*const BAD[])(struct realm *) = {
        bad_structure, bad_expiration, bad_hash, bad_signature,
        bad_dedup,     bad_lifecycle,  bad_rbac, bad_ac_logic,
    };
    return BAD[step - 1](realm);
}

/* ---- looking ---- */

struct sight realm_look(const struct realm *realm)
{
    struct sight sight = {.frames = realm->conn->got_count, .fetches = realm->rig->fetches_started};
    struct enc_host_counts counts;
    enc_host_counts(realm->rig->host, &counts);
    sight.transactions = counts.writer_batches;
    sight.timers = counts.timers;
    rig_dump(realm->rig, sight.rows32);
    return sight;
}

bool sight_equal(const struct sight *a, const struct sight *b)
{
    return memcmp(a->rows32, b->rows32, 32) == 0 && a->frames == b->frames &&
           a->fetches == b->fetches && a->transactions == b->transactions && a->timers == b->timers;
}

void realm_alarm(struct realm *realm)
{
    struct rig *rig = realm->rig;
    uint64_t due_ms = rig_now_ms(rig) + 1;
    cr_assert_eq(enc_timer_set(rig->host->timers, realm->enclave32, ENC_TIMER_PUSH, due_ms),
                 ENC_ERR_OK);
    rig_sleep(rig, 2);
}
