/* Who writes: commits of every kind, right and wrong, on every way in, and their answers. */
#include "tests/sim/disk.h"
#include "tests/sim/world.h"

#include "proto/base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const CONTENT_TYPES[] = {"Message", "Note", "Topic"};
static const char *const AC_TYPES[] = {"Grant",          "Revoke", "Move",      "Force_Move",
                                       "Transfer_Owner", "Gate",   "AC_Bundle", "Grant_Push"};

/* ---- commits ---- */

void w_sign(struct world *w, struct m_commit *c)
{
    m_commit_hash(c->hash32, c);
    enc_schnorr_sign(w->curve, c->sig64, &w->keys[c->from], c->hash32);
}

struct m_commit *w_draft(struct world *w, int enclave, int from, const char *type,
                         const char *content)
{
    struct m_commit *c = (struct m_commit *)calloc(1, sizeof *c);
    const struct m_enclave *e = w->model.enclaves[enclave];
    c->enclave = enclave;
    memcpy(c->enclave32, e->id32, 32);
    c->from = from;
    memcpy(c->from32, w->pubs32[from], 32);
    snprintf(c->type, sizeof c->type, "%s", type);
    c->content = strdup(content);
    c->exp_ms = w_now(w) + 600000 + w->exp_step++;
    return c;
}

/* ---- on the way ---- */

static const char *escaped(struct world *w, const char *text)
{
    char *out = (char *)calloc(1, 2 * strlen(text) + 1), *at = out;
    w_must(w, out, "no memory");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *at++ = '\\';
        *at++ = *text;
    }
    return out;
}

static const char *commit_json(struct world *w, const struct m_commit *c)
{
    const char *tags = c->has_target ? w_text(w, "[\"r\",\"%s\"]", w_hex(w, c->target32, 32)) : "";
    return w_text(w,
                  "{\"hash\":\"%s\",\"enclave\":\"%s\",\"from\":\"%s\",\"type\":\"%s\","
                  "\"content\":\"%s\",\"exp\":%llu,\"tags\":[%s],\"sig\":\"%s\"}",
                  w_hex(w, c->hash32, 32), w_hex(w, c->enclave32, 32), w_hex(w, c->from32, 32),
                  c->type, escaped(w, c->content), (unsigned long long)c->exp_ms, tags,
                  w_hex(w, c->sig64, 64));
}

static struct m_sending *queue_up(struct world *w, struct m_commit *c, void *asker)
{
    struct m_sending **end = &w->model.enclaves[c->enclave]->queue;
    struct m_sending *s = (struct m_sending *)calloc(1, sizeof *s);
    while (*end)
        end = &(*end)->next;
    *s = (struct m_sending){.commit = c,
                            .asker = asker,
                            .arrival = ++w->arrivals,
                            .clock_low_ms = w_now(w),
                            .clock_high_ms = w_now(w),
                            .faults = disk_faults_met(),
                            .doubts = disk_doubts_met()};
    *end = s;
    return s;
}

static void send_sealed(struct world *w, struct m_commit *c, const char *json)
{
    struct enc_call about = {.channel =
                                 (struct enc_channel *)calloc(1, sizeof(struct enc_channel))};
    const char *head = "\"type\":\"Commit\"";
    struct enc_bytes body = w_seal(w, about.channel, c->from, c->enclave, head, json);
    about.sending = queue_up(w, c, NULL);
    w_http(w, "enc-node", "/", body, about);
}

static void send_http(struct world *w, struct m_commit *c, const char *json)
{
    const struct m_enclave *e = w->model.enclaves[c->enclave];
    const char *service = enc_service_at(e->service)->name;
    const char *path = w_pick(w, 2) ? "/" : w_text(w, "/enclave/%s", w_hex(w, c->enclave32, 32));
    struct enc_call about = {.sending = queue_up(w, c, NULL)};
    w_http(w, service, path, enc_bytes_of_text(json), about);
}

static bool is_sealable(const struct world *w, const struct m_commit *c)
{
    return c->from != NOBODY && c->enclave != w->timeline && c->enclave != w->nowhere &&
           strcmp(c->type, "Manifest") != 0 && !m_judge_shape(c);
}

static void send_one(struct world *w, struct m_commit *c)
{
    const char *json = commit_json(w, c);
    struct enc_conn *conn = w->conns[w_pick(w, W_CONNS_MAX)];
    uint64_t way = w_pick(w, 10);
    if (way < 3 && conn && conn->socket && c->enclave != w->timeline) {
        queue_up(w, c, conn);
        enc_host_socket_message(conn->socket, enc_bytes_of_text(json), false);
    } else if (way < 5 && is_sealable(w, c)) {
        send_sealed(w, c, json);
    } else {
        send_http(w, c, json);
    }
}

/* ---- answers ---- */

static void forget(struct m_enclave *e, const struct m_sending *s)
{
    struct m_sending **at = &e->queue;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
}

static void same_hex(const struct world *w, json_t *json, const char *name, const uint8_t *wanted,
                     size_t len)
{
    uint8_t found[64];
    const char *text = json_string_value(json_object_get(json, name));
    bool is_same = text && strlen(text) == 2 * len &&
                   enc_hex_decode(found, len, enc_bytes_of_text(text)) &&
                   memcmp(found, wanted, len) == 0;
    w_must(w, is_same, "%s of a receipt is not as foretold", name);
}

static void same_number(const struct world *w, json_t *json, const char *name, uint64_t wanted)
{
    uint64_t found = (uint64_t)json_integer_value(json_object_get(json, name));
    w_must(w, found == wanted, "%s is %llu, foretold %llu", name, (unsigned long long)found,
           (unsigned long long)wanted);
}

static void check_receipt(const struct world *w, json_t *receipt, const struct m_commit *c)
{
    same_number(w, receipt, "seq", c->seq);
    same_number(w, receipt, "type_seq", c->type_seq);
    same_number(w, receipt, "timestamp", c->timestamp_ms);
    same_hex(w, receipt, "id", c->id32, 32);
    same_hex(w, receipt, "hash", c->hash32, 32);
    same_hex(w, receipt, "enclave", c->enclave32, 32);
    same_hex(w, receipt, "sequencer", w->pubs32[NODE], 32);
    same_hex(w, receipt, "sig", c->sig64, 64);
    same_hex(w, receipt, "seq_sig", c->seq_sig64, 64);
}

static const struct m_commit *stored(const struct m_enclave *e, const struct m_commit *c)
{
    int i = 0;
    while (memcmp(e->log[i].commit->hash32, c->hash32, 32) != 0)
        i++;
    return e->log[i].commit;
}

static void check_order(const struct world *w, const struct m_enclave *e, const struct m_sending *s)
{
    const struct m_sending *first = e->queue;
    while (first && first->is_in_doubt)
        first = first->next;
    w_must(w, first == s || m_judge_shape(s->commit),
           "a %s is answered before one that came before it", s->commit->type);
}

/* The node could not write: nothing has changed, or nobody knows. */
static void answer_failure(struct world *w, struct m_enclave *e, struct m_sending *s)
{
    w_must(w, disk_faults_met() > s->faults, "500 to a %s, and no disk failed", s->commit->type);
    if (disk_doubts_met() > s->doubts)
        s->is_in_doubt = true;
    else
        forget(e, s);
}

static void judge_answer(struct world *w, struct m_enclave *e, struct m_sending *s, json_t *answer,
                         const char *code)
{
    check_order(w, e, s);
    const char *wanted = m_judge(&w->model, e, s, code);
    bool is_same = wanted && code ? strcmp(wanted, code) == 0 : wanted == code;
    w_must(w, is_same, "enclave %d, %s by %d: foretold %s, got %s", s->commit->enclave,
           s->commit->type, s->commit->from, wanted ? wanted : "a receipt",
           code ? code : "a receipt");
    forget(e, s);
    if (code && strcmp(code, "DUPLICATE") == 0)
        check_receipt(w, json_object_get(answer, "receipt"), stored(e, s->commit));
    if (code)
        return;
    json_t *time = json_object_get(answer, "timestamp");
    const char *wrong = m_accept(&w->model, e, s, (uint64_t)json_integer_value(time));
    w_must(w, !wrong, "%s: %s", s->commit->type, wrong);
    check_receipt(w, answer, s->commit);
}

void w_answer_commit(struct world *w, struct m_sending *s, unsigned status, json_t *answer)
{
    struct m_enclave *e = w->model.enclaves[s->commit->enclave];
    const char *type = json_string_value(json_object_get(answer, "type"));
    const char *code = json_string_value(json_object_get(answer, "code"));
    w_must(w, type && (code || strcmp(type, "Receipt") == 0), "neither receipt nor error");
    if (code && strcmp(code, "RATE_LIMITED") == 0) {
        w_must(w, w->is_tight, "refused as busy without reason");
        forget(e, s);
    } else if (code && strcmp(code, "INTERNAL_ERROR") == 0) {
        answer_failure(w, e, s);
    } else {
        w_must(w, !status || (status == 200) == !code, "status %u with %s", status,
               code ? code : "a receipt");
        judge_answer(w, e, s, answer, code);
    }
}

/* ---- what is said ---- */

static int pick_enclave(struct world *w)
{
    uint64_t pick = w_pick(w, 20);
    return pick == 0 ? w->nowhere : pick < 3 ? w->timeline : (int)(pick % W_ENCLAVES);
}

static void aim_at(struct world *w, struct m_commit *c)
{
    const struct m_enclave *e = w->model.enclaves[c->enclave];
    c->has_target = w_pick(w, 30) > 0;
    for (int i = 0; i < 32; i++)
        c->target32[i] = (uint8_t)w_pick(w, 256);
    if (e->count && w_pick(w, 10))
        memcpy(c->target32, e->log[w_pick(w, (uint64_t)e->count)].commit->id32, 32);
}

static struct m_commit *make_change(struct world *w, int enclave)
{
    bool is_delete = w_pick(w, 3) == 0;
    bool is_junk = w_pick(w, 8) == 0;
    const char *content = is_junk ? "junk" : "";
    struct m_commit *c =
        w_draft(w, enclave, (int)w_pick(w, 4), is_delete ? "Delete" : "Update", content);
    c->is_junk = is_junk;
    aim_at(w, c);
    return c;
}

static int pick_role(struct world *w)
{
    uint64_t pick = w_pick(w, 16);
    return pick == 0 ? UNKNOWN_ROLE : pick < 9 ? 1 : pick < 12 ? 4 : (int)(pick % 2);
}

static struct m_op make_op(struct world *w, const char *type)
{
    struct m_op op = {.type = type,
                      .who = (enum who)w_pick(w, 4),
                      .role = pick_role(w),
                      .to = pick_role(w),
                      .event = CONTENT_TYPES[w_pick(w, 3)],
                      .open = w_pick(w, 2)};
    if (strcmp(type, "Move") == 0 && w_pick(w, 3) == 0)
        op.role = NO_ROLE;
    if (strstr(type, "Move") && w_pick(w, 4) == 0)
        op.to = NO_ROLE;
    return op;
}

static const char *quoted_role(struct world *w, const struct m_enclave *e, int role)
{
    return role == NO_ROLE ? "null" : w_text(w, "\"%s\"", w_role_name(e, role));
}

static const char *op_members(struct world *w, const struct m_enclave *e, const struct m_op *op)
{
    const char *who = w_hex(w, w->pubs32[op->who], 32);
    if (strcmp(op->type, "Gate") == 0)
        return w_text(w, "\"event\":\"%s\",\"open\":%s", op->event, op->open ? "true" : "false");
    if (strcmp(op->type, "Transfer_Owner") == 0)
        return w_text(w, "\"new_owner\":\"%s\"", who);
    if (strcmp(op->type, "Move") == 0)
        return w_text(w, "\"identity\":\"%s\",\"from\":%s,\"to\":%s", who,
                      quoted_role(w, e, op->role), quoted_role(w, e, op->to));
    if (strcmp(op->type, "Force_Move") == 0)
        return w_text(w, "\"identity\":\"%s\",\"to\":%s", who, quoted_role(w, e, op->to));
    return w_text(w, "\"identity\":\"%s\",\"role\":%s%s", who, quoted_role(w, e, op->role),
                  op->has_endpoint ? ",\"endpoint\":\"https://late.example/\"" : "");
}

static const char *bundle_text(struct world *w, struct m_commit *c)
{
    static const char *const BUNDLED[] = {"Grant", "Revoke", "Move", "Force_Move"};
    const struct m_enclave *e = w->model.enclaves[c->enclave];
    const char *text = "";
    c->op_count = 1 + (int)w_pick(w, M_OPS_MAX);
    for (int i = 0; i < c->op_count; i++) {
        c->ops[i] = make_op(w, BUNDLED[w_pick(w, 4)]);
        text = w_text(w, "%s%s{\"type\":\"%s\",%s}", text, i ? "," : "", c->ops[i].type,
                      op_members(w, e, &c->ops[i]));
    }
    return w_text(w, "{\"operations\":[%s]}", text);
}

static struct m_commit *make_ac(struct world *w, int enclave)
{
    const char *type = AC_TYPES[w_pick(w, 7)]; /* endpoints come by themselves */
    int from = w_pick(w, 3) ? OWNER : (int)w_pick(w, 4);
    struct m_commit *c = w_draft(w, enclave, from, type, "");
    const char *content = "not an object";
    c->is_junk = w_pick(w, 12) == 0;
    c->op_count = 1;
    c->ops[0] = make_op(w, type);
    if (strcmp(type, "Transfer_Owner") == 0 && w_pick(w, 3))
        c->ops[0].who = OWNER; /* so that it comes back */
    if (strcmp(type, "AC_Bundle") == 0)
        content = c->is_junk ? content : bundle_text(w, c);
    else if (!c->is_junk)
        content = w_text(w, "{%s}", op_members(w, w->model.enclaves[enclave], &c->ops[0]));
    c->content = strdup(content);
    return c;
}

static void fill_migrate(struct world *w, struct m_commit *c)
{
    struct m_leaf leaves[M_LOG_MAX + 1];
    struct m_enclave *e = w->model.enclaves[c->enclave];
    int count = m_leaves(leaves, e, e->count, w_pick(w, 4) == 0);
    m_log_root(c->ct_root32, leaves, count);
    c->prev_seq = (uint64_t)e->count - 1 + (w_pick(w, 4) == 0);
    c->content = strdup(w_text(w, "{\"new_sequencer\":\"%s\",\"prev_seq\":%llu,\"ct_root\":\"%s\"}",
                               w_hex(w, w->pubs32[GUEST], 32), (unsigned long long)c->prev_seq,
                               w_hex(w, c->ct_root32, 32)));
}

static struct m_commit *make_lifecycle(struct world *w, int enclave)
{
    static const char *const TYPES[] = {"Pause",  "Resume",    "Resume",
                                        "Resume", "Terminate", "Migrate"};
    uint64_t pick = w_pick(w, 20);
    const char *type = TYPES[pick < 18 ? pick % 4 : pick - 14];
    struct m_commit *c = w_draft(w, enclave, w_pick(w, 4) ? OWNER : MEMBER, type, "");
    if (strcmp(type, "Migrate") == 0 && w->model.enclaves[enclave]->count > 0)
        fill_migrate(w, c);
    else if (strcmp(type, "Migrate") == 0)
        c->is_junk = true;
    else if (w_pick(w, 8) == 0) {
        c->content = strdup("[]");
        c->is_junk = true;
    }
    return c;
}

/* In some worlds much is said: pages that belong to one value, and stored events in pieces. */
static const char *said(struct world *w, int enclave)
{
    enum { MUCH = 150000 };
    int much = w->is_bulky && enclave < W_ENCLAVES && w_pick(w, 3) == 0 ? MUCH : 0;
    return w_text(w, "said %llu%*s", (unsigned long long)w->nonce++, much, "");
}

static struct m_commit *make_content(struct world *w, int enclave)
{
    const char *text = said(w, enclave);
    if (enclave == w->timeline)
        return w_draft(w, enclave, w_pick(w, 6) ? OWNER : MEMBER, "Post",
                       w_text(w, "{\"text\":\"%s\"}", text));
    return w_draft(w, enclave, w_pick(w, 2) ? MEMBER : (int)w_pick(w, 5),
                   CONTENT_TYPES[w_pick(w, 3)], text);
}

static struct m_commit *make_wrong(struct world *w, int enclave)
{
    static const char *const TYPES[] = {"no type", "1x", "Shared", "Own", "Transfer"};
    struct m_commit *c = make_content(w, enclave);
    switch (w_pick(w, 6)) {
    case 0:
        c->exp_ms = w_now(w) - 60000 - 1 - w_pick(w, 1000);
        break;
    case 1:
        c->exp_ms = w_now(w) + 3600000 + 1 + w_pick(w, 1000);
        break;
    case 2:
        snprintf(c->type, sizeof c->type, "%s", TYPES[w_pick(w, 5)]);
        break;
    case 3:
        w_sign(w, c);
        c->hash32[w_pick(w, 32)] ^= 1;
        return c;
    case 4:
        w_sign(w, c);
        c->sig64[w_pick(w, 64)] ^= 1;
        return c;
    default:
        c->exp_ms = w_now(w) - 60000 + w_pick(w, 3); /* on the edge */
    }
    w_sign(w, c);
    return c;
}

static struct m_commit *make(struct world *w)
{
    int enclave = pick_enclave(w);
    bool is_rich = enclave != w->timeline && enclave != w->nowhere;
    uint64_t pick = w_pick(w, 20);
    if (pick == 0)
        return make_wrong(w, enclave);
    struct m_commit *c = !is_rich || pick < 9 ? make_content(w, enclave)
                         : pick < 13          ? make_change(w, enclave)
                         : pick < 18          ? make_ac(w, enclave)
                                              : make_lifecycle(w, enclave);
    w_sign(w, c);
    return c;
}

void w_commit(struct world *w)
{
    bool is_repeat = w->made_count && w_pick(w, 10) == 0;
    struct m_commit *c = is_repeat ? w->made[w_pick(w, (uint64_t)w->made_count)] : make(w);
    if (!is_repeat && w->made_count < M_LOG_MAX)
        w->made[w->made_count++] = c;
    send_one(w, c);
    if (w_pick(w, 12) == 0)
        send_one(w, c);
}

void w_send_and_wait(struct world *w, struct m_commit *c)
{
    send_http(w, c, commit_json(w, c));
    w_settle(w);
}
