#include "tests/sim/model.h"

#include "proto/sha256.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *type;
    char family; /* m: Manifest, c: change, l: lifecycle, a: AC, r: reserved */
} PREDEFINED[] = {
    {"Manifest", 'm'},       {"Update", 'c'}, {"Delete", 'c'},
    {"Pause", 'l'},          {"Resume", 'l'}, {"Terminate", 'l'},
    {"Migrate", 'l'},        {"Grant", 'a'},  {"Grant_Push", 'a'},
    {"Revoke", 'a'},         {"Move", 'a'},   {"Force_Move", 'a'},
    {"Transfer_Owner", 'a'}, {"Gate", 'a'},   {"AC_Bundle", 'a'},
    {"Shared", 'r'},         {"Own", 'r'},    {"Transfer", 'r'},
};

static char family(const char *type)
{
    for (size_t i = 0; i < sizeof PREDEFINED / sizeof PREDEFINED[0]; i++)
        if (strcmp(type, PREDEFINED[i].type) == 0)
            return PREDEFINED[i].family;
    return 0;
}

bool m_is_content(const char *type)
{
    return family(type) == 0;
}

/* ---- permits ---- */

static bool covers(const struct m_rule *rule, const char *type, char op)
{
    if (strcmp(rule->event, type) == 0)
        return true;
    return strcmp(rule->event, "*") == 0 && (strchr("RPN", op) || m_is_content(type));
}

static bool holds(const struct m_rule *rule, uint64_t roles, bool self, bool known)
{
    switch (rule->role) {
    case HOLDS_OWNER:
        return roles >> 1 & 1;
    case HOLDS_SELF:
        return self;
    case HOLDS_ANY:
        return known;
    case HOLDS_PUBLIC:
        return true;
    default:
        return roles >> (32 + rule->role) & 1;
    }
}

bool m_permits(const struct m_enclave *e, uint64_t roles, const char *type, char op, bool self,
               bool known)
{
    bool yes = false, no = false;
    for (int i = 0; i < e->rule_count; i++) {
        const struct m_rule *rule = &e->rules[i];
        if (!covers(rule, type, op) || !holds(rule, roles, self, known))
            continue;
        yes |= strchr(rule->grants, op) != NULL;
        no |= strchr(rule->denies, op) != NULL;
    }
    return yes && !no;
}

/* Union of the targets of the rows that permit it. */
static uint64_t targets(const struct m_enclave *e, uint64_t roles, const char *type, bool self)
{
    uint64_t all = ((1ULL << e->role_count) - 1) << 32, out = 0;
    for (int i = 0; i < e->rule_count; i++) {
        const struct m_rule *rule = &e->rules[i];
        if (covers(rule, type, 'C') && holds(rule, roles, self, true) && strchr(rule->grants, 'C'))
            out |= rule->targets ? (uint64_t)rule->targets << 32 : all;
    }
    return out;
}

/* ---- the log ---- */

struct m_entry *m_find(const struct m_enclave *e, const uint8_t id32[32], int count)
{
    for (int i = 0; i < count; i++)
        if (memcmp(e->log[i].commit->id32, id32, 32) == 0)
            return (struct m_entry *)&e->log[i];
    return NULL;
}

/* 0 active, 1 updated, 2 deleted. */
int m_status_of(const struct m_enclave *e, int seq, int count, const struct m_commit **by)
{
    int status = 0;
    for (int i = seq + 1; i < count; i++) {
        const struct m_commit *c = e->log[i].commit;
        if (family(c->type) != 'c' || memcmp(c->target32, e->log[seq].commit->id32, 32) != 0)
            continue;
        status = strcmp(c->type, "Delete") == 0 ? 2 : 1;
        *by = c;
    }
    return status;
}

static const struct m_state *now(const struct m_enclave *e)
{
    return &e->log[e->count - 1].after;
}

static uint64_t roles_of(const struct m_state *state, int who)
{
    return who == NOBODY ? 0 : state->roles[who];
}

static bool is_shut(const struct m_state *state, const char *type)
{
    for (int i = 0; i < M_GATES_MAX; i++)
        if (state->shut[i] && strcmp(state->shut[i], type) == 0)
            return true;
    return false;
}

/* ---- AC ---- */

static bool has_identity(const struct m_op *op)
{
    return strcmp(op->type, "Gate") != 0 && strcmp(op->type, "AC_Bundle") != 0;
}

/* Step 7 of one operation. */
static const char *authorise(const struct m_enclave *e, const struct m_state *s,
                             const struct m_commit *c, const struct m_op *op)
{
    bool is_unknown = has_identity(op) && c->is_junk; /* whom it is about is not said */
    bool self = has_identity(op) && !c->is_junk && (int)op->who == c->from;
    bool is_transfer = strcmp(op->type, "Transfer_Owner") == 0;
    uint64_t roles = roles_of(s, c->from);
    if (!m_permits(e, roles, op->type, 'C', self, true) &&
        !(is_unknown && m_permits(e, roles, op->type, 'C', true, true)))
        return "UNAUTHORIZED";
    return is_transfer && !(roles >> 1 & 1) ? "UNAUTHORIZED" : NULL;
}

static uint64_t bit_of(int role)
{
    return role == NO_ROLE || role == UNKNOWN_ROLE ? 0 : 1ULL << (32 + role);
}

static bool is_given(int role, uint64_t allowed)
{
    return role == NO_ROLE || (role != UNKNOWN_ROLE && (bit_of(role) & allowed));
}

static bool delivers(const struct m_enclave *e, uint64_t roles)
{
    for (int i = 0; i < e->rule_count; i++)
        if (e->rules[i].role >= 0 && strpbrk(e->rules[i].grants, "PN") &&
            holds(&e->rules[i], roles, false, false))
            return true;
    return false;
}

static const char *grant(const struct m_enclave *e, struct m_state *s, const struct m_op *op,
                         uint64_t allowed)
{
    if (!is_given(op->role, allowed))
        return "UNAUTHORIZED";
    if (op->has_endpoint && !delivers(e, bit_of(op->role)))
        return "INVALID_CONTENT";
    s->roles[op->who] |= bit_of(op->role);
    return NULL;
}

static const char *revoke(struct m_state *s, const struct m_op *op, uint64_t allowed)
{
    if (!is_given(op->role, allowed))
        return "UNAUTHORIZED";
    if (!(s->roles[op->who] & bit_of(op->role)))
        return "TARGET_LACKS_ROLE";
    s->roles[op->who] &= ~bit_of(op->role);
    return NULL;
}

static const char *move(struct m_state *s, const struct m_op *op, uint64_t allowed)
{
    if (!is_given(op->role, allowed) || !is_given(op->to, allowed))
        return "UNAUTHORIZED";
    bool is_there = op->role == NO_ROLE ? !(s->roles[op->who] & allowed)
                                        : (s->roles[op->who] & bit_of(op->role)) != 0;
    if (!is_there)
        return "TARGET_LACKS_ROLE";
    s->roles[op->who] = (s->roles[op->who] & ~bit_of(op->role)) | bit_of(op->to);
    return NULL;
}

static const char *force_move(struct m_state *s, const struct m_op *op, uint64_t allowed)
{
    if (!is_given(op->to, allowed))
        return "UNAUTHORIZED";
    s->roles[op->who] = (s->roles[op->who] & ~allowed) | bit_of(op->to);
    return NULL;
}

static const char *transfer(struct m_state *s, const struct m_commit *c, const struct m_op *op)
{
    if ((int)op->who == c->from)
        return "INVALID_CONTENT";
    s->roles[c->from] &= ~2ULL;
    s->roles[op->who] |= 2;
    return NULL;
}

static const char *gate(struct m_state *s, const struct m_op *op)
{
    int spare = -1;
    for (int i = 0; i < M_GATES_MAX; i++) {
        if (!s->shut[i])
            spare = i;
        else if (strcmp(s->shut[i], op->event) == 0) {
            s->shut[i] = op->open ? NULL : s->shut[i];
            return NULL;
        }
    }
    if (!op->open)
        s->shut[spare] = op->event;
    return NULL;
}

static const char *apply(const struct m_enclave *e, struct m_state *s, const struct m_commit *c,
                         const struct m_op *op)
{
    if (strcmp(op->type, "Gate") == 0)
        return gate(s, op);
    if (strcmp(op->type, "Transfer_Owner") == 0)
        return transfer(s, c, op);
    bool self = (int)op->who == c->from;
    uint64_t allowed = targets(e, roles_of(s, c->from), op->type, self);
    bool is_move = strcmp(op->type, "Move") == 0;
    if (is_move && op->role == op->to)
        return "INVALID_CONTENT";
    if (is_move)
        return move(s, op, allowed);
    if (strcmp(op->type, "Force_Move") == 0)
        return force_move(s, op, allowed);
    if (strcmp(op->type, "Revoke") == 0)
        return revoke(s, op, allowed);
    return grant(e, s, op, allowed);
}

static const char *judge_ac(const struct m_enclave *e, struct m_state *s, const struct m_commit *c)
{
    const struct m_op whole = {.type = c->type, .who = c->op_count ? c->ops[0].who : OWNER};
    const char *no = authorise(e, s, c, &whole);
    if (no)
        return no;
    if (c->is_junk)
        return "INVALID_CONTENT";
    bool is_bundle = strcmp(c->type, "AC_Bundle") == 0;
    for (int i = 0; i < c->op_count && !no; i++) {
        no = is_bundle ? authorise(e, s, c, &c->ops[i]) : NULL;
        no = no ? no : apply(e, s, c, &c->ops[i]);
    }
    return no;
}

/* ---- the other families ---- */

static const char *judge_change(const struct m_enclave *e, const struct m_state *s,
                                const struct m_commit *c)
{
    const struct m_commit *by = NULL;
    const struct m_entry *target = m_find(e, c->target32, e->count);
    if (!target)
        return "EVENT_NOT_FOUND";
    if (!m_is_content(target->commit->type))
        return "INVALID_CONTENT";
    bool self = target->commit->from == c->from && c->from != NOBODY;
    char op = strcmp(c->type, "Update") == 0 ? 'U' : 'D';
    if (!m_permits(e, roles_of(s, c->from), target->commit->type, op, self, true))
        return "UNAUTHORIZED";
    if (m_status_of(e, (int)target->commit->seq, e->count, &by) == 2)
        return "ALREADY_DELETED";
    return op == 'D' && c->is_junk ? "INVALID_CONTENT" : NULL;
}

static bool root_is(struct m_enclave *e, bool with_tail, const uint8_t root32[32])
{
    struct m_leaf leaves[M_LOG_MAX + 1];
    uint8_t mine32[32];
    int count = m_leaves(leaves, e, e->count, with_tail);
    m_log_root(mine32, leaves, count);
    return memcmp(mine32, root32, 32) == 0;
}

/* Whether the open bundle had been closed by its timer is known to nobody outside. */
static const char *judge_migrate(const struct m_enclave *e, const struct m_sending *sending,
                                 const char *said)
{
    struct m_enclave *all = (struct m_enclave *)e;
    const struct m_commit *c = sending->commit;
    uint64_t due_ms = m_tail_due_ms(e, e->count);
    if (c->is_junk || c->prev_seq != (uint64_t)e->count - 1)
        return "INVALID_CONTENT";
    bool open = root_is(all, false, c->ct_root32);
    bool may_be_closed = due_ms && e->clock_high_ms >= due_ms;
    bool closed = may_be_closed && root_is(all, true, c->ct_root32);
    if (may_be_closed && (open || closed))
        return said;
    return open ? NULL : "INVALID_CONTENT";
}

static const char *judge_lifecycle(const struct m_enclave *e, const struct m_state *s,
                                   const struct m_sending *sending, const char *said)
{
    const struct m_commit *c = sending->commit;
    if (!m_permits(e, roles_of(s, c->from), c->type, 'C', false, true))
        return "UNAUTHORIZED";
    if (strcmp(c->type, "Migrate") == 0)
        return judge_migrate(e, sending, said);
    if (c->is_junk)
        return "INVALID_CONTENT";
    return strcmp(c->type, "Resume") == 0 && s->status == M_ACTIVE ? "INVALID_COMMIT" : NULL;
}

static const char *judge_content(const struct m_enclave *e, const struct m_state *s,
                                 const struct m_commit *c)
{
    uint64_t roles = roles_of(s, c->from);
    if (!m_permits(e, roles, c->type, 'C', false, true))
        return "UNAUTHORIZED";
    return is_shut(s, c->type) && !(roles >> 1 & 1) ? "GATE_CLOSED" : NULL;
}

/* ---- steps 1 to 6 ---- */

const char *m_judge_shape(const struct m_commit *c)
{
    size_t len = strlen(c->type);
    bool is_good = len >= 1 && len <= 64 && isalpha((unsigned char)c->type[0]);
    for (size_t i = 0; i < len; i++)
        is_good &= isalnum((unsigned char)c->type[i]) || strchr("_.:-", c->type[i]);
    if (!is_good || family(c->type) == 'r' || !enc_point_lifts(c->from32))
        return "INVALID_COMMIT";
    return family(c->type) == 'c' && !c->has_target ? "INVALID_COMMIT" : NULL;
}

static bool is_said(const char *said, const char *code)
{
    return said && strcmp(said, code) == 0;
}

static const char *judge_expiry(const struct m_sending *s, const char *said)
{
    uint64_t exp_ms = s->commit->exp_ms;
    if (exp_ms + 60000 < s->clock_high_ms &&
        (exp_ms + 60000 < s->clock_low_ms || is_said(said, "EXPIRED")))
        return "EXPIRED";
    if (exp_ms > s->clock_low_ms + 3600000 &&
        (exp_ms > s->clock_high_ms + 3600000 || is_said(said, "EXP_TOO_FAR")))
        return "EXP_TOO_FAR";
    return NULL;
}

static const char *judge_lonely(const struct m_enclave *e, const struct m_sending *s,
                                const char *said, const struct enc_curve *curve)
{
    uint8_t hash32[32];
    const struct m_commit *c = s->commit;
    const char *no = m_judge_shape(c);
    no = no ? no : judge_expiry(s, said);
    if (no)
        return no;
    m_commit_hash(hash32, c);
    if (memcmp(hash32, c->hash32, 32) != 0)
        return "INVALID_HASH";
    if (!enc_schnorr_verify(curve, c->sig64, c->hash32, c->from32))
        return "INVALID_SIGNATURE";
    for (int i = 0; e && i < e->count; i++)
        if (memcmp(e->log[i].commit->hash32, c->hash32, 32) == 0)
            return "DUPLICATE";
    return NULL;
}

static const char *judge_manifest(const struct m_enclave *e, const struct m_commit *c)
{
    if (e && e->count > 0)
        return "ENCLAVE_EXISTS";
    return e && c->is_manifest_of_it ? NULL : "INVALID_MANIFEST";
}

static const char *refusal_of(enum m_status status, const char *type)
{
    static const char *const REFUSALS[] = {NULL, "ENCLAVE_PAUSED", "ENCLAVE_TERMINATED",
                                           "ENCLAVE_MIGRATED"};
    bool wakes = strcmp(type, "Resume") == 0 || strcmp(type, "Terminate") == 0 ||
                 strcmp(type, "Migrate") == 0;
    return status == M_PAUSED && wakes ? NULL : REFUSALS[status];
}

static const char *judge_inside(const struct m_enclave *e, const struct m_sending *s,
                                const char *said, struct m_state *after)
{
    const struct m_commit *c = s->commit;
    const char *no = refusal_of(after->status, c->type);
    if (no)
        return no;
    switch (family(c->type)) {
    case 'c':
        return judge_change(e, after, c);
    case 'l':
        return judge_lifecycle(e, after, s, said);
    case 'a':
        return judge_ac(e, after, c);
    default:
        return judge_content(e, after, c);
    }
}

const char *m_judge(const struct model *m, const struct m_enclave *e, const struct m_sending *s,
                    const char *said)
{
    const char *no = judge_lonely(e, s, said, m->curve);
    if (no)
        return no;
    if (family(s->commit->type) == 'm')
        return judge_manifest(e, s->commit);
    if (!e || e->count == 0)
        return "ENCLAVE_NOT_FOUND";
    struct m_state after = *now(e);
    return judge_inside(e, s, said, &after);
}

/* ---- effects ---- */

static void lifecycle(struct m_state *s, const char *type)
{
    static const struct {
        const char *type;
        enum m_status next;
    } ROWS[] = {{"Pause", M_PAUSED},
                {"Resume", M_ACTIVE},
                {"Terminate", M_TERMINATED},
                {"Migrate", M_MIGRATED}};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        if (strcmp(type, ROWS[i].type) == 0)
            s->status = ROWS[i].next;
}

static uint64_t count_type(const struct m_enclave *e, const char *type)
{
    uint64_t count = 0;
    for (int i = 0; i < e->count; i++)
        count += strcmp(e->log[i].commit->type, type) == 0;
    return count;
}

static void take_effect(struct m_enclave *e, struct m_state *after, const struct m_commit *c)
{
    *after = e->count ? *now(e) : (struct m_state){.status = M_ACTIVE};
    if (family(c->type) == 'm')
        memcpy(after->roles, e->initial, sizeof after->roles);
    else if (family(c->type) == 'a')
        judge_ac(e, after, c);
    lifecycle(after, c->type);
}

static const char *judge_time(const struct m_enclave *e, const struct m_sending *s,
                              uint64_t timestamp_ms)
{
    uint64_t last_ms = e->count ? e->log[e->count - 1].commit->timestamp_ms : 0;
    uint64_t high_ms = last_ms > s->clock_high_ms ? last_ms : s->clock_high_ms;
    if (e->timeout_ms && e->clock_high_ms > high_ms)
        high_ms = e->clock_high_ms; /* a bundle may have been closed then */
    if (timestamp_ms < last_ms || timestamp_ms < s->clock_low_ms)
        return "the timestamp is too early";
    return timestamp_ms > high_ms ? "the timestamp is in the future" : NULL;
}

const char *m_accept(const struct model *m, struct m_enclave *e, const struct m_sending *s,
                     uint64_t timestamp_ms)
{
    uint8_t hash32[32];
    struct m_commit *c = s->commit;
    const char *wrong = judge_time(e, s, timestamp_ms);
    if (e->count == M_LOG_MAX)
        abort();
    struct m_entry *entry = &e->log[e->count];
    take_effect(e, &entry->after, c);
    c->seq = (uint64_t)e->count;
    c->type_seq = count_type(e, c->type) + 1;
    c->timestamp_ms = timestamp_ms;
    m_event_hash(hash32, c, m->keys[NODE].pub32);
    enc_schnorr_sign(m->curve, c->seq_sig64, &m->keys[NODE], hash32);
    enc_sha256(c->id32, enc_bytes_of(c->seq_sig64, 64));
    c->is_accepted = true;
    entry->commit = c;
    entry->arrival = s->arrival;
    e->count++;
    e->clock_high_ms = s->clock_high_ms;
    return wrong;
}

/* ---- readers ---- */

static bool reads(const struct m_enclave *e, int count, int reader, const struct m_commit *c)
{
    uint64_t roles = roles_of(&e->log[count - 1].after, reader);
    bool self = reader != NOBODY && c->from == reader;
    return m_permits(e, roles, c->type, 'R', self, reader != NOBODY);
}

bool m_is_visible(const struct m_enclave *e, int seq, int count, int reader)
{
    const struct m_commit *c = e->log[seq].commit;
    const struct m_entry *target = family(c->type) == 'c' ? m_find(e, c->target32, seq) : NULL;
    return reads(e, count, reader, c) || (target && reads(e, count, reader, target->commit));
}

bool m_reads_any(const struct m_enclave *e, int count, int reader)
{
    uint64_t roles = roles_of(&e->log[count - 1].after, reader);
    for (int i = 0; i < e->rule_count; i++)
        if (strchr(e->rules[i].grants, 'R') &&
            m_permits(e, roles, e->rules[i].event, 'R', false, reader != NOBODY))
            return true;
    return false;
}

char m_delivery(const struct m_enclave *e, int seq, enum who who)
{
    uint64_t roles = e->log[seq].after.roles[who];
    const char *type = e->log[seq].commit->type;
    if (m_permits(e, roles, type, 'P', false, false))
        return 'P';
    return m_permits(e, roles, type, 'N', false, false) ? 'N' : 0;
}
