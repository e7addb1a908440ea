#include "services/import.h"

#include "proto/record.h"
#include "services/host.h"
#include "services/inbox.h"
#include "services/push.h"
#include "services/state.h"

static bool refuse(struct enc_import *import, const char *flaw)
{
    if (!import->flaw)
        import->flaw = flaw;
    return false;
}

static bool is_room(struct enc_import *import, enum enc_err err)
{
    return err == ENC_ERR_OK || refuse(import, "it does not fit into memory, or the store failed");
}

static const struct enc_service *service_of(const struct enc_import *import)
{
    return enc_service_at(import->config.service);
}

/* ---- what the replay tells on the way ---- */

static bool see_leaf(void *opaque, const struct enc_replay *replay,
                     const struct enc_replay_leaf *leaf)
{
    struct enc_import *import = (struct enc_import *)opaque;
    struct enc_ct_leaf_row row = {
        .first_seq = leaf->first_seq,
        .count = (uint32_t)leaf->count,
        .closed_ms = leaf->closed_min_ms,
    };
    (void)replay;
    memcpy(row.events_root32, leaf->events_root32, 32);
    memcpy(row.state_hash32, leaf->state_hash32, 32);
    enc_put_ct_leaf(&import->set, import->ord, leaf->index, &row);
    enc_put_leaf_of_state(&import->set, import->ord, leaf->state_hash32, leaf->index);
    import->closed_ms = leaf->closed_min_ms;
    return true;
}

static void drop_endpoints(struct enc_import *import, const uint8_t identity32[32])
{
    struct enc_import_endpoint **at = &import->endpoints;
    while (*at) {
        struct enc_import_endpoint *one = *at;
        struct enc_endpoint_key key = {import->ord, one->identity32, one->url16};
        bool is_hers = memcmp(one->identity32, identity32, 32) == 0;
        if (is_hers)
            enc_del_endpoint(&import->set, &key);
        if (is_hers)
            *at = one->next;
        else
            at = &one->next;
    }
}

static void add_endpoint(struct enc_import *import, const struct enc_endpoint *endpoint)
{
    struct enc_import_endpoint *one = ENC_ARENA_NEW(&import->arena, struct enc_import_endpoint, 1);
    struct enc_bytes url = enc_arena_copy(&import->arena, endpoint->url);
    if (!one || !url.data) {
        import->set.failed = true;
        return;
    }
    one->next = import->endpoints;
    memcpy(one->identity32, endpoint->identity32, 32);
    enc_push_url_key(one->url16, url);
    import->endpoints = one;
    struct enc_endpoint_key key = {import->ord, one->identity32, one->url16};
    enc_put_endpoint(&import->set, &key, url);
}

/* Endpoints are part of what the log says; queues are not, they begin anew. */
static void see_plan(void *opaque, const struct enc_ac_plan *plan)
{
    struct enc_import *import = (struct enc_import *)opaque;
    for (size_t i = 0; i < plan->change_count; i++)
        if (!enc_rbac_delivers(&import->replay.manifest, &plan->changes[i].after))
            drop_endpoints(import, plan->changes[i].identity32);
    for (size_t i = 0; i < plan->endpoint_count; i++)
        add_endpoint(import, &plan->endpoints[i]);
}

/* ---- beginning ---- */

void enc_import_init(struct enc_import *import, struct enc_data *data,
                     const struct enc_import_config *config)
{
    *import = (struct enc_import){.config = *config, .data = data};
    enc_arena_init(&import->arena, config->chunks, config->memory_max);
    enc_arena_init(&import->page, config->chunks, config->memory_max);
    enc_writeset_init(&import->set, &import->arena);
    enc_tree_sink_init(&import->sink, &import->set, 0);
    struct enc_replay_config replay = {
        .curve = config->curve,
        .chunks = config->chunks,
        .memory_max = config->memory_max,
        .enclave32 = config->enclave32,
        .sequencer32 = config->node->pub32,
        .has_push = service_of(import)->enclave.has_push,
        .is_stored = true,
        .observe = see_leaf,
        .planned = see_plan,
        .opaque = import,
        .subtrees = &import->sink.subtrees,
    };
    enc_replay_init(&import->replay, &replay);
    enc_replay_expect(&import->replay, config->heads, config->head_count);
}

static bool check_schema(struct enc_import *import, struct enc_bytes content)
{
    const struct enc_json *rbac = NULL;
    struct enc_manifest unused;
    const char *fixed = service_of(import)->enclave.schema.fixed_json;
    struct enc_arena *page = &import->page;
    if (!fixed || enc_manifest_parse(&unused, page, page, content, &rbac) != ENC_ERR_OK)
        return true; /* the replay knows a better word for it */
    bool is_equal = enc_manifest_matches_schema(rbac, page, enc_bytes_of_text(fixed)) == ENC_ERR_OK;
    return is_equal || refuse(import, "its rules are not those of the service");
}

static bool open_place(struct enc_import *import, const uint8_t enclave32[32])
{
    struct enc_enclave_row row;
    import->store = enc_data_shard(import->data, enclave32);
    if (enc_snap_open(import->store, &import->snap) != ENC_ERR_OK)
        return refuse(import, "the store cannot be read");
    enum enc_err err = enc_snap_enclave(import->snap, &row, enclave32);
    if (err == ENC_ERR_OK)
        return refuse(import, "the enclave is here already");
    if (err != ENC_ERR_ENCLAVE_NOT_FOUND)
        return refuse(import, "the store cannot be read");
    import->ord = enc_store_next_ord(import->store);
    import->sink.ord = import->ord;
    enc_rows_init(&import->rows, &import->arena, import->snap, &import->set, import->ord);
    return true;
}

static bool begin(struct enc_import *import, const struct enc_event *event)
{
    if (service_of(import)->enclave.addressing.segment == 0)
        return refuse(import, "the service has one enclave, its node's own");
    return open_place(import, event->commit.enclave32) &&
           check_schema(import, event->commit.content);
}

/* ---- events ---- */

/* Which bundle it falls into: one that is overdue is closed before it (protocol.md 7.1.3). */
static uint64_t bundle_of(const struct enc_replay *replay, uint64_t timestamp_ms)
{
    uint64_t timeout_ms = replay->manifest.bundle_timeout_ms;
    bool is_overdue = replay->bundle.count > 0 && timeout_ms > 0 &&
                      timestamp_ms >= replay->bundle_first_ms &&
                      timestamp_ms - replay->bundle_first_ms >= timeout_ms;
    return replay->ct.count + is_overdue;
}

static enum enc_err put_event(struct enc_import *import, const struct enc_event *event)
{
    struct enc_buffer buffer;
    struct enc_event_row row = {
        .ord = import->ord,
        .seq = event->seq,
        .type_seq = event->type_seq,
        .id32 = event->id32,
        .hash32 = event->commit.hash32,
        .exp_ms = event->commit.exp_ms,
        .type = event->commit.type,
    };
    enc_buffer_init(&buffer, &import->arena, SIZE_MAX / 4);
    enc_record_put(&buffer, event);
    ENC_TRY(enc_buffer_bytes(&buffer, &row.record));
    enc_put_event(&import->set, &row);
    return ENC_ERR_OK;
}

static enum enc_err project(struct enc_import *import, const struct enc_event *event)
{
    const struct enc_folding folding = {
        .view = service_of(import)->view,
        .rows = &import->rows,
        .arena = &import->page,
        .curve = import->config.curve,
        .own32 = import->replay.enclave32,
    };
    return folding.view ? enc_fold_own(&folding, event) : ENC_ERR_OK;
}

static bool take_event(struct enc_import *import, struct enc_event *event)
{
    if (import->flaw || (import->replay.next_seq == 0 && !begin(import, event)))
        return false;
    event->bundle = bundle_of(&import->replay, event->timestamp_ms);
    if (!enc_replay_feed(&import->replay, event))
        return false;
    return is_room(import, put_event(import, event)) && is_room(import, project(import, event));
}

bool enc_import_event(struct enc_import *import, struct enc_event *event)
{
    bool is_taken = take_event(import, event);
    enc_arena_fini(&import->page);
    return is_taken;
}

/* ---- the whole ---- */

static bool check_end(struct enc_import *import)
{
    const struct enc_replay *replay = &import->replay;
    if (replay->next_seq > 0 && replay->status != ENC_STATUS_MIGRATED)
        return refuse(import, "its last event is no Migrate: it goes on where it is");
    if (replay->next_seq > 0 &&
        memcmp(replay->new_sequencer32, import->config.node->pub32, 32) != 0)
        return refuse(import, "its Migrate names another node");
    if (!enc_replay_finish(&import->replay))
        return false;
    return enc_replay_take_over(&import->replay) ||
           refuse(import, "its Migrate names the node that it was on");
}

static void put_statuses(struct enc_import *import)
{
    for (const struct enc_replay_event *e = import->replay.first; e; e = e->next) {
        struct enc_status_row row = {.status = (uint8_t)e->status};
        if (e->status == ENC_EVENT_ACTIVE)
            continue;
        memcpy(row.by32, e->by->id32, 32);
        enc_put_status(&import->set, (struct enc_event_place){import->ord, e->seq}, &row);
    }
}

static enum enc_err make_state(struct enc_import *import, struct enc_state *state)
{
    struct enc_replay *replay = &import->replay;
    enc_state_init(state, replay->enclave32);
    state->exists = true;
    state->service = (uint8_t)import->config.service;
    state->ord = import->ord;
    state->status = replay->status;
    state->next_seq = replay->next_seq;
    state->last_ms = replay->last_ms > import->closed_ms ? replay->last_ms : import->closed_ms;
    state->created_ms = replay->created_ms;
    state->owner_count = replay->owner_count;
    state->smt_version = 1;
    state->ct = replay->ct;
    state->bundle = replay->bundle;
    state->gates = replay->gates;
    memcpy(state->leaf_state_hash32, replay->leaf_state_hash32, 32);
    state->sth = (struct enc_sth){.t_ms = import->config.now_ms, .ts = state->ct.count};
    enc_frontier_root(&state->ct, state->sth.r32);
    enc_sth_sign(import->config.curve, &state->sth, import->config.node);
    return enc_smt_seal(&replay->tree, &state->smt, &import->sink.nodes, state->smt_version);
}

static enum enc_err put_state(struct enc_import *import)
{
    struct enc_state state;
    struct enc_buffer buffer;
    struct enc_bytes head;
    ENC_TRY(make_state(import, &state));
    struct enc_enclave_row row = {state.ord, state.created_ms, state.service};
    enc_put_enclave(&import->set, state.enclave32, &row);
    enc_buffer_init(&buffer, &import->arena, SIZE_MAX / 4);
    enc_state_encode(&buffer, &state);
    ENC_TRY(enc_buffer_bytes(&buffer, &head));
    enc_put_head(&import->set, state.ord, head);
    return ENC_ERR_OK;
}

static bool write(struct enc_import *import)
{
    struct enc_apply_facts facts;
    const struct enc_writeset *sets[] = {&import->set};
    enc_snap_close(import->snap);
    import->snap = NULL;
    if (!enc_writeset_ok(&import->set))
        return is_room(import, ENC_ERR_TOO_LARGE);
    if (enc_store_apply(import->store, &facts, sets, 1) == ENC_OUTCOME_OK)
        return true;
    return refuse(import, facts.culprit == 0 ? "one of its commits is in another enclave here"
                                             : enc_store_error_text(facts.engine_error));
}

bool enc_import_finish(struct enc_import *import)
{
    if (import->flaw || !check_end(import))
        return false;
    put_statuses(import);
    return is_room(import, put_state(import)) && write(import);
}

void enc_import_fini(struct enc_import *import)
{
    enc_snap_close(import->snap);
    enc_replay_fini(&import->replay);
    enc_arena_fini(&import->arena);
    enc_arena_fini(&import->page);
}
