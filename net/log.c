#include "net/log.h"

#include "net/log_line.h"
#include "net/log_queue.h"
#include "net/metric.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX_LEN = 1024, PATIENCE_MS = 1000 };

static _Atomic enum enc_log_level level_min[ENC_LOG_ROOMS] = {ENC_LOG_INFO, ENC_LOG_INFO,
                                                              ENC_LOG_INFO};
static const char UNKNOWN_FRAME[] = "skipping frame (type:";

/* ---- levels ---- */

/* Read "name=level," from *text; NULL, or what is wrong. */
static const char *take_item(struct enc_log_levels *levels, const char **text)
{
    size_t len = strcspn(*text, ",");
    const char *equals = memchr(*text, '=', len);
    unsigned room = 0, level = 0;
    if (!equals)
        return "not ROOM=LEVEL";
    size_t room_len = (size_t)(equals - *text), level_len = len - room_len - 1;
    for (; room < ENC_LOG_ROOMS; room++) {
        const char *name = enc_log_room_name((enum enc_log_room)room);
        if (strlen(name) == room_len && memcmp(name, *text, room_len) == 0)
            break;
    }
    for (; level <= ENC_LOG_ERROR; level++) {
        const char *name = enc_log_level_name((enum enc_log_level)level);
        if (strlen(name) == level_len && memcmp(name, equals + 1, level_len) == 0)
            break;
    }
    if (room == ENC_LOG_ROOMS || level > ENC_LOG_ERROR)
        return room == ENC_LOG_ROOMS ? "no such room" : "no such level; " ENC_LOG_LEVELS;
    levels->of[room] = (enum enc_log_level)level;
    *text += len + ((*text)[len] == ',');
    return NULL;
}

const char *enc_log_levels_parse(struct enc_log_levels *levels, const char *text)
{
    struct enc_log_levels out = *levels;
    const char *wrong = NULL;
    while (*text && !wrong)
        wrong = take_item(&out, &text);
    if (!wrong)
        *levels = out;
    return wrong;
}

/* Relaxed: a line more or less around the change is fine. */
void enc_log_levels_set(const struct enc_log_levels *levels)
{
    for (unsigned room = 0; room < ENC_LOG_ROOMS; room++)
        atomic_store_explicit(&level_min[room], levels->of[room], memory_order_relaxed);
}

struct enc_log_levels enc_log_levels_get(void)
{
    struct enc_log_levels levels;
    for (unsigned room = 0; room < ENC_LOG_ROOMS; room++)
        levels.of[room] = atomic_load_explicit(&level_min[room], memory_order_relaxed);
    return levels;
}

void enc_log_levels_json(char *out, size_t len, const struct enc_log_levels *levels)
{
    size_t at = 0;
    for (unsigned room = 0; room < ENC_LOG_ROOMS && at < len; room++)
        at += (size_t)snprintf(out + at, len - at, "%s\"%s\":\"%s\"", room ? "," : "{",
                               enc_log_room_name((enum enc_log_room)room),
                               enc_log_level_name(levels->of[room]));
    if (at < len)
        snprintf(out + at, len - at, "}");
}

bool enc_log_wants(enum enc_happening happening)
{
    enum enc_log_room room = enc_happening_room(happening);
    return enc_happening_level(happening) >=
           atomic_load_explicit(&level_min[room], memory_order_relaxed);
}

/* ---- lines ---- */

static void compose(struct enc_log_line *line, enum enc_happening happening,
                    const struct enc_log_field *fields)
{
    enc_log_line_begin(line, happening);
    for (; fields->key; fields++)
        enc_log_line_add(line, fields);
    enc_log_line_end(line);
}

void enc_log_write(enum enc_happening happening, const struct enc_log_field *fields)
{
    struct enc_log_line line;
    if (!enc_log_wants(happening))
        return;
    compose(&line, happening, fields);
    enum enc_log_put put = enc_log_queue_put(line.text, line.len);
    enc_metric_add(put == ENC_LOG_DROPPED ? ENC_METRIC_LOG_DROPPED : ENC_METRIC_LOG_WRITTEN, 1);
    if (put == ENC_LOG_CLOSED && write(STDERR_FILENO, line.text, line.len) < 0)
        return; /* nobody listens */
}

static void tell_lost(uint64_t lines)
{
    enc_log(LINES_LOST, enc_log_number("lines", lines));
}

/* ---- crashes ---- */

/* Past the queue, and behind what waits in it. */
static void write_last(enum enc_happening happening, const struct enc_log_field *fields)
{
    struct enc_log_line line;
    enc_log_queue_crash(PATIENCE_MS);
    compose(&line, happening, fields);
    enc_log_write_within(STDERR_FILENO, line.text, line.len, PATIENCE_MS);
}

/* Instead of proto's, which knows neither clock nor log. */
_Noreturn void enc_check_failed(const char *condition, const char *file, int line)
{
    signal(SIGABRT, SIG_DFL); /* this line says more than that of the signal */
    write_last(ENC_HAPPENED_CHECK_FAILED,
               (const struct enc_log_field[]){enc_log_text("check", condition),
                                              enc_log_text("file", file),
                                              enc_log_number("line", (uint64_t)line),
                                              {NULL, NULL, 0}});
    raise(SIGABRT);
    _exit(128 + SIGABRT);
}

/* The handler is gone by now (SA_RESETHAND): the return dies of the same signal again. */
static void on_crash(int number)
{
    write_last(ENC_HAPPENED_CRASHED,
               (const struct enc_log_field[]){enc_log_number("signal", (uint64_t)number),
                                              {NULL, NULL, 0}});
    raise(number);
}

/* A sanitizer that has its own is left alone. */
static void catch_crashes(void)
{
    static const int SIGNALS[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    struct sigaction mine = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
    struct sigaction theirs;
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++) {
        if (sigaction(SIGNALS[i], NULL, &theirs) == 0 && theirs.sa_handler == SIG_DFL)
            sigaction(SIGNALS[i], &mine, NULL);
    }
}

/* ---- libraries ---- */

static ssize_t library_line(void *self, const char *data, size_t len)
{
    (void)self;
    char text[TEXT_MAX_LEN];
    size_t copied = len < sizeof text - 1 ? len : sizeof text - 1;
    if (len >= sizeof UNKNOWN_FRAME && !memcmp(data, UNKNOWN_FRAME, sizeof UNKNOWN_FRAME - 1))
        return (ssize_t)len; /* h2o's remark about frames it does not know: any client's pen */
    memcpy(text, data, copied);
    text[copied] = '\0';
    text[strcspn(text, "\n")] = '\0';
    enc_log(LIBRARY, enc_log_text("text", text));
    return (ssize_t)len;
}

static void adopt_stderr(void)
{
    FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = library_line});
    if (!stream)
        return; /* libraries then print plain lines */
    setvbuf(stream, NULL, _IOLBF, ENC_LOG_LINE_MAX);
    stderr = stream; /* a variable in glibc, meant to be set */
}

/* Without a queue lines are written as they come. */
void enc_log_start(void)
{
    bool is_queued = enc_log_queue_start(STDERR_FILENO, tell_lost);
    ENC_CHECK(is_queued);
    catch_crashes();
    adopt_stderr();
}

void enc_log_stop(void)
{
    enc_log_queue_stop(PATIENCE_MS);
}
