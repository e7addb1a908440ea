#include "net/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 2048, TEXT_MAX_LEN = 1024 };

static _Atomic enum enc_log_level level_min = ENC_LOG_INFO;
static const char *const LEVEL_NAMES[] = {"debug", "info", "warn", "error"};
static const char UNKNOWN_FRAME[] = "skipping frame (type:";

struct line {
    char text[LINE_MAX_LEN];
    size_t len;
};

void enc_log_level_set(enum enc_log_level level)
{
    /* relaxed: a line more or less around the change is fine */
    atomic_store_explicit(&level_min, level, memory_order_relaxed);
}

static void add(struct line *line, const char *text, size_t len)
{
    size_t room = sizeof line->text - 8 - line->len; /* the end of the object always fits */
    if (len > room)
        len = room;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void add_quoted(struct line *line, const char *text)
{
    add(line, "\"", 1);
    for (size_t i = 0; text[i] && i < TEXT_MAX_LEN; i++) {
        unsigned char byte = (unsigned char)text[i];
        char escape[8];
        if (byte == '"' || byte == '\\')
            snprintf(escape, sizeof escape, "\\%c", byte);
        else if (byte < 0x20)
            snprintf(escape, sizeof escape, "\\u%04x", byte);
        else
            snprintf(escape, sizeof escape, "%c", byte < 0x7f ? byte : '?');
        add(line, escape, strlen(escape));
    }
    add(line, "\"", 1);
}

static void add_member(struct line *line, const char *key, const char *text)
{
    add(line, ",", 1);
    add_quoted(line, key);
    add(line, ":", 1);
    add_quoted(line, text);
}

static void add_number(struct line *line, const char *key, uint64_t number)
{
    char digits[32];
    snprintf(digits, sizeof digits, ":%llu", (unsigned long long)number);
    add(line, ",", 1);
    add_quoted(line, key);
    add(line, digits, strlen(digits));
}

static void add_time(struct line *line)
{
    struct timespec now;
    struct tm utc;
    char text[40];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(text, sizeof text, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &utc);
    add(line, text, len);
    snprintf(text, sizeof text, ".%03ldZ\"", now.tv_nsec / 1000000);
    add(line, text, strlen(text));
}

void enc_log_write(enum enc_log_level level, const char *message,
                   const struct enc_log_field *fields)
{
    /* relaxed: see enc_log_level_set */
    if (level < atomic_load_explicit(&level_min, memory_order_relaxed))
        return;
    struct line line = {.len = 0};
    add_time(&line);
    add_member(&line, "level", LEVEL_NAMES[level]);
    add_member(&line, "msg", message);
    for (; fields->key; fields++) {
        if (fields->text)
            add_member(&line, fields->key, fields->text);
        else
            add_number(&line, fields->key, fields->number);
    }
    line.text[line.len++] = '}';
    line.text[line.len++] = '\n';
    if (write(STDERR_FILENO, line.text, line.len) < 0)
        return; /* nobody listens */
}

static ssize_t library_line(void *self, const char *data, size_t len)
{
    (void)self;
    char text[TEXT_MAX_LEN];
    size_t copied = len < sizeof text - 1 ? len : sizeof text - 1;
    if (len >= sizeof UNKNOWN_FRAME && !memcmp(data, UNKNOWN_FRAME, sizeof UNKNOWN_FRAME - 1))
        return (ssize_t)len;
    memcpy(text, data, copied);
    text[copied] = '\0';
    text[strcspn(text, "\n")] = '\0';
    enc_log(ENC_LOG_WARN, "library", enc_log_text("text", text));
    return (ssize_t)len;
}

void enc_log_adopt_stderr(void)
{
    FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = library_line});
    if (!stream)
        return; /* libraries then print plain lines */
    setvbuf(stream, NULL, _IOLBF, LINE_MAX_LEN);
    stderr = stream; /* a variable in glibc, meant to be set */
}
