/* What is stored after a start must be what was acknowledged, and of the rest what the model would
 * have made of a first part of it. Read without the services, straight from the store. */
#include "tests/sim/disk.h"
#include "tests/sim/world.h"

#include "proto/record.h"
#include "services/inbox.h"
#include "services/state.h"
#include "store/read.h"

#include <stdlib.h>
#include <string.h>

struct stored {
    struct enc_snap *snap;
    uint64_t ord;
    bool exists;
};

static void check_same(const struct world *w, const struct m_enclave *e, int seq,
                       const struct enc_event *event)
{
    const struct m_commit *c = e->log[seq].commit;
    bool is_same = memcmp(event->id32, c->id32, 32) == 0 &&
                   memcmp(event->seq_sig64, c->seq_sig64, 64) == 0 &&
                   memcmp(event->commit.hash32, c->hash32, 32) == 0 &&
                   memcmp(event->commit.sig64, c->sig64, 64) == 0 &&
                   memcmp(event->commit.from32, c->from32, 32) == 0 &&
                   enc_bytes_is(event->commit.type, c->type) &&
                   (event->is_erased || enc_bytes_is(event->commit.content, c->content)) &&
                   event->seq == c->seq && event->type_seq == c->type_seq &&
                   event->timestamp_ms == c->timestamp_ms && event->commit.exp_ms == c->exp_ms;
    w_must(w, is_same, "event %d of %s is not the one that was acknowledged", seq,
           w_hex((struct world *)w, e->id32, 4));
}

/* It was in the log when nobody had an answer: the first of those under way that could be it. */
static void resolve(struct world *w, struct m_enclave *e, const struct enc_event *event)
{
    struct m_sending *s = e->queue;
    bool is_it = false;
    while (s && !is_it) {
        is_it = memcmp(s->commit->hash32, event->commit.hash32, 32) == 0;
        const char *no = m_judge(&w->model, e, s, is_it ? NULL : "");
        w_must(w, !is_it || !no, "a %s is in the log that should be %s", s->commit->type, no);
        w_must(w, is_it || no || s->is_in_doubt, "a %s was passed over", s->commit->type);
        e->queue = s->next;
        if (is_it) {
            const char *wrong = m_accept(&w->model, e, s, event->timestamp_ms);
            w_must(w, !wrong, "%s: %s", s->commit->type, wrong);
        }
        s = s->next;
    }
    w_must(w, is_it, "event %llu is nobody's", (unsigned long long)event->seq);
    check_same(w, e, e->count - 1, event);
}

static void compare_log(struct world *w, struct m_enclave *e, const struct stored *stored)
{
    struct enc_scan scan;
    struct enc_event_found found;
    struct enc_event event;
    int seq = 0;
    enc_scan_events(&scan, stored->snap, stored->ord, (struct enc_range){0, UINT64_MAX, false});
    for (; enc_scan_event(&scan, &found); seq++) {
        w_must(w, enc_record_take(&event, &w->arena, found.record) == ENC_ERR_OK, "no record");
        w_must(w, event.seq == (uint64_t)seq, "the log has a gap at %d", seq);
        if (seq < e->count)
            check_same(w, e, seq, &event);
        else
            resolve(w, e, &event);
    }
    w_must(w, enc_scan_fini(&scan) == ENC_ERR_OK, "a log cannot be read");
    w_must(w, seq >= e->count, "%d events were acknowledged, %d are left", e->count, seq);
}

static void compare_head(struct world *w, struct m_enclave *e, const struct stored *stored,
                         bool is_settled)
{
    struct m_leaf leaves[M_LOG_MAX + 1];
    struct enc_bytes record;
    struct enc_state state;
    uint8_t mine32[32], its32[32];
    uint64_t due_ms = m_tail_due_ms(e, e->count);
    w_must(w, enc_snap_head(stored->snap, &record, stored->ord) == ENC_ERR_OK, "no head");
    w_must(w, enc_state_decode(&state, &w->arena, record) == ENC_ERR_OK, "the head is none");
    m_state_root(mine32, e, e->count);
    w_must(w, memcmp(mine32, state.smt.hash32, 32) == 0, "the stored state is another one");
    bool has_tail = state.ct.count > (uint64_t)m_leaf_count(e, e->count);
    int count = m_leaves(leaves, e, e->count, has_tail);
    m_log_root(mine32, leaves, count);
    enc_frontier_root(&state.ct, its32);
    w_must(w, (uint64_t)count == state.ct.count && memcmp(mine32, its32, 32) == 0,
           "the stored tree head is another one");
    w_must(w, !has_tail || due_ms, "a bundle was closed without reason");
    w_must(w, !is_settled || has_tail == (due_ms != 0), "a bundle was not closed in its time");
    w_must(w, state.next_seq == (uint64_t)e->count, "the next seq is another one");
}

static struct stored find(const struct world *w, struct enc_snap *snap, const struct m_enclave *e)
{
    struct enc_enclave_row row;
    enum enc_err err = enc_snap_enclave(snap, &row, e->id32);
    w_must(w, err == ENC_ERR_OK || err == ENC_ERR_ENCLAVE_NOT_FOUND, "enclaves cannot be read");
    return (struct stored){snap, err == ENC_ERR_OK ? row.ord : 0, err == ENC_ERR_OK};
}

static struct enc_snap *look(const struct world *w)
{
    struct enc_snap *snap = NULL;
    w_must(w, enc_snap_open(enc_data_shard_at(w->data, 0), &snap) == ENC_ERR_OK, "no snapshot");
    return snap;
}

static void tell_flaw(void *opaque, const struct enc_store_flaw *flaw)
{
    w_differs((const struct world *)opaque, "table %u: %s", flaw->table, flaw->what);
}

static void check_shape(struct world *w, struct enc_snap *snap)
{
    uint64_t flaws = 0;
    w_must(w, enc_store_verify(snap, &flaws, tell_flaw, w) == ENC_ERR_OK,
           "the store is unreadable");
}

/* ---- the DataView's inbox ---- */

static bool is_followed(const struct world *w)
{
    const struct m_enclave *view = w->model.enclaves[w->timeline];
    for (int i = 0; i < view->count; i++)
        if (strcmp(view->log[i].commit->type, "Follow") == 0)
            return true;
    return false;
}

static bool was_given_up(const struct world *w)
{
    for (int i = 0; i < w->payload_count; i++)
        if (w->queues[w->payloads[i].queue].who == NODE && w->payloads[i].failures >= 11)
            return true;
    return false;
}

static void check_inbox(struct world *w, struct enc_snap *snap, bool is_settled)
{
    struct enc_scan scan;
    struct enc_row_found found;
    struct enc_inbox_row row;
    struct enc_event event;
    struct stored stored = find(w, snap, w->model.enclaves[w->timeline]);
    const struct m_enclave *e = w->model.enclaves[0];
    struct enc_row_range range = {.view = {stored.ord, ENC_VIEW_INBOX}};
    int at = 0;
    if (!stored.exists)
        return;
    enc_scan_rows(&scan, snap, &range);
    while (enc_scan_row(&scan, &found)) {
        w_must(w, enc_inbox_take(&row, found.key, found.value), "a row of the inbox is none");
        while (at < e->count && (uint64_t)at < row.seq) {
            bool is_missed = m_delivery(e, at, NODE) == 'P' && at > 0;
            w_must(w, !is_missed || was_given_up(w), "event %d did not come into the DataView", at);
            at++;
        }
        w_must(w, at < e->count && (uint64_t)at == row.seq && m_delivery(e, at, NODE) == 'P',
               "the DataView has event %llu, which it should not", (unsigned long long)row.seq);
        if (row.record.len) { /* empty: it was deleted before it came */
            w_must(w, enc_record_take(&event, &w->arena, row.record) == ENC_ERR_OK, "no record");
            check_same(w, e, at, &event);
        }
        at++;
    }
    w_must(w, enc_scan_fini(&scan) == ENC_ERR_OK, "the inbox cannot be read");
    for (; is_settled && is_followed(w) && at < e->count; at++)
        w_must(w, m_delivery(e, at, NODE) != 'P' || was_given_up(w),
               "event %d never came into the DataView", at);
}

/* ---- both ---- */

void w_check_store(struct world *w, bool is_settled)
{
    struct enc_snap *snap = look(w);
    check_shape(w, snap);
    for (int i = 0; i < w->model.enclave_count; i++) {
        struct m_enclave *e = w->model.enclaves[i];
        struct stored stored = find(w, snap, e);
        w_must(w, stored.exists || e->count == 0, "enclave %d is gone", i);
        if (!stored.exists)
            continue;
        compare_log(w, e, &stored);
        compare_head(w, e, &stored, is_settled);
    }
    check_inbox(w, snap, is_settled);
    enc_snap_close(snap);
}

void w_recover(struct world *w)
{
    w_check_store(w, false);
    for (int i = 0; i < w->model.enclave_count; i++)
        w->model.enclaves[i]->queue = NULL; /* those who had no answer and left nothing */
    w_check_reads(w);
    w_check_subs(w, false);
    for (int i = 0; i < w->shown_count; i++)
        w_must(w, w->shown[i].seq < (uint64_t)w->model.enclaves[w->shown[i].enclave]->count,
               "event %llu of enclave %d was shown and is gone",
               (unsigned long long)w->shown[i].seq, w->shown[i].enclave);
    w->shown_count = 0;
    w_check_pushes(w, false);
}
