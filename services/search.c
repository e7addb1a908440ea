#include "services/search.h"

#include "proto/fold.h"

enum { VIEW_STATE, VIEW_DOCUMENT, VIEW_BLOCK };

/* ---- the state: one row ---- */

struct state {
    uint64_t next;       /* number of the next document */
    uint64_t open_first; /* of the open block's first */
    uint64_t open_len;   /* folded text of the open block */
};

enum { STATE_LEN = 24 };

static struct enc_bytes state_key(void)
{
    return ENC_LIT("state");
}

static enum enc_err state_take(struct state *out, bool found, struct enc_bytes value)
{
    *out = (struct state){0, 0, 0};
    if (!found)
        return ENC_ERR_OK;
    if (value.len != STATE_LEN)
        return ENC_ERR_INTERNAL;
    out->next = enc_be64_get(value.data);
    out->open_first = enc_be64_get(value.data + 8);
    out->open_len = enc_be64_get(value.data + 16);
    return ENC_ERR_OK;
}

static enum enc_err state_load(struct state *out, const struct enc_rows *rows, uint32_t view)
{
    bool found = false;
    struct enc_bytes value;
    ENC_TRY(enc_rows_get(rows, &found, &value, view + VIEW_STATE, state_key()));
    return state_take(out, found, value);
}

static enum enc_err state_save(struct enc_rows *rows, uint32_t view, const struct state *state)
{
    uint8_t value[STATE_LEN];
    enc_be64_put(value, state->next);
    enc_be64_put(value + 8, state->open_first);
    enc_be64_put(value + 16, state->open_len);
    return enc_rows_put(rows, view + VIEW_STATE, state_key(), enc_bytes_of(value, sizeof value));
}

/* ---- a document: length of its name, name, folded text ---- */

struct number_key {
    uint8_t bytes8[8];
};

static struct number_key key_of(uint64_t number)
{
    struct number_key key;
    enc_be64_put(key.bytes8, number);
    return key;
}

static struct enc_bytes key_bytes(const struct number_key *key)
{
    return enc_bytes_of(key->bytes8, sizeof key->bytes8);
}

static bool document_take(struct enc_document *out, struct enc_bytes value)
{
    if (value.len < 1 || value.len < 1 + (size_t)value.data[0])
        return false;
    size_t head_len = 1 + (size_t)value.data[0];
    out->name = enc_bytes_of(value.data + 1, head_len - 1);
    out->text = enc_bytes_of(value.data + head_len, value.len - head_len);
    return true;
}

static enum enc_err document_save(struct enc_rows *rows, struct enc_arena *arena, uint32_t view,
                                  uint64_t number, const struct enc_document *folded)
{
    struct enc_buffer buffer;
    struct enc_bytes value;
    struct number_key key = key_of(number);
    uint8_t name_len = (uint8_t)folded->name.len;
    enc_buffer_init(&buffer, arena, SIZE_MAX / 4);
    enc_buffer_add(&buffer, enc_bytes_of(&name_len, 1));
    enc_buffer_add(&buffer, folded->name);
    enc_buffer_add(&buffer, folded->text);
    ENC_TRY(enc_buffer_bytes(&buffer, &value));
    return enc_rows_put(rows, view + VIEW_DOCUMENT, key_bytes(&key), value);
}

/* ---- closing the open block ---- */

/* A document that was dropped meanwhile keeps its number and has no text. */
static enum enc_err add_to_block(struct enc_grams *grams, const struct enc_rows *rows,
                                 uint32_t view, uint64_t number)
{
    bool found = false;
    struct enc_bytes value;
    struct enc_document document = {.text = {NULL, 0}};
    struct number_key key = key_of(number);
    ENC_TRY(enc_rows_get(rows, &found, &value, view + VIEW_DOCUMENT, key_bytes(&key)));
    if (found && !document_take(&document, value))
        return ENC_ERR_INTERNAL;
    return enc_grams_add(grams, document.text) ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err close_block(struct enc_rows *rows, struct enc_arena *arena, uint32_t view,
                                struct state *state)
{
    struct enc_grams grams;
    struct enc_bytes block;
    struct number_key key = key_of(state->open_first);
    ENC_TRY(enc_grams_begin(&grams, arena));
    for (uint64_t number = state->open_first; number < state->next; number++)
        ENC_TRY(add_to_block(&grams, rows, view, number));
    ENC_TRY(enc_grams_finish(&block, &grams));
    state->open_first = state->next;
    state->open_len = 0;
    return enc_rows_put(rows, view + VIEW_BLOCK, key_bytes(&key), block);
}

static bool has_room(const struct state *state, size_t text_len)
{
    uint64_t count = state->next - state->open_first;
    return count == 0 || (count < ENC_GRAMS_DOCS_MAX &&
                          state->open_len + text_len <= (uint64_t)ENC_GRAMS_TEXT_MAX);
}

enum enc_err enc_search_add(struct enc_rows *rows, uint64_t *number, struct enc_arena *arena,
                            uint32_t view, const struct enc_document *document)
{
    struct state state;
    struct enc_document folded = {.name = document->name};
    ENC_CHECK(document->name.len <= ENC_SEARCH_NAME_LEN_MAX);
    ENC_TRY(enc_fold(&folded.text, arena, document->text));
    ENC_TRY(state_load(&state, rows, view));
    if (!has_room(&state, folded.text.len))
        ENC_TRY(close_block(rows, arena, view, &state));
    *number = state.next++;
    state.open_len += folded.text.len;
    ENC_TRY(document_save(rows, arena, view, *number, &folded));
    return state_save(rows, view, &state);
}

enum enc_err enc_search_drop(struct enc_rows *rows, uint32_t view, uint64_t number)
{
    struct number_key key = key_of(number);
    return enc_rows_del(rows, view + VIEW_DOCUMENT, key_bytes(&key));
}

/* ---- the walk ---- */

static void start_scan(struct enc_search *search, uint32_t view)
{
    struct enc_row_range range = {
        .view = {search->view.ord, search->view.number + view},
        .reverse = true,
    };
    enc_scan_rows(&search->scan, search->snap, &range);
}

enum enc_err enc_search_begin(struct enc_search *search, struct enc_arena *arena,
                              struct enc_snap *snap, struct enc_view view, struct enc_bytes query)
{
    struct state state;
    bool found = false;
    struct enc_bytes value;
    *search = (struct enc_search){.snap = snap, .view = view};
    ENC_TRY(enc_fold(&search->query, arena, query));
    ENC_TRY(enc_snap_row(snap, &found, &value,
                         (struct enc_view){view.ord, view.number + VIEW_STATE}, state_key()));
    ENC_TRY(state_take(&state, found, value));
    search->open_first = state.open_first;
    start_scan(search, VIEW_DOCUMENT);
    return ENC_ERR_OK;
}

static bool fail(struct enc_search *search, enum enc_err err)
{
    search->err = err;
    return false;
}

/* Whether the document of this row holds the query. */
static bool holds(struct enc_search *search, struct enc_bytes *name, struct enc_bytes value)
{
    struct enc_document document;
    if (!document_take(&document, value))
        return fail(search, ENC_ERR_INTERNAL);
    *name = document.name;
    return enc_fold_contains(document.text, search->query);
}

/* From the open block's documents to the blocks. */
static bool turn_to_blocks(struct enc_search *search)
{
    enum enc_err err = enc_scan_fini(&search->scan);
    search->in_blocks = true;
    start_scan(search, VIEW_BLOCK);
    return err == ENC_ERR_OK || fail(search, err);
}

static bool next_open(struct enc_search *search, struct enc_bytes *name)
{
    struct enc_row_found row;
    while (search->err == ENC_ERR_OK && enc_scan_row(&search->scan, &row)) {
        if (row.key.len != 8)
            return fail(search, ENC_ERR_INTERNAL);
        if (enc_be64_get(row.key.data) < search->open_first)
            break;
        if (holds(search, name, row.value))
            return true;
    }
    return false;
}

static bool next_block(struct enc_search *search)
{
    struct enc_row_found row;
    if (!enc_scan_row(&search->scan, &row))
        return false;
    if (row.key.len != 8)
        return fail(search, ENC_ERR_INTERNAL);
    search->block_first = enc_be64_get(row.key.data);
    enum enc_err err = enc_grams_find(&search->candidates, row.value, search->query);
    search->left = search->candidates.count;
    return err == ENC_ERR_OK || fail(search, err);
}

/* A candidate that was dropped has no row any more. */
static bool next_candidate(struct enc_search *search, struct enc_bytes *name)
{
    struct enc_view view = {search->view.ord, search->view.number + VIEW_DOCUMENT};
    while (search->err == ENC_ERR_OK && search->left > 0) {
        bool found = false;
        struct enc_bytes value;
        struct number_key key =
            key_of(search->block_first + search->candidates.docs[--search->left]);
        enum enc_err err = enc_snap_row(search->snap, &found, &value, view, key_bytes(&key));
        if (err != ENC_ERR_OK)
            return fail(search, err);
        if (found && holds(search, name, value))
            return true;
    }
    return false;
}

bool enc_search_next(struct enc_search *search, struct enc_bytes *name)
{
    if (!search->in_blocks) {
        if (next_open(search, name))
            return true;
        if (search->err != ENC_ERR_OK || !turn_to_blocks(search))
            return false;
    }
    do {
        if (next_candidate(search, name))
            return true;
    } while (search->err == ENC_ERR_OK && next_block(search));
    return false;
}

enum enc_err enc_search_fini(struct enc_search *search)
{
    enum enc_err err = enc_scan_fini(&search->scan);
    return search->err != ENC_ERR_OK ? search->err : err;
}
