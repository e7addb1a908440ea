/* Queries and Pull (protocol.md 8.4, 8.5). */
#include "services/inside.h"
#include "services/push.h"
#include "services/read.h"
#include "services/shown.h"

/* ---- query ---- */

struct page {
    struct enc_wire_events events;
    const struct enc_read *read;
    const struct enc_filter *filter;
    uint64_t last_seq;
    bool has_more;
};

/* A match beyond the page is not sent, but it is why next is not null (16.52). */
static bool add_to_page(void *opaque, const struct enc_shown *shown)
{
    struct page *page = (struct page *)opaque;
    bool is_full = page->events.count >= page->filter->limit ||
                   page->events.buffer->len >= page->read->len_max;
    page->has_more = is_full && page->events.count > 0;
    if (page->has_more)
        return false;
    enc_wire_events_add(&page->events, &shown->element);
    page->last_seq = shown->event.seq;
    return true;
}

enum enc_err enc_read_query(struct enc_read *read, struct enc_buffer *out,
                            const struct enc_json *content)
{
    struct enc_filter filter;
    struct enc_arena *arena = &read->exchange->arena;
    struct page page = {.read = read, .filter = &filter};
    struct enc_viewer viewer = {
        .snap = read->snap,
        .ord = read->state.ord,
        .manifest = read->manifest,
        .reader = &read->exchange->reader,
        .roles = &read->roles,
    };
    ENC_TRY(enc_filter_parse(&filter, arena, enc_json_get(content, "filter"),
                             read->host->limits.query_limit_max));
    enc_wire_events_start(&page.events, out);
    ENC_TRY(enc_shown_walk(&viewer, &filter, arena, add_to_page, &page));
    if (out->len >= read->len_max && !enc_read_may_take_long(read))
        return ENC_ERR_BUSY;
    enc_wire_events_end(&page.events, page.has_more ? &page.last_seq : NULL);
    return ENC_ERR_OK;
}

/* ---- pull ---- */

static void put_delivery(struct enc_buffer *out, const struct enc_delivered_row *row)
{
    enc_json_comma(out);
    enc_json_put_raw(out, "{");
    enc_json_member_u64(out, "push_seq", row->push_seq);
    enc_json_member_raw(out, "payload", row->payload);
    enc_json_put_raw(out, "}");
}

static enum enc_err put_deliveries(struct enc_read *read, struct enc_buffer *out,
                                   const struct enc_queue_key *queue,
                                   const struct enc_pull_request *request)
{
    struct enc_scan scan;
    struct enc_delivered_row row;
    uint32_t count = 0;
    struct enc_range range = {.first = request->push_seq.first, .last = request->push_seq.last};
    enc_json_member(out, "deliveries");
    enc_json_put_raw(out, "[");
    enc_scan_delivereds(&scan, read->snap, queue, range);
    while (count < request->limit && out->len < read->len_max && enc_scan_delivered(&scan, &row)) {
        put_delivery(out, &row);
        count++;
    }
    enc_json_put_raw(out, "]");
    return enc_scan_fini(&scan);
}

static enum enc_err has_endpoint(const struct enc_read *read, struct enc_bytes url)
{
    uint8_t url16[16];
    struct enc_bytes stored;
    struct enc_endpoint_key key = {
        .ord = read->state.ord, .identity32 = read->exchange->reader.pub32, .url16 = url16};
    enc_push_url_key(url16, url);
    return enc_snap_endpoint(read->snap, &stored, &key);
}

enum enc_err enc_read_pull(struct enc_read *read, struct enc_buffer *out,
                           const struct enc_json *content)
{
    struct enc_pull_request request;
    struct enc_push_seq_row last;
    uint8_t queue16[16];
    if (!enc_service_at(read->state.service)->enclave.has_push)
        return ENC_ERR_PUSH_UNSUPPORTED;
    if (!read->exchange->reader.is_known)
        return ENC_ERR_INVALID_SESSION;
    ENC_TRY(enc_pull_request_take(&request, content));
    ENC_TRY(has_endpoint(read, request.url));
    enc_push_queue_key(queue16, read->state.enclave32, read->exchange->reader.pub32, request.url);
    struct enc_queue_key queue = {.ord = read->state.ord, .queue16 = queue16};
    ENC_TRY(enc_snap_push_seq(read->snap, &last, &queue));
    ENC_TRY(put_deliveries(read, out, &queue, &request));
    enc_json_member_u64(out, "last_push_seq", last.seq);
    return ENC_ERR_OK;
}
