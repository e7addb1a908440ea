#include "services/count.h"
#include "host_fixture.h"
#include "services/inside.h"

#include <stdio.h>
#include <string.h>

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(count, .fini = fini);

/* The series of a row whose labels are these. */
static size_t place_of(enum enc_counted what, const char *wanted)
{
    const struct enc_figure *row = &rig.host->ledger.rows[what];
    struct enc_labels labels;
    for (size_t place = 0; place < enc_figure_places(row); place++) {
        enc_figure_labels(&labels, row, place);
        if (!labels.is_void && strcmp(labels.text, wanted) == 0)
            return place;
    }
    cr_assert_fail("no series %s", wanted);
    return 0;
}

static int64_t value(enum enc_counted what, const char *labels)
{
    return enc_ledger_get(&rig.host->ledger, what, place_of(what, labels));
}

static uint64_t times(enum enc_counted what, const char *labels)
{
    struct enc_histogram histogram;
    enc_ledger_histogram(&rig.host->ledger, &histogram, what, place_of(what, labels));
    return histogram.count;
}

Test(count, commits_by_service_result_and_step)
{
    rig_open(&rig, 1);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    rig_commit(&rig, &(struct draft){STRANGER, enclave32, "Note", "x", NULL, 0});
    cr_assert_eq(value(ENC_COUNTED_COMMITS, "service=\"enc-node\",result=\"accepted\",step=\"14\""),
                 1);
    cr_assert_eq(value(ENC_COUNTED_COMMITS, "service=\"registry\",result=\"accepted\",step=\"14\""),
                 1, "the node's own: it made the registry");
    cr_assert_eq(value(ENC_COUNTED_COMMITS, "service=\"enc-node\",result=\"refused\",step=\"7\""),
                 1);
    cr_assert_eq(
        value(ENC_COUNTED_COMMIT_REFUSALS, "step=\"7\",code=\"UNAUTHORIZED\",status=\"403\""), 1);
    cr_assert_eq(value(ENC_COUNTED_ERRORS, "code=\"UNAUTHORIZED\",status=\"403\""), 1);
}

Test(count, every_stage_of_a_commit_is_timed_once)
{
    static const char *const STAGES[] = {"dispatch", "prepare", "queue", "judge", "build",
                                         "seal",     "writer",  "write", "sync",  "publish"};
    uint64_t before[ENC_STAGE_COUNT];
    char labels[64];
    rig_open(&rig, 2);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    for (size_t i = 0; i < ENC_STAGE_COUNT; i++) {
        snprintf(labels, sizeof labels, "stage=\"%s\"", STAGES[i]);
        before[i] = times(ENC_COUNTED_STAGE_TIME, labels);
    }
    rig_commit(&rig, &(struct draft){OWNER, enclave32, "Note", "x", NULL, 0});
    for (size_t i = 0; i < ENC_STAGE_COUNT; i++) {
        snprintf(labels, sizeof labels, "stage=\"%s\"", STAGES[i]);
        cr_assert_eq(times(ENC_COUNTED_STAGE_TIME, labels), before[i] + 1, "%s", STAGES[i]);
    }
}

Test(count, each_route_has_a_series_and_no_other)
{
    struct enc_labels labels;
    size_t count = 1; /* of no service */
    size_t found = 0;
    const struct enc_route *rows[ENC_ROUTE_MAX];
    rig_open(&rig, 3);
    for (size_t i = 0; i < enc_service_count(); i++)
        count += 1 + enc_service_routes(enc_service_at(i), rows);
    const struct enc_figure *row = &rig.host->ledger.rows[ENC_COUNTED_REQUESTS];
    for (size_t place = 0; place < enc_figure_places(row); place++) {
        enc_figure_labels(&labels, row, place);
        found += !labels.is_void && strstr(labels.text, "protocol=\"ws\",class=\"5xx\"") != NULL;
    }
    cr_assert_eq(found, count);
}

Test(count, a_request_is_counted_where_it_belongs)
{
    rig_open(&rig, 4);
    struct enc_request_fact fact = {
        .place = {.service = 0, .route = 2, .is_known = true},
        .protocol = ENC_PROTOCOL_H2,
        .status = 200,
        .took_ns = 30000,
    };
    enc_host_count_request(rig.host, &fact);
    fact = (struct enc_request_fact){.status = 404};
    enc_host_count_request(rig.host, &fact);
    cr_assert_eq(value(ENC_COUNTED_REQUESTS, "service=\"enc-node\",route=\"/sth\",method=\"GET\","
                                             "protocol=\"h2\",class=\"2xx\""),
                 1);
    cr_assert_eq(value(ENC_COUNTED_REQUESTS, "service=\"none\",route=\"none\",method=\"none\","
                                             "protocol=\"h1\",class=\"4xx\""),
                 1);
}

Test(count, an_exchange_is_counted_once)
{
    rig_open(&rig, 5);
    struct enc_exchange exchange = {.host = rig.host, .is_commit = true};
    struct enc_verdict refused = {.err = ENC_ERR_BUSY};
    const char *labels = "service=\"enc-node\",result=\"refused\",step=\"none\"";
    enc_count_answer(&exchange, refused);
    enc_count_answer(&exchange, refused);
    cr_assert_eq(value(ENC_COUNTED_COMMITS, labels), 1);
}
