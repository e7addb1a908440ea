#include "services/check_push.h"

#include "proto/json.h"
#include "proto/parcel.h"
#include "proto/rbac.h"
#include "services/exchange.h"
#include "services/push.h"

enum { PAYLOAD_MEMORY_MAX = 64 << 20 };

/* ---- endpoints ---- */

static enum enc_err check_endpoint(const char **flaw, const struct enc_check_rest *check,
                                   const struct enc_endpoint_found *found)
{
    uint8_t url16[16];
    struct enc_roles roles;
    enc_push_url_key(url16, found->url);
    ENC_TRY(enc_replay_roles(check->replay, &roles, found->identity32));
    if (memcmp(url16, found->url16, 16) != 0)
        *flaw = "an endpoint stands under another url";
    else if (!enc_rbac_delivers(&check->replay->manifest, &roles))
        *flaw = "an endpoint belongs to somebody who gets nothing";
    return ENC_ERR_OK;
}

static enum enc_err check_endpoints(const char **flaw, const struct enc_check_rest *check)
{
    struct enc_scan scan;
    struct enc_endpoint_found found;
    enum enc_err err = ENC_ERR_OK;
    enc_scan_endpoints(&scan, check->snap, check->state->ord, NULL);
    while (err == ENC_ERR_OK && !*flaw && enc_scan_endpoint(&scan, &found))
        err = check_endpoint(flaw, check, &found);
    enum enc_err end = enc_scan_fini(&scan);
    return err == ENC_ERR_OK ? end : err;
}

static enum enc_err is_queue(bool *is_there, const struct enc_check_rest *check,
                             const uint8_t queue16[16])
{
    struct enc_scan scan;
    struct enc_endpoint_found found;
    *is_there = false;
    enc_scan_endpoints(&scan, check->snap, check->state->ord, NULL);
    while (!*is_there && enc_scan_endpoint(&scan, &found)) {
        uint8_t own16[16];
        enc_push_queue_key(own16, check->state->enclave32, found.identity32, found.url);
        *is_there = memcmp(own16, queue16, 16) == 0;
    }
    return enc_scan_fini(&scan);
}

/* ---- what waits ---- */

/* The rows of one queue are neighbours. */
struct pending_walk {
    uint8_t queue16[16];
    uint64_t next_seq; /* at least */
    bool is_inside;
};

static enum enc_err check_pending(const char **flaw, struct pending_walk *walk,
                                  const struct enc_check_rest *check,
                                  const struct enc_pending_found *found)
{
    bool is_there = true;
    if (!walk->is_inside || memcmp(walk->queue16, found->queue16, 16) != 0) {
        ENC_TRY(is_queue(&is_there, check, found->queue16));
        *walk = (struct pending_walk){.is_inside = true};
        memcpy(walk->queue16, found->queue16, 16);
    }
    bool is_form = found->row.form == ENC_DELIVERY_PUSH || found->row.form == ENC_DELIVERY_NOTIFY;
    bool is_event =
        found->row.event_seq >= walk->next_seq && found->row.event_seq < check->state->next_seq;
    if (!is_there)
        *flaw = "what waits stands in no queue";
    else if (!is_form || !is_event || found->row.row_id > check->state->pending_row_id)
        *flaw = "what waits is not what it can be";
    walk->next_seq = found->row.event_seq + 1;
    return ENC_ERR_OK;
}

static enum enc_err check_pendings(const char **flaw, bool *is_some,
                                   const struct enc_check_rest *check)
{
    struct enc_scan scan;
    struct enc_pending_found found;
    struct pending_walk walk = {.is_inside = false};
    enum enc_err err = ENC_ERR_OK;
    const struct enc_queue_key all = {.ord = check->state->ord, .queue16 = NULL};
    enc_scan_pendings(&scan, check->snap, &all);
    while (err == ENC_ERR_OK && !*flaw && enc_scan_pending(&scan, &found))
        err = check_pending(flaw, &walk, check, &found);
    *is_some = walk.is_inside;
    enum enc_err end = enc_scan_fini(&scan);
    return err == ENC_ERR_OK ? end : err;
}

/* ---- what was sent ---- */

/* Readers of JSON forgive what nobody wrote. */
static bool is_as_written(struct enc_arena *arena, const struct enc_parcel *parcel,
                          struct enc_bytes payload)
{
    struct enc_buffer text;
    struct enc_bytes bytes;
    enc_buffer_init(&text, arena, PAYLOAD_MEMORY_MAX);
    enc_parcel_put_json(&text, parcel);
    return enc_buffer_bytes(&text, &bytes) == ENC_ERR_OK && enc_bytes_equal(bytes, payload);
}

static bool is_sound(const struct enc_check_rest *check, struct enc_arena *arena,
                     const struct enc_payload_found *found)
{
    uint8_t queue16[16];
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    struct enc_parcel parcel;
    if (enc_json_parse(&json, arena, found->row.payload, &facts) != ENC_ERR_OK ||
        enc_parcel_take(&parcel, json) != ENC_ERR_OK)
        return false;
    enc_push_queue_key(queue16, check->state->enclave32, parcel.to32, parcel.url);
    return parcel.push_seq == found->row.push_seq && memcmp(queue16, found->queue16, 16) == 0 &&
           memcmp(parcel.enclave32, check->state->enclave32, 32) == 0 &&
           memcmp(parcel.from32, check->node_pub32, 32) == 0 &&
           is_as_written(arena, &parcel, found->row.payload) &&
           enc_parcel_verify(check->curve, &parcel);
}

static enum enc_err check_payloads(const char **flaw, const struct enc_check_rest *check)
{
    struct enc_scan scan;
    struct enc_payload_found found;
    enc_scan_payloads(&scan, check->snap, check->state->ord);
    while (!*flaw && enc_scan_payload(&scan, &found)) {
        struct enc_arena arena;
        enc_arena_init(&arena, check->chunks, PAYLOAD_MEMORY_MAX);
        if (!is_sound(check, &arena, &found))
            *flaw = "a payload is not what this node signed for its queue";
        enc_arena_fini(&arena);
    }
    return enc_scan_fini(&scan);
}

enum enc_err enc_check_push(const char **flaw, const struct enc_check_rest *check)
{
    bool is_some = false;
    *flaw = NULL;
    ENC_TRY(check_endpoints(flaw, check));
    if (!*flaw)
        ENC_TRY(check_pendings(flaw, &is_some, check));
    return *flaw ? ENC_ERR_OK : check_payloads(flaw, check);
}

/* ---- alarms ---- */

static enum enc_err is_retried(bool *out, const struct enc_check_rest *check)
{
    struct enc_scan scan;
    struct enc_endpoint_found found;
    enum enc_err err = ENC_ERR_OK;
    *out = false;
    enc_scan_endpoints(&scan, check->snap, check->state->ord, NULL);
    while (err == ENC_ERR_OK && !*out && enc_scan_endpoint(&scan, &found)) {
        uint8_t queue16[16];
        struct enc_push_seq_row row;
        enc_push_queue_key(queue16, check->state->enclave32, found.identity32, found.url);
        const struct enc_queue_key queue = {.ord = check->state->ord, .queue16 = queue16};
        err = enc_snap_push_seq(check->snap, &row, &queue);
        *out = row.next_ms != 0;
    }
    enum enc_err end = enc_scan_fini(&scan);
    return err == ENC_ERR_OK ? end : err;
}

enum enc_err enc_check_alarms(const char **flaw, const struct enc_check_rest *check)
{
    uint64_t bundle_ms = 0;
    uint64_t push_ms = 0;
    bool is_waiting = false;
    bool is_sent = false;
    const uint8_t *enclave32 = check->state->enclave32;
    *flaw = NULL;
    ENC_TRY(enc_snap_alarm(check->snap, &bundle_ms, enclave32, ENC_TIMER_BUNDLE));
    ENC_TRY(enc_snap_alarm(check->snap, &push_ms, enclave32, ENC_TIMER_PUSH));
    ENC_TRY(check_pendings(flaw, &is_waiting, check));
    ENC_TRY(is_retried(&is_sent, check));
    if (bundle_ms != enc_state_bundle_due(check->state, &check->replay->manifest))
        *flaw = "the open bundle has an alarm at another time";
    else if (push_ms == 0 && (is_waiting || is_sent))
        *flaw = "nothing wakes the enclave for what is to be sent";
    return ENC_ERR_OK;
}
