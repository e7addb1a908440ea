/* polls: the Owner of an enclave asks, anybody answers once per poll or changes their mind, all may
 * count. One table: 'p' poll -> number of options, votes for each, content; 'v' poll voter -> choice. */
#include "services/dataview.h"
#include "services/params.h"
#include "services/read.h"

enum { TABLE = ENC_VIEW_OWN, OPTIONS_MIN = 2, OPTIONS_MAX = 16, PAGE = 100 };
enum { POLL_LEN = 33, VOTE_LEN = 65 }; /* of keys */

static const char SCHEMA[] = "{\"roles\":[],\"schema\":["
                             "{\"event\":\"Poll\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
                             "{\"event\":\"Vote\",\"role\":\"Any\",\"ops\":[\"C\"]},"
                             "{\"event\":\"*\",\"role\":\"Public\",\"ops\":[\"R\"]},"
                             "{\"event\":\"Terminate\",\"role\":\"Owner\",\"ops\":[\"C\"]}]}";

/* ---- events become rows ---- */

static struct enc_bytes poll_key(uint8_t key[POLL_LEN], const uint8_t poll32[32])
{
    key[0] = 'p';
    memcpy(key + 1, poll32, 32);
    return enc_bytes_of(key, POLL_LEN);
}

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
    uint8_t key[POLL_LEN];
    uint8_t head[1 + 8 * OPTIONS_MAX] = {(uint8_t)enc_json_get(fact->content, "options")->count};
    struct enc_buffer row;
    struct enc_bytes bytes;
    enc_buffer_init(&row, fact->arena, SIZE_MAX / 4);
    enc_buffer_add(&row, enc_bytes_of(head, 1 + 8 * (size_t)head[0]));
    enc_buffer_add(&row, fact->commit->content);
    ENC_TRY(enc_buffer_bytes(&row, &bytes));
    return enc_rows_put(rows, TABLE, poll_key(key, fact->event->id32), bytes);
}

struct vote {
    uint8_t key[VOTE_LEN];
    uint8_t poll[POLL_LEN];
    uint64_t choice;
    bool found;
    struct enc_bytes row; /* of the poll */
};

static enum enc_err take_vote(struct vote *vote, const struct enc_fact *fact)
{
    vote->key[0] = 'v';
    memcpy(vote->key + 33, fact->commit->from32, 32);
    if (!enc_json_hex(enc_json_get(fact->content, "poll"), vote->key + 1, 32) ||
        !enc_json_u64(enc_json_get(fact->content, "choice"), &vote->choice))
        return ENC_ERR_INVALID_CONTENT;
    ENC_TRY(enc_rows_get(fact->rows, &vote->found, &vote->row, TABLE,
                         poll_key(vote->poll, vote->key + 1)));
    bool is_one = vote->found && vote->choice < vote->row.data[0];
    return is_one ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

static enum enc_err vote_rule(const struct enc_fact *fact)
{
    struct vote vote;
    return take_vote(&vote, fact);
}

static void count(uint8_t *row, uint8_t option, int by)
{
    uint8_t *at = row + 1 + 8 * option;
    enc_be64_put(at, enc_be64_get(at) + (uint64_t)by);
}

static enum enc_err vote_map(struct enc_rows *rows, const struct enc_fact *fact)
{
    struct vote vote;
    struct enc_bytes before;
    bool has_voted = false;
    ENC_TRY(take_vote(&vote, fact));
    const uint8_t choice = (uint8_t)vote.choice;
    struct enc_bytes key = enc_bytes_of(vote.key, VOTE_LEN);
    uint8_t *row = (uint8_t *)(uintptr_t)enc_arena_copy(fact->arena, vote.row).data;
    ENC_TRY(enc_rows_get(rows, &has_voted, &before, TABLE, key));
    if (!row)
        return ENC_ERR_TOO_LARGE;
    if (has_voted)
        count(row, before.data[0], -1);
    count(row, choice, 1);
    ENC_TRY(enc_rows_put(rows, TABLE, enc_bytes_of(vote.poll, POLL_LEN),
                         enc_bytes_of(row, vote.row.len)));
    return enc_rows_put(rows, TABLE, key, enc_bytes_of(&choice, 1));
}

/* ---- rows become answers ---- */

static void put_poll(struct enc_buffer *out, const struct enc_row_found *poll)
{
    size_t head_len = 1 + 8 * (size_t)poll->value.data[0];
    enc_json_member_hex(out, "id", enc_bytes_of(poll->key.data + 1, 32));
    enc_json_member_raw(out, "poll",
                        enc_bytes_of(poll->value.data + head_len, poll->value.len - head_len));
    enc_json_member(out, "counts");
    enc_json_put_raw(out, "[");
    for (size_t at = 1; at < head_len; at += 8) {
        enc_json_comma(out);
        enc_json_put_u64(out, enc_be64_get(poll->value.data + at));
    }
    enc_json_put_raw(out, "]");
}

static enum enc_err read_poll(struct enc_read *read, struct enc_buffer *out,
                              const struct enc_json *content)
{
    uint8_t key[POLL_LEN];
    bool found = false;
    struct enc_row_found poll = {.key = poll_key(key, read->exchange->param32)};
    (void)content; /* a GET has none */
    ENC_TRY(enc_snap_row(read->snap, &found, &poll.value, (struct enc_view){read->state.ord, TABLE},
                         poll.key));
    if (found)
        put_poll(out, &poll);
    return found ? ENC_ERR_OK : ENC_ERR_EVENT_NOT_FOUND;
}

/* A page in the order of ids, behind `after`. */
static enum enc_err read_polls(struct enc_read *read, struct enc_buffer *out,
                               const struct enc_json *content)
{
    uint8_t after32[32], key[POLL_LEN];
    bool has_after = false;
    struct enc_scan scan;
    struct enc_row_found poll;
    struct enc_row_range range = {.view = {read->state.ord, TABLE}, .prefix = ENC_LIT("p")};
    (void)content;
    ENC_TRY(enc_param_hex32(read->exchange->query, "after", &has_after, after32));
    range.past = has_after ? poll_key(key, after32) : range.past;
    enc_json_member(out, "polls");
    enc_json_put_raw(out, "[");
    enc_scan_rows(&scan, read->snap, &range);
    for (size_t i = 0; i < PAGE && enc_scan_row(&scan, &poll); i++) {
        enc_json_comma(out);
        enc_json_put_raw(out, "{");
        put_poll(out, &poll);
        enc_json_put_raw(out, "}");
    }
    enc_json_put_raw(out, "]");
    return enc_scan_fini(&scan);
}

/* ---- the service ---- */

static const struct enc_route EXTRA[] = {
    {ENC_METHOD_GET, "/polls", "handleGetPolls", .read = read_polls},
    {ENC_METHOD_GET, "/polls/:id", "handleGetPoll", .read = read_poll},
};
static const struct enc_mapper MAPPERS[] = {
    {.type = "Poll", .rule = poll_rule, .map = poll_map},
    {.type = "Vote", .rule = vote_rule, .map = vote_map},
};
static const struct enc_dataview VIEW = {.mappers = MAPPERS, .mapper_count = 2};

const struct enc_service ENC_SERVICE_POLLS = {
    .name = "polls",
    .enclave = {.schema = {.fixed_json = SCHEMA},
                .has_dataview = true,
                .addressing = {.segment = 1, .alias = "ballot"},
                .extra_routes = {EXTRA, 2}},
    .view = &VIEW,
};
