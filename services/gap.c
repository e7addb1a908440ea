#include "services/gap.h"

#include "proto/base/hex.h"
#include "services/answer.h"
#include "services/inside.h"

#include <stdlib.h>

enum {
    PULLS_MAX = 8,
    TRIES_MAX = 3,
    PAGE_LIMIT = 2,           /* payloads in one answer */
    ANSWER_LEN_MAX = 8 << 20, /* two of the largest that a node makes, sealed once more */
    ARENA_LEN_MAX = 64 << 20,
    SESSION_S = 60,
};

/* One that is under way, so that there is no second. */
struct enc_gap {
    struct enc_gap *next;
    uint8_t enclave32[32];
};

/* What became of the last question. */
enum page {
    PAGE_NONE, /* no answer that could be read */
    PAGE_GONE, /* the next payload is no longer there: gone_to is the last such */
    PAGE_READ, /* its payloads are on their way */
};

/* A Pull in memory of its own: a job that asks, a fetch, a job that reads, then a mail. */
struct enc_pull {
    struct enc_mail mail; /* first */
    struct enc_job job;
    struct enc_fetch fetch;
    struct enc_host *host;
    struct enc_arena arena; /* of one question and its answer */
    struct enc_channel channel;
    unsigned service;
    uint8_t own32[32];
    uint8_t enclave32[32];
    uint8_t sequencer32[32];
    uint64_t wanted; /* the payload that came too early */
    uint64_t after;  /* ask for those behind this one */
    enum page page;
    uint64_t gone_to;
    bool has_given_up;
    size_t node_len;
    size_t endpoint_len;
    char urls[]; /* the node's, then the endpoint that the payloads are for */
};

static uint64_t position(const struct enc_push_mark *mark)
{
    return mark->last > mark->skipped ? mark->last : mark->skipped;
}

bool enc_gap_is_before(const struct enc_push_mark *mark, uint64_t push_seq)
{
    return push_seq > position(mark) + 1;
}

void enc_gap_count_given_up(struct enc_host *host)
{
    /* relaxed: a figure for people */
    atomic_fetch_add_explicit(&host->gaps_given_up, 1, memory_order_relaxed);
}

/* ---- where to ask ---- */

/* What was found outlives its snapshot. */
static enum enc_err ask(struct enc_bytes *uri, struct enc_exchange *exchange, unsigned service,
                        struct enc_snap *snap, uint64_t ord)
{
    enc_locate_fn *locate = enc_service_at(service)->view->locate;
    struct enc_bytes found = {NULL, 0};
    ENC_TRY(locate(&found, &exchange->arena, snap, ord, exchange->arrival->parcel.enclave32));
    *uri = enc_arena_copy(&exchange->arena, found);
    return uri->data ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}

static enum enc_err ask_singleton(struct enc_bytes *uri, struct enc_exchange *exchange,
                                  unsigned service)
{
    const uint8_t *own32 = exchange->host->singletons32[service];
    struct enc_enclave_row row;
    struct enc_snap *snap = NULL;
    ENC_TRY(enc_snap_open(enc_host_store(exchange->host, own32), &snap));
    enum enc_err err = enc_snap_enclave(snap, &row, own32);
    if (err == ENC_ERR_OK)
        err = ask(uri, exchange, service, snap, row.ord);
    enc_snap_close(snap);
    return err == ENC_ERR_ENCLAVE_NOT_FOUND ? ENC_ERR_OK : err; /* it is not served here */
}

static bool can_locate(const struct enc_service *service)
{
    return service->view && service->view->locate;
}

enum enc_err enc_gap_locate(struct enc_exchange *exchange, struct enc_snap *snap, uint64_t ord,
                            struct enc_bytes *uri)
{
    *uri = (struct enc_bytes){NULL, 0};
    if (can_locate(enc_service_at(exchange->service)))
        ENC_TRY(ask(uri, exchange, exchange->service, snap, ord));
    for (unsigned i = 0; i < enc_service_count() && uri->len == 0; i++)
        if (can_locate(enc_service_at(i)) && enc_service_at(i)->enclave.addressing.segment == 0)
            ENC_TRY(ask_singleton(uri, exchange, i));
    return ENC_ERR_OK;
}

/* ---- which are under way ---- */

static struct enc_gap **find_gap(struct enc_node *node, const uint8_t enclave32[32])
{
    struct enc_gap **at = &node->gaps;
    while (*at && memcmp((*at)->enclave32, enclave32, 32) != 0)
        at = &(*at)->next;
    return at;
}

static bool note_gap(struct enc_node *node, const uint8_t enclave32[32])
{
    struct enc_gap **at = find_gap(node, enclave32);
    if (*at)
        return false;
    *at = (struct enc_gap *)calloc(1, sizeof **at);
    if (*at)
        memcpy((*at)->enclave32, enclave32, 32);
    return *at != NULL;
}

static void forget_gap(struct enc_node *node, const uint8_t enclave32[32])
{
    struct enc_gap **at = find_gap(node, enclave32);
    struct enc_gap *gap = *at;
    if (!gap)
        return;
    *at = gap->next;
    free(gap);
}

void enc_gap_free(struct enc_node *node)
{
    while (node->gaps)
        forget_gap(node, node->gaps->enclave32);
}

/* ---- the Pull ---- */

static struct enc_bytes node_url(const struct enc_pull *pull)
{
    return enc_bytes_of(pull->urls, pull->node_len);
}

static struct enc_bytes endpoint_url(const struct enc_pull *pull)
{
    return enc_bytes_of(pull->urls + pull->node_len, pull->endpoint_len);
}

static void clear_page(struct enc_pull *pull)
{
    free(pull->fetch.answer);
    pull->fetch = (struct enc_fetch){.body = {NULL, 0}};
    enc_channel_wipe(&pull->channel);
    enc_arena_fini(&pull->arena);
}

static void free_pull(struct enc_pull *pull)
{
    /* relaxed: a bound, no data hangs on it */
    atomic_fetch_sub_explicit(&pull->host->pulls_open, 1, memory_order_relaxed);
    clear_page(pull);
    free(pull);
}

void enc_gap_mail_free(struct enc_mail *mail)
{
    free_pull((struct enc_pull *)mail); /* mail is its first member */
}

/* What it brought is in the mailbox, before it. */
static void come_home(struct enc_pull *pull, enum page page)
{
    pull->page = page;
    enc_mail_init(&pull->mail, ENC_MAIL_PULLED);
    if (enc_directory_post_always(pull->host->directory, pull->own32, &pull->mail) != ENC_ERR_OK)
        free_pull(pull); /* the host stops */
}

static void submit(struct enc_pull *pull, void (*run)(struct enc_job *job))
{
    pull->job.run = run;
    if (enc_pool_submit(pull->host->pool, &pull->job) != ENC_ERR_OK)
        come_home(pull, PAGE_NONE);
}

static struct enc_pull *pull_of_job(struct enc_job *job)
{
    return (struct enc_pull *)((uint8_t *)job - offsetof(struct enc_pull, job));
}

/* ---- the question, on a worker ---- */

static void put_content(const struct enc_pull *pull, struct enc_buffer *out,
                        const char token[ENC_SESSION_TEXT_LEN])
{
    enc_json_put_raw(out, "{");
    enc_json_member_text(out, "session", enc_bytes_of(token, ENC_SESSION_TEXT_LEN));
    enc_json_member_text(out, "url", endpoint_url(pull));
    enc_json_put_raw(out, ",\"push_seq\":{");
    enc_json_member_u64(out, "start_after", pull->after);
    enc_json_put_raw(out, "}");
    enc_json_member_u64(out, "limit", PAGE_LIMIT);
    enc_json_put_raw(out, "}");
}

static enum enc_err seal_content(struct enc_pull *pull, struct enc_bytes *sealed,
                                 const char token[ENC_SESSION_TEXT_LEN])
{
    const struct enc_runtime *runtime = pull->host->runtime;
    uint8_t nonce24[24];
    struct enc_buffer plain;
    struct enc_bytes bytes;
    enc_buffer_init(&plain, &pull->arena, SIZE_MAX / 4);
    put_content(pull, &plain, token);
    ENC_TRY(enc_buffer_bytes(&plain, &bytes));
    runtime->random(runtime->self, nonce24, sizeof nonce24);
    return enc_seal_close(sealed, &pull->arena, pull->channel.key_query32, nonce24, bytes);
}

/* The node asks as the identity that its node key is (8.5). */
static bool open_channel(struct enc_pull *pull, uint8_t signer32[32],
                         char token[ENC_SESSION_TEXT_LEN])
{
    const struct enc_host *host = pull->host;
    uint64_t expires_s = enc_host_now_ms(host) / 1000 + SESSION_S;
    struct enc_session session;
    struct enc_key session_key;
    struct enc_key signer;
    struct enc_scope scope;
    memcpy(scope.seq_pub32, pull->sequencer32, 32);
    memcpy(scope.enclave32, pull->enclave32, 32);
    enc_session_make(host->curve, &session, &session_key, host->key, (uint32_t)expires_s);
    enc_session_signer_key(host->curve, &signer, &session_key, &scope);
    enc_session_write(token, &session);
    memcpy(signer32, signer.pub32, 32);
    bool is_open = enc_channel_derive(host->curve, &pull->channel, &signer, pull->sequencer32);
    enc_key_wipe(&session_key);
    enc_key_wipe(&signer);
    return is_open;
}

static enum enc_err write_body(struct enc_pull *pull)
{
    char token[ENC_SESSION_TEXT_LEN];
    uint8_t signer32[32];
    struct enc_bytes sealed;
    struct enc_buffer out;
    if (!open_channel(pull, signer32, token))
        return ENC_ERR_INVALID_PUSH;
    ENC_TRY(seal_content(pull, &sealed, token));
    enc_buffer_init(&out, &pull->arena, SIZE_MAX / 4);
    enc_json_put_raw(&out, "{\"type\":\"Pull\"");
    enc_json_member_hex(&out, "enclave", enc_bytes_of(pull->enclave32, 32));
    enc_json_member_hex(&out, "from", enc_bytes_of(pull->host->key->pub32, 32));
    enc_json_member_hex(&out, "signer", enc_bytes_of(signer32, 32));
    enc_json_member_text(&out, "content", sealed);
    enc_json_put_raw(&out, "}");
    return enc_buffer_bytes(&out, &pull->fetch.body);
}

static enum enc_err write_url(struct enc_pull *pull)
{
    char hex[64];
    struct enc_buffer out;
    struct enc_bytes *url = &pull->fetch.url;
    struct enc_bytes base = node_url(pull);
    while (base.len > 0 && base.data[base.len - 1] == '/')
        base.len--;
    enc_buffer_init(&out, &pull->arena, SIZE_MAX / 4);
    enc_hex_encode(hex, enc_bytes_of(pull->enclave32, 32));
    enc_buffer_add(&out, base);
    enc_buffer_add(&out, ENC_LIT("/enclave/"));
    enc_buffer_add(&out, enc_bytes_of(hex, sizeof hex));
    enc_buffer_add(&out, enc_bytes_of("", 1));
    ENC_TRY(enc_buffer_bytes(&out, url));
    url->len--; /* the terminator is not counted */
    return enc_endpoint_is_allowed(*url, &pull->host->endpoints) ? ENC_ERR_OK
                                                                 : ENC_ERR_INVALID_PUSH;
}

static void on_fetched(struct enc_fetch *fetch);

static enum enc_err write_question(struct enc_pull *pull)
{
    ENC_TRY(write_url(pull));
    ENC_TRY(write_body(pull));
    pull->fetch.timeout_ms = pull->host->limits.push_timeout_ms;
    pull->fetch.answer_len_max = ANSWER_LEN_MAX;
    pull->fetch.done = on_fetched;
    return ENC_ERR_OK;
}

static void ask_job(struct enc_job *job)
{
    struct enc_pull *pull = pull_of_job(job);
    const struct enc_runtime *runtime = pull->host->runtime;
    if (write_question(pull) == ENC_ERR_OK)
        runtime->fetch(runtime->self, &pull->fetch);
    else
        come_home(pull, PAGE_NONE);
}

/* ---- the answer, on a worker ---- */

static enum enc_err parse(struct enc_pull *pull, const struct enc_json **out, struct enc_bytes text)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    ENC_TRY(enc_json_parse(&json, &pull->arena, text, &facts));
    *out = json;
    return ENC_ERR_OK;
}

static enum enc_err open_answer(struct enc_pull *pull, const struct enc_json **content)
{
    const struct enc_json *answer = NULL;
    struct enc_bytes sealed;
    struct enc_bytes plain;
    if (pull->fetch.status != 200 || !pull->fetch.answer)
        return ENC_ERR_INVALID_PUSH;
    ENC_TRY(parse(pull, &answer, enc_bytes_of(pull->fetch.answer, pull->fetch.answer_len)));
    if (!enc_json_text(enc_json_get(answer, "content"), &sealed))
        return ENC_ERR_INVALID_PUSH;
    ENC_TRY(enc_seal_open(&plain, &pull->arena, pull->channel.key_response32, sealed));
    return parse(pull, content, plain);
}

static void post_payload(struct enc_pull *pull, const struct enc_json *payload)
{
    struct enc_exchange *exchange = enc_exchange_new(pull->host);
    if (!exchange || !payload)
        return;
    exchange->service = pull->service;
    exchange->has_enclave = true;
    memcpy(exchange->enclave32, pull->own32, 32);
    exchange->body = enc_arena_copy(&exchange->arena, payload->text);
    if (exchange->body.data && enc_exchange_parse(exchange) == ENC_ERR_OK)
        enc_receive_post(exchange);
    else
        enc_exchange_free(exchange);
}

static enum page take_answer(struct enc_pull *pull)
{
    const struct enc_json *content = NULL;
    uint64_t first = 0;
    if (open_answer(pull, &content) != ENC_ERR_OK)
        return PAGE_NONE;
    const struct enc_json *list = enc_json_get(content, "deliveries");
    if (!list || list->kind != ENC_JSON_ARRAY)
        return PAGE_NONE;
    if (list->child && !enc_json_u64(enc_json_get(list->child, "push_seq"), &first))
        return PAGE_NONE;
    bool is_there = first == pull->after + 1;
    pull->gone_to = first > pull->after && first < pull->wanted ? first - 1 : pull->wanted - 1;
    for (const struct enc_json *at = list->child; at && is_there; at = at->next)
        post_payload(pull, enc_json_get(at, "payload"));
    return is_there ? PAGE_READ : PAGE_GONE;
}

static void answer_job(struct enc_job *job)
{
    struct enc_pull *pull = pull_of_job(job);
    come_home(pull, take_answer(pull));
}

static void on_fetched(struct enc_fetch *fetch)
{
    submit((struct enc_pull *)((uint8_t *)fetch - offsetof(struct enc_pull, fetch)), answer_job);
}

/* ---- on the enclave's turn ---- */

static struct enc_pull *new_pull(struct enc_node *node, const struct enc_arrival *arrival)
{
    const struct enc_parcel *parcel = &arrival->parcel;
    struct enc_bytes node_uri = arrival->node_uri;
    struct enc_pull *pull =
        (struct enc_pull *)calloc(1, sizeof *pull + node_uri.len + parcel->url.len);
    if (!pull)
        return NULL;
    /* relaxed: a bound that may be missed by a few, no data hangs on it */
    atomic_fetch_add_explicit(&node->host->pulls_open, 1, memory_order_relaxed);
    pull->host = node->host;
    pull->service = node->state.service;
    memcpy(pull->own32, node->state.enclave32, 32);
    memcpy(pull->enclave32, parcel->enclave32, 32);
    memcpy(pull->sequencer32, arrival->sequencer32, 32);
    pull->wanted = parcel->push_seq;
    pull->node_len = node_uri.len;
    pull->endpoint_len = parcel->url.len;
    memcpy(pull->urls, node_uri.data, node_uri.len);
    memcpy(pull->urls + node_uri.len, parcel->url.data, parcel->url.len);
    return pull;
}

static void launch(struct enc_pull *pull, uint64_t after)
{
    clear_page(pull);
    enc_arena_init(&pull->arena, &pull->host->chunks, ARENA_LEN_MAX);
    pull->after = after;
    submit(pull, ask_job);
}

void enc_gap_open(struct enc_node *node, const struct enc_arrival *arrival,
                  const struct enc_push_mark *mark)
{
    const uint8_t *enclave32 = arrival->parcel.enclave32;
    /* relaxed: as above */
    bool is_full = atomic_load_explicit(&node->host->pulls_open, memory_order_relaxed) >= PULLS_MAX;
    if (is_full || !note_gap(node, enclave32))
        return;
    struct enc_pull *pull = new_pull(node, arrival);
    if (pull)
        launch(pull, position(mark));
    else
        forget_gap(node, enclave32);
}

static void give_up(struct enc_pull *pull, struct enc_push_mark *mark, uint64_t to)
{
    mark->skipped = to;
    mark->tries = 0;
    pull->has_given_up = true;
    enc_gap_count_given_up(pull->host);
}

/* Nothing came of it. One payload that is refused again and again holds up only itself. */
static void count_try(struct enc_pull *pull, struct enc_push_mark *mark)
{
    mark->tries++;
    if (mark->tries >= TRIES_MAX)
        give_up(pull, mark, pull->page == PAGE_READ ? pull->after + 1 : pull->wanted - 1);
}

static enum enc_err learn(struct enc_run *run, struct enc_pull *pull, struct enc_push_mark *mark)
{
    ENC_TRY(enc_push_mark_get(&run->rows, pull->enclave32, pull->sequencer32, mark));
    bool is_over = !enc_gap_is_before(mark, pull->wanted);
    if (is_over || position(mark) > pull->after)
        return ENC_ERR_OK;
    if (pull->page == PAGE_GONE)
        give_up(pull, mark, pull->gone_to);
    else
        count_try(pull, mark);
    run->has_writes = true;
    return enc_push_mark_put(&run->rows, pull->enclave32, pull->sequencer32, mark);
}

static bool goes_on(const struct enc_pull *pull, const struct enc_push_mark *mark)
{
    return pull->page != PAGE_NONE && mark->last < pull->wanted && position(mark) > pull->after;
}

static void count_closed(const struct enc_pull *pull, const struct enc_push_mark *mark)
{
    /* relaxed: a figure for people */
    if (!enc_gap_is_before(mark, pull->wanted) && !pull->has_given_up)
        atomic_fetch_add_explicit(&pull->host->gaps_closed, 1, memory_order_relaxed);
}

enum enc_err enc_gap_settle(struct enc_run *run, struct enc_mail *mail)
{
    struct enc_pull *pull = (struct enc_pull *)mail; /* its first member */
    struct enc_push_mark mark = {.last = 0};
    enum enc_err err = run->is_broken ? ENC_ERR_INTERNAL : learn(run, pull, &mark);
    if (err == ENC_ERR_OK && goes_on(pull, &mark)) {
        launch(pull, position(&mark));
        return ENC_ERR_OK;
    }
    forget_gap(run->node, pull->enclave32);
    count_closed(pull, &mark);
    free_pull(pull);
    return err;
}
