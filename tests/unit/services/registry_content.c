#include "services/registry.h"

#include <criterion/criterion.h>
#include <stdio.h>

static uint8_t memory[1 << 24];
static struct enc_arena arena;

static void setup(void)
{
    enc_arena_init_fixed(&arena, memory, sizeof memory);
}

TestSuite(registry_content, .init = setup);

#define KEY "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define ENDPOINT "{\"uri\":\"https://a.example/x\",\"priority\":1}"

static const struct enc_json *parse(const char *text)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    enum enc_err err = enc_json_parse(&json, &arena, enc_bytes_of_text(text), &facts);
    cr_assert_eq(err, ENC_ERR_OK, "%.200s", text);
    return json;
}

static const char *text_of(const char *format, const char *a, const char *b)
{
    char *text = (char *)enc_arena_take(&arena, 1 << 17);
    snprintf(text, 1 << 17, format, a, b);
    return text;
}

/* unit, count times, with between in between. */
static const char *times(const char *unit, size_t count, const char *between)
{
    char *text = (char *)enc_arena_take(&arena, 1 << 16);
    for (size_t i = 0; i < count; i++) {
        strcat(text, i ? between : "");
        strcat(text, unit);
    }
    return text;
}

struct sample {
    const char *text;
    bool is_good;
};

/* ---- Reg_Node ---- */

static bool node_is_good(const char *text)
{
    struct enc_reg_node node;
    enum enc_err err = enc_reg_node_take(&node, parse(text));
    cr_assert(err == ENC_ERR_OK || err == ENC_ERR_INVALID_CONTENT);
    return err == ENC_ERR_OK;
}

static bool node_with(const char *endpoints, const char *protocols)
{
    return node_is_good(text_of("{\"seq_pub\":\"" KEY "\",\"endpoints\":[%s],\"protocols\":[%s],"
                                "\"enc_v\":1,\"more\":{}}",
                                endpoints, protocols));
}

Test(registry_content, a_node_has_four_members)
{
    static const struct sample SAMPLES[] = {
        {"{\"seq_pub\":\"" KEY "\",\"endpoints\":[" ENDPOINT "],\"protocols\":[\"https\"],"
         "\"enc_v\":1}",
         true},
        {"{\"seq_pub\":\"" KEY "\",\"endpoints\":[" ENDPOINT "],\"protocols\":[\"https\"],"
         "\"enc_v\":65535}",
         true},
        {"{\"seq_pub\":\"" KEY "\",\"endpoints\":[" ENDPOINT "],\"protocols\":[\"https\"],"
         "\"enc_v\":65536}",
         false},
        {"{\"seq_pub\":\"" KEY "\",\"endpoints\":[" ENDPOINT "],\"protocols\":[\"https\"],"
         "\"enc_v\":0}",
         false},
        {"{\"seq_pub\":\"" KEY "\",\"endpoints\":[" ENDPOINT "],\"protocols\":[\"https\"],"
         "\"enc_v\":\"1\"}",
         false},
        {"{\"seq_pub\":\"" KEY "\",\"endpoints\":[" ENDPOINT "],\"protocols\":[\"https\"]}", false},
        {"{\"seq_pub\":\"" KEY "\",\"endpoints\":[" ENDPOINT "],\"enc_v\":1}", false},
        {"{\"seq_pub\":\"" KEY "\",\"protocols\":[\"https\"],\"enc_v\":1}", false},
        {"{\"endpoints\":[" ENDPOINT "],\"protocols\":[\"https\"],\"enc_v\":1}", false},
        {"{\"seq_pub\":\"abcd\",\"endpoints\":[" ENDPOINT "],\"protocols\":[\"https\"],"
         "\"enc_v\":1}",
         false},
        {"[]", false},
        {"\"text\"", false},
        {"null", false},
    };
    for (size_t i = 0; i < sizeof SAMPLES / sizeof SAMPLES[0]; i++)
        cr_assert_eq(node_is_good(SAMPLES[i].text), SAMPLES[i].is_good, "%s", SAMPLES[i].text);
    struct enc_reg_node node;
    cr_assert_eq(enc_reg_node_take(&node, NULL), ENC_ERR_INVALID_CONTENT, "no JSON at all");
}

Test(registry_content, endpoints_are_urls_with_a_priority)
{
    static const struct sample SAMPLES[] = {
        {ENDPOINT, true},
        {"{\"uri\":\"http://localhost:8080\",\"priority\":0}", true},
        {"{\"uri\":\"wss://a.example/ws\",\"priority\":65535,\"zone\":\"x\"}", true},
        {"{\"uri\":\"ws://10.0.0.1/\",\"priority\":7}", true},
        {"{\"uri\":\"https://a.example\",\"priority\":65536}", false},
        {"{\"uri\":\"https://a.example\",\"priority\":-1}", false},
        {"{\"uri\":\"https://a.example\",\"priority\":1.5}", false},
        {"{\"uri\":\"https://a.example\",\"priority\":\"1\"}", false},
        {"{\"uri\":\"https://a.example\"}", false},
        {"{\"priority\":1}", false},
        {"{\"uri\":7,\"priority\":1}", false},
        {"{\"uri\":\"\",\"priority\":1}", false},
        {"{\"uri\":\"ftp://a.example\",\"priority\":1}", false},
        {"{\"uri\":\"https:a.example\",\"priority\":1}", false},
        {"{\"uri\":\"ws:\",\"priority\":1}", false},
        {"{\"uri\":\"https://\",\"priority\":1}", false},
        {"{\"uri\":\"https://u@a.example\",\"priority\":1}", false},
        {"{\"uri\":\"https://a.example/#x\",\"priority\":1}", false},
        {"{\"uri\":\"https://a.example/\\u00e9\",\"priority\":1}", false},
        {"{\"uri\":\"https://a.example:0\",\"priority\":1}", false},
        {"\"https://a.example\"", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof SAMPLES / sizeof SAMPLES[0]; i++)
        cr_assert_eq(node_with(SAMPLES[i].text, "\"https\""), SAMPLES[i].is_good, "%s",
                     SAMPLES[i].text);
    const char *longest = text_of("{\"uri\":\"https://a.example/%s%s\",\"priority\":1}",
                                  times("x", 2048 - 18, ""), "");
    const char *longer = text_of("{\"uri\":\"https://a.example/%s%s\",\"priority\":1}",
                                 times("x", 2049 - 18, ""), "");
    const char *wss =
        text_of("{\"uri\":\"wss://a.example/%s%s\",\"priority\":1}", times("x", 4096, ""), "");
    cr_assert(node_with(longest, "\"https\""));
    cr_assert_not(node_with(longer, "\"https\""));
    cr_assert_not(node_with(wss, "\"https\""));
    cr_assert(node_with(times(ENDPOINT, 16, ","), "\"https\""));
    cr_assert_not(node_with(times(ENDPOINT, 17, ","), "\"https\""));
}

Test(registry_content, protocols_are_words)
{
    static const struct sample SAMPLES[] = {
        {"\"https\",\"wss\"", true},
        {"\"h2c+x-1.0\"", true},
        {"", false},
        {"\"\"", false},
        {"\"a b\"", false},
        {"7", false},
        {"\"\\u0000\"", false},
        {"\"\\u00e9\"", false},
        {"\"\\ud800\"", false},
        {"[\"https\"]", false},
    };
    for (size_t i = 0; i < sizeof SAMPLES / sizeof SAMPLES[0]; i++)
        cr_assert_eq(node_with(ENDPOINT, SAMPLES[i].text), SAMPLES[i].is_good, "%s",
                     SAMPLES[i].text);
    cr_assert(node_with(ENDPOINT, text_of("\"%s\"%s", times("x", 32, ""), "")));
    cr_assert_not(node_with(ENDPOINT, text_of("\"%s\"%s", times("x", 33, ""), "")));
    cr_assert(node_with(ENDPOINT, times("\"x\"", 16, ",")));
    cr_assert_not(node_with(ENDPOINT, times("\"x\"", 17, ",")));
}

/* ---- Reg_Identity ---- */

static bool identity_is_good(const char *text)
{
    struct enc_reg_identity identity;
    return enc_reg_identity_take(&identity, parse(text)) == ENC_ERR_OK;
}

Test(registry_content, an_identity_has_a_name_and_perhaps_more)
{
    static const struct sample SAMPLES[] = {
        {"{\"display_name\":\"A\"}", true},
        {"{\"display_name\":\"A\",\"avatar\":\"a\",\"bio\":\"\",\"enclaves\":{}}", true},
        {"{\"display_name\":\"A\",\"enclaves\":{\"personal\":\"" KEY "\"},\"more\":7}", true},
        {"{\"display_name\":\"A\",\"enclaves\":{\"a_b-c.9\":\"" KEY "\"}}", true},
        {"{}", false},
        {"[]", false},
        {"{\"display_name\":\"\"}", false},
        {"{\"display_name\":null}", false},
        {"{\"display_name\":7}", false},
        {"{\"display_name\":\"\\ud800\"}", false},
        {"{\"display_name\":\"A\",\"avatar\":\"\"}", false},
        {"{\"display_name\":\"A\",\"avatar\":null}", false},
        {"{\"display_name\":\"A\",\"bio\":7}", false},
        {"{\"display_name\":\"A\",\"enclaves\":[]}", false},
        {"{\"display_name\":\"A\",\"enclaves\":null}", false},
        {"{\"display_name\":\"A\",\"enclaves\":{\"x\":\"ab\"}}", false},
        {"{\"display_name\":\"A\",\"enclaves\":{\"\":\"" KEY "\"}}", false},
        {"{\"display_name\":\"A\",\"enclaves\":{\"a b\":\"" KEY "\"}}", false},
        {"{\"display_name\":\"A\",\"enclaves\":{\"\\ud800\":\"" KEY "\"}}", false},
    };
    for (size_t i = 0; i < sizeof SAMPLES / sizeof SAMPLES[0]; i++)
        cr_assert_eq(identity_is_good(SAMPLES[i].text), SAMPLES[i].is_good, "%s", SAMPLES[i].text);
}

Test(registry_content, text_is_counted_in_code_points)
{
    static const struct {
        const char *name;
        size_t max;
    } ROWS[] = {{"display_name", 100}, {"avatar", 2048}, {"bio", 5000}};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const char *rest = i ? ",\"display_name\":\"A\"}" : "}";
        for (size_t more = 0; more < 2; more++) {
            const char *value = times("\xc3\xa9", ROWS[i].max + more, "");
            const char *head = text_of("{\"%s\":\"%s\"", ROWS[i].name, value);
            cr_assert_eq(identity_is_good(text_of("%s%s", head, rest)), more == 0, "%s",
                         ROWS[i].name);
            setup();
        }
    }
}

Test(registry_content, an_identity_names_64_enclaves_at_most)
{
    char *map = (char *)enc_arena_take(&arena, 1 << 16);
    for (unsigned i = 0; i < 65; i++) {
        if (i == 64)
            cr_assert(
                identity_is_good(text_of("{\"display_name\":\"A\",\"enclaves\":{%s%s}}", map, "")));
        snprintf(map + strlen(map), 128, "%s\"e%u\":\"" KEY "\"", i ? "," : "", i);
    }
    cr_assert_not(
        identity_is_good(text_of("{\"display_name\":\"A\",\"enclaves\":{%s%s}}", map, "")));
    const char *name64 = text_of("{\"display_name\":\"A\",\"enclaves\":{\"%s\":\"" KEY "\"%s}}",
                                 times("x", 64, ""), "");
    const char *name65 = text_of("{\"display_name\":\"A\",\"enclaves\":{\"%s\":\"" KEY "\"%s}}",
                                 times("x", 65, ""), "");
    cr_assert(identity_is_good(name64));
    cr_assert_not(identity_is_good(name65));
}
