/* polls: the Owner of an enclave asks, anybody answers once per poll or changes their mind, all may
 * count. One table: poll -> its content, poll and voter -> their choice. */
#include "services/dataview.h"
#include "services/params.h"
#include "services/read.h"

enum { TABLE = ENC_VIEW_OWN, OPTIONS_MIN = 2, OPTIONS_MAX = 16, PAGE = 100, KEY_LEN = 64 };

static const char SCHEMA[] = "{\"roles\":[],\"schema\":["
                             "{\"event\":\"Poll\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
                             "{\"event\":\"Vote\",\"role\":\"Any\",\"ops\":[\"C\"]},"
                             "{\"event\":\"*\",\"role\":\"Public\",\"ops\":[\"R\"]},"
                             "{\"event\":\"Terminate\",\"role\":\"Owner\",\"ops\":[\"C\"]}]}";

/* ---- events become rows ---- */

static enum enc_err poll_rule(const struct enc_fact *fact)
{
    struct enc_bytes text;
    const struct enc_json *options = enc_json_get(fact->content, "options");
    bool is_good = enc_json_text(enc_json_get(fact->content, "question"), &text) && text.len > 0 &&
                   options && options->kind == ENC_JSON_ARRAY && options->count >= OPTIONS_MIN &&
                   options->count <= OPTIONS_MAX;
    for (const struct enc_json *at = is_good ? options->child : NULL; at && is_good; at = at->next)
        is_good = enc_json_text(at, &text) && text.len > 0;
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

static enum enc_err poll_map(struct enc_rows *rows, const struct enc_fact *fact)
{
    return enc_rows_put(rows, TABLE, enc_bytes_of(fact->event->id32, 32), fact->commit->content);
}

static enum enc_err options_of(size_t *count, struct enc_arena *arena, struct enc_bytes content)
{
    struct enc_json *json;
    struct enc_json_facts facts;
    ENC_TRY(enc_json_parse(&json, arena, content, &facts));
    *count = enc_json_get(json, "options")->count;
    return ENC_ERR_OK;
}

/* Key and choice of a vote; false when its content is none. */
static bool take_vote(uint8_t key[KEY_LEN], uint64_t *choice, const struct enc_fact *fact)
{
    memcpy(key + 32, fact->commit->from32, 32);
    return enc_json_hex(enc_json_get(fact->content, "poll"), key, 32) &&
           enc_json_u64(enc_json_get(fact->content, "choice"), choice);
}

static enum enc_err vote_rule(const struct enc_fact *fact)
{
    uint8_t key[KEY_LEN];
    uint64_t choice = 0;
    bool found = false;
    size_t count = 0;
    struct enc_bytes content;
    if (!take_vote(key, &choice, fact))
        return ENC_ERR_INVALID_CONTENT;
    ENC_TRY(enc_rows_get(fact->rows, &found, &content, TABLE, enc_bytes_of(key, 32)));
    if (found)
        ENC_TRY(options_of(&count, fact->arena, content));
    return choice < count ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

static enum enc_err vote_map(struct enc_rows *rows, const struct enc_fact *fact)
{
    uint8_t key[KEY_LEN];
    uint64_t choice = 0;
    ENC_CHECK(take_vote(key, &choice, fact)); /* its rule has seen it */
    const uint8_t byte = (uint8_t)choice;
    return enc_rows_put(rows, TABLE, enc_bytes_of(key, sizeof key), enc_bytes_of(&byte, 1));
}

static const struct enc_mapper MAPPERS[] = {
    {.type = "Poll", .rule = poll_rule, .map = poll_map},
    {.type = "Vote", .rule = vote_rule, .map = vote_map},
};
static const struct enc_dataview VIEW = {.mappers = MAPPERS,
                                         .mapper_count = sizeof MAPPERS / sizeof MAPPERS[0]};

/* ---- rows become answers ---- */

static enum enc_err put_poll(struct enc_read *read, struct enc_buffer *out,
                             const struct enc_row_found *poll)
{
    uint64_t counts[OPTIONS_MAX] = {0};
    size_t count = 0;
    struct enc_scan scan;
    struct enc_row_found vote;
    struct enc_row_range votes = {{read->state.ord, TABLE}, .prefix = poll->key, .past = poll->key};
    ENC_TRY(options_of(&count, &read->exchange->arena, poll->value));
    enc_scan_rows(&scan, read->snap, &votes);
    while (enc_scan_row(&scan, &vote))
        counts[vote.value.data[0]]++;
    enc_json_member_hex(out, "id", poll->key);
    enc_json_member_raw(out, "poll", poll->value);
    enc_json_member(out, "counts");
    enc_json_put_raw(out, "[");
    for (size_t i = 0; i < count; i++) {
        enc_json_comma(out);
        enc_json_put_u64(out, counts[i]);
    }
    enc_json_put_raw(out, "]");
    return enc_scan_fini(&scan);
}

static enum enc_err read_poll(struct enc_read *read, struct enc_buffer *out,
                              const struct enc_json *content)
{
    bool found = false;
    struct enc_row_found poll = {.key = enc_bytes_of(read->exchange->param32, 32)};
    (void)content; /* a GET has none */
    ENC_TRY(enc_snap_row(read->snap, &found, &poll.value, (struct enc_view){read->state.ord, TABLE},
                         poll.key));
    return found ? put_poll(read, out, &poll) : ENC_ERR_EVENT_NOT_FOUND;
}

/* A page in the order of ids, behind `after`. Votes have longer keys and are passed over. */
static enum enc_err read_polls(struct enc_read *read, struct enc_buffer *out,
                               const struct enc_json *content)
{
    uint8_t past[KEY_LEN];
    bool has_past = false;
    enum enc_err err = ENC_ERR_OK;
    struct enc_scan scan;
    struct enc_row_found row;
    struct enc_row_range range = {.view = {read->state.ord, TABLE}};
    (void)content;
    ENC_TRY(enc_param_hex32(read->exchange->query, "after", &has_past, past));
    memset(past + 32, 0xff, 32);
    range.past = has_past ? enc_bytes_of(past, sizeof past) : range.past;
    enc_json_member(out, "polls");
    enc_json_put_raw(out, "[");
    enc_scan_rows(&scan, read->snap, &range);
    for (size_t n = 0; err == ENC_ERR_OK && n < PAGE && enc_scan_row(&scan, &row);) {
        if (row.key.len != 32)
            continue;
        n++;
        enc_json_comma(out);
        enc_json_put_raw(out, "{");
        err = put_poll(read, out, &row);
        enc_json_put_raw(out, "}");
    }
    enc_json_put_raw(out, "]");
    enum enc_err end = enc_scan_fini(&scan);
    return err != ENC_ERR_OK ? err : end;
}

/* ---- the service ---- */

static const struct enc_route EXTRA[] = {
    {ENC_METHOD_GET, "/polls", "handleGetPolls", .read = read_polls},
    {ENC_METHOD_GET, "/polls/:id", "handleGetPoll", .read = read_poll},
};

const struct enc_service ENC_SERVICE_POLLS = {
    .name = "polls",
    .enclave =
        {
            .schema = {.fixed_json = SCHEMA},
            .has_dataview = true,
            .addressing = {.segment = 1, .alias = "ballot"},
            .extra_routes = {EXTRA, sizeof EXTRA / sizeof EXTRA[0]},
        },
    .view = &VIEW,
};
