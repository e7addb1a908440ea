/* Who listens: subscriptions in the clear and sealed, whose frames must be the log in its order. */
#include "tests/sim/world.h"

#include "proto/base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sub *find_sub(struct world *w, const struct enc_conn *conn, const char *name)
{
    for (int i = 0; i < W_SUBS_MAX; i++)
        if (w->subs[i].conn == conn && name && strcmp(w->subs[i].name, name) == 0)
            return &w->subs[i];
    return NULL;
}

void w_note_shown(struct world *w, int enclave, uint64_t seq, const char *id)
{
    struct shown *shown = &w->shown[w->shown_count++];
    w_must(w, w->shown_count <= 4096, "too much is shown");
    *shown = (struct shown){.enclave = enclave, .seq = seq};
    w_must(w, id && enc_hex_decode(shown->id32, 32, enc_bytes_of(id, 64)), "an event has no id");
}

void w_subscribe(struct world *w)
{
    struct enc_conn *conn = w->conns[w_pick(w, W_CONNS_MAX)];
    struct sub *sub = &w->subs[w_pick(w, W_SUBS_MAX)];
    int enclave = (int)w_pick(w, W_ENCLAVES);
    const struct m_enclave *e = w->model.enclaves[enclave];
    if (!conn || !conn->socket || sub->conn || e->count == 0)
        return;
    *sub = (struct sub){.conn = conn, .enclave = enclave, .low = e->count};
    sub->reader = w_pick(w, 2) ? NOBODY : OWNER;
    sub->type = w_pick(w, 2) ? "Note" : NULL;
    snprintf(sub->name, sizeof sub->name, "s%llu", (unsigned long long)w->nonce++);
    const char *filter = sub->type ? "{\"type\":\"Note\",\"limit\":1000}" : "{\"limit\":1000}";
    const char *head = w_text(w, "\"type\":\"Query\",\"sub_id\":\"%s\"", sub->name);
    struct enc_bytes frame =
        sub->reader == NOBODY
            ? enc_bytes_of_text(w_text(w, "{%s,\"enclave\":\"%s\",\"content\":{\"filter\":%s}}",
                                       head, w_hex(w, e->id32, 32), filter))
            : w_seal(w, &sub->channel, sub->reader, enclave, head,
                     w_text(w, ",\"filter\":%s", filter));
    enc_host_socket_message(conn->socket, frame, false);
}

/* ---- what the node says, in the moment it says it ---- */

/* By the hash that it came with, or by the one it should have come with. */
static bool is_named(const struct m_commit *c, const uint8_t hash32[32])
{
    uint8_t true32[32];
    m_commit_hash(true32, c);
    return memcmp(c->hash32, hash32, 32) == 0 || memcmp(true32, hash32, 32) == 0;
}

static struct m_sending *find_sending(const struct world *w, const struct enc_conn *conn,
                                      const char *hash)
{
    uint8_t hash32[32];
    struct m_sending *found = NULL;
    if (!hash || !enc_hex_decode(hash32, 32, enc_bytes_of(hash, 64)))
        return NULL;
    for (int i = 0; i < w->model.enclave_count; i++)
        for (struct m_sending *s = w->model.enclaves[i]->queue; s && !found; s = s->next)
            if (s->asker == conn && !s->is_in_doubt && is_named(s->commit, hash32))
                found = s;
    return found;
}

void w_spoken(struct world *w, struct enc_conn *conn, const char *text, size_t len)
{
    json_t *json = json_loadb(text, len, 0, NULL);
    const char *type = json_string_value(json_object_get(json, "type"));
    const char *hash = json_string_value(json_object_get(json, "hash"));
    w_must(w, type, "a frame is none: %.*s", (int)len, text);
    bool is_answer = strcmp(type, "Receipt") == 0 || (strcmp(type, "Error") == 0 && hash);
    struct m_sending *s = is_answer ? find_sending(w, conn, hash) : NULL;
    w_must(w, s || !is_answer, "an answer to nobody: %.*s", (int)len, text);
    if (s)
        w_answer_commit(w, s, 0, json);
    json_decref(json);
}

/* ---- what the client gets ---- */

static void take_event(struct world *w, struct sub *sub, json_t *json)
{
    json_t *holder = sub->reader == NOBODY ? json : w_open_sealed(w, &sub->channel, json);
    json_t *event = json_object_get(holder, "event");
    uint64_t seq = (uint64_t)json_integer_value(json_object_get(event, "seq"));
    const char *id = json_string_value(json_object_get(event, "id"));
    w_must(w, sub->count == 0 || seq > sub->seqs[sub->count - 1], "%s: event %llu comes late",
           sub->name, (unsigned long long)seq);
    sub->seqs[sub->count++] = seq;
    w_note_shown(w, sub->enclave, seq, id);
}

void w_frame(struct world *w, struct enc_conn *conn, const char *text, size_t len)
{
    json_t *json = json_loadb(text, len, 0, NULL);
    const char *type = json_string_value(json_object_get(json, "type"));
    struct sub *sub = find_sub(w, conn, json_string_value(json_object_get(json, "sub_id")));
    if (!sub)
        return;
    w_must(w, !sub->closed[0], "%s: a frame after the last one", sub->name);
    if (strcmp(type, "Event") == 0)
        take_event(w, sub, json);
    else if (strcmp(type, "EOSE") == 0)
        sub->has_eose = true;
    else if (strcmp(type, "Closed") == 0)
        snprintf(sub->closed, sizeof sub->closed, "%s",
                 json_string_value(json_object_get(json, "reason")));
    else
        sub->conn = NULL; /* refused */
}

void w_forget_conn(struct world *w, const struct enc_conn *conn)
{
    for (int i = 0; i < W_SUBS_MAX; i++)
        if (w->subs[i].conn == conn)
            w->subs[i].conn = NULL;
}

/* ---- what it should have got ---- */

static bool keeps_roles(const struct m_enclave *e, const struct sub *sub)
{
    for (int i = sub->low; sub->reader != NOBODY && i < e->count; i++)
        if (e->log[i].after.roles[sub->reader] != e->log[sub->low - 1].after.roles[sub->reader])
            return false;
    return true;
}

static bool is_change(const struct m_commit *c)
{
    return strcmp(c->type, "Update") == 0 || strcmp(c->type, "Delete") == 0;
}

/* Deleted ones are not among the stored. Which ones were deleted when it began is known to nobody
 * outside, and so is whether a change of a match was still stored or already live. */
static bool is_wanted(const struct m_enclave *e, const struct sub *sub, int seq, bool *may)
{
    const struct m_commit *by = NULL, *c = e->log[seq].commit;
    bool is_typed = !sub->type || strcmp(c->type, sub->type) == 0;
    *may = sub->type && is_change(c);
    *may |= m_status_of(e, seq, e->count, &by) == 2;
    int count = seq + 1 > sub->low ? seq + 1 : sub->low;
    return is_typed && m_is_visible(e, seq, count, sub->reader);
}

static void check_sub(const struct world *w, const struct sub *sub)
{
    int at = 0;
    const struct m_enclave *e = w->model.enclaves[sub->enclave];
    if (!keeps_roles(e, sub))
        return;
    for (int seq = 0; seq < e->count; seq++) {
        bool may = false, is_there = at < sub->count && sub->seqs[at] == (uint64_t)seq;
        bool wanted = is_wanted(e, sub, seq, &may);
        w_must(w, is_there == wanted || may, "%s of enclave %d: event %d %s", sub->name,
               sub->enclave, seq, wanted ? "is missing" : "was not to be shown");
        at += is_there;
    }
    w_must(w, sub->has_eose && at == sub->count, "%s: no end of what was stored", sub->name);
    bool is_over = e->log[e->count - 1].after.status >= M_TERMINATED;
    w_must(w, is_over == (sub->closed[0] != 0), "%s: closed with '%s'", sub->name, sub->closed);
}

void w_check_subs(struct world *w, bool is_settled)
{
    for (int i = 0; is_settled && i < W_SUBS_MAX; i++)
        if (w->subs[i].conn)
            check_sub(w, &w->subs[i]);
    for (int i = 0; i < w->shown_count; i++) {
        const struct shown *shown = &w->shown[i];
        const struct m_enclave *e = w->model.enclaves[shown->enclave];
        if (!is_settled && shown->seq >= (uint64_t)e->count)
            continue;
        w_must(w, shown->seq < (uint64_t)e->count, "event %llu of enclave %d was shown and is gone",
               (unsigned long long)shown->seq, shown->enclave);
        w_must(w, memcmp(e->log[shown->seq].commit->id32, shown->id32, 32) == 0,
               "event %llu of enclave %d was shown and is another one",
               (unsigned long long)shown->seq, shown->enclave);
    }
}
