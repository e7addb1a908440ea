#include "services/post.h"

#include "services/answer.h"
#include "services/case.h"
#include "services/count.h"
#include "services/handlers.h"
#include "services/inside.h"
#include "services/points.h"
#include "services/quota.h"
#include "services/stream.h"

void enc_exchange_post(struct enc_exchange *exchange, enum enc_mail_kind kind,
                       void (*fn)(struct enc_job *job))
{
    struct enc_host *host = exchange->host;
    enc_mail_init_pending(&exchange->mail, kind);
    enum enc_err err = enc_quota_take_enclave(exchange);
    if (err == ENC_ERR_OK)
        err = enc_directory_post(host->directory, exchange->enclave32, &exchange->mail);
    if (err != ENC_ERR_OK) {
        enc_answer_err(exchange, err);
        return;
    }
    exchange->job.run = fn;
    err = enc_pool_submit(host->pool, &exchange->job);
    if (err == ENC_ERR_OK)
        return;
    exchange->verdict.err = err; /* it has its place in the order; its turn refuses it */
    enc_mail_ready(&exchange->mail);
}

void enc_exchange_trace_prepared(const struct enc_exchange *exchange, uint64_t began_ns)
{
    struct enc_trace *trace = exchange->trace;
    enc_trace_note(trace, enc_stage_name(ENC_STAGE_DISPATCH), exchange->arrived_ns, began_ns);
    enc_trace_note(trace, enc_stage_name(ENC_STAGE_PREPARE), began_ns,
                   enc_exchange_trace_ns(exchange));
}

/* ---- commits ---- */

static struct enc_verdict prepare(struct enc_exchange *exchange)
{
    struct enc_case c;
    struct enc_commit *commit = &exchange->commit;
    memcpy(exchange->claimed_hash32, commit->hash32, 32);
    enc_commit_hash_fill(commit);
    commit->has_author = enc_points_lift(exchange->host->points, &commit->author, commit->from32);
    exchange->has_hash = true;
    enc_case_init(&c, exchange, enc_host_now_ms(exchange->host));
    struct enc_verdict verdict = enc_pipeline_prepare(&c);
    if (verdict.err == ENC_ERR_OK) /* only now it is known to be this key's */
        verdict.err = enc_quota_take_key(exchange, commit->from32);
    return verdict;
}

static void end_stage(struct enc_exchange *exchange, enum enc_stage stage)
{
    struct enc_lap lap = {
        .stage = stage, .of = (uintptr_t)exchange, .since_ns = exchange->marked_ns};
    exchange->marked_ns = enc_count_stage(exchange->host, &lap);
    enc_trace_note(exchange->trace, enc_stage_name(stage), lap.since_ns, exchange->marked_ns);
}

static void prepare_job(struct enc_job *job)
{
    struct enc_exchange *exchange = enc_exchange_of_job(job);
    end_stage(exchange, ENC_STAGE_DISPATCH);
    exchange->verdict = prepare(exchange);
    end_stage(exchange, ENC_STAGE_PREPARE);
    enc_mail_ready(&exchange->mail);
}

/* A refusal before step 3 names the commit by the hash that came with it. */
static enum enc_err decode(struct enc_exchange *exchange, const struct enc_json *json)
{
    struct enc_commit *commit = &exchange->commit;
    enum enc_err err =
        enc_commit_decode_for(commit, &exchange->arena, json, enc_exchange_default(exchange),
                              exchange->host->limits.content_len_max);
    exchange->has_hash = enc_json_hex(enc_json_get(json, "hash"), commit->hash32, 32);
    return err;
}

/* What is wrong with the envelope belongs to no step; what is wrong with the commit in it does. */
static struct enc_verdict unseal_commit(struct enc_exchange *exchange)
{
    enum enc_err err = enc_exchange_unseal(exchange, enc_host_now_ms(exchange->host));
    if (err != ENC_ERR_OK)
        return (struct enc_verdict){.err = err};
    err = decode(exchange, exchange->envelope.content);
    if (err != ENC_ERR_OK)
        return (struct enc_verdict){.err = err, .step = 1};
    err = enc_envelope_commit_check(&exchange->envelope, &exchange->commit);
    return (struct enc_verdict){.err = err};
}

static void prepare_sealed_job(struct enc_job *job)
{
    struct enc_exchange *exchange = enc_exchange_of_job(job);
    end_stage(exchange, ENC_STAGE_DISPATCH);
    exchange->verdict = unseal_commit(exchange);
    if (exchange->verdict.err == ENC_ERR_OK)
        exchange->verdict = prepare(exchange);
    end_stage(exchange, ENC_STAGE_PREPARE);
    enc_mail_ready(&exchange->mail);
}

/* On a WebSocket even a malformed commit is answered in its turn, if it says whose (16.57). */
static bool waits_its_turn(struct enc_exchange *exchange)
{
    const struct enc_json *enclave = enc_json_get(exchange->json, "enclave");
    if (!exchange->asker.conn ||
        (!exchange->has_enclave && !enc_json_hex(enclave, exchange->enclave32, 32)))
        return false;
    enc_mail_init(&exchange->mail, ENC_MAIL_COMMIT);
    return enc_directory_post(exchange->host->directory, exchange->enclave32, &exchange->mail) ==
           ENC_ERR_OK;
}

static void refuse_shape(struct enc_exchange *exchange, enum enc_err err)
{
    struct enc_refusal refusal = {.verdict = {.err = err, .step = 1}};
    exchange->verdict = refusal.verdict;
    if (!waits_its_turn(exchange))
        enc_answer_refusal(exchange, &refusal);
}

static void begin_commit(struct enc_exchange *exchange)
{
    exchange->is_commit = true;
    exchange->marked_ns = exchange->arrived_ns;
}

void enc_commit_post(struct enc_exchange *exchange)
{
    begin_commit(exchange);
    enc_exchange_post(exchange, ENC_MAIL_COMMIT, prepare_job);
}

/* A singleton exists already, so that any Manifest is one of a second: its own turn says so
 * (16.98). */
static enum enc_err aim_commit(struct enc_exchange *exchange)
{
    const uint8_t *singleton32 = enc_exchange_default(exchange);
    if (singleton32 && enc_type_of(exchange->commit.type) == ENC_TYPE_MANIFEST)
        return enc_exchange_aim(exchange, singleton32);
    return enc_exchange_aim(exchange, exchange->commit.enclave32);
}

void enc_commit_enter(struct enc_exchange *exchange)
{
    exchange->is_commit = true;
    enum enc_err err = decode(exchange, exchange->json);
    if (err != ENC_ERR_OK) {
        refuse_shape(exchange, err);
        return;
    }
    err = aim_commit(exchange);
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else
        enc_commit_post(exchange);
}

void enc_sealed_commit_enter(struct enc_exchange *exchange)
{
    begin_commit(exchange);
    enum enc_err err = enc_exchange_envelope(exchange, ENC_BODY_SEALED_COMMIT);
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else
        enc_exchange_post(exchange, ENC_MAIL_COMMIT, prepare_sealed_job);
}

/* ---- subscriptions ---- */

static enum enc_err prepare_subscribe(struct enc_exchange *exchange)
{
    uint64_t now_ms = enc_host_now_ms(exchange->host);
    ENC_TRY(enc_exchange_unseal(exchange, now_ms));
    ENC_TRY(enc_exchange_identify(exchange, now_ms));
    ENC_TRY(enc_filter_parse(&exchange->filter, &exchange->arena,
                             enc_json_get(exchange->envelope.content, "filter"),
                             exchange->host->limits.query_limit_max));
    return exchange->asker.is_stream ? enc_stream_widen(&exchange->filter) : ENC_ERR_OK;
}

static void prepare_subscribe_job(struct enc_job *job)
{
    struct enc_exchange *exchange = enc_exchange_of_job(job);
    uint64_t began_ns = enc_exchange_trace_ns(exchange);
    exchange->verdict.err = prepare_subscribe(exchange);
    enc_exchange_trace_prepared(exchange, began_ns);
    enc_mail_ready(&exchange->mail);
}

void enc_subscribe_enter(struct enc_exchange *exchange)
{
    enc_exchange_post(exchange, ENC_MAIL_SUBSCRIBE, prepare_subscribe_job);
}

/* ---- reads ---- */

static void query_enter(struct enc_exchange *exchange)
{
    enc_read_enter(exchange, ENC_BODY_QUERY, enc_read_query);
}

static void pull_enter(struct enc_exchange *exchange)
{
    enc_read_enter(exchange, ENC_BODY_PULL, enc_read_pull);
}

static void unknown_enter(struct enc_exchange *exchange)
{
    enc_answer_err(exchange, ENC_ERR_INVALID_REQUEST);
}

void enc_handle_multiplexed_post(struct enc_exchange *exchange)
{
    static void (*const BY_KIND[])(struct enc_exchange *) = {
        [ENC_BODY_UNKNOWN] = unknown_enter,
        [ENC_BODY_COMMIT] = enc_commit_enter,
        [ENC_BODY_QUERY] = query_enter,
        [ENC_BODY_PULL] = pull_enter,
        [ENC_BODY_SEALED_COMMIT] = enc_sealed_commit_enter,
        [ENC_BODY_CLOSE] = unknown_enter,
    };
    enum enc_err err = enc_exchange_parse(exchange);
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else
        BY_KIND[enc_body_kind(exchange->json)](exchange);
}
