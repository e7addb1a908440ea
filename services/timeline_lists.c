/* Likes, profiles, search and health of a timeline (protocol.md 11.5, 16.72). */
#include "proto/base/hex.h"
#include "proto/fold.h"
#include "services/params.h"
#include "services/timeline_reads.h"

/* ---- /likes/:ref ---- */

enum { LIKES_MAX = 1000, LIKE_KEY_LEN = 72, LIKE_LEN = 64 };

static enum enc_err put_likes(struct enc_buffer *out, struct enc_scan *scan)
{
    struct enc_row_found row;
    for (size_t count = 0; count < LIKES_MAX && enc_scan_row(scan, &row); count++) {
        if (row.key.len != LIKE_KEY_LEN || row.value.len != LIKE_LEN)
            return ENC_ERR_INTERNAL;
        enc_json_comma(out);
        enc_json_put_raw(out, "{");
        enc_json_member_hex(out, "from_pub", enc_bytes_of(row.value.data, 32));
        enc_json_member_u64(out, "seq", enc_be64_get(row.key.data + 64));
        enc_json_put_raw(out, "}");
    }
    return ENC_ERR_OK;
}

enum enc_err enc_timeline_read_likes(struct enc_read *read, struct enc_buffer *out,
                                     const struct enc_json *content)
{
    uint64_t count = 0;
    struct enc_scan scan;
    struct enc_bytes ref = enc_bytes_of(read->exchange->param32, 32);
    (void)content;
    ENC_TRY(enc_timeline_count(read, &count, ENC_TIMELINE_LIKE_COUNT, ref));
    struct enc_row_range range = {.view = {read->state.ord, ENC_TIMELINE_LIKE}, .prefix = ref};
    enc_json_member_hex(out, "ref_id", ref);
    enc_json_member_u64(out, "count", count);
    enc_json_member(out, "likes");
    enc_json_put_raw(out, "[");
    enc_scan_rows(&scan, read->snap, &range);
    enum enc_err err = put_likes(out, &scan);
    enum enc_err end = enc_scan_fini(&scan);
    enc_json_put_raw(out, "]");
    return err != ENC_ERR_OK ? err : end;
}

/* ---- /profile/:id ---- */

/* Errors: IDENTITY_NOT_FOUND, INTERNAL */
static enum enc_err put_profile(const struct enc_read *read, struct enc_buffer *out,
                                struct enc_bytes from)
{
    bool found = false;
    struct enc_bytes value;
    struct enc_profile profile;
    ENC_TRY(enc_timeline_row(read, &found, &value, ENC_TIMELINE_PROFILE, from));
    if (!found)
        return ENC_ERR_IDENTITY_NOT_FOUND;
    if (!enc_profile_take(&profile, value))
        return ENC_ERR_INTERNAL;
    enc_json_member_hex(out, "from_pub", from);
    enc_text_put(out, "display_name", &profile.persona.display_name);
    enc_text_put(out, "bio", &profile.persona.bio);
    enc_text_put(out, "avatar", &profile.persona.avatar);
    return ENC_ERR_OK;
}

enum enc_err enc_timeline_read_profile(struct enc_read *read, struct enc_buffer *out,
                                       const struct enc_json *content)
{
    (void)content;
    return put_profile(read, out, enc_bytes_of(read->exchange->param32, 32));
}

/* ---- /search ---- */

enum { QUERY_MAX = 100 /* code points */ };

/* One of the two lists: what it searches and how it shows a match. */
struct list {
    const char *name;
    enum enc_timeline_view view;
    enum enc_err (*put)(const struct enc_read *read, struct enc_buffer *out, struct enc_bytes name);
};

static enum enc_err put_found_post(const struct enc_read *read, struct enc_buffer *out,
                                   struct enc_bytes name)
{
    return enc_timeline_put_post(read, out, name, true);
}

static enum enc_err put_found_profile(const struct enc_read *read, struct enc_buffer *out,
                                      struct enc_bytes name)
{
    enc_json_comma(out);
    enc_json_put_raw(out, "{");
    ENC_TRY(put_profile(read, out, name));
    enc_json_put_raw(out, "}");
    return ENC_ERR_OK;
}

static const struct list LISTS[] = {
    {"posts", ENC_TIMELINE_FIND_POST, put_found_post},
    {"profiles", ENC_TIMELINE_FIND_PROFILE, put_found_profile},
};

static enum enc_err put_matches(const struct enc_read *read, struct enc_buffer *out,
                                const struct list *list, struct enc_search *search, uint64_t limit)
{
    struct enc_bytes name;
    for (uint64_t i = 0; i < limit && enc_search_next(search, &name); i++)
        ENC_TRY(list->put(read, out, name));
    return ENC_ERR_OK;
}

static enum enc_err put_list(const struct enc_read *read, struct enc_buffer *out,
                             const struct list *list, struct enc_bytes query, uint64_t limit)
{
    struct enc_search search;
    struct enc_view view = {read->state.ord, list->view};
    ENC_TRY(enc_search_begin(&search, &read->exchange->arena, read->snap, view, query));
    enc_json_member(out, list->name);
    enc_json_put_raw(out, "[");
    enum enc_err err = put_matches(read, out, list, &search, limit);
    enum enc_err end = enc_search_fini(&search);
    enc_json_put_raw(out, "]");
    return err != ENC_ERR_OK ? err : end;
}

enum enc_err enc_timeline_read_search(struct enc_read *read, struct enc_buffer *out,
                                      const struct enc_json *content)
{
    uint64_t limit = 0;
    bool given = false;
    struct enc_bytes query;
    struct enc_exchange *exchange = read->exchange;
    (void)content;
    ENC_TRY(enc_timeline_limit(&limit, read));
    ENC_TRY(enc_param_text(exchange->query, "q", &exchange->arena, &given, &query));
    size_t count = enc_text_count(query);
    if (!given || count < 1 || count > QUERY_MAX)
        return ENC_ERR_INVALID_QUERY;
    for (size_t i = 0; i < sizeof LISTS / sizeof LISTS[0]; i++)
        ENC_TRY(put_list(read, out, &LISTS[i], query, limit));
    return ENC_ERR_OK;
}

/* ---- /health ---- */

static enum enc_err put_synced(struct enc_buffer *out, struct enc_scan *scan)
{
    struct enc_row_found row;
    struct enc_sync sync;
    char hex[65];
    while (enc_scan_row(scan, &row)) {
        if (row.key.len != 32 || !enc_sync_take(&sync, row.value))
            return ENC_ERR_INTERNAL;
        enc_hex_encode(hex, row.key);
        hex[64] = '\0';
        enc_json_member_u64(out, hex, sync.last_seq);
    }
    return ENC_ERR_OK;
}

enum enc_err enc_timeline_read_health(struct enc_read *read, struct enc_buffer *out,
                                      const struct enc_json *content)
{
    uint64_t posts = 0;
    struct enc_scan scan;
    struct enc_row_range range = {.view = {read->state.ord, ENC_VIEW_SYNC}};
    const struct enc_service *service = enc_service_at(read->state.service);
    (void)content;
    ENC_TRY(enc_timeline_count(read, &posts, ENC_TIMELINE_COUNT, ENC_TIMELINE_COUNT_POSTS));
    enc_json_member_raw(out, "status", ENC_LIT("\"ok\""));
    enc_json_member_text(out, "service", enc_bytes_of_text(service->name));
    enc_json_member_hex(out, "enclave", enc_bytes_of(read->state.enclave32, 32));
    enc_json_member_u64(out, "seq", read->state.next_seq - 1);
    enc_json_member_u64(out, "posts", posts);
    enc_json_member(out, "synced");
    enc_json_put_raw(out, "{");
    enc_scan_rows(&scan, read->snap, &range);
    enum enc_err err = put_synced(out, &scan);
    enum enc_err end = enc_scan_fini(&scan);
    enc_json_put_raw(out, "}");
    return err != ENC_ERR_OK ? err : end;
}
