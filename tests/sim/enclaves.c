/* What everything is about: three enclaves with roles and rules of their own, a timeline that
 * follows the first, an id that no enclave ever has, and who is pushed to. */
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct m_rule BASE[] = {
    {"Message", 1, "CR", "", 0},
    {"Message", HOLDS_SELF, "UD", "", 0},
    {"Message", 0, "D", "", 0},
    {"Note", 1, "C", "", 0},
    {"Note", HOLDS_PUBLIC, "R", "", 0},
    {"Topic", HOLDS_ANY, "CR", "", 0},
    {"Topic", HOLDS_SELF, "U", "", 0},
    {"Terminate", HOLDS_PUBLIC, "R", "", 0},
    {"*", HOLDS_OWNER, "RU", "", 0},
    {"Message", 2, "P", "", 0},
    {"Note", 2, "P", "", 0},
    {"*", 3, "N", "", 0},
    {"Grant", HOLDS_OWNER, "C", "", 0},
    {"Grant", 0, "C", "", 1U << 1 | 1U << 4},
    {"Grant_Push", HOLDS_OWNER, "C", "", 0},
    {"Revoke", HOLDS_OWNER, "C", "", 1U << 0 | 1U << 1 | 1U << 4},
    {"Revoke", HOLDS_SELF, "C", "", 1U << 1},
    {"Move", HOLDS_OWNER, "C", "", 1U << 1 | 1U << 4},
    {"Force_Move", HOLDS_OWNER, "C", "", 1U << 0 | 1U << 1 | 1U << 4},
    {"AC_Bundle", HOLDS_OWNER, "C", "", 0},
    {"Gate", HOLDS_OWNER, "C", "", 0},
    {"Transfer_Owner", HOLDS_OWNER, "C", "", 0},
    {"Pause", HOLDS_OWNER, "C", "", 0},
    {"Resume", HOLDS_OWNER, "C", "", 0},
    {"Terminate", HOLDS_OWNER, "C", "", 0},
    {"Migrate", HOLDS_OWNER, "C", "", 0},
};

static const struct m_rule TIMELINE[] = {
    {"Post", HOLDS_OWNER, "C", "", 0},
    {"Profile", HOLDS_OWNER, "C", "", 0},
    {"Like", HOLDS_ANY, "C", "", 0},
    {"Unlike", HOLDS_ANY, "C", "", 0},
    {"Follow", HOLDS_OWNER, "C", "", 0},
    {"Unfollow", HOLDS_OWNER, "C", "", 0},
    {"Post", HOLDS_SELF, "UD", "", 0},
    {"Profile", HOLDS_SELF, "UD", "", 0},
    {"Like", HOLDS_SELF, "D", "", 0},
    {"*", HOLDS_PUBLIC, "R", "", 0},
    {"*", 0, "P", "", 0},
    {"Pause", HOLDS_OWNER, "C", "", 0},
    {"Resume", HOLDS_OWNER, "C", "", 0},
};

static void add_rules(struct m_enclave *e, const struct m_rule *rules, size_t count)
{
    memcpy(e->rules + e->rule_count, rules, count * sizeof *rules);
    e->rule_count += (int)count;
}

/* Rows that no example has. */
static void add_wild_rules(struct world *w, struct m_enclave *e)
{
    static const char *const EVENTS[] = {"Message", "Note", "Topic", "*"};
    static const char *const OPS[] = {"C", "R", "U", "D", "N", "CR", "UD"};
    for (uint64_t more = w_pick(w, 5); more > 0; more--) {
        const char *ops = OPS[w_pick(w, 7)];
        bool is_deny = w_pick(w, 3) == 0;
        e->rules[e->rule_count++] = (struct m_rule){
            .event = EVENTS[w_pick(w, 4)],
            .role = (int)w_pick(w, 9) - 4,
            .grants = is_deny ? "" : ops,
            .denies = is_deny ? ops : "",
        };
    }
}

const char *w_role_name(const struct m_enclave *e, int role)
{
    static const char *const HOLDERS[] = {"Public", "Any", "Self", "Owner"};
    if (role == UNKNOWN_ROLE)
        return "Nobody";
    return role < 0 ? HOLDERS[role + 4] : e->roles[role];
}

static const char *targets_text(struct world *w, const struct m_enclave *e, uint32_t targets)
{
    const char *text = "";
    for (int i = 0; i < e->role_count; i++)
        if (targets >> i & 1)
            text = w_text(w, "%s%s\"%s\"", text, *text ? "," : "", e->roles[i]);
    return *text ? w_text(w, ",\"target_roles\":[%s]", text) : "";
}

static const char *rule_text(struct world *w, const struct m_enclave *e, const struct m_rule *rule)
{
    const char *ops = "";
    for (const char *op = rule->grants; *op; op++)
        ops = w_text(w, "%s%s\"%c\"", ops, *ops ? "," : "", *op);
    for (const char *op = rule->denies; *op; op++)
        ops = w_text(w, "%s%s\"_%c\"", ops, *ops ? "," : "", *op);
    return w_text(w, "{\"event\":\"%s\",\"role\":\"%s\",\"ops\":[%s]%s}", rule->event,
                  w_role_name(e, rule->role), ops, targets_text(w, e, rule->targets));
}

static const char *manifest_text(struct world *w, const struct m_enclave *e)
{
    const char *roles = "", *rules = "", *owner = w_hex(w, w->pubs32[OWNER], 32);
    bool is_fixed = e->service == w_service("timeline");
    for (int i = 0; i < e->role_count; i++)
        roles = w_text(w, "%s%s\"%s\"", roles, i ? "," : "", e->roles[i]);
    for (int i = 0; i < e->rule_count; i++)
        rules = w_text(w, "%s%s%s", rules, i ? "," : "", rule_text(w, e, &e->rules[i]));
    const char *fixed = enc_service_at(e->service)->enclave.schema.fixed_json;
    const char *rbac = is_fixed ? w_text(w, "%.*s", (int)strlen(fixed) - 1, fixed)
                                : w_text(w, "{\"roles\":[%s],\"schema\":[%s]", roles, rules);
    const char *members =
        is_fixed ? ""
                 : w_text(w, ",\"Member\":[\"%s\",\"%s\"]", owner, w_hex(w, w->pubs32[MEMBER], 32));
    return w_text(w,
                  "{\"enc_v\":1,\"RBAC\":%s,\"initial_state\":{\"Owner\":[\"%s\"]%s}},"
                  "\"bundle\":{\"size\":%u,\"timeout\":%u},\"meta\":{\"nonce\":\"%llu\"}}",
                  rbac, owner, members, (unsigned)e->bundle_size, (unsigned)e->timeout_ms,
                  (unsigned long long)w->nonce++);
}

static struct m_commit *manifest_of(struct world *w, int enclave, const char *content)
{
    struct m_commit *c = w_draft(w, enclave, OWNER, "Manifest", content);
    m_enclave_id(c->enclave32, c);
    w_sign(w, c);
    return c;
}

static int add_enclave(struct world *w, const char *service)
{
    struct m_enclave *e = (struct m_enclave *)calloc(1, sizeof *e);
    e->service = w_service(service);
    e->pubs32 = (const uint8_t(*)[32])w->pubs32;
    e->bundle_size = 1 + w_pick(w, 6);
    e->timeout_ms = w_pick(w, 3) ? 1000 : 0;
    for (int i = 0; i <= M_LOG_MAX; i++)
        e->leaves[i].first = -1;
    w->model.enclaves[w->model.enclave_count] = e;
    return w->model.enclave_count++;
}

/* ---- the beginning ---- */

static void found_one(struct world *w, int enclave)
{
    struct m_enclave *e = w->model.enclaves[enclave];
    struct m_commit *c = manifest_of(w, enclave, manifest_text(w, e));
    memcpy(e->id32, c->enclave32, 32);
    c->is_manifest_of_it = true;
    w->made[w->made_count++] = c;
    w_send_and_wait(w, c);
}

static void make_rich(struct world *w, int enclave)
{
    static const char *const ROLES[] = {"Admin", "Member", "Sink", "Bell", "Extra"};
    struct m_enclave *e = w->model.enclaves[enclave];
    memcpy(e->roles, ROLES, sizeof ROLES);
    e->role_count = 5;
    add_rules(e, BASE, sizeof BASE / sizeof BASE[0]);
    add_wild_rules(w, e);
    e->initial[OWNER] = 2 | 1ULL << 33;
    e->initial[MEMBER] = 1ULL << 33;
}

static void make_timeline(struct world *w, int enclave)
{
    static const char *const ROLES[] = {"DataView"};
    struct m_enclave *e = w->model.enclaves[enclave];
    memcpy(e->roles, ROLES, sizeof ROLES);
    e->role_count = 1;
    add_rules(e, TIMELINE, sizeof TIMELINE / sizeof TIMELINE[0]);
    e->initial[OWNER] = 2;
}

static void make_nowhere(struct world *w)
{
    struct m_enclave *e = w->model.enclaves[w->nowhere];
    struct m_commit *c = manifest_of(w, w->nowhere, "{}");
    memcpy(e->id32, c->enclave32, 32);
    w->made[w->made_count++] = c;
}

/* Somebody to whom things are pushed. */
static void add_queue(struct world *w, int enclave, enum who who, int role, const char *url)
{
    struct queue *q = &w->queues[w->queue_count++];
    *q = (struct queue){.who = who, .enclave = enclave, .registered = -1};
    snprintf(q->url, sizeof q->url, "%s", url);
    const struct m_enclave *e = w->model.enclaves[enclave];
    struct m_commit *c =
        w_draft(w, enclave, OWNER, "Grant_Push",
                w_text(w, "{\"identity\":\"%s\",\"role\":\"%s\",\"endpoint\":\"%s\"}",
                       w_hex(w, w->pubs32[who], 32), e->roles[role], url));
    c->op_count = 1;
    c->ops[0] = (struct m_op){.type = "Grant_Push", .who = who, .role = role, .has_endpoint = true};
    w_sign(w, c);
    w_send_and_wait(w, c);
}

static void follow(struct world *w)
{
    const struct m_enclave *e = w->model.enclaves[0], *view = w->model.enclaves[w->timeline];
    struct m_commit *c = w_draft(w, w->timeline, OWNER, "Follow",
                                 w_text(w, "{\"enclave\":\"%s\",\"pub\":\"%s\"}",
                                        w_hex(w, e->id32, 32), w_hex(w, w->pubs32[NODE], 32)));
    w_sign(w, c);
    w_send_and_wait(w, c);
    add_queue(w, 0, NODE, 2,
              w_text(w, "https://self.example/enclave/%s/push", w_hex(w, view->id32, 32)));
}

void w_found(struct world *w)
{
    for (int i = 0; i < W_ENCLAVES; i++)
        make_rich(w, add_enclave(w, "enc-node"));
    w->timeline = add_enclave(w, "timeline");
    make_timeline(w, w->timeline);
    w->nowhere = add_enclave(w, "enc-node");
    make_nowhere(w);
    for (int i = 0; i <= w->timeline; i++)
        found_one(w, i);
    add_queue(w, 0, BELL, 3, "https://bell.example/");
    add_queue(w, 1, SINK, 2, "https://sink.example/");
    follow(w);
}
