#include "host_fixture.h"

#include "actors/splitmix.h"
#include "proto/base/hex.h"
#include "proto/seal.h"
#include "proto/sha256.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

uint32_t rig_session_s = 3600;

static const uint64_t START_MS = 1750000000000;

/* ---- memory of the test ---- */

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    (void)self;
    struct enc_chunk *chunk = (struct enc_chunk *)aligned_alloc(16, (len + 15) & ~(size_t)15);
    cr_assert_not_null(chunk);
    chunk->len = (len + 15) & ~(size_t)15;
    return chunk;
}

static void give_chunks(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

const char *rig_text(struct rig *rig, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    char *text = (char *)enc_arena_take(&rig->arena, (size_t)len + 1);
    cr_assert_not_null(text);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

const char *rig_hex(struct rig *rig, const uint8_t *data, size_t len)
{
    char *text = (char *)enc_arena_take(&rig->arena, 2 * len + 1);
    cr_assert_not_null(text);
    enc_hex_encode(text, enc_bytes_of(data, len));
    return text;
}

/* ---- the runtime ---- */

static uint64_t now_ms(void *self)
{
    const struct rig *rig = (const struct rig *)self;
    return (uint64_t)((int64_t)enc_sim_now_ms(rig->sim) + rig->skew_ms);
}

static uint64_t now_ns(void *self)
{
    const struct rig *rig = (const struct rig *)self;
    return enc_sim_now_ms(rig->sim) * 1000000;
}

static void fill_random(void *self, uint8_t *out, size_t len)
{
    struct rig *rig = (struct rig *)self;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(enc_splitmix(&rig->random) >> 32);
}

static void reply(void *self, struct enc_call *call, const struct enc_reply *reply_)
{
    struct rig *rig = (struct rig *)self;
    cr_assert(!call->is_answered, "a call is answered once");
    call->is_answered = true;
    call->status = reply_->status;
    call->retry_s = reply_->retry_s;
    call->allow = reply_->allow;
    call->is_immutable = reply_->immutable;
    call->order = ++rig->answers;
    call->len = reply_->body.len;
    call->body = (char *)calloc(1, reply_->body.len + 1);
    if (reply_->body.len)
        memcpy(call->body, reply_->body.data, reply_->body.len);
    call->late = *reply_;
    call->is_late = rig->keeps_replies;
    if (!call->is_late && reply_->release)
        reply_->release(reply_->owner);
}

void rig_release(struct rig *rig)
{
    for (size_t i = 0; i < rig->call_count; i++) {
        struct enc_call *call = rig->calls[i];
        if (call->is_late && call->late.release)
            call->late.release(call->late.owner);
        call->is_late = false;
    }
}

static size_t sent_len(const struct sent *sent)
{
    const struct enc_frame *rest = sent->out.rest;
    return enc_frame_bytes(sent->out.frame).len + (rest ? enc_frame_bytes(rest).len : 0);
}

static void ws_send(void *self, struct enc_conn *conn, const struct enc_outgoing *outgoing)
{
    (void)self;
    struct sent *sent = (struct sent *)calloc(1, sizeof *sent);
    sent->out = *outgoing;
    if (outgoing->frame)
        conn->queued_len += sent_len(sent);
    if (conn->queue_end)
        conn->queue_end->next = sent;
    else
        conn->queue = sent;
    conn->queue_end = sent;
}

static void ws_close(void *self, struct enc_conn *conn, uint16_t code)
{
    (void)self;
    conn->close_code = code;
}

static void conn_hold(void *self, struct enc_conn *conn)
{
    (void)self;
    conn->refs++;
}

static void conn_drop(void *self, struct enc_conn *conn)
{
    (void)self;
    cr_assert(conn->refs > 0);
    conn->refs--;
}

static void append(struct got **head, struct got **end, struct enc_bytes text)
{
    struct got *got = (struct got *)calloc(1, sizeof *got + text.len + 1);
    got->len = text.len;
    memcpy(got->text, text.data, text.len);
    if (*end)
        (*end)->next = got;
    else
        *head = got;
    *end = got;
}

static void fetch(void *self, struct enc_fetch *fetch_)
{
    struct rig *rig = (struct rig *)self;
    cr_assert(rig->fetch_count < RIG_FETCHES_MAX);
    append(&rig->posted, &rig->posted_end, fetch_->body);
    rig->fetches[rig->fetch_count++] = fetch_;
    rig->fetches_started++;
    if (rig->fetch_count > rig->fetches_peak)
        rig->fetches_peak = rig->fetch_count;
}

void rig_land_answer(struct rig *rig, int status, struct enc_bytes answer)
{
    cr_assert(rig->fetch_count > 0);
    struct enc_fetch *first = rig->fetches[0];
    rig->fetch_count--;
    memmove(rig->fetches, rig->fetches + 1, rig->fetch_count * sizeof rig->fetches[0]);
    first->status = status;
    if (status && answer.len && answer.len <= first->answer_len_max) {
        first->answer = (uint8_t *)malloc(answer.len);
        memcpy(first->answer, answer.data, answer.len);
        first->answer_len = answer.len;
    }
    first->done(first);
}

void rig_land(struct rig *rig, int status)
{
    rig_land_answer(rig, status, (struct enc_bytes){NULL, 0});
}

static void land(struct rig *rig)
{
    struct enc_bytes answer = {NULL, 0};
    int status = rig->fetch_status;
    if (rig->answer_fetch)
        status = rig->answer_fetch(rig, rig->fetches[0], &answer);
    rig_land_answer(rig, status, answer);
}

/* ---- the loop: one more thing that the simulation steps ---- */

static bool can_leave(const struct enc_conn *conn)
{
    return conn->queue && !conn->is_slow;
}

static size_t loop_choices(void *self, uint64_t now)
{
    const struct rig *rig = (const struct rig *)self;
    size_t count = rig->holds_fetches ? 0 : rig->fetch_count > 0;
    (void)now;
    for (size_t i = 0; i < rig->conn_count; i++)
        count += can_leave(rig->conns[i]);
    return count + (rig->gathering.count > 0);
}

static void deliver(struct enc_conn *conn, const struct sent *sent)
{
    struct enc_bytes lead = enc_frame_bytes(sent->out.frame);
    size_t len = sent_len(sent);
    uint8_t *text = (uint8_t *)malloc(len + 1);
    memcpy(text, lead.data, lead.len);
    if (sent->out.rest)
        memcpy(text + lead.len, enc_frame_bytes(sent->out.rest).data, len - lead.len);
    append(&conn->got, &conn->got_end, enc_bytes_of(text, len));
    conn->got_count++;
    free(text);
}

static void pop(struct enc_conn *conn)
{
    struct sent *sent = conn->queue;
    conn->queue = sent->next;
    if (!conn->queue)
        conn->queue_end = NULL;
    struct enc_frame *frame = sent->out.frame;
    bool is_admitted =
        conn->socket && enc_host_socket_admits(conn->socket, sent->out.stream, sent->out.is_last);
    if (frame)
        conn->queued_len -= sent_len(sent);
    if (is_admitted && frame)
        deliver(conn, sent);
    if (is_admitted && sent->out.wants_ack)
        enc_host_socket_written(conn->socket, sent->out.stream);
    enc_frame_drop(frame);
    enc_frame_drop(sent->out.rest);
    free(sent);
}

static void loop_run(void *self, size_t choice)
{
    struct rig *rig = (struct rig *)self;
    for (size_t i = 0; i < rig->conn_count; i++)
        if (can_leave(rig->conns[i]) && choice-- == 0) {
            pop(rig->conns[i]);
            return;
        }
    if (rig->gathering.count > 0 && choice == 0)
        enc_host_end_turn(rig->host, &rig->gathering);
    else
        land(rig);
}

/* ---- life ---- */

static void make_keys(struct rig *rig)
{
    uint8_t seed32[32] = {7};
    uint8_t priv32[32];
    rig->curve_memory = aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15);
    rig->curve = enc_curve_init(rig->curve_memory, seed32);
    for (unsigned i = 0; i < WHO_COUNT; i++) {
        const uint8_t text[2] = {'w', (uint8_t)i};
        enc_sha256(priv32, enc_bytes_of(text, 2));
        cr_assert(enc_key_init(&rig->keys[i], rig->curve, priv32));
    }
    enc_sha256(rig->node_priv32, ENC_LIT("node"));
    cr_assert(enc_key_init(&rig->node, rig->curve, rig->node_priv32));
}

void rig_init(struct rig *rig, uint64_t seed)
{
    *rig = (struct rig){.random = seed, .fetch_status = 200};
    strcpy(rig->root, "/tmp/enc-services-XXXXXX");
    cr_assert_not_null(mkdtemp(rig->root));
    snprintf(rig->dir, sizeof rig->dir, "%s/data", rig->root);
    rig->chunks = (struct enc_chunk_source){take_chunk, give_chunks, NULL};
    enc_arena_init(&rig->arena, &rig->chunks, SIZE_MAX / 4);
    make_keys(rig);
    cr_assert_eq(enc_sim_open(&rig->sim, seed, START_MS), ENC_ERR_OK);
    rig->loop = (struct enc_sim_source){loop_choices, loop_run, NULL, rig, NULL};
    enc_sim_add(rig->sim, &rig->loop);
    rig->runtime = (struct enc_runtime){
        .self = rig,
        .now_ms = now_ms,
        .now_ns = now_ns,
        .random = fill_random,
        .reply = reply,
        .ws_send = ws_send,
        .ws_close = ws_close,
        .conn_hold = conn_hold,
        .conn_drop = conn_drop,
        .fetch = fetch,
    };
    rig->data_config = (struct enc_data_config){
        .dir = rig->dir, .node_pub32 = rig->node.pub32, .map_len = 1 << 28, .sync = false};
    rig->config = (struct enc_host_config){
        .runtime = &rig->runtime,
        .node_priv32 = rig->node_priv32,
        .worker_count = 2,
        .version = "test",
        .sim = rig->sim,
    };
    enc_limits_default(&rig->config.limits);
}

void rig_start(struct rig *rig)
{
    struct enc_store_note note;
    const char *why = NULL;
    enum enc_store_fault fault = enc_data_open(&rig->data, &note, &rig->data_config);
    cr_assert_eq(fault, ENC_STORE_FAULT_NONE, "%s", note.text);
    rig->config.data = rig->data;
    cr_assert_eq(enc_host_start(&rig->host, &rig->config, &why), ENC_ERR_OK, "%s", why);
}

void rig_turn_to(struct rig *rig, const struct enc_service *service)
{
    for (unsigned i = 0; i < enc_service_count(); i++)
        if (enc_service_at(i) == service)
            rig->service = i;
    cr_assert_eq(enc_service_at(rig->service), service);
}

void rig_open(struct rig *rig, uint64_t seed)
{
    rig_init(rig, seed);
    rig_start(rig);
}

static void free_got(struct got *got)
{
    while (got) {
        struct got *next = got->next;
        free(got);
        got = next;
    }
}

static void free_conn(struct enc_conn *conn)
{
    cr_assert_eq(conn->refs, 0, "a conn is held by nobody after the stop");
    while (conn->queue) {
        struct sent *next = conn->queue->next;
        enc_frame_drop(conn->queue->out.frame);
        enc_frame_drop(conn->queue->out.rest);
        free(conn->queue);
        conn->queue = next;
    }
    free_got(conn->got);
    free(conn);
}

void rig_stop(struct rig *rig)
{
    rig_release(rig);
    for (size_t i = 0; i < rig->conn_count; i++)
        if (rig->conns[i]->socket)
            rig_disconnect(rig->conns[i]);
    enc_host_drain(rig->host);
    enc_host_end_turn(rig->host, &rig->gathering);
    while (rig->fetch_count > 0)
        rig_land(rig, 0);
    enc_host_stop(rig->host);
    rig->host = NULL;
    enc_data_close(rig->data);
    for (size_t i = 0; i < rig->conn_count; i++)
        free_conn(rig->conns[i]);
    rig->conn_count = 0;
}

void rig_restart(struct rig *rig)
{
    rig_stop(rig);
    rig_start(rig);
}

void rig_close(struct rig *rig)
{
    if (rig->host)
        rig_stop(rig);
    for (size_t i = 0; i < rig->call_count; i++) {
        cr_assert(rig->calls[i]->is_answered, "every call is answered");
        free(rig->calls[i]->body);
        free(rig->calls[i]);
    }
    free_got(rig->posted);
    enc_sim_remove(rig->sim, &rig->loop);
    enc_sim_close(rig->sim);
    enc_curve_fini(rig->curve);
    free(rig->curve_memory);
    enc_arena_fini(&rig->arena);
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", rig->root);
    cr_assert_eq(system(command), 0);
}

void rig_settle(struct rig *rig)
{
    for (size_t steps = 0; enc_sim_step(rig->sim); steps++)
        cr_assert(steps < 20000000, "the house comes to rest");
}

void rig_sleep(struct rig *rig, uint64_t ms)
{
    uint64_t until_ms = enc_sim_now_ms(rig->sim) + ms;
    rig_settle(rig);
    while (enc_sim_now_ms(rig->sim) < until_ms) {
        uint64_t now = enc_sim_now_ms(rig->sim);
        uint64_t due_ms = enc_sim_due_ms(rig->sim);
        uint64_t to_ms = due_ms > until_ms ? until_ms : due_ms <= now ? now + 1 : due_ms;
        enc_sim_advance(rig->sim, to_ms - now);
        rig_settle(rig);
    }
}

uint64_t rig_now_ms(const struct rig *rig)
{
    return enc_sim_now_ms(rig->sim);
}

/* ---- HTTP ---- */

static struct enc_call *enter(struct rig *rig, enum enc_method method, const char *path,
                              struct enc_bytes body)
{
    struct enc_ws_place place;
    const char *mark = strchr(path, '?');
    size_t path_len = mark ? (size_t)(mark - path) : strlen(path);
    struct enc_call *call = (struct enc_call *)calloc(1, sizeof *call);
    cr_assert(rig->call_count < RIG_CALLS_MAX);
    rig->calls[rig->call_count++] = call;
    call->rig = rig;
    struct enc_request request = {
        .method = method,
        .path = enc_bytes_of(path, path_len),
        .query = mark ? enc_bytes_of_text(mark + 1) : (struct enc_bytes){NULL, 0},
        .body = body,
        .call = call,
        .gathering = &rig->gathering,
    };
    cr_assert_eq(enc_host_handle(rig->host, rig->service, &request, &place), ENC_HANDLED_CALL);
    return call;
}

struct enc_call *rig_send(struct rig *rig, const char *path, struct enc_bytes body)
{
    return enter(rig, ENC_METHOD_POST, path, body);
}

struct enc_call *rig_send_get(struct rig *rig, const char *path)
{
    return enter(rig, ENC_METHOD_GET, path, (struct enc_bytes){NULL, 0});
}

struct enc_call *rig_get(struct rig *rig, const char *path)
{
    struct enc_call *call = rig_send_get(rig, path);
    rig_settle(rig);
    return call;
}

struct enc_call *rig_post(struct rig *rig, const char *path, struct enc_bytes body)
{
    struct enc_call *call = rig_send(rig, path, body);
    rig_settle(rig);
    return call;
}

const char *rig_path(struct rig *rig, const uint8_t enclave32[32], const char *action)
{
    return rig_text(rig, "/enclave/%s%s", rig_hex(rig, enclave32, 32), action);
}

const struct enc_json *rig_json(struct rig *rig, struct enc_bytes text)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    struct enc_bytes copy = enc_arena_copy(&rig->arena, text);
    cr_assert_eq(enc_json_parse(&json, &rig->arena, copy, &facts), ENC_ERR_OK, "not JSON: %.200s",
                 (const char *)copy.data);
    return json;
}

const struct enc_json *call_json(const struct enc_call *call)
{
    cr_assert(call->is_answered, "there is an answer");
    return rig_json(call->rig, enc_bytes_of(call->body, call->len));
}

bool json_is(const struct enc_json *object, const char *name, const char *text)
{
    struct enc_bytes value;
    return enc_json_text(enc_json_get(object, name), &value) && enc_bytes_is(value, text);
}

uint64_t json_u64(const struct enc_json *object, const char *name)
{
    uint64_t value = 0;
    cr_assert(enc_json_u64(enc_json_get(object, name), &value), "%s is a number", name);
    return value;
}

void json_hex(const struct enc_json *object, const char *name, uint8_t *out, size_t len)
{
    cr_assert(enc_json_hex(enc_json_get(object, name), out, len), "%s is hex", name);
}

bool call_is(const struct enc_call *call, uint16_t status, const char *code)
{
    const struct enc_json *json = call_json(call);
    bool is_same =
        call->status == status && json_is(json, "type", "Error") && json_is(json, "code", code);
    if (!is_same)
        cr_log_warn("status %u: %.300s", call->status, call->body);
    return is_same;
}

/* ---- commits ---- */

static struct enc_bytes keep(struct rig *rig, const char *text)
{
    return enc_arena_copy(&rig->arena, enc_bytes_of_text(text));
}

static struct enc_tags tags_of(struct rig *rig, const struct draft *draft)
{
    struct enc_tags tags = {NULL, 0};
    if (!draft->target32)
        return tags;
    struct enc_bytes *members = ENC_ARENA_NEW(&rig->arena, struct enc_bytes, 2);
    struct enc_tag *tag = ENC_ARENA_NEW(&rig->arena, struct enc_tag, 1);
    members[0] = ENC_LIT("r");
    members[1] = enc_bytes_of(rig_hex(rig, draft->target32, 32), 64);
    *tag = (struct enc_tag){members, 2};
    return (struct enc_tags){tag, 1};
}

static void sign(struct rig *rig, struct enc_commit *commit, enum who who)
{
    enc_commit_hash_fill(commit);
    commit->has_hash = true;
    enc_schnorr_sign(rig->curve, commit->sig64, &rig->keys[who], commit->hash32);
}

struct enc_commit rig_sign(struct rig *rig, const struct draft *draft)
{
    struct enc_commit commit = {.type = keep(rig, draft->type),
                                .content = keep(rig, draft->content ? draft->content : "")};
    memcpy(commit.enclave32, draft->enclave32, 32);
    memcpy(commit.from32, rig->keys[draft->who].pub32, 32);
    commit.tags = tags_of(rig, draft);
    commit.exp_ms = draft->exp_ms ? draft->exp_ms : rig_now_ms(rig) + 60000 + rig->exp_step++;
    sign(rig, &commit, draft->who);
    return commit;
}

struct enc_bytes rig_commit_json(struct rig *rig, const struct enc_commit *commit)
{
    struct enc_buffer buffer;
    struct enc_bytes bytes;
    enc_buffer_init(&buffer, &rig->arena, SIZE_MAX / 4);
    enc_json_put_raw(&buffer, "{");
    if (commit->has_hash)
        enc_json_member_hex(&buffer, "hash", enc_bytes_of(commit->hash32, 32));
    enc_json_member_hex(&buffer, "enclave", enc_bytes_of(commit->enclave32, 32));
    enc_json_member_hex(&buffer, "from", enc_bytes_of(commit->from32, 32));
    enc_json_member_text(&buffer, "type", commit->type);
    enc_json_member_text(&buffer, "content", commit->content);
    enc_json_member_u64(&buffer, "exp", commit->exp_ms);
    enc_json_member(&buffer, "tags");
    enc_tags_put(&buffer, &commit->tags);
    enc_json_member_hex(&buffer, "sig", enc_bytes_of(commit->sig64, 64));
    enc_json_put_raw(&buffer, "}");
    cr_assert_eq(enc_buffer_bytes(&buffer, &bytes), ENC_ERR_OK);
    return bytes;
}

struct enc_bytes rig_body(struct rig *rig, const struct draft *draft)
{
    struct enc_commit commit = rig_sign(rig, draft);
    return rig_commit_json(rig, &commit);
}

struct enc_call *rig_commit(struct rig *rig, const struct draft *draft)
{
    return rig_post(rig, "/", rig_body(rig, draft));
}

struct enc_event rig_accept(struct rig *rig, const struct draft *draft)
{
    struct enc_event event;
    struct enc_commit commit = rig_sign(rig, draft);
    struct enc_call *call = rig_post(rig, "/", rig_commit_json(rig, &commit));
    cr_assert_eq(call->status, 200, "%s: %.300s", draft->type, call->body);
    cr_assert_eq(enc_receipt_take(&event, call_json(call)), ENC_ERR_OK);
    cr_assert_eq(enc_receipt_check(&event, rig->curve, &commit, rig->node.pub32), ENC_EVENT_SOUND);
    return event;
}

const char *rig_manifest(struct rig *rig, const struct shape *shape)
{
    const char *owner = rig_hex(rig, rig->keys[OWNER].pub32, 32);
    const char *member = rig_hex(rig, rig->keys[MEMBER].pub32, 32);
    return rig_text(
        rig,
        "{\"enc_v\":1,\"RBAC\":{\"roles\":[\"Admin\",\"Member\",\"Sink\",\"Bell\"],\"schema\":["
        "{\"event\":\"Message\",\"role\":\"Member\",\"ops\":[\"C\",\"R\"]},"
        "{\"event\":\"Message\",\"role\":\"Self\",\"ops\":[\"U\",\"D\"]},"
        "{\"event\":\"Message\",\"role\":\"Admin\",\"ops\":[\"D\"]},"
        "{\"event\":\"Note\",\"role\":\"Member\",\"ops\":[\"C\"]},"
        "{\"event\":\"Note\",\"role\":\"Public\",\"ops\":[\"R\"]},"
        "{\"event\":\"Terminate\",\"role\":\"Public\",\"ops\":[\"R\"]},"
        "{\"event\":\"*\",\"role\":\"Owner\",\"ops\":[\"R\"]},"
        "{\"event\":\"Message\",\"role\":\"Sink\",\"ops\":[\"P\"]},"
        "{\"event\":\"*\",\"role\":\"Bell\",\"ops\":[\"N\"]},"
        "{\"event\":\"Grant\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"Grant_Push\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"Revoke\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"Revoke\",\"role\":\"Self\",\"ops\":[\"C\"],\"target_roles\":[\"Member\"]},"
        "{\"event\":\"Move\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"Force_Move\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"AC_Bundle\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"Gate\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"Transfer_Owner\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"Pause\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"Resume\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"Terminate\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
        "{\"event\":\"Migrate\",\"role\":\"Owner\",\"ops\":[\"C\"]}],"
        "\"initial_state\":{\"Owner\":[\"%s\"],\"Member\":[\"%s\",\"%s\"]}},"
        "\"bundle\":{\"size\":%u,\"timeout\":%u},\"meta\":{\"nonce\":\"%s\"}}",
        owner, owner, member, shape->bundle_size ? shape->bundle_size : 256, shape->timeout_ms,
        shape->nonce ? shape->nonce : "0");
}

struct enc_commit rig_sign_manifest(struct rig *rig, const char *content)
{
    struct enc_commit commit = {.type = ENC_LIT("Manifest"), .content = keep(rig, content)};
    commit.exp_ms = rig_now_ms(rig) + 60000 + rig->exp_step++;
    memcpy(commit.from32, rig->keys[OWNER].pub32, 32);
    enc_commit_hash_fill(&commit);
    enc_enclave_id(commit.enclave32, &commit);
    sign(rig, &commit, OWNER);
    return commit;
}

const uint8_t *rig_create(struct rig *rig, const struct shape *shape)
{
    struct enc_commit commit = rig_sign_manifest(rig, rig_manifest(rig, shape));
    struct enc_call *call = rig_post(rig, "/", rig_commit_json(rig, &commit));
    cr_assert_eq(call->status, 200, "%.300s", call->body);
    return enc_arena_copy(&rig->arena, enc_bytes_of(commit.enclave32, 32)).data;
}

/* ---- sealed reads ---- */

static struct enc_bytes seal_text(struct rig *rig, const struct enc_channel *channel,
                                  const char *plain)
{
    uint8_t nonce24[24];
    struct enc_bytes base64;
    fill_random(rig, nonce24, 24);
    cr_assert_eq(enc_seal_close(&base64, &rig->arena, channel->key_query32, nonce24,
                                enc_bytes_of_text(plain)),
                 ENC_ERR_OK);
    return base64;
}

static void make_channel(struct rig *rig, struct enc_channel *channel, struct enc_key *signer,
                         char token[ENC_SESSION_TEXT_LEN + 1], enum who who,
                         const uint8_t enclave32[32])
{
    struct enc_session session;
    struct enc_key session_key;
    struct enc_scope scope;
    memcpy(scope.seq_pub32, rig->node.pub32, 32);
    memcpy(scope.enclave32, enclave32, 32);
    enc_session_make(rig->curve, &session, &session_key, &rig->keys[who],
                     (uint32_t)(rig_now_ms(rig) / 1000) + rig_session_s);
    enc_session_signer_key(rig->curve, signer, &session_key, &scope);
    enc_session_write(token, &session);
    token[ENC_SESSION_TEXT_LEN] = '\0';
    cr_assert(enc_channel_derive(rig->curve, channel, signer, rig->node.pub32));
}

static struct asked seal(struct rig *rig, enum who who, const uint8_t enclave32[32],
                         const char *head, const char *members)
{
    struct asked asked;
    struct enc_key signer;
    char token[ENC_SESSION_TEXT_LEN + 1];
    make_channel(rig, &asked.channel, &signer, token, who, enclave32);
    const char *plain = rig_text(rig, "{\"session\":\"%s\"%s}", token, members);
    struct enc_bytes base64 = seal_text(rig, &asked.channel, plain);
    asked.body = enc_bytes_of_text(rig_text(
        rig, "{%s,\"enclave\":\"%s\",\"from\":\"%s\",\"signer\":\"%s\",\"content\":\"%.*s\"}", head,
        rig_hex(rig, enclave32, 32), rig_hex(rig, rig->keys[who].pub32, 32),
        rig_hex(rig, signer.pub32, 32), (int)base64.len, (const char *)base64.data));
    return asked;
}

struct asked rig_seal(struct rig *rig, enum who who, const uint8_t enclave32[32], const char *kind,
                      const char *members)
{
    return seal(rig, who, enclave32, rig_text(rig, "\"type\":\"%s\"", kind), members);
}

struct asked rig_seal_frame(struct rig *rig, enum who who, const uint8_t enclave32[32],
                            const char *sub_id, const char *filter)
{
    return seal(rig, who, enclave32, rig_text(rig, "\"type\":\"Query\",\"sub_id\":\"%s\"", sub_id),
                rig_text(rig, ",\"filter\":%s", filter));
}

const struct enc_json *rig_open_sealed(struct rig *rig, const struct enc_channel *channel,
                                       const struct enc_json *holder)
{
    struct enc_bytes base64, plain;
    cr_assert(enc_json_text(enc_json_get(holder, "content"), &base64));
    cr_assert_eq(enc_seal_open(&plain, &rig->arena, channel->key_response32, base64), ENC_ERR_OK);
    return rig_json(rig, plain);
}

const struct enc_json *rig_ask(struct rig *rig, struct enc_call **call, enum who who,
                               const char *path, const uint8_t enclave32[32], const char *kind,
                               const char *members)
{
    struct asked asked = rig_seal(rig, who, enclave32, kind, members);
    *call = rig_post(rig, path, asked.body);
    if ((*call)->status != 200)
        return NULL;
    cr_assert(json_is(call_json(*call), "type", "Response"));
    return rig_open_sealed(rig, &asked.channel, call_json(*call));
}

/* ---- sockets ---- */

struct enc_conn *rig_connect(struct rig *rig, const uint8_t *enclave32)
{
    struct enc_ws_place place = {.service = rig->service, .has_enclave = enclave32 != NULL};
    struct enc_conn *conn = (struct enc_conn *)calloc(1, sizeof *conn);
    cr_assert(rig->conn_count < RIG_CONNS_MAX);
    rig->conns[rig->conn_count++] = conn;
    conn->rig = rig;
    if (enclave32)
        memcpy(place.enclave32, enclave32, 32);
    conn->socket = enc_host_socket_open(rig->host, conn, &place);
    cr_assert_not_null(conn->socket);
    return conn;
}

void rig_frame(struct enc_conn *conn, struct enc_bytes text)
{
    enc_host_socket_message(conn->socket, text, false);
}

void rig_disconnect(struct enc_conn *conn)
{
    enc_host_socket_close(conn->socket);
    conn->socket = NULL;
}

void rig_subscribe(struct enc_conn *conn, const uint8_t enclave32[32], const char *sub_id,
                   const char *filter)
{
    struct rig *rig = conn->rig;
    rig_frame(conn,
              enc_bytes_of_text(rig_text(rig,
                                         "{\"type\":\"Query\",\"sub_id\":\"%s\",\"enclave\":\"%s\","
                                         "\"content\":{\"filter\":%s}}",
                                         sub_id, rig_hex(rig, enclave32, 32), filter)));
}

const struct enc_json *conn_json(const struct enc_conn *conn, size_t index)
{
    const struct got *got = conn->got;
    for (; got && index > 0; index--)
        got = got->next;
    return got ? rig_json(conn->rig, enc_bytes_of(got->text, got->len)) : NULL;
}

static bool is_about(const struct enc_json *json, const char *type, const char *sub_id)
{
    return json_is(json, "type", type) && (!sub_id || json_is(json, "sub_id", sub_id));
}

size_t conn_count(const struct enc_conn *conn, const char *type, const char *sub_id)
{
    size_t count = 0;
    for (const struct got *got = conn->got; got; got = got->next)
        count += is_about(rig_json(conn->rig, enc_bytes_of(got->text, got->len)), type, sub_id);
    return count;
}

size_t conn_seqs(const struct enc_conn *conn, const char *sub_id, uint64_t *seqs, size_t max)
{
    size_t count = 0;
    for (const struct got *got = conn->got; got; got = got->next) {
        const struct enc_json *json = rig_json(conn->rig, enc_bytes_of(got->text, got->len));
        if (!is_about(json, "Event", sub_id))
            continue;
        cr_assert(count < max);
        seqs[count++] = json_u64(enc_json_get(json, "event"), "seq");
    }
    return count;
}

bool conn_closed(const struct enc_conn *conn, const char *sub_id, const char *reason)
{
    size_t count = 0;
    for (const struct got *got = conn->got; got; got = got->next) {
        const struct enc_json *json = rig_json(conn->rig, enc_bytes_of(got->text, got->len));
        if (is_about(json, "Closed", sub_id) && !json_is(json, "reason", reason))
            return false;
        count += is_about(json, "Closed", sub_id);
    }
    return count == 1;
}

/* ---- fetches ---- */

struct enc_bytes rig_posted_text(const struct rig *rig, size_t index)
{
    const struct got *got = rig->posted;
    for (; got && index > 0; index--)
        got = got->next;
    return got ? enc_bytes_of(got->text, got->len) : (struct enc_bytes){NULL, 0};
}

const struct enc_json *rig_posted(struct rig *rig, size_t index)
{
    struct enc_bytes text = rig_posted_text(rig, index);
    return text.len ? rig_json(rig, text) : NULL;
}

size_t rig_posted_count(const struct rig *rig)
{
    size_t count = 0;
    for (const struct got *got = rig->posted; got; got = got->next)
        count++;
    return count;
}
