#include "net/otel.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct blamed {
    unsigned count;
    const char *name;
};

static void blame(void *opaque, const char *name, const char *wrong)
{
    struct blamed *blamed = opaque;
    cr_assert(wrong && *wrong);
    blamed->count++;
    blamed->name = name;
}

static unsigned faults(struct enc_otel *out, char **environ_kv)
{
    struct blamed blamed = {0, NULL};
    enc_otel_read(out, environ_kv, blame, &blamed);
    return blamed.count;
}

Test(otel, off_unless_there_is_an_endpoint)
{
    struct enc_otel otel;
    cr_assert_eq(faults(&otel, (char *[]){"OTEL_TRACES_SAMPLER=always_on", NULL}), 0);
    cr_assert(!otel.is_on && !otel.why_off);
    cr_assert_eq(otel.queue_max, 2048);
    cr_assert_eq(otel.batch_max, 512);
    cr_assert_eq(otel.delay_ms, 5000);
    cr_assert_eq(otel.timeout_ms, 10000);
}

Test(otel, addresses)
{
    struct enc_otel otel;
    cr_assert_eq(faults(&otel, (char *[]){"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", NULL}), 0);
    cr_assert(otel.is_on);
    cr_assert_str_eq(otel.url, "http://c:4318/v1/traces");
    cr_assert_eq(faults(&otel, (char *[]){"OTEL_EXPORTER_OTLP_ENDPOINT=https://c/x//", NULL}), 0);
    cr_assert_str_eq(otel.url, "https://c/x/v1/traces");
    char *both[] = {"OTEL_EXPORTER_OTLP_ENDPOINT=http://a",
                    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://b/take/",
                    "OTEL_EXPORTER_OTLP_TIMEOUT=5", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=7", NULL};
    cr_assert_eq(faults(&otel, both), 0);
    cr_assert_str_eq(otel.url, "http://b/take/");
    cr_assert_eq(otel.timeout_ms, 7);
}

Test(otel, another_protocol_is_off_with_a_reason)
{
    struct enc_otel otel;
    char *grpc[] = {"OTEL_EXPORTER_OTLP_ENDPOINT=http://a", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
                    NULL};
    cr_assert_eq(faults(&otel, grpc), 0);
    cr_assert(!otel.is_on && otel.why_off);
    char *nearer[] = {"OTEL_EXPORTER_OTLP_ENDPOINT=http://a", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
                      "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json", NULL};
    cr_assert_eq(faults(&otel, nearer), 0);
    cr_assert(otel.is_on);
}

Test(otel, every_bad_value_is_told)
{
    struct enc_otel otel;
    char *bad[] = {"OTEL_EXPORTER_OTLP_ENDPOINT=c:4318", "OTEL_TRACES_SAMPLER=some",
                   "OTEL_TRACES_SAMPLER_ARG=2", "OTEL_BSP_SCHEDULE_DELAY=", NULL};
    cr_assert_eq(faults(&otel, bad), 3);
    cr_assert(!otel.is_on);
}

Test(otel, presets_are_good_values)
{
    for (size_t i = 0; i < ENC_OTEL_COUNT; i++) {
        struct enc_otel otel;
        char text[256];
        const struct enc_otel_row *row = &enc_otel_rows()[i];
        snprintf(text, sizeof text, "%s=%s", row->name, row->preset);
        cr_assert_eq(faults(&otel, (char *[]){text, NULL}), 0, "%s", text);
    }
}

Test(otel, pairs_are_trimmed_and_decoded)
{
    struct enc_otel_pair pair;
    const char *wrong, *rest = " a = 1%2C2 ,b=x=y,c=";
    cr_assert(enc_otel_pair_take(&pair, &rest, &wrong));
    cr_assert_str_eq(pair.key, "a");
    cr_assert_str_eq(pair.value, "1,2");
    cr_assert(enc_otel_pair_take(&pair, &rest, &wrong));
    cr_assert_str_eq(pair.value, "x=y");
    cr_assert(enc_otel_pair_take(&pair, &rest, &wrong));
    cr_assert_str_eq(pair.value, "");
    cr_assert(!enc_otel_pair_take(&pair, &rest, &wrong));
    cr_assert_null(wrong);
    static const char *const BAD[] = {"a", "=1", "a=%", "a=%0", "a=%zz", "a=%00", ","};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        rest = BAD[i];
        cr_assert(!enc_otel_pair_take(&pair, &rest, &wrong), "%s", BAD[i]);
        cr_assert_not_null(wrong);
    }
}
