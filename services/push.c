#include "services/push.h"

#include "proto/base/edge.h"
#include "proto/base/hex.h"
#include "proto/sha256.h"
#include "services/count.h"
#include "services/dest.h"
#include "services/inside.h"
#include "services/read.h"

#include <stdlib.h>

/* ---- keys ---- */

void enc_push_url_key(uint8_t url16[16], struct enc_bytes url)
{
    uint8_t hash32[32];
    enc_sha256(hash32, url);
    memcpy(url16, hash32, 16);
}

void enc_push_queue_key(uint8_t queue16[16], const uint8_t enclave32[32],
                        const uint8_t identity32[32], struct enc_bytes url)
{
    char hex[64 + 1 + 64 + 1];
    uint8_t hash32[32];
    enc_hex_encode(hex, enc_bytes_of(enclave32, 32));
    hex[64] = '|';
    enc_hex_encode(hex + 65, enc_bytes_of(identity32, 32));
    hex[129] = '|';
    const struct enc_bytes parts[] = {enc_bytes_of(hex, sizeof hex), url};
    enc_sha256_parts(hash32, parts, 2);
    memcpy(queue16, hash32, 16);
}

static struct enc_queue_key key_of(const struct enc_run *run, const struct enc_dest *dest)
{
    return (struct enc_queue_key){.ord = run->state.ord, .queue16 = dest->queue16};
}

/* ---- the list of destinations ---- */

static struct enc_dest *new_dest(struct enc_node *node, const uint8_t identity32[32],
                                 struct enc_bytes url)
{
    if (!node->pushes)
        node->pushes = (struct enc_pushes *)calloc(1, sizeof *node->pushes);
    struct enc_dest *dest = (struct enc_dest *)calloc(1, sizeof *dest + url.len + 1);
    if (!node->pushes || !dest) {
        free(dest);
        return NULL;
    }
    memcpy(dest->identity32, identity32, 32);
    memcpy(dest->url, url.data, url.len);
    dest->url_len = url.len;
    enc_push_url_key(dest->url16, url);
    enc_push_queue_key(dest->queue16, node->state.enclave32, identity32, url);
    dest->next = node->pushes->first;
    node->pushes->first = dest;
    ENC_EDGE("dest", dest, "NONE", "init", "idle");
    enc_count(node->host, ENC_COUNTED_PUSH_QUEUES, 1);
    return dest;
}

static struct enc_dest *find_dest(const struct enc_pushes *pushes, const uint8_t queue16[16])
{
    struct enc_dest *dest = pushes ? pushes->first : NULL;
    while (dest && memcmp(dest->queue16, queue16, 16) != 0)
        dest = dest->next;
    return dest;
}

void enc_dest_enter(const struct enc_host *host, struct enc_dest *dest, enum enc_dest_phase phase)
{
    int more = (phase == ENC_DEST_WAITING) - (dest->phase == ENC_DEST_WAITING);
    dest->phase = phase;
    if (more)
        enc_count(host, ENC_COUNTED_PUSH_WAITING, more);
}

void enc_dest_free(const struct enc_host *host, struct enc_dest *dest)
{
    enc_dest_enter(host, dest, ENC_DEST_IDLE);
    enc_count(host, ENC_COUNTED_PUSH_QUEUES, -1);
    enc_shipment_drop(dest->shipment);
    ENC_EDGE("dest", dest, NULL, "free", "NONE");
    free(dest);
}

void enc_push_free(struct enc_node *node)
{
    struct enc_dest *dest = node->pushes ? node->pushes->first : NULL;
    while (dest) {
        struct enc_dest *next = dest->next;
        enc_dest_free(node->host, dest);
        dest = next;
    }
    free(node->pushes);
    node->pushes = NULL;
}

bool enc_push_is_busy(const struct enc_pushes *pushes)
{
    const struct enc_dest *dest = pushes ? pushes->first : NULL;
    while (dest && (dest->phase == ENC_DEST_IDLE || dest->phase == ENC_DEST_WAITING))
        dest = dest->next;
    return dest || (pushes && pushes->is_due);
}

bool enc_push_is_due(const struct enc_node *node)
{
    return node->pushes && node->pushes->is_due && !node->pushes->is_stalled;
}

/* ---- activation ---- */

static enum enc_err load_dest(struct enc_node *node, struct enc_snap *snap, uint64_t ord,
                              struct enc_dest *dest)
{
    struct enc_queue_key queue = {.ord = ord, .queue16 = dest->queue16};
    struct enc_scan scan;
    struct enc_pending_found pending;
    struct enc_delivered_row last;
    struct enc_range newest = {.first = 0, .last = UINT64_MAX, .reverse = true};
    ENC_TRY(enc_snap_push_seq(snap, &dest->row, &queue));
    enc_scan_pendings(&scan, snap, &queue);
    dest->has_pending = enc_scan_pending(&scan, &pending);
    ENC_TRY(enc_scan_fini(&scan));
    enc_scan_delivereds(&scan, snap, &queue, newest);
    bool is_open = enc_scan_delivered(&scan, &last) && last.delivered_ms == 0 &&
                   dest->row.attempt < node->host->limits.push_attempts_max;
    if (is_open) {
        ENC_EDGE("dest", dest, NULL, "load", "waiting");
        enc_dest_enter(node->host, dest, ENC_DEST_WAITING);
    }
    node->pushes->is_due |= dest->has_pending && !is_open;
    return enc_scan_fini(&scan);
}

enum enc_err enc_push_load(struct enc_node *node, struct enc_snap *snap)
{
    struct enc_scan scan;
    struct enc_endpoint_found found;
    enum enc_err err = ENC_ERR_OK;
    enc_scan_endpoints(&scan, snap, node->state.ord, NULL);
    while (err == ENC_ERR_OK && enc_scan_endpoint(&scan, &found))
        err = new_dest(node, found.identity32, found.url) ? ENC_ERR_OK : ENC_ERR_BUSY;
    enum enc_err end = enc_scan_fini(&scan);
    if (err == ENC_ERR_OK)
        err = end;
    for (struct enc_dest *d = node->pushes ? node->pushes->first : NULL; d && !err; d = d->next)
        err = load_dest(node, snap, node->state.ord, d);
    if (err == ENC_ERR_OK && node->pushes)
        err = enc_snap_alarm(snap, &node->pushes->alarm_ms, node->state.enclave32, ENC_TIMER_PUSH);
    return err;
}

/* ---- step 12: endpoints and pending rows of one event ---- */

static void drop_rows(struct enc_run *run, const struct enc_dest *dest)
{
    struct enc_scan scan;
    struct enc_pending_found found;
    struct enc_queue_key queue = key_of(run, dest);
    uint64_t first_staged = run->node->state.pending_row_id + 1;
    enc_scan_pendings(&scan, run->snap, &queue);
    while (enc_scan_pending(&scan, &found))
        enc_del_pending(&run->set, &queue, found.row.row_id);
    run->set.failed |= enc_scan_fini(&scan) != ENC_ERR_OK;
    for (uint64_t id = first_staged; id <= run->state.pending_row_id; id++)
        enc_del_pending(&run->set, &queue, id);
}

static void stage_removal(struct enc_run *run, struct enc_dest *dest)
{
    struct enc_endpoint_key key = {
        .ord = run->state.ord, .identity32 = dest->identity32, .url16 = dest->url16};
    enc_del_endpoint(&run->set, &key);
    drop_rows(run, dest);
    dest->is_leaving = true;
}

static void remove_unentitled(struct enc_run *run, const struct enc_ac_plan *plan)
{
    for (size_t i = 0; i < plan->change_count; i++) {
        const struct enc_role_change *change = &plan->changes[i];
        if (enc_rbac_delivers(run->manifest, &change->after))
            continue;
        for (struct enc_dest *d = run->node->pushes ? run->node->pushes->first : NULL; d;
             d = d->next)
            if (memcmp(d->identity32, change->identity32, 32) == 0)
                stage_removal(run, d);
    }
}

static enum enc_err add_endpoint(struct enc_run *run, const struct enc_endpoint *endpoint)
{
    uint8_t queue16[16];
    struct enc_node *node = run->node;
    enc_push_queue_key(queue16, node->state.enclave32, endpoint->identity32, endpoint->url);
    struct enc_dest *dest = find_dest(node->pushes, queue16);
    if (dest && !dest->is_leaving)
        return ENC_ERR_OK;
    if (!dest) {
        dest = new_dest(node, endpoint->identity32, endpoint->url);
        if (!dest)
            return ENC_ERR_TOO_LARGE;
        dest->is_new = true;
        ENC_TRY(load_dest(node, run->snap, run->state.ord, dest)); /* it may have been one before */
    }
    dest->is_leaving = false; /* removed and registered again within one run */
    struct enc_endpoint_key key = {
        .ord = run->state.ord, .identity32 = dest->identity32, .url16 = dest->url16};
    struct enc_bytes url = enc_arena_copy(&run->arena, endpoint->url);
    enc_put_endpoint(&run->set, &key, url);
    return url.data ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}

static enum enc_err enqueue_for(struct enc_run *run, struct enc_dest *dest,
                                const struct enc_event *event)
{
    struct enc_roles roles;
    struct enc_queue_key queue = key_of(run, dest);
    ENC_TRY(enc_roles_of(&run->tree, &roles, dest->identity32));
    enum enc_delivery form = enc_rbac_delivery(run->manifest, &roles, event->commit.type);
    if (form == ENC_DELIVERY_NONE)
        return ENC_ERR_OK;
    struct enc_pending_row row = {
        .row_id = ++run->state.pending_row_id, .event_seq = event->seq, .form = (uint8_t)form};
    enc_put_pending(&run->set, &queue, &row);
    dest->has_staged = true;
    return ENC_ERR_OK;
}

enum enc_err enc_push_enqueue(struct enc_run *run, struct enc_staged *staged)
{
    struct enc_node *node = run->node;
    if (!node->pushes && staged->plan.endpoint_count == 0)
        return ENC_ERR_OK;
    remove_unentitled(run, &staged->plan);
    for (size_t i = 0; i < staged->plan.endpoint_count; i++)
        ENC_TRY(add_endpoint(run, &staged->plan.endpoints[i]));
    ENC_CHECK(node->pushes != NULL);
    for (struct enc_dest *d = node->pushes->first; d; d = d->next) {
        if (d->is_leaving)
            continue;
        ENC_TRY(enqueue_for(run, d, staged->event));
        if (d->has_staged)
            d->request_id = staged->exchange->request_id;
    }
    return ENC_ERR_OK;
}

/* ---- mail ---- */

void enc_push_mail_free(struct enc_mail *mail)
{
    free(mail); /* the shipment, whose first member it is */
}

void enc_push_fetched(struct enc_node *node, struct enc_mail *mail)
{
    const struct enc_shipment *shipment = (const struct enc_shipment *)mail;
    struct enc_dest *dest = find_dest(node->pushes, shipment->queue16);
    if (dest && dest->phase == ENC_DEST_FLYING && dest->flight == shipment->flight) {
        dest->phase = ENC_DEST_LANDED;
        dest->has_landed_ok = shipment->fetch.status / 100 == 2;
        ENC_EDGE("dest", dest, NULL, dest->has_landed_ok ? "land_ok" : "land_bad",
                 dest->has_landed_ok ? "landed_ok" : "landed_bad");
        node->pushes->is_due = true;
    }
    enc_push_mail_free(mail);
}
