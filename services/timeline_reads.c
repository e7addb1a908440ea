#include "services/timeline_reads.h"

#include "proto/base/hex.h"
#include "services/params.h"

enum { LIMIT_MAX = 100, LIMIT_USUAL = 50 };
static const uint64_t NUMBER_MAX = ((uint64_t)1 << 53) - 1;

enum enc_err enc_timeline_limit(uint64_t *limit, const struct enc_read *read)
{
    const struct enc_param_range range = {.min = 1, .max = LIMIT_MAX};
    bool given = false;
    *limit = LIMIT_USUAL;
    return enc_param_u64(read->exchange->query, "limit", &range, &given, limit);
}

enum enc_err enc_timeline_row(const struct enc_read *read, bool *found, struct enc_bytes *value,
                              enum enc_timeline_view view, struct enc_bytes key)
{
    return enc_snap_row(read->snap, found, value, (struct enc_view){read->state.ord, view}, key);
}

enum enc_err enc_timeline_count(const struct enc_read *read, uint64_t *number,
                                enum enc_timeline_view view, struct enc_bytes key)
{
    return enc_count_find(number, read->snap, (struct enc_view){read->state.ord, view}, key);
}

/* ---- a post ---- */

enum enc_err enc_timeline_put_members(const struct enc_read *read, struct enc_buffer *out,
                                      struct enc_bytes place, bool with_enclave)
{
    bool found = false;
    struct enc_bytes value;
    struct enc_post post;
    uint64_t likes = 0;
    if (place.len != ENC_TIMELINE_PLACE_LEN)
        return ENC_ERR_INTERNAL;
    ENC_TRY(enc_timeline_row(read, &found, &value, ENC_TIMELINE_POST, place));
    if (!found || !enc_post_take(&post, value))
        return ENC_ERR_INTERNAL;
    struct enc_bytes id = enc_bytes_of(post.id32, 32);
    ENC_TRY(enc_timeline_count(read, &likes, ENC_TIMELINE_LIKE_COUNT, id));
    enc_json_member_u64(out, "seq", enc_be64_get(place.data + 32));
    enc_json_member_hex(out, "id", id);
    enc_json_member_hex(out, "from_pub", enc_bytes_of(post.from32, 32));
    enc_json_member_text(out, "text", post.text);
    enc_json_member_u64(out, "timestamp", post.timestamp_ms);
    enc_json_member_u64(out, "likes", likes);
    if (with_enclave)
        enc_json_member_hex(out, "enclave", enc_bytes_of(place.data, 32));
    return ENC_ERR_OK;
}

enum enc_err enc_timeline_put_post(const struct enc_read *read, struct enc_buffer *out,
                                   struct enc_bytes place, bool with_enclave)
{
    enc_json_comma(out);
    enc_json_put_raw(out, "{");
    ENC_TRY(enc_timeline_put_members(read, out, place, with_enclave));
    enc_json_put_raw(out, "}");
    return ENC_ERR_OK;
}

enum enc_err enc_timeline_read_post(struct enc_read *read, struct enc_buffer *out,
                                    const struct enc_json *content)
{
    bool found = false;
    struct enc_bytes value;
    struct enc_bytes id = enc_bytes_of(read->exchange->param32, 32);
    struct enc_origin origin;
    (void)content;
    ENC_TRY(enc_timeline_row(read, &found, &value, ENC_TIMELINE_ORIGIN, id));
    if (found && !enc_origin_take(&origin, value))
        return ENC_ERR_INTERNAL;
    if (!found || origin.kind != ENC_ORIGIN_POST)
        return ENC_ERR_EVENT_NOT_FOUND;
    bool is_foreign = memcmp(origin.place.key40, read->state.enclave32, 32) != 0;
    struct enc_bytes place = enc_bytes_of(origin.place.key40, sizeof origin.place.key40);
    return enc_timeline_put_members(read, out, place, is_foreign);
}

/* ---- pages: rows of an index from the newest to the oldest ---- */

struct page {
    enum enc_timeline_view view;
    uint64_t limit;
    bool with_enclave;
    size_t prefix_len; /* of past: what all keys begin with */
    size_t past_len;   /* == prefix_len: from the newest on */
    uint8_t past[72];
    uint8_t last[72]; /* key of the last post on the page */
    bool has_more;
    uint8_t next[72]; /* key of the first one that is not */
};

/* The place that a row of the index is about. */
static struct enc_bytes place_of(const struct page *page, const struct enc_row_found *row,
                                 struct enc_place *place)
{
    if (page->view == ENC_TIMELINE_FEED)
        return row->value;
    *place = enc_place_of(row->key.data, enc_be64_get(row->key.data + row->key.len - 8));
    return enc_bytes_of(place->key40, sizeof place->key40);
}

static enum enc_err fill(const struct enc_read *read, struct enc_buffer *out, struct page *page,
                         struct enc_scan *scan)
{
    struct enc_row_found row;
    struct enc_place place;
    for (uint64_t count = 0; enc_scan_row(scan, &row); count++) {
        if (row.key.len < ENC_TIMELINE_PLACE_LEN || row.key.len > sizeof page->last)
            return ENC_ERR_INTERNAL;
        page->has_more = count == page->limit;
        memcpy(page->has_more ? page->next : page->last, row.key.data, row.key.len);
        if (page->has_more)
            return ENC_ERR_OK;
        ENC_TRY(enc_timeline_put_post(read, out, place_of(page, &row, &place), page->with_enclave));
    }
    return ENC_ERR_OK;
}

static enum enc_err put_page(const struct enc_read *read, struct enc_buffer *out, struct page *page)
{
    struct enc_scan scan;
    struct enc_row_range range = {
        .view = {read->state.ord, page->view},
        .prefix = enc_bytes_of(page->past, page->prefix_len),
        .reverse = true,
    };
    if (page->past_len > page->prefix_len)
        range.past = enc_bytes_of(page->past, page->past_len);
    enc_json_member(out, "posts");
    enc_json_put_raw(out, "[");
    enc_scan_rows(&scan, read->snap, &range);
    enum enc_err err = fill(read, out, page, &scan);
    enum enc_err end = enc_scan_fini(&scan);
    enc_json_put_raw(out, "]");
    return err != ENC_ERR_OK ? err : end;
}

static void add_to_past(struct page *page, struct enc_bytes bytes)
{
    ENC_CHECK(page->past_len + bytes.len <= sizeof page->past);
    memcpy(page->past + page->past_len, bytes.data, bytes.len);
    page->past_len += bytes.len;
}

/* ---- /posts: of this enclave, perhaps of one author ---- */

static enum enc_err aim_posts(struct page *page, const struct enc_read *read)
{
    const struct enc_param_range any = {.min = 0, .max = NUMBER_MAX};
    struct enc_bytes query = read->exchange->query;
    bool has_from = false;
    bool has_before = false;
    uint8_t from32[32];
    uint8_t before8[8];
    uint64_t before = 0;
    ENC_TRY(enc_timeline_limit(&page->limit, read));
    ENC_TRY(enc_param_hex32(query, "from", &has_from, from32));
    ENC_TRY(enc_param_u64(query, "before", &any, &has_before, &before));
    page->view = has_from ? ENC_TIMELINE_AUTHOR : ENC_TIMELINE_POST;
    add_to_past(page, enc_bytes_of(read->state.enclave32, 32));
    if (has_from)
        add_to_past(page, enc_bytes_of(from32, 32));
    page->prefix_len = page->past_len;
    enc_be64_put(before8, before);
    if (has_before)
        add_to_past(page, enc_bytes_of(before8, 8));
    return ENC_ERR_OK;
}

enum enc_err enc_timeline_read_posts(struct enc_read *read, struct enc_buffer *out,
                                     const struct enc_json *content)
{
    struct page page = {.with_enclave = false};
    (void)content;
    ENC_TRY(aim_posts(&page, read));
    ENC_TRY(put_page(read, out, &page));
    if (page.has_more)
        enc_json_member_u64(out, "next", enc_be64_get(page.last + page.prefix_len));
    else
        enc_json_member_raw(out, "next", ENC_LIT("null"));
    return ENC_ERR_OK;
}

/* ---- /feed: of all enclaves; a page may end between posts of one millisecond, and only then its
 * next is a text, "<timestamp>-<id>", which before takes as well ---- */

enum { DIGITS_MAX = 16 };

static bool take_digits(uint64_t *out, struct enc_bytes *text)
{
    size_t len = 0;
    *out = 0;
    for (; len < text->len && text->data[len] >= '0' && text->data[len] <= '9'; len++)
        *out = *out * 10 + (uint64_t)(text->data[len] - '0');
    if (len == 0 || len > DIGITS_MAX || *out > NUMBER_MAX)
        return false;
    *text = enc_bytes_of(text->data + len, text->len - len);
    return true;
}

static bool take_id(uint8_t id32[32], struct enc_bytes text)
{
    return text.data[0] == '-' &&
           enc_hex_decode(id32, 32, enc_bytes_of(text.data + 1, text.len - 1));
}

static enum enc_err aim_feed(struct page *page, const struct enc_read *read)
{
    struct enc_bytes before;
    bool given = false;
    uint64_t timestamp_ms = 0;
    uint8_t ms8[8];
    uint8_t id32[32];
    ENC_TRY(enc_timeline_limit(&page->limit, read));
    ENC_TRY(
        enc_param_text(read->exchange->query, "before", &read->exchange->arena, &given, &before));
    if (!given)
        return ENC_ERR_OK;
    if (!take_digits(&timestamp_ms, &before) || (before.len && !take_id(id32, before)))
        return ENC_ERR_INVALID_QUERY;
    enc_be64_put(ms8, timestamp_ms);
    add_to_past(page, enc_bytes_of(ms8, 8));
    if (before.len)
        add_to_past(page, enc_bytes_of(id32, 32));
    return ENC_ERR_OK;
}

static void put_split(struct enc_buffer *out, uint64_t timestamp_ms, const uint8_t id32[32])
{
    char hex[65];
    enc_hex_encode(hex, enc_bytes_of(id32, 32));
    enc_json_put_raw(out, "\"");
    enc_json_put_u64(out, timestamp_ms);
    enc_json_put_raw(out, "-");
    enc_buffer_add(out, enc_bytes_of(hex, 64));
    enc_json_put_raw(out, "\"");
}

static void put_feed_next(struct enc_buffer *out, const struct page *page)
{
    uint64_t timestamp_ms = enc_be64_get(page->last);
    enc_json_member(out, "next");
    if (!page->has_more)
        enc_json_put_raw(out, "null");
    else if (enc_be64_get(page->next) < timestamp_ms)
        enc_json_put_u64(out, timestamp_ms);
    else
        put_split(out, timestamp_ms, page->last + 8);
}

enum enc_err enc_timeline_read_feed(struct enc_read *read, struct enc_buffer *out,
                                    const struct enc_json *content)
{
    struct page page = {.view = ENC_TIMELINE_FEED, .with_enclave = true};
    (void)content;
    ENC_TRY(aim_feed(&page, read));
    ENC_TRY(put_page(read, out, &page));
    put_feed_next(out, &page);
    return ENC_ERR_OK;
}
