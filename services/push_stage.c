/* What the push queues write into a run, and what follows when it is durable or dropped
 * (10.2, 10.3). */
#include "proto/base/edge.h"
#include "services/count.h"
#include "services/dest.h"
#include "services/inside.h"

#include <stdlib.h>

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = ENC_PUSH_RETRY_MAX_MS,
    SLACK_MS = 1000,        /* a clock that is corrected a little is none that was set back */
    CROWDED_MS = 250,       /* pause when too many POSTs are under way, or the store refused */
    DELIVERED_KEEP = 10000, /* payloads kept for Pull per queue */
};

static struct enc_queue_key key_of(const struct enc_run *run, const struct enc_dest *dest)
{
    return (struct enc_queue_key){.ord = run->state.ord, .queue16 = dest->queue16};
}

static bool has_slot(const struct enc_host *host)
{
    /* relaxed: a bound that may be missed by a few, no data hangs on it */
    return atomic_load_explicit(&host->push_in_flight, memory_order_relaxed) <
           host->limits.push_in_flight_max;
}

/* ---- recording results ---- */

static uint64_t retry_after_ms(uint32_t failures)
{
    uint64_t pause_ms = (uint64_t)RETRY_FIRST_MS << (failures < 20 ? failures - 1 : 19);
    return pause_ms < RETRY_MAX_MS ? pause_ms : RETRY_MAX_MS;
}

static enum enc_err last_payload(struct enc_run *run, struct enc_delivered_row *out,
                                 const struct enc_dest *dest)
{
    struct enc_scan scan;
    struct enc_queue_key queue = key_of(run, dest);
    struct enc_range only = {.first = dest->row.seq, .last = dest->row.seq};
    enc_scan_delivereds(&scan, run->snap, &queue, only);
    bool found = enc_scan_delivered(&scan, out);
    ENC_TRY(enc_scan_fini(&scan));
    return found ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err record_success(struct enc_run *run, struct enc_dest *dest)
{
    struct enc_delivered_row row;
    struct enc_queue_key queue = key_of(run, dest);
    ENC_TRY(last_payload(run, &row, dest));
    row.delivered_ms = run->now_ms;
    enc_put_delivered(&run->set, &queue, &row);
    dest->staged = (struct enc_push_seq_row){.seq = dest->row.seq};
    return ENC_ERR_OK;
}

static void record_failure(struct enc_run *run, struct enc_dest *dest)
{
    bool is_last = dest->row.attempt + 1 >= run->node->host->limits.push_attempts_max;
    dest->staged = dest->row;
    dest->staged.attempt++;
    dest->staged.next_ms = is_last ? 0 : run->now_ms + retry_after_ms(dest->staged.attempt);
}

static enum enc_err record_result(struct enc_run *run, struct enc_dest *dest)
{
    struct enc_queue_key queue = key_of(run, dest);
    if (dest->has_landed_ok)
        ENC_TRY(record_success(run, dest));
    else
        record_failure(run, dest);
    enc_put_push_seq(&run->set, &queue, &dest->staged);
    dest->is_recorded = true;
    ENC_EDGE("dest", dest, NULL, "record", dest->has_landed_ok ? "acked" : "missed");
    run->has_writes = true;
    return ENC_ERR_OK;
}

/* ---- making payloads ---- */

static enum enc_err list_pending(struct enc_run *run, struct enc_pending_list *list,
                                 const struct enc_dest *dest)
{
    struct enc_scan scan;
    struct enc_pending_found found;
    struct enc_queue_key queue = key_of(run, dest);
    uint32_t max = run->node->host->limits.push_batch_max;
    list->count = 0;
    list->rows = ENC_ARENA_NEW(&run->arena, struct enc_pending_row, max);
    if (!list->rows)
        return ENC_ERR_TOO_LARGE;
    enc_scan_pendings(&scan, run->snap, &queue);
    while (list->count < max && enc_scan_pending(&scan, &found))
        list->rows[list->count++] = found.row;
    return enc_scan_fini(&scan);
}

static enum enc_err stage_payload(struct enc_run *run, struct enc_dest *dest)
{
    struct enc_pending_list list;
    struct enc_queue_key queue = key_of(run, dest);
    struct enc_delivered_row row = {.push_seq = dest->row.seq + 1};
    ENC_TRY(list_pending(run, &list, dest));
    dest->has_pending = list.count > 0;
    if (!dest->has_pending)
        return ENC_ERR_OK;
    ENC_TRY(enc_push_payload(run, &row.payload, &list, dest, row.push_seq));
    dest->shipment = enc_shipment_new(run->node, dest, row.payload);
    if (!dest->shipment)
        return ENC_ERR_TOO_LARGE;
    dest->staged = (struct enc_push_seq_row){.seq = row.push_seq, .next_ms = run->now_ms};
    enc_put_delivered(&run->set, &queue, &row);
    enc_put_push_seq(&run->set, &queue, &dest->staged);
    for (size_t i = 0; i < list.count; i++)
        enc_del_pending(&run->set, &queue, list.rows[i].row_id);
    if (row.push_seq > DELIVERED_KEEP)
        enc_del_delivered(&run->set, &queue, row.push_seq - DELIVERED_KEEP);
    dest->phase = ENC_DEST_STAGED;
    ENC_EDGE("dest", dest, NULL, "stage", "staged");
    run->has_writes = true;
    return ENC_ERR_OK;
}

static enum enc_err stage_dest(struct enc_run *run, struct enc_dest *dest)
{
    if (dest->is_new || dest->is_leaving)
        return ENC_ERR_OK;
    if (dest->phase == ENC_DEST_LANDED)
        return record_result(run, dest);
    struct enc_host *host = run->node->host;
    if (dest->phase != ENC_DEST_IDLE || !dest->has_pending || !enc_run_has_room(run) ||
        !enc_push_take_slot(host))
        return ENC_ERR_OK;
    enum enc_err err = stage_payload(run, dest);
    if (dest->phase != ENC_DEST_STAGED)
        enc_push_give_slot(host);
    return err;
}

/* ---- the alarm: something waits, so a restarted node must look here ---- */

static uint64_t wanted_alarm_ms(const struct enc_run *run, const struct enc_dest *dest)
{
    if (dest->is_leaving)
        return 0;
    if (dest->is_recorded && !dest->has_landed_ok && dest->staged.next_ms)
        return dest->staged.next_ms;
    if (dest->phase == ENC_DEST_WAITING)
        return dest->row.next_ms;
    bool is_open = dest->has_staged || dest->has_pending || dest->phase == ENC_DEST_STAGED ||
                   dest->phase == ENC_DEST_FLYING;
    return is_open ? run->now_ms : 0;
}

static void stage_alarm(struct enc_run *run, struct enc_pushes *pushes)
{
    struct enc_alarm_row row = {.kind = ENC_TIMER_PUSH};
    for (const struct enc_dest *d = pushes->first; d; d = d->next) {
        uint64_t wanted_ms = wanted_alarm_ms(run, d);
        if (wanted_ms && (row.due_ms == 0 || wanted_ms < row.due_ms))
            row.due_ms = wanted_ms;
    }
    pushes->staged_alarm_ms = row.due_ms;
    bool is_kept = row.due_ms && pushes->alarm_ms && pushes->alarm_ms <= row.due_ms;
    if (is_kept)
        pushes->staged_alarm_ms = pushes->alarm_ms; /* early is harmless and saves a write */
    else if (row.due_ms)
        enc_put_alarm(&run->set, run->state.enclave32, &row);
    else if (pushes->alarm_ms)
        enc_del_alarm(&run->set, run->state.enclave32, ENC_TIMER_PUSH);
}

enum enc_err enc_push_stage(struct enc_run *run)
{
    struct enc_pushes *pushes = run->node->pushes;
    if (!pushes)
        return ENC_ERR_OK;
    for (struct enc_dest *d = pushes->first; d; d = d->next)
        ENC_TRY(stage_dest(run, d));
    pushes->is_due = false;
    if (run->has_writes)
        stage_alarm(run, pushes);
    return ENC_ERR_OK;
}

/* ---- the run is durable ---- */

static void settle_result(const struct enc_node *node, struct enc_dest *dest)
{
    bool goes_on =
        !dest->has_landed_ok && dest->staged.attempt < node->host->limits.push_attempts_max;
    dest->row = dest->staged;
    dest->is_recorded = false;
    ENC_EDGE("dest", dest, NULL, dest->has_landed_ok || goes_on ? "settle" : "give_up",
             goes_on ? "waiting" : "idle");
    enc_dest_enter(node->host, dest, goes_on ? ENC_DEST_WAITING : ENC_DEST_IDLE);
    enc_count_attempt(node->host, dest->has_landed_ok ? ENC_ATTEMPT_DELIVERED
                                  : goes_on           ? ENC_ATTEMPT_FAILED
                                                      : ENC_ATTEMPT_GIVEN_UP);
}

static void fly(const struct enc_host *host, struct enc_dest *dest, struct enc_shipment *shipment)
{
    dest->shipment = NULL;
    dest->flight = shipment->flight;
    ENC_EDGE("dest", dest, NULL, "fly", "flying");
    enc_dest_enter(host, dest, ENC_DEST_FLYING);
    enc_shipment_launch(shipment);
}

static void settle_payload(const struct enc_host *host, struct enc_dest *dest)
{
    struct enc_shipment *shipment = dest->shipment;
    dest->row = dest->staged;
    fly(host, dest, shipment);
}

static void settle(struct enc_node *node, struct enc_dest *dest)
{
    dest->is_new = false;
    dest->has_pending |= dest->has_staged || dest->phase == ENC_DEST_STAGED;
    dest->has_staged = false;
    if (dest->is_recorded)
        settle_result(node, dest);
    if (dest->phase == ENC_DEST_STAGED)
        settle_payload(node->host, dest);
    node->pushes->is_due |= dest->phase == ENC_DEST_IDLE && dest->has_pending;
}

static void free_leaving(const struct enc_node *node)
{
    struct enc_dest **at = &node->pushes->first;
    while (*at) {
        struct enc_dest *dest = *at;
        if (!dest->is_leaving) {
            at = &dest->next;
            continue;
        }
        *at = dest->next;
        enc_dest_free(node->host, dest);
    }
}

/* Its time has come, or is further away than it ever was: the clock was set back. */
static bool is_overdue(const struct enc_dest *dest, uint64_t now_ms)
{
    uint64_t next_ms = dest->row.next_ms;
    uint32_t failures = dest->row.attempt ? dest->row.attempt : 1;
    return dest->phase == ENC_DEST_WAITING &&
           (next_ms <= now_ms || next_ms > now_ms + retry_after_ms(failures) + SLACK_MS);
}

static void set_timer(struct enc_node *node, uint64_t now_ms)
{
    uint64_t due_ms = UINT64_MAX;
    for (const struct enc_dest *d = node->pushes->first; d; d = d->next) {
        bool is_late = is_overdue(d, now_ms);
        bool is_crowded = d->phase == ENC_DEST_IDLE && d->has_pending && !has_slot(node->host);
        if ((is_late || is_crowded) && now_ms + CROWDED_MS < due_ms)
            due_ms = now_ms + CROWDED_MS;
        else if (d->phase == ENC_DEST_WAITING && !is_late && d->row.next_ms < due_ms)
            due_ms = d->row.next_ms;
    }
    if (node->pushes->is_stalled)
        due_ms = now_ms + CROWDED_MS;
    if (due_ms != UINT64_MAX)
        enc_node_set_timer(node, ENC_TIMER_PUSH, due_ms);
}

void enc_push_rest(struct enc_node *node)
{
    if (node->pushes)
        set_timer(node, enc_host_now_ms(node->host));
}

void enc_push_wake(struct enc_node *node)
{
    struct enc_pushes *pushes = node->pushes;
    if (!pushes)
        return;
    pushes->alarm_ms = pushes->staged_alarm_ms;
    pushes->is_stalled = false;
    free_leaving(node);
    for (struct enc_dest *d = pushes->first; d; d = d->next)
        settle(node, d);
    if (!has_slot(node->host))
        pushes->is_due = false;
    set_timer(node, enc_host_now_ms(node->host));
}

/* ---- the run was dropped ---- */

static void unstage(struct enc_dest *dest)
{
    if (dest->is_recorded)
        ENC_EDGE("dest", dest, NULL, "forget", dest->has_landed_ok ? "landed_ok" : "landed_bad");
    if (dest->phase == ENC_DEST_STAGED)
        ENC_EDGE("dest", dest, NULL, "forget", "idle");
    dest->is_leaving = false;
    dest->is_recorded = false;
    dest->has_staged = false;
    if (dest->phase == ENC_DEST_STAGED)
        dest->phase = ENC_DEST_IDLE;
    enc_shipment_drop(dest->shipment);
    dest->shipment = NULL;
}

void enc_push_forget(struct enc_node *node)
{
    struct enc_pushes *pushes = node->pushes;
    if (!pushes)
        return;
    for (struct enc_dest *d = pushes->first; d; d = d->next) {
        unstage(d);
        d->is_leaving = d->is_new;
    }
    free_leaving(node);
    pushes->is_due = true;
    pushes->is_stalled = true;
    set_timer(node, enc_host_now_ms(node->host));
}

/* ---- retries ---- */

static enum enc_err read_shipment(struct enc_node *node, struct enc_dest *dest)
{
    struct enc_snap *snap = NULL;
    struct enc_scan scan;
    struct enc_delivered_row row;
    struct enc_queue_key queue = {.ord = node->state.ord, .queue16 = dest->queue16};
    struct enc_range only = {.first = dest->row.seq, .last = dest->row.seq};
    ENC_TRY(enc_snap_open(node->store, &snap));
    enc_scan_delivereds(&scan, snap, &queue, only);
    if (enc_scan_delivered(&scan, &row))
        dest->shipment = enc_shipment_new(node, dest, row.payload);
    enum enc_err err = enc_scan_fini(&scan);
    enc_snap_close(snap);
    return err == ENC_ERR_OK && !dest->shipment ? ENC_ERR_BUSY : err;
}

static void retry(struct enc_node *node, struct enc_dest *dest)
{
    if (!enc_push_take_slot(node->host))
        return; /* the timer is set again and comes back */
    if (read_shipment(node, dest) == ENC_ERR_OK)
        fly(node->host, dest, dest->shipment);
    else
        enc_push_give_slot(node->host);
}

void enc_push_timer(struct enc_node *node, uint64_t now_ms)
{
    struct enc_pushes *pushes = node->pushes;
    if (!pushes)
        return;
    pushes->is_stalled = false;
    for (struct enc_dest *d = pushes->first; d; d = d->next) {
        if (is_overdue(d, now_ms))
            retry(node, d);
        pushes->is_due |= d->phase == ENC_DEST_IDLE && d->has_pending && has_slot(node->host);
    }
    set_timer(node, now_ms);
}
