/* Who asks: queries, proofs, heads and Pulls, in the clear and sealed. An answer shows the log as
 * it was at some moment between the question and the answer; which, is known once everything that
 * had arrived by then is judged. So answers are kept and compared then. */
#include "tests/sim/disk.h"
#include "tests/sim/world.h"

#include "proto/base/hex.h"

#include <stdlib.h>
#include <string.h>

/* ---- sealing ---- */

struct enc_bytes w_seal(struct world *w, struct enc_channel *channel, int who, int enclave,
                        const char *head, const char *members)
{
    struct enc_session session;
    struct enc_key session_key, signer;
    struct enc_scope scope;
    struct enc_bytes base64;
    char token[ENC_SESSION_TEXT_LEN + 1] = "";
    uint8_t nonce24[24];
    const struct m_enclave *e = w->model.enclaves[enclave];
    memcpy(scope.seq_pub32, w->pubs32[NODE], 32);
    memcpy(scope.enclave32, e->id32, 32);
    enc_session_make(w->curve, &session, &session_key, &w->keys[who],
                     (uint32_t)(w_now(w) / 1000) + 3600);
    enc_session_signer_key(w->curve, &signer, &session_key, &scope);
    enc_session_write(token, &session);
    bool is_good = enc_channel_derive(w->curve, channel, &signer, w->pubs32[NODE]);
    for (size_t i = 0; i < sizeof nonce24; i++)
        nonce24[i] = (uint8_t)w_pick(w, 256);
    const char *plain =
        *members == '{' ? members : w_text(w, "{\"session\":\"%s\"%s}", token, members);
    w_must(w,
           is_good && enc_seal_close(&base64, &w->arena, channel->key_query32, nonce24,
                                     enc_bytes_of_text(plain)) == ENC_ERR_OK,
           "a client cannot seal");
    return enc_bytes_of_text(
        w_text(w, "{%s,\"enclave\":\"%s\",\"from\":\"%s\",\"signer\":\"%s\",\"content\":\"%.*s\"}",
               head, w_hex(w, e->id32, 32), w_hex(w, w->pubs32[who], 32),
               w_hex(w, signer.pub32, 32), (int)base64.len, (const char *)base64.data));
}

json_t *w_open_sealed(struct world *w, const struct enc_channel *channel, json_t *holder)
{
    struct enc_bytes plain;
    const char *base64 = json_string_value(json_object_get(holder, "content"));
    w_must(w,
           base64 && enc_seal_open(&plain, &w->arena, channel->key_response32,
                                   enc_bytes_of_text(base64)) == ENC_ERR_OK,
           "a sealed answer does not open");
    return json_loadb((const char *)plain.data, plain.len, JSON_ALLOW_NUL, NULL);
}

/* ---- asking ---- */

static const char *filter_text(struct world *w, const struct read *r)
{
    const char *type = r->type ? w_text(w, ",\"type\":\"%s\"", r->type) : "";
    const char *from =
        r->from != NOBODY ? w_text(w, ",\"from\":\"%s\"", w_hex(w, w->pubs32[r->from], 32)) : "";
    const char *after = r->after >= 0 ? w_text(w, ",\"seq\":{\"start_after\":%d}", r->after) : "";
    return w_text(w, "{\"limit\":%d%s%s%s%s%s}", r->limit, type, from, after,
                  r->reverse ? ",\"reverse\":true" : "",
                  r->deleted ? ",\"status\":[\"active\",\"updated\",\"deleted\"]" : "");
}

static const char *members_text(struct world *w, const struct read *r)
{
    switch (r->kind) {
    case READ_QUERY:
        return w_text(w, "\"filter\":%s", filter_text(w, r));
    case READ_STATE:
        return w_text(w, "\"namespace\":\"rbac\",\"key\":\"%s\"", w_hex(w, w->pubs32[r->who], 32));
    case READ_PULL:
        return w_text(w, "\"url\":\"%s\",\"push_seq\":{\"start_after\":%d},\"limit\":100",
                      w->queues[r->first].url, r->last);
    default:
        return w_text(w, "\"leaf_index\":%d", r->first);
    }
}

static const char *const ACTIONS[READ_KINDS] = {
    [READ_QUERY] = "",
    [READ_PULL] = "",
    [READ_STATE] = "/state",
    [READ_INCLUSION] = "/inclusion",
    [READ_STH] = "/sth",
    [READ_INFO] = "/info/enclave",
    [READ_CONSISTENCY] = "/consistency",
};

static const char *path_of(struct world *w, const struct read *r)
{
    const struct m_enclave *e = w->model.enclaves[r->enclave];
    const char *range =
        r->kind == READ_CONSISTENCY ? w_text(w, "?from=%d&to=%d", r->first, r->last) : "";
    return w_text(w, "/enclave/%s%s%s", w_hex(w, e->id32, 32), ACTIONS[r->kind], range);
}

static struct enc_bytes body_of(struct world *w, struct read *r)
{
    const char *head = r->kind == READ_PULL ? "\"type\":\"Pull\"" : "\"type\":\"Query\"";
    const char *members = members_text(w, r);
    bool is_get = r->kind == READ_STH || r->kind == READ_INFO || r->kind == READ_CONSISTENCY;
    if (is_get)
        return (struct enc_bytes){NULL, 0};
    if (r->reader != NOBODY)
        return w_seal(w, &r->channel, r->reader, r->enclave, head, w_text(w, ",%s", members));
    return enc_bytes_of_text(w_text(w, "{%s,\"enclave\":\"%s\",\"content\":{%s}}", head,
                                    w_hex(w, w->model.enclaves[r->enclave]->id32, 32), members));
}

static void choose_query(struct world *w, struct read *r)
{
    static const char *const TYPES[] = {"Message", "Note", "Topic", "Grant", "Update"};
    const struct m_enclave *e = w->model.enclaves[r->enclave];
    r->type = w_pick(w, 2) ? NULL : TYPES[w_pick(w, 5)];
    r->from = w_pick(w, 4) ? NOBODY : (int)w_pick(w, 4);
    r->after = w_pick(w, 3) ? -1 : (int)w_pick(w, (uint64_t)e->count + 2);
    r->limit = w_pick(w, 3) ? 1000 : 1 + (int)w_pick(w, 5);
    r->reverse = w_pick(w, 4) == 0;
    r->deleted = w_pick(w, 3) == 0;
    if (r->reverse)
        r->after = -1;
}

static void choose(struct world *w, struct read *r)
{
    const struct m_enclave *e = w->model.enclaves[r->enclave];
    int leaves = m_leaf_count(e, e->count);
    r->who = (enum who)w_pick(w, WHO_COUNT);
    choose_query(w, r);
    if (r->kind == READ_INCLUSION)
        r->first = (int)w_pick(w, (uint64_t)leaves + 1);
    if (r->kind == READ_CONSISTENCY) {
        r->last = (int)w_pick(w, (uint64_t)leaves + 1);
        r->first = (int)w_pick(w, (uint64_t)r->last + 1);
    }
    if (r->kind == READ_PULL) {
        r->first = (int)w_pick(w, (uint64_t)w->queue_count);
        r->enclave = w->queues[r->first].enclave;
        r->reader = (int)w->queues[r->first].who;
        r->last = (int)w_pick(w, w->queues[r->first].last + 1);
    }
}

void w_read(struct world *w)
{
    struct read *r = (struct read *)calloc(1, sizeof *r);
    uint64_t pick = w_pick(w, 14);
    r->kind = pick < 6 ? READ_QUERY : (enum read_kind)(pick % READ_KINDS);
    r->enclave = (int)w_pick(w, W_ENCLAVES);
    r->reader = w_pick(w, 2) ? NOBODY : (int)w_pick(w, 4);
    choose(w, r);
    r->low = w->model.enclaves[r->enclave]->count;
    r->clock_low_ms = w_now(w);
    r->faults = disk_faults_met();
    struct enc_bytes body = body_of(w, r);
    struct enc_call about = {.read = r, .channel = r->reader == NOBODY ? NULL : &r->channel};
    w_http(w, "enc-node", path_of(w, r), body, about);
}

void w_answer_read(struct world *w, struct read *r, unsigned status, json_t *answer)
{
    const char *code = json_string_value(json_object_get(answer, "code"));
    const char *type = json_string_value(json_object_get(answer, "type"));
    if (code && w->is_tight && strcmp(code, "RATE_LIMITED") == 0)
        return;
    if (code && strcmp(code, "INTERNAL_ERROR") == 0 && disk_doubts_met() > 0)
        return;
    if (type && strcmp(type, "Response") == 0)
        answer = r->reader == NOBODY ? json_object_get(answer, "content")
                                     : w_open_sealed(w, &r->channel, answer);
    r->status = status;
    r->answer = answer;
    r->mark = w->arrivals;
    r->clock_high_ms = w->model.enclaves[r->enclave]->clock_high_ms;
    r->next = w->reads;
    w->reads = r;
}

/* ---- comparing: each says what is wrong, NULL when nothing is ---- */

static bool is_hex(json_t *json, const char *name, const uint8_t *wanted, size_t len)
{
    uint8_t found[64];
    const char *text = json_string_value(json_object_get(json, name));
    return text && strlen(text) == 2 * len && enc_hex_decode(found, len, enc_bytes_of_text(text)) &&
           memcmp(found, wanted, len) == 0;
}

static bool is_number(json_t *json, const char *name, uint64_t wanted)
{
    json_t *value = json_object_get(json, name);
    return json_is_integer(value) && (uint64_t)json_integer_value(value) == wanted;
}

static bool is_text(json_t *json, const char *name, const char *wanted)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text && strcmp(text, wanted) == 0;
}

static bool is_code(const struct read *r, const char *code)
{
    return is_text(r->answer, "code", code);
}

static bool is_event(json_t *json, const struct m_commit *c, bool hides)
{
    json_t *content = json_object_get(json, "content");
    bool is_shown = hides ? json_is_null(content) : is_text(json, "content", c->content);
    return is_shown && is_number(json, "seq", c->seq) && is_number(json, "type_seq", c->type_seq) &&
           is_number(json, "timestamp", c->timestamp_ms) && is_number(json, "exp", c->exp_ms) &&
           is_text(json, "type", c->type) && is_hex(json, "id", c->id32, 32) &&
           is_hex(json, "hash", c->hash32, 32) && is_hex(json, "from", c->from32, 32) &&
           is_hex(json, "sig", c->sig64, 64) && is_hex(json, "seq_sig", c->seq_sig64, 64);
}

/* Deleted events have no content, nor have the Updates of a deleted one. */
static bool is_hidden(const struct m_enclave *e, int seq, int count)
{
    const struct m_commit *by = NULL, *c = e->log[seq].commit;
    if (m_status_of(e, seq, count, &by) == 2)
        return true;
    if (strcmp(c->type, "Update") != 0)
        return false;
    const struct m_entry *target = m_find(e, c->target32, count);
    return target && m_status_of(e, (int)target->commit->seq, count, &by) == 2;
}

static bool is_matched(const struct read *r, const struct m_enclave *e, int seq, int count)
{
    const struct m_commit *by = NULL, *c = e->log[seq].commit;
    int status = m_status_of(e, seq, count, &by);
    return (!r->type || strcmp(r->type, c->type) == 0) &&
           (r->from == NOBODY || c->from == r->from) && seq > r->after &&
           (status != 2 || r->deleted) && m_is_visible(e, seq, count, r->reader);
}

static const char *check_element(json_t *element, const struct m_enclave *e, int seq, int count)
{
    static const char *const STATUSES[] = {"active", "updated", "deleted"};
    static const char *const BY[] = {NULL, "updated_by", "deleted_by"};
    const struct m_commit *by = NULL;
    int status = m_status_of(e, seq, count, &by);
    json_t *event = json_object_get(element, "event");
    if (!is_event(event, e->log[seq].commit, is_hidden(e, seq, count)))
        return "an event of a query is another one";
    if (!is_text(element, "status", STATUSES[status]))
        return "the status of an event is another one";
    if (status && !is_hex(element, BY[status], by->id32, 32))
        return "another event is said to have changed it";
    return NULL;
}

static const char *check_query(const struct read *r, struct m_enclave *e, int count)
{
    json_t *events = json_object_get(r->answer, "events"),
           *next = json_object_get(r->answer, "next");
    size_t found = 0;
    int last = -1;
    for (int i = 0; i < count; i++) {
        int seq = r->reverse ? count - 1 - i : i;
        if (!is_matched(r, e, seq, count))
            continue;
        if ((int)found == r->limit)
            return found == json_array_size(events) && json_is_integer(next) &&
                           json_integer_value(next) == last
                       ? NULL
                       : "a page does not say where it goes on";
        const char *wrong = check_element(json_array_get(events, found++), e, seq, count);
        if (wrong)
            return wrong;
        last = seq;
    }
    return found == json_array_size(events) && json_is_null(next) ? NULL
                                                                  : "a query has too many events";
}

static const char *check_state(const struct read *r, struct m_enclave *e, int count)
{
    uint8_t root32[32], led32[32], value32[32] = {0}, key21[21];
    const char *siblings[169] = {NULL};
    json_t *list = json_object_get(r->answer, "s"), *value = json_object_get(r->answer, "v");
    const char *bitmap = json_string_value(json_object_get(r->answer, "b"));
    uint64_t roles = e->log[count - 1].after.roles[r->who];
    if (!m_reads_any(e, count, r->reader))
        return is_code(r, "UNAUTHORIZED") ? NULL : "a state is shown to somebody";
    for (size_t i = 0; i < json_array_size(list) && i < 168; i++)
        siblings[i] = json_string_value(json_array_get(list, i));
    for (int i = 0; i < 8; i++)
        value32[31 - i] = (uint8_t)(roles >> (8 * i));
    if (!bitmap || strlen(bitmap) != 42)
        return "a proof without a bitmap";
    if (roles ? !is_hex(r->answer, "v", value32, 32) : !json_is_null(value))
        return "roles are not as foretold";
    m_state_key(key21, 0, e->pubs32[r->who]);
    m_state_root(root32, e, count);
    m_state_fold(led32, key21, value32, roles ? 32 : 0, bitmap, siblings);
    if (memcmp(led32, root32, 32) != 0 || !is_hex(r->answer, "state_hash", root32, 32))
        return "a state proof leads elsewhere";
    return NULL;
}

static size_t take_path(const char **path, json_t *list)
{
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && i < 64; i++)
        path[i] = json_string_value(json_array_get(list, i));
    return count;
}

static const char *check_inclusion(const struct read *r, const struct m_enclave *e, int count,
                                   const struct m_leaf *leaves, int leaf_count)
{
    const char *path[64];
    uint8_t hash32[32], root32[32];
    if (!m_reads_any(e, count, r->reader))
        return is_code(r, "UNAUTHORIZED") ? NULL : "a leaf is shown to somebody";
    if (r->first >= leaf_count)
        return is_code(r, "LEAF_NOT_FOUND") ? NULL : "a leaf that is none";
    size_t path_len = take_path(path, json_object_get(r->answer, "p"));
    memcpy(hash32, leaves[r->first].leaf32, 32);
    m_log_root(root32, leaves, leaf_count);
    bool is_proved =
        m_path_fold(hash32, (uint64_t)r->first, (uint64_t)leaf_count, path, path_len) &&
        memcmp(hash32, root32, 32) == 0;
    if (!is_proved || !is_number(r->answer, "ts", (uint64_t)leaf_count) ||
        !is_hex(r->answer, "state_hash", leaves[r->first].state32, 32) ||
        !is_hex(r->answer, "events_root", leaves[r->first].events_root32, 32))
        return "an inclusion proof leads elsewhere";
    return NULL;
}

/* RFC 9162 2.1.4.1, as it is written there. */
static size_t subproof(uint8_t (*out)[32], int m, const struct m_leaf *leaves, int n, bool whole)
{
    int k = 1;
    if (m == n) {
        if (!whole)
            m_log_root(*out, leaves, n);
        return !whole;
    }
    while (k * 2 < n)
        k *= 2;
    bool is_left = m <= k;
    size_t count = is_left ? subproof(out, m, leaves, k, whole)
                           : subproof(out, m - k, leaves + k, n - k, false);
    m_log_root(out[count], is_left ? leaves + k : leaves, is_left ? n - k : k);
    return count + 1;
}

static const char *check_consistency(const struct read *r, const struct m_leaf *leaves,
                                     int leaf_count)
{
    uint8_t wanted32[64][32], found32[32];
    json_t *list = json_object_get(r->answer, "p");
    if (r->last > leaf_count)
        return is_code(r, "INVALID_RANGE") ? NULL : "a range beyond the tree";
    size_t count = r->first == 0 || r->first == r->last
                       ? 0
                       : subproof(wanted32, r->first, leaves, r->last, true);
    if (json_array_size(list) != count || r->status != 200)
        return "a consistency proof has another length";
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!enc_hex_decode(found32, 32, enc_bytes_of_text(text)) ||
            memcmp(found32, wanted32[i], 32) != 0)
            return "a consistency proof is another one";
    }
    return NULL;
}

static const char *check_sth(const struct world *w, const struct read *r,
                             const struct m_leaf *leaves, int leaf_count)
{
    uint8_t root32[32], hash32[32], sig64[64];
    const char *sig = json_string_value(json_object_get(r->answer, "sig"));
    json_t *t = json_object_get(r->answer, "t");
    m_log_root(root32, leaves, leaf_count);
    if (!is_number(r->answer, "ts", (uint64_t)leaf_count) || !is_hex(r->answer, "r", root32, 32))
        return "a tree head is not that of the log";
    m_sth_hash(hash32, (uint64_t)json_integer_value(t), (uint64_t)leaf_count, root32);
    bool is_signed = sig && strlen(sig) == 128 &&
                     enc_hex_decode(sig64, 64, enc_bytes_of_text(sig)) &&
                     enc_schnorr_verify(w->curve, sig64, hash32, w->pubs32[NODE]);
    return is_signed ? NULL : "a tree head is not signed";
}

static const char *check_info(const struct read *r, struct m_enclave *e, int count, int leaf_count)
{
    static const char *const STATUSES[] = {"active", "paused", "terminated", "migrated"};
    uint8_t root32[32];
    m_state_root(root32, e, count);
    if (!is_text(r->answer, "status", STATUSES[e->log[count - 1].after.status]))
        return "an enclave has another status";
    if (!is_number(r->answer, "seq", (uint64_t)count - 1) ||
        !is_hex(r->answer, "state_hash", root32, 32))
        return "an enclave has another state";
    json_t *ct = json_object_get(r->answer, "ct");
    return is_number(ct, "ts", (uint64_t)leaf_count) ? NULL : "an enclave has another log";
}

/* What was sent must be what Pull gives. */
static const char *check_pull(const struct world *w, const struct read *r)
{
    json_t *list = json_object_get(r->answer, "deliveries");
    const struct queue *q = &w->queues[r->first];
    if (q->registered < 0 || q->registered >= r->low)
        return NULL; /* perhaps it was not yet there */
    if (!json_is_array(list))
        return "a Pull is refused";
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        uint64_t push_seq = (uint64_t)json_integer_value(json_object_get(item, "push_seq"));
        if (push_seq != (uint64_t)r->last + 1 + i)
            return "a Pull has a gap";
        for (int k = 0; k < w->payload_count; k++) {
            const struct payload *p = &w->payloads[k];
            json_t *sent = p->queue == r->first && p->push_seq == push_seq
                               ? json_loads(p->text, 0, NULL)
                               : NULL;
            if (sent && !json_equal(sent, json_object_get(item, "payload")))
                return "a Pull gives another payload than was sent";
            json_decref(sent);
        }
    }
    return NULL;
}

static const char *check_at(const struct world *w, const struct read *r, int count, bool with_tail)
{
    struct m_leaf leaves[M_LOG_MAX + 1];
    struct m_enclave *e = w->model.enclaves[r->enclave];
    int leaf_count = m_leaves(leaves, e, count, with_tail);
    switch (r->kind) {
    case READ_QUERY:
        return check_query(r, e, count);
    case READ_STATE:
        return check_state(r, e, count);
    case READ_INCLUSION:
        return check_inclusion(r, e, count, leaves, leaf_count);
    case READ_CONSISTENCY:
        return check_consistency(r, leaves, leaf_count);
    case READ_STH:
        return check_sth(w, r, leaves, leaf_count);
    case READ_INFO:
        return check_info(r, e, count, leaf_count);
    default:
        return check_pull(w, r);
    }
}

/* At one moment between question and answer it must have been true. */
static const char *check(const struct world *w, const struct read *r)
{
    const char *wrong = "there was no such enclave";
    const struct m_enclave *e = w->model.enclaves[r->enclave];
    if (r->low == 0 && is_code(r, "ENCLAVE_NOT_FOUND"))
        return NULL;
    for (int count = r->low ? r->low : 1; count <= e->count; count++) {
        if (count > r->low && e->log[count - 1].arrival > r->mark)
            break;
        wrong = check_at(w, r, count, false);
        uint64_t due_ms = m_tail_due_ms(e, count);
        bool may_be_closed = due_ms && (r->clock_high_ms >= due_ms || count < e->count);
        if (wrong && may_be_closed)
            wrong = check_at(w, r, count, true);
        if (!wrong)
            return NULL;
    }
    return wrong;
}

static bool is_known_now(const struct world *w, const struct read *r)
{
    const struct m_sending *s = w->model.enclaves[r->enclave]->queue;
    for (; s; s = s->next)
        if (s->arrival <= r->mark)
            return false;
    return true;
}

static bool is_session_over(const struct read *r)
{
    bool may_be =
        r->clock_high_ms > r->clock_low_ms + 1800000 || r->clock_high_ms < r->clock_low_ms;
    return may_be && (is_code(r, "SESSION_EXPIRED") || is_code(r, "INVALID_SESSION"));
}

void w_check_reads(struct world *w)
{
    struct read **at = &w->reads;
    while (*at) {
        struct read *r = *at;
        if (!is_known_now(w, r)) {
            at = &r->next;
            continue;
        }
        const char *wrong = is_session_over(r) ? NULL : check(w, r);
        w_must(w, !wrong, "%s%s of enclave %d by %d: %s: %.600s", ACTIONS[r->kind],
               r->kind == READ_PULL    ? "pull"
               : r->kind == READ_QUERY ? "query"
                                       : "",
               r->enclave, r->reader, wrong, json_dumps(r->answer, JSON_COMPACT));
        *at = r->next;
    }
}
