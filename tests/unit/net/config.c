#include "net/config.h"

#include "net/config_row.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *NO_ENVIRON[] = {NULL};

static bool load(struct enc_config *config, struct enc_config_fault *fault, char **argv)
{
    struct enc_config_sources sources = {.argv = argv, .environ_kv = NO_ENVIRON};
    enum enc_config_action action;
    while (argv[sources.argc])
        sources.argc++;
    enc_config_init(config);
    return enc_config_load(config, &action, fault, &sources);
}

Test(config, defaults_are_sound)
{
    struct enc_config config;
    struct enc_config_fault fault;
    cr_assert(load(&config, &fault, (char *[]){"enclaved", NULL}), "%s", fault.text);
    cr_assert_str_eq(config.listen, "127.0.0.1:8080");
    cr_assert_eq(config.log_level, ENC_LOG_INFO);
    cr_assert_eq(config.durability, ENC_DURABILITY_COMMIT);
    cr_assert_eq(config.limits.body_len_max, 1U << 20);
    cr_assert_not(config.push_allow_http || config.push_allow_private || config.bootstrap_open);
    enc_config_fini(&config);
}

Test(config, rows_are_unique_and_within_their_bounds)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    struct enc_config config;
    char value[64], why[128];
    enc_config_init(&config);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(enc_config_row_of_key(rows[i].key), &rows[i], "%s is twice", rows[i].key);
        enc_config_get(&config, value, sizeof value, &rows[i]);
        if (rows[i].type == ENC_CONFIG_NUMBER)
            cr_assert_null(enc_config_set(&config, why, &rows[i], value), "%s", rows[i].key);
        for (const char *at = rows[i].key; *at; at++)
            cr_assert(islower((unsigned char)*at) || strchr("_.-", *at), "%s", rows[i].key);
    }
    enc_config_fini(&config);
}

Test(config, numbers_keep_their_bounds_in_every_row)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    struct enc_config config;
    char text[32], why[128];
    enc_config_init(&config);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].type != ENC_CONFIG_NUMBER)
            continue;
        const uint64_t bounds[] = {rows[i].min, rows[i].max, rows[i].max + 1, rows[i].min - 1};
        for (size_t b = 0; b < 4; b++) {
            snprintf(text, sizeof text, "%llu", (unsigned long long)bounds[b]);
            const char *wrong = enc_config_set(&config, why, &rows[i], text);
            cr_assert_eq(wrong == NULL, b < 2, "%s=%s", rows[i].key, text);
            enc_config_get(&config, text, sizeof text, &rows[i]);
        }
    }
    enc_config_fini(&config);
}

Test(config, words_that_are_no_numbers)
{
    static const char *const WORDS[] = {
        "", " 1", "1 ", "+1", "-1", "0x10", "1e3", "1.0", "99999999999999999999", "one"};
    const struct enc_config_row *row = enc_config_row_of_key("limits.mailbox");
    struct enc_config config;
    char why[128];
    enc_config_init(&config);
    uint32_t before = config.limits.mailbox_depth_max;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        cr_assert_not_null(enc_config_set(&config, why, row, WORDS[i]), "%s", WORDS[i]);
    cr_assert_eq(config.limits.mailbox_depth_max, before);
    enc_config_fini(&config);
}

Test(config, environment_names_come_from_keys)
{
    char name[ENC_CONFIG_KEY_MAX];
    enc_config_env_name(name, enc_config_row_of_key("push.allow_http"));
    cr_assert_str_eq(name, "ENCLAVED_PUSH_ALLOW_HTTP");
    enc_config_env_name(name, enc_config_row_of_key("drain_timeout_ms"));
    cr_assert_str_eq(name, "ENCLAVED_DRAIN_TIMEOUT_MS");
    enc_config_env_name(name, enc_config_row_of_key("services.enc-node.hosts"));
    cr_assert_str_eq(name, "ENCLAVED_SERVICES_ENC_NODE_HOSTS");
}

static char last_changed[ENC_CONFIG_KEY_MAX];

static void note_changed(const char *key)
{
    snprintf(last_changed, sizeof last_changed, "%s", key);
}

Test(config, adopting_takes_live_rows_and_names_the_others)
{
    struct enc_config config, fresh;
    struct enc_config_fault fault;
    cr_assert(load(&config, &fault, (char *[]){"enclaved", NULL}));
    cr_assert(load(&fresh, &fault,
                   (char *[]){"enclaved", "--log-level=debug", "--data", "elsewhere", NULL}));
    last_changed[0] = '\0';
    enc_config_adopt(&config, &fresh, note_changed);
    cr_assert_eq(config.log_level, ENC_LOG_DEBUG);
    cr_assert_eq(fresh.log_level, ENC_LOG_INFO);
    cr_assert_str_eq(config.data, "./data");
    cr_assert_str_eq(last_changed, "data");
    enc_config_fini(&config);
    enc_config_fini(&fresh);
}

static const char *written(char path[64], const char *text)
{
    strcpy(path, "/tmp/enclaved-config-XXXXXX");
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return path;
}

static unsigned lines_of(const char *text)
{
    unsigned lines = text[0] != '\0';
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* Deep nesting, anchors that refer to their own mapping, and text of all kinds: an error line for
 * each fault. */
Test(config, strange_files_are_refused)
{
    static const char *const TEXTS[] = {
        "limits: &a\n  limits: *a\n",
        "limits:\n  limits:\n    limits: 1\n",
        "&a [*a]",
        "? [1, 2]\n: 3\n",
        "data: &x [ *x ]",
        "\"data\\0x\": a",
        "\xff\xfe",
        "key: \"unterminated",
        "listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2\n",
        "%TAG ! tag:\n--- !x\nlisten: x\n",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct enc_config config;
        struct enc_config_fault fault = {.text = ""};
        char path[64];
        enc_config_init(&config);
        enc_config_read_file(&config, &fault, written(path, TEXTS[i]));
        unlink(path);
        bool is_empty = TEXTS[i][0] == '\xff'; /* a byte order mark and nothing behind it */
        cr_assert_eq(fault.count == 0, is_empty, "%zu", i);
        cr_assert_eq(fault.count, lines_of(fault.text), "%s", fault.text);
        enc_config_fini(&config);
    }
}

static const struct enc_config_list *hosts_of(const struct enc_config *config, const char *name)
{
    size_t i = 0;
    while (strcmp(enc_service_at(i)->name, name) != 0)
        i++;
    return &config->hosts[i];
}

Test(config, every_service_has_a_row_for_its_hosts)
{
    for (size_t i = 0; i < enc_service_count(); i++) {
        char key[ENC_CONFIG_KEY_MAX];
        snprintf(key, sizeof key, "services.%s.hosts", enc_service_at(i)->name);
        const struct enc_config_row *row = enc_config_row_of_key(key);
        cr_assert_not_null(row, "%s", key);
        cr_assert_eq(row->type, ENC_CONFIG_LIST);
        cr_assert_eq(row->offset,
                     offsetof(struct enc_config, hosts) + i * sizeof(struct enc_config_list));
    }
    cr_assert_null(enc_config_row_of_key("services.nobody.hosts"));
}

Test(config, hosts_come_from_the_environment_and_are_checked_together)
{
    static const struct {
        const char *node, *chat, *said; /* NULL: good */
    } CASES[] = {
        {"a.example", "b.example,[::1]", NULL},
        {"a.example:80", "b.example", "services.enc-node.hosts: a.example:80: not a host name"},
        {"http://a.example", "b", "not a host name"},
        {"a.example", "b,A.Example", "given twice"},
        {"a,A", "b", "given twice"},
        {"a", "a b", "services.chat.hosts: a b: not a host name"},
        {"[::1", "b", "not a host name"},
        {"[]", "b", "not a host name"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct enc_config config;
        struct enc_config_fault fault = {.text = ""};
        enum enc_config_action action;
        char node[64], chat[64];
        snprintf(node, sizeof node, "ENCLAVED_SERVICES_ENC_NODE_HOSTS=%s", CASES[i].node);
        snprintf(chat, sizeof chat, "ENCLAVED_SERVICES_CHAT_HOSTS=%s", CASES[i].chat);
        char *environ_kv[] = {node, chat, NULL};
        struct enc_config_sources sources = {.argc = 0, .environ_kv = environ_kv};
        enc_config_init(&config);
        bool is_good = enc_config_load(&config, &action, &fault, &sources);
        cr_assert_eq(is_good, CASES[i].said == NULL, "%zu: %s", i, fault.text);
        cr_assert(is_good || strstr(fault.text, CASES[i].said), "%zu: %s", i, fault.text);
        enc_config_fini(&config);
    }
}

Test(config, a_file_fills_nested_keys_and_lists)
{
    struct enc_config config;
    struct enc_config_fault fault = {.text = ""};
    char path[64];
    enc_config_init(&config);
    const char *text = "data: /srv/x\nlimits: {mailbox: 5, body: 2048}\nservice: [a, b]\n"
                       "push:\n  allow_http: true\n"
                       "services:\n  enc-node: {hosts: [a.example]}\n  chat:\n    hosts: [b, c]\n";
    enc_config_read_file(&config, &fault, written(path, text));
    unlink(path);
    cr_assert_eq(fault.count, 0, "%s", fault.text);
    cr_assert_str_eq(config.data, "/srv/x");
    cr_assert_eq(config.limits.mailbox_depth_max, 5);
    cr_assert_eq(config.limits.body_len_max, 2048);
    cr_assert(config.push_allow_http);
    cr_assert_eq(config.services.count, 2);
    cr_assert_str_eq(config.services.items[1], "b");
    cr_assert_eq(config.hosts[0].count, 1);
    cr_assert_str_eq(config.hosts[0].items[0], "a.example");
    cr_assert_eq(hosts_of(&config, "chat")->count, 2);
    cr_assert_str_eq(hosts_of(&config, "chat")->items[1], "c");
    enc_config_fini(&config);
}

Test(config, more_faults_than_fit_are_counted)
{
    struct enc_config_fault fault = {.count = 0};
    for (unsigned i = 0; i < 1000; i++)
        enc_config_blame(&fault, "source", "key", "wrong");
    cr_assert_eq(fault.count, 1000);
    cr_assert_lt(strlen(fault.text), sizeof fault.text);
    cr_assert_eq(strncmp(fault.text, "source: key: wrong\nsource: key: wrong\n", 38), 0);
}

Test(config, origins_follow_the_last_source)
{
    struct enc_config config;
    struct enc_config_fault fault;
    cr_assert(load(&config, &fault, (char *[]){"enclaved", "--threads", "3", NULL}));
    const struct enc_config_row *threads = enc_config_row_of_key("threads");
    cr_assert_eq(enc_config_origin(&config, threads).source, ENC_CONFIG_FLAG);
    cr_assert_eq(enc_config_origin(&config, enc_config_row_of_key("listen")).source,
                 ENC_CONFIG_DEFAULT);
    enc_config_fini(&config);
}

Test(config, ratios_are_parts_of_one)
{
    static const struct {
        const char *text;
        long ppm; /* -1: refused */
        const char *again;
    } CASES[] = {
        {"0", 0, "0"},
        {"1", 1000000, "1"},
        {"0.25", 250000, "0.25"},
        {"0.000001", 1, "0.000001"},
        {"1.0", 1000000, "1"},
        {"0.10", 100000, "0.1"},
        {"1.000001", -1, NULL},
        {"2", -1, NULL},
        {"0.", -1, NULL},
        {".5", -1, NULL},
        {"0.0000001", -1, NULL},
        {"-0.1", -1, NULL},
        {"0,5", -1, NULL},
        {"0.5.5", -1, NULL},
        {"5e-1", -1, NULL},
        {"", -1, NULL},
        {"01", -1, NULL},
    };
    const struct enc_config_row *row = enc_config_row_of_key("log.access_sample");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct enc_config config;
        char why[128], again[32];
        enc_config_init(&config);
        const char *wrong = enc_config_set(&config, why, row, CASES[i].text);
        cr_assert_eq(wrong == NULL, CASES[i].ppm >= 0, "%s", CASES[i].text);
        enc_config_get(&config, again, sizeof again, row);
        cr_assert(wrong || (config.log_access_sample == CASES[i].ppm &&
                            strcmp(again, CASES[i].again) == 0),
                  "%s", CASES[i].text);
        enc_config_fini(&config);
    }
}

Test(config, loops_get_the_numbers_that_may_change)
{
    struct enc_config config;
    struct enc_config_fault fault;
    cr_assert(load(&config, &fault, (char *[]){"enclaved", NULL}));
    config.headers_max = 11;
    config.silence_ms = 12;
    struct enc_config_live live = enc_config_live(&config);
    cr_assert_eq(live.headers_max, 11);
    cr_assert_eq(live.silence_ms, 12);
    cr_assert_eq(live.ping_ms, 30000);
    enc_config_fini(&config);
}

static const char *printed(const struct enc_config *config)
{
    static char text[65536];
    FILE *kept = stdout;
    stdout = fmemopen(text, sizeof text, "w");
    enc_config_answer(config, ENC_CONFIG_PRINT);
    fclose(stdout);
    stdout = kept;
    return text;
}

/* What YAML does not take as it is, what it would take for the end of a line, and what looks like
 * more than it is. */
Test(config, every_text_that_is_printed_reads_the_same)
{
    static const char *const TEXTS[] = {
        "\x01\x1f\x7f",
        "\xc2\x80\xc2\x85\xc2\x9f",
        "a\xe2\x80\xa8 b\xe2\x80\xa9",
        "\xef\xbb\xbfx",
        "\xef\xbf\xbe\xef\xbf\xbf",
        "\xf0\x9f\x98\x80\xc3\xa9",
        "\"\\ # : {",
        " a \n b\t",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct enc_config config, again;
        struct enc_config_fault fault = {.text = ""};
        char path[64], why[128];
        enc_config_init(&config);
        enc_config_init(&again);
        cr_assert_null(enc_config_set(&config, why, enc_config_row_of_key("data"), TEXTS[i]));
        enc_config_read_file(&again, &fault, written(path, printed(&config)));
        unlink(path);
        cr_assert_eq(fault.count, 0, "%zu: %s", i, fault.text);
        cr_assert_str_eq(again.data, TEXTS[i]);
        enc_config_fini(&config);
        enc_config_fini(&again);
    }
}

Test(config, what_is_no_text_is_no_value)
{
    struct enc_config config;
    char why[128];
    enc_config_init(&config);
    const struct enc_config_row *row = enc_config_row_of_key("listen");
    cr_assert_str_eq(enc_config_set(&config, why, row, "[\xdb::1]:80"), "not UTF-8");
    cr_assert_str_eq(config.listen, "127.0.0.1:8080");
    enc_config_fini(&config);
}
