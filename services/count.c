#include "services/count.h"

#include "services/inside.h"
#include "services/probe.h"

#include <stdio.h>

/* ---- the lists of label values ---- */

enum { STEPS = 15, CLASSES = 5, ROUTES_OF_SERVICE = ENC_ROUTE_MAX + 1 };

static size_t service_count(void)
{
    return enc_service_count();
}

static void put_service(struct enc_labels *labels, size_t at)
{
    enc_labels_put(labels, "service", at < enc_service_count() ? enc_service_at(at)->name : "none");
}

static void put_step_number(struct enc_labels *labels, size_t step)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", step);
    enc_labels_put(labels, "step", step ? text : "none");
}

static size_t step_count(void)
{
    return STEPS;
}

static const char *const RESULTS[] = {"accepted", "refused"};

static size_t result_count(void)
{
    return 2;
}

static void put_result(struct enc_labels *labels, size_t at)
{
    enc_labels_put(labels, "result", RESULTS[at]);
}

/* Steps 9-11, 13 and 14 cannot. */
static bool can_refuse(size_t step)
{
    return step <= 8 || step == 12;
}

/* 0: accepted; behind it refused by no step and by each. */
static size_t outcome_count(void)
{
    return 1 + STEPS;
}

static void put_outcome(struct enc_labels *labels, size_t at)
{
    put_result(labels, at > 0);
    put_step_number(labels, at > 0 ? at - 1 : STEPS - 1);
    labels->is_void |= at > 0 && !can_refuse(at - 1);
}

static size_t code_count(void)
{
    return ENC_ERR_COUNT;
}

static void put_code(struct enc_labels *labels, size_t at)
{
    char status[8];
    const struct enc_err_row *row = enc_err_row((enum enc_err)at);
    snprintf(status, sizeof status, "%u", row->http_status);
    enc_labels_put(labels, "code", row->code);
    enc_labels_put(labels, "status", status);
    labels->is_void |= at == ENC_ERR_OK;
}

static const char *const STAGES[ENC_STAGE_COUNT] = {
    "dispatch", "prepare", "queue", "judge", "build", "seal", "writer", "write", "sync", "publish",
};

const char *enc_stage_name(enum enc_stage stage)
{
    return STAGES[stage];
}

static size_t stage_count(void)
{
    return ENC_STAGE_COUNT;
}

static void put_stage(struct enc_labels *labels, size_t at)
{
    enc_labels_put(labels, "stage", STAGES[at]);
}

static const char *const ATTEMPTS[] = {"delivered", "failed", "given_up"};

static size_t attempt_count(void)
{
    return sizeof ATTEMPTS / sizeof *ATTEMPTS;
}

static void put_attempt(struct enc_labels *labels, size_t at)
{
    enc_labels_put(labels, "result", ATTEMPTS[at]);
}

static const char *const OUTCOMES[] = {
    [ENC_OUTCOME_OK] = "durable",
    [ENC_OUTCOME_FENCED] = "fenced",
    [ENC_OUTCOME_IN_DOUBT] = "in_doubt",
    [ENC_OUTCOME_FAILED] = "failed",
};

static size_t store_outcome_count(void)
{
    return sizeof OUTCOMES / sizeof *OUTCOMES;
}

static void put_store_outcome(struct enc_labels *labels, size_t at)
{
    enc_labels_put(labels, "result", OUTCOMES[at]);
}

/* Per service, and once more for what is no service's: no route, then each route. */
static size_t route_count(void)
{
    return (enc_service_count() + 1) * ROUTES_OF_SERVICE;
}

static void put_route(struct enc_labels *labels, size_t at)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    size_t service = at / ROUTES_OF_SERVICE;
    size_t number = at % ROUTES_OF_SERVICE;
    size_t count = 0;
    if (service < enc_service_count())
        count = enc_service_routes(enc_service_at(service), rows);
    labels->is_void |= number > count;
    put_service(labels, service);
    if (number == 0 || number > count) {
        enc_labels_put(labels, "route", "none");
        enc_labels_put(labels, "method", "none");
        return;
    }
    enc_labels_put(labels, "route", rows[number - 1]->path);
    enc_labels_put(labels, "method", rows[number - 1]->method == ENC_METHOD_GET ? "GET" : "POST");
}

static const char *const PROTOCOLS[] = {"h1", "h2", "ws"};
enum { PROTOCOL_COUNT = sizeof PROTOCOLS / sizeof *PROTOCOLS };

static size_t protocol_count(void)
{
    return PROTOCOL_COUNT;
}

static void put_protocol(struct enc_labels *labels, size_t at)
{
    enc_labels_put(labels, "protocol", PROTOCOLS[at]);
}

static size_t answer_count(void)
{
    return PROTOCOL_COUNT * CLASSES;
}

static void put_answer(struct enc_labels *labels, size_t at)
{
    char text[4] = {(char)('1' + at % CLASSES), 'x', 'x', '\0'};
    put_protocol(labels, at / CLASSES);
    enc_labels_put(labels, "class", text);
}

/* ---- the rows ---- */

static const struct enc_axis SERVICE = {service_count, put_service};
static const struct enc_axis OUTCOME = {outcome_count, put_outcome};
static const struct enc_axis STEP = {step_count, put_step_number};
static const struct enc_axis CODE = {code_count, put_code};
static const struct enc_axis RESULT = {result_count, put_result};
static const struct enc_axis STAGE = {stage_count, put_stage};
static const struct enc_axis OUTCOME_OF_STORE = {store_outcome_count, put_store_outcome};
static const struct enc_axis ROUTE = {route_count, put_route};
static const struct enc_axis PROTOCOL = {protocol_count, put_protocol};
static const struct enc_axis ANSWER = {answer_count, put_answer};
static const struct enc_axis ATTEMPT = {attempt_count, put_attempt};

#define AXES(...)                                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define ENC_COUNTED(symbol, kind, name, labels, axes, scale, is_sparse, help)                      \
    {ENC_FIGURE_##kind, name, labels, axes, scale, is_sparse, help},
static const struct enc_figure ROWS[] = {
#include "services/figures.def"
};
#undef ENC_COUNTED
#undef AXES

bool enc_count_open(struct enc_ledger *ledger)
{
    return enc_ledger_open(ledger, ROWS, ENC_COUNTED_COUNT);
}

/* ---- counting ---- */

void enc_count(const struct enc_host *host, enum enc_counted what, int64_t delta)
{
    enc_ledger_add(&host->ledger, what, 0, delta);
}

void enc_count_size(const struct enc_host *host, enum enc_counted what, uint64_t value)
{
    enc_ledger_observe(&host->ledger, what, 0, value);
}

uint64_t enc_host_now_ns(const struct enc_host *host)
{
    return host->runtime->now_ns ? host->runtime->now_ns(host->runtime->self) : 0;
}

/* Two threads may have read the clock, and its ends may meet. */
void enc_count_lap(const struct enc_host *host, const struct enc_lap *lap, uint64_t until_ns)
{
    uint64_t took_ns = until_ns > lap->since_ns ? until_ns - lap->since_ns : 0;
    enc_ledger_observe(&host->ledger, ENC_COUNTED_STAGE_TIME, lap->stage, took_ns);
    ENC_PROBE(stage, lap->of, (int)lap->stage, took_ns, lap->in);
}

uint64_t enc_count_stage(const struct enc_host *host, const struct enc_lap *lap)
{
    uint64_t now_ns = enc_host_now_ns(host);
    enc_count_lap(host, lap, now_ns);
    return now_ns;
}

void enc_count_arrival(const struct enc_host *host, bool is_taken)
{
    enc_ledger_add(&host->ledger, ENC_COUNTED_PUSHES_RECEIVED, !is_taken, 1);
}

void enc_count_attempt(const struct enc_host *host, enum enc_attempt attempt)
{
    enc_ledger_add(&host->ledger, ENC_COUNTED_PUSH_ATTEMPTS, attempt, 1);
}

void enc_count_transaction(const struct enc_host *host, enum enc_outcome outcome)
{
    enc_ledger_add(&host->ledger, ENC_COUNTED_TRANSACTIONS, outcome, 1);
}

void enc_host_count_error(const struct enc_host *host, enum enc_err err)
{
    enc_ledger_add(&host->ledger, ENC_COUNTED_ERRORS, err, 1);
}

static size_t place_of(enum enc_counted what, size_t first, size_t second)
{
    return enc_figure_place(&ROWS[what], first, second);
}

void enc_host_count_request(const struct enc_host *host, const struct enc_request_fact *fact)
{
    size_t service = fact->place.is_known ? fact->place.service : enc_service_count();
    size_t route = service * ROUTES_OF_SERVICE + fact->place.route;
    size_t class =
        fact->status >= 100 && fact->status < 600 ? fact->status / 100U - 1 : CLASSES - 1;
    size_t answer = fact->protocol * CLASSES + class;
    enc_ledger_add(&host->ledger, ENC_COUNTED_REQUESTS,
                   place_of(ENC_COUNTED_REQUESTS, route, answer), 1);
    enc_ledger_observe(&host->ledger, ENC_COUNTED_REQUEST_TIME,
                       place_of(ENC_COUNTED_REQUEST_TIME, route, fact->protocol), fact->took_ns);
}

static uint64_t age_ns(const struct enc_exchange *exchange)
{
    return exchange->arrived_ns ? enc_host_now_ns(exchange->host) - exchange->arrived_ns : 0;
}

static void count_commit(const struct enc_exchange *exchange, struct enc_verdict verdict,
                         uint64_t took_ns)
{
    const struct enc_ledger *ledger = &exchange->host->ledger;
    bool is_refused = verdict.err != ENC_ERR_OK;
    ENC_CHECK(verdict.step < STEPS);
    ENC_PROBE(answered, (uintptr_t)exchange, (int)verdict.err, (int)verdict.step, took_ns);
    size_t outcome = is_refused ? 1U + verdict.step : 0;
    enc_ledger_add(ledger, ENC_COUNTED_COMMITS,
                   place_of(ENC_COUNTED_COMMITS, exchange->service, outcome), 1);
    if (is_refused)
        enc_ledger_add(ledger, ENC_COUNTED_COMMIT_REFUSALS,
                       place_of(ENC_COUNTED_COMMIT_REFUSALS, verdict.step, verdict.err), 1);
    if (exchange->arrived_ns)
        enc_ledger_observe(ledger, ENC_COUNTED_COMMIT_TIME, is_refused, took_ns);
}

/* HTTP requests are counted where they end: by net. */
static void count_message(const struct enc_exchange *exchange, struct enc_verdict verdict,
                          uint64_t took_ns)
{
    struct enc_request_fact fact = {
        .place = {exchange->service, exchange->route_number, true},
        .protocol = ENC_PROTOCOL_WS,
        .status = enc_err_row(verdict.err)->http_status,
        .took_ns = took_ns,
    };
    enc_host_count_request(exchange->host, &fact);
}

void enc_count_answer(struct enc_exchange *exchange, struct enc_verdict verdict)
{
    if (verdict.err != ENC_ERR_OK && (exchange->asker.call || exchange->asker.conn))
        enc_host_count_error(exchange->host, verdict.err);
    if (verdict.err != ENC_ERR_OK)
        enc_trace_refuse(exchange->trace, verdict.err, verdict.step);
    if (exchange->is_told || !(exchange->is_commit || exchange->asker.conn))
        return;
    uint64_t took_ns = age_ns(exchange);
    exchange->is_told = true;
    if (exchange->is_commit)
        count_commit(exchange, verdict, took_ns);
    if (exchange->asker.conn)
        count_message(exchange, verdict, took_ns);
}
