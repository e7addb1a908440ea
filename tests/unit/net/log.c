#include "net/log.h"

#include "net/log_line.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static json_t *line_with(const char *key, const char *text)
{
    struct enc_log_line line;
    json_error_t error;
    enc_log_line_begin(&line, ENC_HAPPENED_LISTENING);
    enc_log_line_add(&line, &(struct enc_log_field){.key = key, .text = text});
    enc_log_line_end(&line);
    cr_assert_eq(line.text[line.len - 1], '\n');
    json_t *json = json_loadb(line.text, line.len, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(json, "%s: %.*s", error.text, (int)line.len, line.text);
    return json;
}

static const char *member(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

Test(log, a_line_names_time_level_room_event_and_message)
{
    struct tm utc = {0};
    unsigned ms;
    time_t now = time(NULL);
    json_t *json = line_with("listener", "public");
    const char *rest = strptime(member(json, "time"), "%Y-%m-%dT%H:%M:%S", &utc);
    cr_assert_not_null(rest);
    cr_assert_eq(sscanf(rest, ".%3uZ", &ms), 1);
    cr_assert_str_eq(rest + 4, "Z");
    cr_assert_leq(timegm(&utc) - now, 1);
    cr_assert_geq(timegm(&utc) - now, 0);
    cr_assert_str_eq(member(json, "level"), "info");
    cr_assert_str_eq(member(json, "room"), "net");
    cr_assert_str_eq(member(json, "event"), "listening");
    cr_assert_str_eq(member(json, "msg"), "listening");
    cr_assert_str_eq(member(json, "listener"), "public");
    json_decref(json);
}

Test(log, every_byte_makes_a_line_of_json)
{
    char text[256];
    for (unsigned i = 1; i < 256; i++)
        text[i - 1] = (char)i;
    text[255] = '\0';
    json_t *json = line_with("why", text);
    const char *said = member(json, "why");
    cr_assert_eq(strlen(said), 255);
    cr_assert_eq(memcmp(said, text, 0x7e), 0, "ASCII is kept");
    json_decref(json);
}

Test(log, what_does_not_fit_is_cut_and_the_line_stays_json)
{
    static char text[5000];
    for (size_t len = 0; len < sizeof text; len += 7) {
        memset(text, len % 2 ? '"' : '\\', len);
        json_decref(line_with("why", text));
    }
}

Test(log, more_members_than_fit_are_left_out)
{
    struct enc_log_line line;
    json_error_t error;
    enc_log_line_begin(&line, ENC_HAPPENED_STOPPED);
    for (unsigned i = 0; i < 1000; i++)
        enc_log_line_add(&line, &(struct enc_log_field){.key = "number", .number = INT64_MAX - i});
    enc_log_line_end(&line);
    cr_assert_leq(line.len, (size_t)ENC_LOG_LINE_MAX);
    json_t *json = json_loadb(line.text, line.len, 0, &error);
    cr_assert_not_null(json, "%s", error.text);
    json_decref(json);
}

Test(log, levels_are_of_single_rooms)
{
    static const struct {
        const char *text, *said; /* NULL: good */
    } CASES[] = {
        {"", NULL},
        {"net=debug", NULL},
        {"net=debug,services=warn,store=error", NULL},
        {"net=debug,", NULL},
        {"net", "not ROOM=LEVEL"},
        {",", "not ROOM=LEVEL"},
        {"garden=info", "no such room"},
        {"net=loud", "no such level"},
        {"net=", "no such level"},
        {"=info", "no such room"},
        {"net=debug,store=", "no such level"},
        {"net = debug", "no such room"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct enc_log_levels levels = {{ENC_LOG_INFO, ENC_LOG_INFO, ENC_LOG_INFO}};
        struct enc_log_levels before = levels;
        const char *wrong = enc_log_levels_parse(&levels, CASES[i].text);
        cr_assert_eq(wrong == NULL, CASES[i].said == NULL, "%s", CASES[i].text);
        cr_assert(!wrong || strncmp(wrong, CASES[i].said, strlen(CASES[i].said)) == 0);
        cr_assert(!wrong || memcmp(&before, &levels, sizeof levels) == 0, "%s", CASES[i].text);
    }
    struct enc_log_levels levels = {{ENC_LOG_INFO, ENC_LOG_INFO, ENC_LOG_INFO}};
    char json[128];
    cr_assert_null(enc_log_levels_parse(&levels, "services=error,net=debug"));
    enc_log_levels_json(json, sizeof json, &levels);
    cr_assert_str_eq(json, "{\"net\":\"debug\",\"services\":\"error\",\"store\":\"info\"}");
}

Test(log, a_room_is_as_loud_as_it_was_told)
{
    struct enc_log_levels levels = {{ENC_LOG_ERROR, ENC_LOG_INFO, ENC_LOG_DEBUG}};
    enc_log_levels_set(&levels);
    cr_assert_not(enc_log_wants(ENC_HAPPENED_LISTENING));
    cr_assert(enc_log_wants(ENC_HAPPENED_NOT_LISTENING));
    cr_assert(enc_log_wants(ENC_HAPPENED_NO_SYNC));
    struct enc_log_levels now = enc_log_levels_get();
    cr_assert_eq(memcmp(&now, &levels, sizeof levels), 0);
}

/* In a child of its own, whose stderr is a pipe. */
Test(log, a_check_that_fails_is_a_line)
{
    int fds[2], status = 0;
    char text[2 * ENC_LOG_LINE_MAX] = "";
    json_error_t error;
    cr_assert_eq(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        enc_log_start();
        enc_log(STOPPED);
        enc_check_failed("a < \"b\"", "dir/file.c", 7);
    }
    close(fds[1]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    cr_assert_gt(read(fds[0], text, sizeof text - 1), 0);
    char *second = strchr(text, '\n') + 1;
    cr_assert_not_null(strstr(text, "\"event\":\"stopped\""), "what waited comes first: %s", text);
    json_t *json = json_loads(second, 0, &error);
    cr_assert_not_null(json, "%s: %s", error.text, second);
    cr_assert_str_eq(member(json, "event"), "check_failed");
    cr_assert_str_eq(member(json, "check"), "a < \"b\"");
    cr_assert_str_eq(member(json, "file"), "dir/file.c");
    json_decref(json);
    close(fds[0]);
}
