#include "tests/sim/world.h"

#include "actors/splitmix.h"
#include "proto/base/hex.h"
#include "proto/sha256.h"
#include "tests/sim/disk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t START_MS = 1750000000000;

void w_differs(const struct world *w, const char *format, ...)
{
    va_list args;
    printf("seed %llu: ", (unsigned long long)w->seed);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf(" (step %llu, %llu crashes)\n", (unsigned long long)enc_sim_steps(w->sim),
           (unsigned long long)w->crashes);
    fflush(stdout);
    _exit(1);
}

uint64_t w_pick(struct world *w, uint64_t below)
{
    return enc_splitmix(&w->random) % below;
}

const char *w_text(struct world *w, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    w_must(w, len >= 0, "no memory");
    return text;
}

const char *w_hex(struct world *w, const uint8_t *data, size_t len)
{
    char *text = (char *)calloc(1, 2 * len + 1);
    w_must(w, text, "no memory");
    enc_hex_encode(text, enc_bytes_of(data, len));
    return text;
}

void w_see(struct world *w, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        w->digest = (w->digest ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
}

uint64_t w_now(const struct world *w)
{
    return enc_sim_now_ms(w->sim);
}

unsigned w_service(const char *name)
{
    unsigned i = 0;
    while (strcmp(enc_service_at(i)->name, name) != 0)
        i++;
    return i;
}

/* ---- memory ---- */

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    (void)self;
    struct enc_chunk *chunk = (struct enc_chunk *)aligned_alloc(16, (len + 15) & ~(size_t)15);
    if (chunk)
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

/* ---- the runtime ---- */

static uint64_t now_ms(void *self)
{
    return w_now((const struct world *)self);
}

static uint64_t now_ns(void *self)
{
    return enc_sim_steps(((const struct world *)self)->sim) * 1000;
}

static void fill_random(void *self, uint8_t *out, size_t len)
{
    struct world *w = (struct world *)self;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(enc_splitmix(&w->host_random) >> 32);
}

static json_t *parse(const struct world *w, struct enc_bytes text)
{
    json_error_t error;
    json_t *json = json_loadb((const char *)text.data, text.len, JSON_ALLOW_NUL, &error);
    w_must(w, json, "an answer is no JSON: %.*s", (int)text.len, (const char *)text.data);
    return json;
}

static json_t *open_answer(struct world *w, const struct enc_call *call, json_t *answer)
{
    const char *type = json_string_value(json_object_get(answer, "type"));
    bool is_sealed = call->channel && type && strcmp(type, "Response") == 0;
    return is_sealed ? w_open_sealed(w, call->channel, answer) : answer;
}

static void check_malformed(const struct world *w, const struct enc_call *call, json_t *answer)
{
    const char *code = json_string_value(json_object_get(answer, "code"));
    w_must(w,
           code && (strcmp(code, call->wanted) == 0 ||
                    (w->is_tight && strcmp(code, "RATE_LIMITED") == 0)),
           "malformed: wanted %s, got %s", call->wanted, code ? code : "no error");
}

static void answered(struct world *w, struct enc_call *call, const struct enc_reply *reply)
{
    w->answers++;
    w_see(w, reply->body.data, reply->body.len);
    if (call->fetch) {
        call->fetch->is_asking = false;
        call->fetch->is_over = true;
        call->fetch->status = reply->status;
        return;
    }
    json_t *answer = parse(w, reply->body);
    if (call->wanted)
        check_malformed(w, call, answer);
    else if (call->sending)
        w_answer_commit(w, call->sending, reply->status, open_answer(w, call, answer));
    else if (call->read)
        w_answer_read(w, call->read, reply->status, answer);
}

static void reply(void *self, struct enc_call *call, const struct enc_reply *reply_)
{
    struct world *w = (struct world *)self;
    w_must(w, !call->is_answered, "a call is answered twice");
    call->is_answered = true;
    disk_tick();
    if (!w->is_dead && !disk_is_cut())
        answered(w, call, reply_);
    if (reply_->release)
        reply_->release(reply_->owner);
}

static void join(char *out, size_t *len, struct enc_frame *frame)
{
    if (!frame)
        return;
    struct enc_bytes bytes = enc_frame_bytes(frame);
    memcpy(out + *len, bytes.data, bytes.len);
    *len += bytes.len;
}

static char *frame_text(const struct enc_outgoing *out, size_t *len)
{
    size_t most = 1 + (out->frame ? enc_frame_bytes(out->frame).len : 0) +
                  (out->rest ? enc_frame_bytes(out->rest).len : 0);
    char *text = (char *)calloc(1, most);
    *len = 0;
    join(text, len, out->frame);
    join(text, len, out->rest);
    return text;
}

static void drop_sent(struct sent *sent)
{
    enc_frame_drop(sent->out.frame);
    enc_frame_drop(sent->out.rest);
    free(sent);
}

static void ws_send(void *self, struct enc_conn *conn, const struct enc_outgoing *outgoing)
{
    struct world *w = (struct world *)self;
    struct sent *sent = (struct sent *)calloc(1, sizeof *sent);
    sent->out = *outgoing;
    disk_tick();
    if (w->is_dead || disk_is_cut()) {
        drop_sent(sent);
        return;
    }
    if (outgoing->frame) {
        size_t len = 0;
        char *text = frame_text(outgoing, &len);
        w_see(w, text, len);
        w_spoken(w, conn, text, len);
        free(text);
    }
    *conn->queue_end = sent;
    conn->queue_end = &sent->next;
}

static void ws_close(void *self, struct enc_conn *conn, uint16_t code)
{
    (void)conn;
    w_differs((struct world *)self, "a socket is closed with %u", code);
}

static void conn_hold(void *self, struct enc_conn *conn)
{
    (void)self;
    conn->refs++;
}

static void conn_drop(void *self, struct enc_conn *conn)
{
    w_must((struct world *)self, conn->refs > 0, "a socket is dropped too often");
    conn->refs--;
}

static void fetch(void *self, struct enc_fetch *fetch_)
{
    disk_tick();
    w_fetch((struct world *)self, fetch_);
}

/* ---- the loop ---- */

static bool can_leave(const struct enc_conn *conn)
{
    return conn && conn->queue && !conn->is_slow;
}

static size_t loop_choices(void *self, uint64_t now)
{
    const struct world *w = (const struct world *)self;
    size_t count = w_fetch_choices(w) + (w->gathering.count > 0);
    (void)now;
    for (size_t i = 0; i < W_CONNS_MAX; i++)
        count += can_leave(w->conns[i]);
    return count;
}

static void pop(struct world *w, struct enc_conn *conn)
{
    struct sent *sent = conn->queue;
    conn->queue = sent->next;
    if (!conn->queue)
        conn->queue_end = &conn->queue;
    bool is_admitted =
        conn->socket && enc_host_socket_admits(conn->socket, sent->out.stream, sent->out.is_last);
    if (is_admitted && sent->out.frame) {
        size_t len = 0;
        char *text = frame_text(&sent->out, &len);
        w_frame(w, conn, text, len);
        free(text);
    }
    if (is_admitted && sent->out.wants_ack)
        enc_host_socket_written(conn->socket, sent->out.stream);
    drop_sent(sent);
}

static void loop_run(void *self, size_t choice)
{
    struct world *w = (struct world *)self;
    for (size_t i = 0; i < W_CONNS_MAX; i++)
        if (can_leave(w->conns[i]) && choice-- == 0) {
            pop(w, w->conns[i]);
            return;
        }
    if (w->gathering.count > 0 && choice-- == 0)
        enc_host_end_turn(w->host, &w->gathering);
    else
        w_fetch_run(w, choice);
}

/* ---- requests ---- */

struct enc_call *w_http(struct world *w, const char *service, const char *path,
                        struct enc_bytes body, struct enc_call about)
{
    struct enc_ws_place place;
    const char *mark = strchr(path, '?');
    size_t path_len = mark ? (size_t)(mark - path) : strlen(path);
    struct enc_call *call = (struct enc_call *)calloc(1, sizeof *call);
    struct enc_request request = {
        .method = body.data ? ENC_METHOD_POST : ENC_METHOD_GET,
        .path = enc_bytes_of(path, path_len),
        .query = mark ? enc_bytes_of_text(mark + 1) : (struct enc_bytes){NULL, 0},
        .body = body,
        .call = call,
        .gathering = &w->gathering,
    };
    *call = about; /* before it goes in: the answer may come at once */
    w_must(w, enc_host_handle(w->host, w_service(service), &request, &place) == ENC_HANDLED_CALL,
           "no call");
    return call;
}

void w_socket_open(struct world *w, int index)
{
    struct enc_ws_place place = {.service = w_service("enc-node")};
    struct enc_conn *conn = (struct enc_conn *)calloc(1, sizeof *conn);
    conn->queue_end = &conn->queue;
    w->conns[index] = conn;
    conn->socket = enc_host_socket_open(w->host, conn, &place);
    w_must(w, conn->socket, "no socket");
}

void w_socket_close(struct world *w, int index)
{
    struct enc_conn *conn = w->conns[index];
    enc_host_socket_close(conn->socket);
    conn->socket = NULL;
    w_forget_conn(w, conn);
}

/* ---- the clock ---- */

static void widen(struct world *w)
{
    uint64_t now = w_now(w);
    for (int i = 0; i < w->model.enclave_count; i++) {
        struct m_enclave *e = w->model.enclaves[i];
        e->clock_high_ms = now > e->clock_high_ms ? now : e->clock_high_ms;
        for (struct m_sending *s = e->queue; s; s = s->next) {
            s->clock_low_ms = now < s->clock_low_ms ? now : s->clock_low_ms;
            s->clock_high_ms = now > s->clock_high_ms ? now : s->clock_high_ms;
        }
    }
}

void w_jump(struct world *w, int64_t ms)
{
    enc_sim_advance(w->sim, (uint64_t)ms); /* back as well: the sum wraps */
    widen(w);
}

void w_step(struct world *w)
{
    bool is_cut = disk_is_cut();
    if (!is_cut)
        (void)enc_sim_step(w->sim);
    if (disk_is_cut())
        w_crash(w, w_pick(w, 4) > 0);
    else if (enc_host_store_failed(w->host))
        w_crash(w, w_pick(w, 2));
}

void w_settle(struct world *w)
{
    for (size_t steps = 0; enc_sim_step(w->sim); steps++)
        w_must(w, steps < 2000000, "the house does not come to rest");
}

void w_sleep(struct world *w, uint64_t ms)
{
    uint64_t until_ms = w_now(w) + ms;
    w_settle(w);
    while (w_now(w) < until_ms) {
        uint64_t now = w_now(w), due_ms = enc_sim_due_ms(w->sim);
        uint64_t to_ms = due_ms > until_ms ? until_ms : due_ms <= now ? now + 1 : due_ms;
        w_jump(w, (int64_t)(to_ms - now));
        w_settle(w);
    }
}

/* ---- life and death ---- */

static void start(struct world *w)
{
    struct enc_store_note note = {0};
    const char *why = "";
    enum enc_store_fault fault = enc_data_open(&w->data, &note, &w->data_config);
    w_must(w, fault == ENC_STORE_FAULT_NONE, "the store does not open: %s", note.text);
    w->config.data = w->data;
    w_must(w, enc_host_start(&w->host, &w->config, &why) == ENC_ERR_OK, "no start: %s", why);
}

/* What fails while a node starts ends the start; it must be found as it was by the next one. */
static void start_on_a_bad_disk(struct world *w)
{
    struct enc_store_note note;
    enum disk_fault fault = (enum disk_fault)(1 + w_pick(w, DISK_FAULT_COUNT - 1));
    disk_arm(fault, 1);
    if (w_pick(w, 3) == 0)
        disk_cut_after(1 + (uint32_t)w_pick(w, 8));
    if (enc_data_open(&w->data, &note, &w->data_config) == ENC_STORE_FAULT_NONE)
        enc_data_close(w->data);
    disk_recover(disk_is_cut() || w_pick(w, 2));
}

static void free_conns(struct world *w)
{
    for (size_t i = 0; i < W_CONNS_MAX; i++) {
        struct enc_conn *conn = w->conns[i];
        if (!conn)
            continue;
        w_must(w, conn->refs == 0, "a socket is held after the stop");
        while (conn->queue) {
            struct sent *next = conn->queue->next;
            drop_sent(conn->queue);
            conn->queue = next;
        }
        free(conn);
        w->conns[i] = NULL;
    }
}

static void stop(struct world *w)
{
    for (int i = 0; i < W_CONNS_MAX; i++)
        if (w->conns[i] && w->conns[i]->socket)
            w_socket_close(w, i);
    enc_host_drain(w->host);
    enc_host_end_turn(w->host, &w->gathering);
    w_fetches_end(w);
    enc_host_stop(w->host);
    w->host = NULL;
    enc_data_close(w->data);
    free_conns(w);
}

void w_crash(struct world *w, bool is_power_cut)
{
    w->crashes++;
    w->cuts += is_power_cut;
    w->is_dead = true;
    disk_cut_now();
    stop(w);
    w->is_dead = false;
    disk_recover(is_power_cut);
    if (w_pick(w, 4) == 0)
        start_on_a_bad_disk(w);
    start(w);
    w_recover(w);
}

void w_restart(struct world *w)
{
    disk_recover(false);
    stop(w);
    start(w);
    w_recover(w);
}

/* ---- making one ---- */

static void make_keys(struct world *w)
{
    uint8_t seed32[32] = {7};
    void *memory = aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15);
    w->curve = enc_curve_init(memory, seed32);
    for (int i = 0; i < WHO_COUNT; i++) {
        const uint8_t text[2] = {'s', (uint8_t)i};
        enc_sha256(w->priv32[i], enc_bytes_of(text, 2));
        w_must(w, enc_key_init(&w->keys[i], w->curve, w->priv32[i]), "no key");
        memcpy(w->pubs32[i], w->keys[i].pub32, 32);
    }
    w->model = (struct model){.curve = w->curve, .keys = w->keys};
}

static void make_runtime(struct world *w)
{
    w->runtime = (struct enc_runtime){
        .self = w,
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
}

static void configure(struct world *w)
{
    struct enc_limits *limits = &w->config.limits;
    w->data_config = (struct enc_data_config){
        .dir = w->dir, .node_pub32 = w->keys[NODE].pub32, .map_len = 1 << 26, .sync = true};
    w->config = (struct enc_host_config){
        .runtime = &w->runtime,
        .node_priv32 = w->priv32[NODE],
        .worker_count = 2,
        .version = "sim",
        .sim = w->sim,
    };
    enc_limits_default(limits);
    limits->idle_ms = w_pick(w, 3) ? 10000 : 50;
    limits->run_commits_max = w_pick(w, 2) ? 256 : 2;
    limits->push_batch_max = w_pick(w, 2) ? 100 : 2;
    w->is_tight = w_pick(w, 5) == 0;
    w->is_bulky = w_pick(w, 6) == 0;
    if (w->is_tight) {
        limits->mailbox_depth_max = 4;
        limits->live_enclaves_max = 4; /* those with subscriptions stay, and one more */
        limits->jobs_max = 8;
    }
}

void w_open(struct world *w, uint64_t seed, const char *root)
{
    memset(w, 0, sizeof *w);
    w->seed = w->random = seed;
    w->host_random = ~seed;
    snprintf(w->dir, sizeof w->dir, "%s/data", root);
    snprintf(w->file, sizeof w->file, "%s/shard-0/data.mdb", w->dir);
    w->chunks = (struct enc_chunk_source){take_chunk, give_chunks, NULL};
    enc_arena_init(&w->arena, &w->chunks, SIZE_MAX / 4);
    make_keys(w);
    if (enc_sim_open(&w->sim, seed, START_MS) != ENC_ERR_OK)
        abort();
    w->loop = (struct enc_sim_source){loop_choices, loop_run, NULL, w, NULL};
    enc_sim_add(w->sim, &w->loop);
    make_runtime(w);
    configure(w);
    start(w);
    w_settle(w);
    disk_attach(w->file, seed);
}

void w_close(struct world *w)
{
    stop(w);
    disk_detach();
    enc_sim_remove(w->sim, &w->loop);
}
