/* Who is pushed to: three receivers that fail, are silent and come back, one of them a DataView of
 * this very node. Each payload must be the next piece of the log, for ever the same bytes. */
#include "tests/sim/disk.h"
#include "tests/sim/world.h"

#include "proto/base/hex.h"

#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS_MAX = 11 };

static int queue_of(const struct world *w, struct enc_bytes url)
{
    for (int i = 0; i < w->queue_count; i++)
        if (enc_bytes_is(url, w->queues[i].url))
            return i;
    w_differs(w, "a POST to nobody: %.*s", (int)url.len, (const char *)url.data);
}

static struct payload *find_payload(struct world *w, int queue, uint64_t push_seq)
{
    for (int i = 0; i < w->payload_count; i++)
        if (w->payloads[i].queue == queue && w->payloads[i].push_seq == push_seq)
            return &w->payloads[i];
    return NULL;
}

static uint64_t push_seq_of(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    uint64_t push_seq = (uint64_t)json_integer_value(json_object_get(json, "push_seq"));
    json_decref(json);
    return push_seq;
}

static void note_payload(struct world *w, int queue, struct enc_bytes body)
{
    char *text = strndup((const char *)body.data, body.len);
    uint64_t push_seq = push_seq_of(text);
    const struct payload *known = find_payload(w, queue, push_seq);
    w_see(w, body.data, body.len);
    if (known) {
        w_must(w, strcmp(known->text, text) == 0, "push_seq %llu of %s names two payloads",
               (unsigned long long)push_seq, w->queues[queue].url);
        w_must(w, !known->is_delivered || w->crashes || disk_faults_met(),
               "a payload comes again after it was taken");
        return;
    }
    w_must(w, push_seq == w->queues[queue].last + 1, "push_seq %llu of %s follows %llu",
           (unsigned long long)push_seq, w->queues[queue].url,
           (unsigned long long)w->queues[queue].last);
    w_must(w, w->payload_count < W_PAYLOADS_MAX, "too many payloads");
    w->queues[queue].last = push_seq;
    w->payloads[w->payload_count++] = (struct payload){queue, push_seq, text, 0, false};
}

void w_fetch(struct world *w, struct enc_fetch *fetch)
{
    struct fetch_ *slot = w->fetches;
    while (slot->fetch)
        slot++;
    w_must(w, slot < w->fetches + W_FETCHES_MAX - 1, "too many POSTs");
    *slot = (struct fetch_){.fetch = fetch};
    if (!w->is_dead && !disk_is_cut())
        note_payload(w, queue_of(w, fetch->url), fetch->body);
}

/* ---- what the world does with them ---- */

size_t w_fetch_choices(const struct world *w)
{
    size_t count = 0;
    for (size_t i = 0; i < W_FETCHES_MAX; i++)
        count += w->fetches[i].fetch && !w->fetches[i].is_asking;
    return count;
}

static void land(struct fetch_ *slot, int status)
{
    struct enc_fetch *fetch = slot->fetch;
    slot->fetch = NULL;
    fetch->status = status;
    fetch->done(fetch);
}

static void note_end(struct world *w, const struct enc_fetch *fetch, int status)
{
    int queue = queue_of(w, fetch->url);
    char *text = strndup((const char *)fetch->body.data, fetch->body.len);
    struct payload *payload = find_payload(w, queue, push_seq_of(text));
    bool is_good = status >= 200 && status < 300;
    free(text);
    if (!payload)
        return;
    payload->is_delivered |= is_good;
    payload->failures += !is_good;
}

static void ask_ourselves(struct world *w, struct fetch_ *slot)
{
    const struct enc_fetch *fetch = slot->fetch;
    const char *path = strchr(w->queues[queue_of(w, fetch->url)].url + 8, '/');
    struct enc_call about = {.fetch = slot};
    slot->is_asking = true;
    w_http(w, "timeline", path, fetch->body, about);
}

void w_fetch_run(struct world *w, size_t choice)
{
    struct fetch_ *slot = w->fetches;
    while (!slot->fetch || slot->is_asking || choice-- > 0)
        slot++;
    const struct queue *q = &w->queues[queue_of(w, slot->fetch->url)];
    bool fails = q->is_down || w_pick(w, 20) == 0;
    int status = slot->is_over ? slot->status : fails ? (w_pick(w, 2) ? 500 : 0) : 200;
    if (!slot->is_over && status == 200 && q->who == NODE) {
        ask_ourselves(w, slot);
        return;
    }
    note_end(w, slot->fetch, status);
    land(slot, status);
}

void w_fetches_end(struct world *w)
{
    for (size_t i = 0; i < W_FETCHES_MAX; i++)
        if (w->fetches[i].fetch)
            land(&w->fetches[i], 0);
}

/* ---- what they must have been sent ---- */

static json_t *open_payload(struct world *w, const struct payload *p)
{
    uint8_t key32[32];
    struct enc_bytes plain;
    enum who who = w->queues[p->queue].who;
    json_t *json = json_loads(p->text, 0, NULL);
    const char *base64 = json_string_value(json_object_get(json, "content"));
    w_must(w,
           enc_push_key(w->curve, key32, &w->keys[who], w->pubs32[NODE]) && base64 &&
               enc_seal_open(&plain, &w->arena, key32, enc_bytes_of_text(base64)) == ENC_ERR_OK,
           "a payload does not open");
    json_decref(json);
    return json_loadb((const char *)plain.data, plain.len, 0, NULL);
}

static bool is_item(const struct world *w, json_t *item, const struct m_commit *c)
{
    const char *id = json_string_value(json_object_get(item, "id"));
    uint64_t seq = (uint64_t)json_integer_value(json_object_get(item, "seq"));
    (void)w;
    return seq == c->seq && id && strcmp(id, w_hex((struct world *)w, c->id32, 32)) == 0;
}

/* Both lists of a payload, each in the order of the log; at says how far the log is delivered. */
static int check_payload(struct world *w, const struct payload *p, int at)
{
    size_t pushed = 0, noticed = 0;
    const struct queue *q = &w->queues[p->queue];
    const struct m_enclave *e = w->model.enclaves[q->enclave];
    json_t *body = open_payload(w, p);
    json_t *push = json_object_get(body, "push"), *notify = json_object_get(body, "notify");
    while (pushed + noticed < json_array_size(push) + json_array_size(notify)) {
        while (at < e->count && !m_delivery(e, at, q->who))
            at++;
        if (at == e->count)
            return e->count; /* what is to come is not known yet */
        bool is_full = m_delivery(e, at, q->who) == 'P';
        json_t *item = is_full ? json_array_get(push, pushed++) : json_array_get(notify, noticed++);
        w_must(w, is_item(w, item, e->log[at].commit),
               "payload %llu to %s: event %d is not in its place", (unsigned long long)p->push_seq,
               q->url, at);
        at++;
    }
    json_decref(body);
    return at;
}

static void find_registration(const struct world *w, struct queue *q)
{
    const struct m_enclave *e = w->model.enclaves[q->enclave];
    for (int i = 0; i < e->count && q->registered < 0; i++)
        if (strcmp(e->log[i].commit->type, "Grant_Push") == 0 &&
            e->log[i].commit->ops[0].who == q->who)
            q->registered = i;
}

static void check_queue(struct world *w, int queue, bool is_settled)
{
    struct queue *q = &w->queues[queue];
    const struct m_enclave *e = w->model.enclaves[q->enclave];
    find_registration(w, q);
    if (q->registered < 0)
        return;
    int at = q->registered;
    for (uint64_t i = 1; i <= q->last && at < e->count; i++) {
        const struct payload *p = find_payload(w, queue, i);
        at = check_payload(w, p, at);
        w_must(w, !is_settled || p->is_delivered || p->failures >= ATTEMPTS_MAX,
               "payload %llu to %s was never taken", (unsigned long long)i, q->url);
    }
    while (at < e->count && !m_delivery(e, at, q->who))
        at++;
    w_must(w, !is_settled || at == e->count, "event %d was never pushed to %s", at, q->url);
}

void w_check_pushes(struct world *w, bool is_settled)
{
    for (int i = 0; i < w->queue_count; i++)
        check_queue(w, i, is_settled);
}
