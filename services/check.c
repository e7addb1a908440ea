#include "services/check.h"

#include "proto/record.h"
#include "services/check_push.h"
#include "services/check_tree.h"
#include "services/host.h"
#include "services/rows.h"
#include "services/state.h"
#include "services/tree.h"

struct check {
    struct enc_check_report *report;
    struct enc_snap *snap;
    uint64_t ord;
    const struct enc_check_config *config;
    struct enc_arena arena; /* of the head */
    struct enc_arena page;  /* of one event */
    struct enc_enclave_row row;
    struct enc_state state;
    struct enc_subtree_sink subtrees;
    struct enc_replay replay;
    enum enc_err err; /* the store's own failure */
};

/* The first flaw stays; false. */
static bool flaw(struct check *check, const char *text)
{
    if (!check->report->flaw)
        check->report->flaw = text;
    return false;
}

static bool flaw_at(struct check *check, const char *text, uint64_t at)
{
    if (!check->report->flaw) {
        check->report->has_at = true;
        check->report->at = at;
    }
    return flaw(check, text);
}

/* An absent row is a finding; INTERNAL is damage below. */
static bool read_well(struct check *check, enum enc_err err)
{
    if (err == ENC_ERR_INTERNAL)
        check->err = err;
    return err == ENC_ERR_OK;
}

/* ---- the log of bundles, while the replay closes them ---- */

static bool see_subtree(struct check *check, unsigned level, uint64_t index,
                        const uint8_t hash32[32])
{
    uint8_t stored32[32];
    enum enc_err err = enc_snap_ct_node(check->snap, stored32, check->ord, (uint8_t)level, index);
    if (err != ENC_ERR_OK)
        return flaw_at(check, "a node of the log is missing", index);
    return memcmp(stored32, hash32, 32) == 0 ||
           flaw_at(check, "a node of the log has another hash", index);
}

static enum enc_err put_subtree(void *self, unsigned level, uint64_t index,
                                const uint8_t hash32[32])
{
    bool is_good = see_subtree((struct check *)self, level, index, hash32);
    return is_good ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static const char *compare_leaf(const struct enc_ct_leaf_row *row,
                                const struct enc_replay_leaf *leaf)
{
    if (memcmp(row->events_root32, leaf->events_root32, 32) != 0)
        return "a bundle has another events_root";
    if (memcmp(row->state_hash32, leaf->state_hash32, 32) != 0)
        return "a bundle has another state_hash";
    if (row->first_seq != leaf->first_seq || row->count != leaf->count)
        return "a bundle holds other events";
    bool is_timely = row->closed_ms >= leaf->closed_min_ms && row->closed_ms <= leaf->closed_max_ms;
    return is_timely ? NULL : "a bundle was closed at another time";
}

/* /state finds the newest leaf of a state by a row of its own. */
static bool see_leaf_row(struct check *check, const struct enc_replay_leaf *leaf)
{
    bool found = false;
    uint64_t newest = 0;
    return read_well(check, enc_snap_leaf_of_state(check->snap, &found, &newest, check->ord,
                                                   leaf->state_hash32)) &&
           ((found && newest >= leaf->index) ||
            flaw_at(check, "a bundle is not found by its state_hash", leaf->index));
}

static bool see_leaf(void *opaque, const struct enc_replay *replay,
                     const struct enc_replay_leaf *leaf)
{
    (void)replay;
    struct check *check = (struct check *)opaque;
    struct enc_ct_leaf_row row;
    if (!read_well(check, enc_snap_ct_leaf(check->snap, &row, check->ord, leaf->index)))
        return flaw_at(check, "a bundle is missing", leaf->index);
    const char *what = compare_leaf(&row, leaf);
    return what ? flaw_at(check, what, leaf->index) : see_leaf_row(check, leaf);
}

/* ---- the events ---- */

static bool is_found_by_id(struct check *check, const struct enc_event *event)
{
    uint64_t seq = 0;
    enum enc_err err = enc_snap_seq_by_id(check->snap, &seq, check->ord, event->id32);
    return read_well(check, err) && seq == event->seq;
}

static bool is_found_by_hash(struct check *check, const struct enc_event *event)
{
    struct enc_event_place place;
    enum enc_err err =
        enc_snap_place_by_hash(check->snap, &place, event->commit.exp_ms, event->commit.hash32);
    return read_well(check, err) && place.ord == check->ord && place.seq == event->seq;
}

static bool is_found_by_type(struct check *check, const struct enc_event *event)
{
    struct enc_scan scan;
    struct enc_typed_found found;
    const struct enc_range only = {.first = event->seq, .last = event->seq};
    enc_scan_type(&scan, check->snap, check->ord, event->commit.type, only);
    bool is_found = enc_scan_typed(&scan, &found) && found.type_seq == event->type_seq;
    return read_well(check, enc_scan_fini(&scan)) && is_found;
}

/* With as many rows as events, which the store's own check says, none is beside these. */
static const char *missing_from(struct check *check, const struct enc_event *event)
{
    if (!is_found_by_id(check, event))
        return "an event is not found by its id";
    if (!is_found_by_hash(check, event))
        return "an event is not found by its hash";
    return is_found_by_type(check, event) ? NULL : "an event is not found by its type";
}

static bool feed(struct check *check, const struct enc_event_found *found)
{
    struct enc_event event;
    if (enc_record_take(&event, &check->page, found->record) != ENC_ERR_OK)
        return flaw_at(check, "an event's record cannot be read", found->seq);
    bool is_sound = found->seq == event.seq && enc_replay_feed(&check->replay, &event);
    const char *missing = is_sound ? missing_from(check, &event) : NULL;
    enc_arena_fini(&check->page);
    if (missing)
        return flaw_at(check, missing, found->seq);
    if (is_sound)
        return true;
    check->report->verdict = check->replay.verdict;
    return flaw_at(check,
                   found->seq == event.seq ? "an event is not sound"
                                           : "an event stands under another seq",
                   found->seq);
}

static bool feed_all(struct check *check)
{
    struct enc_scan scan;
    struct enc_event_found found;
    bool is_sound = true;
    struct enc_range all = {.first = 0, .last = UINT64_MAX};
    enc_scan_events(&scan, check->snap, check->ord, all);
    while (is_sound && enc_scan_event(&scan, &found))
        is_sound = feed(check, &found);
    check->report->event_count = check->replay.next_seq;
    return read_well(check, enc_scan_fini(&scan)) && is_sound;
}

/* The timer may have closed the last bundle; only its row says when. */
static bool close_last(struct check *check)
{
    struct enc_ct_leaf_row row;
    uint64_t leaf = check->replay.ct.count;
    enum enc_err err = enc_snap_ct_leaf(check->snap, &row, check->ord, leaf);
    if (err == ENC_ERR_LEAF_NOT_FOUND)
        return true;
    if (!read_well(check, err) || !enc_replay_close_bundle(&check->replay, row.closed_ms))
        return false;
    if (check->replay.ct.count == leaf)
        return flaw_at(check, "a bundle was closed before its time", leaf);
    err = enc_snap_ct_leaf(check->snap, &row, check->ord, leaf + 1);
    return err == ENC_ERR_LEAF_NOT_FOUND ||
           flaw_at(check, "there is a bundle without events", leaf + 1);
}

/* What was moved here and has had no commit yet: its log ends with the Migrate. */
static void take_over(struct check *check)
{
    bool is_ours = check->replay.status == ENC_STATUS_MIGRATED &&
                   memcmp(check->replay.new_sequencer32, check->config->node_pub32, 32) == 0;
    if (is_ours && check->state.status != ENC_STATUS_MIGRATED &&
        !enc_replay_take_over(&check->replay))
        flaw(check, "the enclave was moved to the node that it was on");
}

static bool finish(struct check *check)
{
    take_over(check);
    if (enc_replay_finish(&check->replay))
        return true;
    check->report->verdict = check->replay.verdict;
    return flaw(check, "the events or the tree head are not sound");
}

static bool check_status(struct check *check, const struct enc_replay_event *event)
{
    struct enc_status_row row;
    struct enc_event_place place = {.ord = check->ord, .seq = event->seq};
    const uint8_t none32[32] = {0};
    const uint8_t *by32 = event->by ? event->by->id32 : none32;
    if (!read_well(check, enc_snap_status(check->snap, &row, place)))
        return false;
    return (row.status == (uint8_t)event->status && memcmp(row.by32, by32, 32) == 0) ||
           flaw_at(check, "an event has another status", event->seq);
}

static bool check_statuses(struct check *check)
{
    for (const struct enc_replay_event *e = check->replay.first; e; e = e->next)
        if (!check_status(check, e))
            return false;
    return true;
}

/* ---- the head ---- */

static bool is_frontier(const struct enc_frontier *a, const struct enc_frontier *b)
{
    uint8_t one[ENC_FRONTIER_LEN_MAX];
    uint8_t two[ENC_FRONTIER_LEN_MAX];
    size_t one_len = enc_frontier_encode(one, a);
    size_t two_len = enc_frontier_encode(two, b);
    return enc_bytes_equal(enc_bytes_of(one, one_len), enc_bytes_of(two, two_len));
}

static bool are_gates(const struct enc_gates *a, const struct enc_gates *b)
{
    bool is_equal = a->count == b->count;
    for (size_t i = 0; is_equal && i < a->count; i++)
        is_equal = enc_bytes_equal(a->types[i], b->types[i]);
    return is_equal;
}

static bool is_open_bundle(const struct enc_state *state, const struct enc_replay *replay)
{
    return is_frontier(&state->bundle, &replay->bundle) &&
           (replay->bundle.count == 0 || (state->bundle_first_seq == replay->bundle_first_seq &&
                                          state->bundle_first_ms == replay->bundle_first_ms));
}

static bool is_last_time(struct check *check)
{
    struct enc_ct_leaf_row row;
    uint64_t last_ms = check->replay.last_ms;
    uint64_t count = check->replay.ct.count;
    if (count > 0 && read_well(check, enc_snap_ct_leaf(check->snap, &row, check->ord, count - 1)) &&
        row.closed_ms > last_ms)
        last_ms = row.closed_ms;
    return check->state.last_ms == last_ms;
}

/* Before the first bundle there is none. */
static bool is_no_head(const struct enc_sth *sth)
{
    static const uint8_t ZEROS[64];
    return sth->ts == 0 && sth->t_ms == 0 && memcmp(sth->r32, ZEROS, 32) == 0 &&
           memcmp(sth->sig64, ZEROS, 64) == 0;
}

static bool is_head_signed(const struct check *check)
{
    uint8_t root32[32];
    const struct enc_sth *sth = &check->state.sth;
    enc_frontier_root(&check->replay.ct, root32);
    return check->replay.ct.count == 0
               ? is_no_head(sth)
               : sth->ts == check->replay.ct.count && memcmp(sth->r32, root32, 32) == 0 &&
                     enc_sth_verify(check->config->curve, sth, check->config->node_pub32);
}

static bool check_head(struct check *check)
{
    const struct enc_state *state = &check->state;
    const struct enc_replay *replay = &check->replay;
    uint8_t hash32[32];
    enc_replay_state_hash(&check->replay, hash32);
    const struct {
        bool is_good;
        const char *flaw;
    } ROWS[] = {
        {state->ord == check->ord && state->service == check->row.service,
         "the head belongs to another enclave"},
        {memcmp(state->enclave32, replay->enclave32, 32) == 0, "the head names another enclave"},
        {state->status == replay->status, "the head has another status"},
        {memcmp(state->new_sequencer32, replay->new_sequencer32, 32) == 0,
         "the head names another new sequencer"},
        {state->next_seq == replay->next_seq, "the head counts other events"},
        {is_last_time(check), "the head has another time"},
        {state->created_ms == replay->created_ms && check->row.created_ms == replay->created_ms,
         "the head has another time of creation"},
        {state->owner_count == replay->owner_count, "the head counts other Owners"},
        {memcmp(state->smt.hash32, hash32, 32) == 0, "the head has another state_hash"},
        {state->smt_version >= state->smt.ref.version, "the head has a version before its tree's"},
        {state->smt.count == enc_smt_count(&replay->tree), "the head counts other leaves"},
        {is_frontier(&state->ct, &replay->ct), "the head has another log"},
        {is_open_bundle(state, replay), "the head has another open bundle"},
        {memcmp(state->leaf_state_hash32, replay->leaf_state_hash32, 32) == 0,
         "the head has another state_hash of the newest bundle"},
        {are_gates(&state->gates, &replay->gates), "the head has other gates"},
        {is_head_signed(check), "the stored tree head is not signed over this log"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        if (!ROWS[i].is_good)
            return flaw(check, ROWS[i].flaw);
    return true;
}

static bool check_tree(struct check *check)
{
    const char *what = NULL;
    enum enc_err err = enc_check_tree(&what, check->snap, &check->state, &check->replay.tree);
    return read_well(check, err) && (!what || flaw(check, what));
}

static bool check_leaf_rows(struct check *check)
{
    bool is_sound = false;
    return read_well(check, enc_leaf_rows_check(check->snap, &is_sound, check->ord)) &&
           (is_sound || flaw(check, "a row finds another bundle than that of its state_hash"));
}

static bool check_rest(struct check *check)
{
    const char *what = NULL;
    const struct enc_check_rest rest = {.snap = check->snap,
                                        .curve = check->config->curve,
                                        .chunks = check->config->chunks,
                                        .node_pub32 = check->config->node_pub32,
                                        .state = &check->state,
                                        .replay = &check->replay};
    return read_well(check, enc_check_push(&what, &rest)) &&
           read_well(check, what ? ENC_ERR_OK : enc_check_alarms(&what, &rest)) &&
           (!what || flaw(check, what));
}

/* Rows under no ordinal: a singleton is found by its service's name. */
static bool check_name(struct check *check)
{
    const struct enc_addressing *addressing =
        &enc_service_at(check->row.service)->enclave.addressing;
    const struct enc_view names = {0, ENC_SHARED_SINGLETON};
    bool found = false;
    struct enc_bytes value;
    if (addressing->segment != 0)
        return true;
    struct enc_bytes name = enc_bytes_of_text(addressing->name);
    if (!read_well(check, enc_snap_row(check->snap, &found, &value, names, name)))
        return false;
    bool is_ours = found && enc_bytes_equal(value, enc_bytes_of(check->report->enclave32, 32));
    return is_ours || flaw(check, "the enclave is not found by its service's name");
}

/* ---- the whole ---- */

static bool load(struct check *check)
{
    struct enc_bytes record;
    uint8_t *enclave32 = check->report->enclave32;
    if (!read_well(check, enc_snap_enclave_id(check->snap, enclave32, check->ord)) ||
        !read_well(check, enc_snap_enclave(check->snap, &check->row, enclave32)))
        return flaw(check, "the enclave is not in the list of enclaves");
    if (check->row.ord != check->ord)
        return flaw(check, "the enclave has two ordinals");
    if (!read_well(check, enc_snap_head(check->snap, &record, check->ord)))
        return flaw(check, "the enclave has no head");
    if (enc_state_decode(&check->state, &check->arena, record) != ENC_ERR_OK)
        return flaw(check, "the head cannot be read");
    return true;
}

static bool begin(struct check *check)
{
    if (check->row.service >= enc_service_count())
        return flaw(check, "the enclave belongs to no service");
    check->subtrees = (struct enc_subtree_sink){.put = put_subtree, .self = check};
    struct enc_replay_config config = {
        .curve = check->config->curve,
        .chunks = check->config->chunks,
        .memory_max = check->config->memory_max,
        .enclave32 = check->report->enclave32,
        .sequencer32 = check->config->node_pub32,
        .has_push = enc_service_at(check->row.service)->enclave.has_push,
        .is_stored = true,
        .observe = see_leaf,
        .opaque = check,
        .subtrees = &check->subtrees,
    };
    enc_replay_init(&check->replay, &config);
    return true;
}

static void run(struct check *check)
{
    bool is_sound = feed_all(check) && close_last(check) && finish(check) &&
                    check_statuses(check) && check_head(check) && check_tree(check) &&
                    check_leaf_rows(check) && check_rest(check) && check_name(check);
    check->report->leaf_count = check->replay.ct.count;
    ENC_CHECK(is_sound || check->report->flaw || check->err != ENC_ERR_OK);
    enc_replay_fini(&check->replay);
}

enum enc_err enc_enclave_check(struct enc_check_report *report, struct enc_snap *snap, uint64_t ord,
                               const struct enc_check_config *config)
{
    struct check check = {.report = report, .snap = snap, .ord = ord, .config = config};
    *report = (struct enc_check_report){.flaw = NULL};
    enc_arena_init(&check.arena, config->chunks, config->memory_max);
    enc_arena_init(&check.page, config->chunks, config->memory_max);
    if (load(&check) && begin(&check))
        run(&check);
    enc_arena_fini(&check.arena);
    enc_arena_fini(&check.page);
    return report->flaw ? ENC_ERR_OK : check.err;
}
