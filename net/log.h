/**
 * The log: one JSON object a line on stderr, of the happenings in log.def and no others. Whoever
 * calls names no secret. Between enc_log_start and enc_log_stop nobody waits for who reads stderr:
 * lines queue (log_queue.h), and what does not fit is counted and told later.
 */
#pragma once

#include "proto/base/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum enc_log_level { ENC_LOG_DEBUG, ENC_LOG_INFO, ENC_LOG_WARN, ENC_LOG_ERROR };

/** Names of the levels in order, separated by '|', as configuration spells them. */
#define ENC_LOG_LEVELS "debug|info|warn|error"

/** Whose happening it is. Lines of every room are written here: those below have no log. */
enum enc_log_room { ENC_LOG_NET, ENC_LOG_SERVICES, ENC_LOG_STORE, ENC_LOG_ROOMS };

#define ENC_HAPPENING(symbol, ...) ENC_HAPPENED_##symbol,
enum enc_happening {
#include "net/log.def"
    ENC_HAPPENING_COUNT
};
#undef ENC_HAPPENING

/** One member of a line: text, or number when text is NULL. A list ends with a NULL key. */
struct enc_log_field {
    const char *key; /* static, needs no escapes */
    const char *text;
    uint64_t number;
};

/** The least severe level that is written, per room. */
struct enc_log_levels {
    enum enc_log_level of[ENC_LOG_ROOMS];
};

/**
 * Change the levels that text names, "net=debug,services=warn". Returns NULL, or what is wrong with
 * it (static), and then levels is as before. Pure.
 */
ENC_MUST_USE const char *enc_log_levels_parse(struct enc_log_levels *levels, const char *text);

/** Lines below their room's level are dropped from now on. Any thread. */
void enc_log_levels_set(const struct enc_log_levels *levels);

/** The levels now, and as JSON: {"net":"info",...}. Any thread. */
struct enc_log_levels enc_log_levels_get(void);
void enc_log_levels_json(char *out, size_t len, const struct enc_log_levels *levels);

/** Whether a line about it would be written: ask before what costs more than the line. */
bool enc_log_wants(enum enc_happening happening);

/** Write one line with the members of fields. Any thread; before enc_log_start and after
 * enc_log_stop it may wait for stderr. */
void enc_log_write(enum enc_happening happening, const struct enc_log_field *fields);

/**
 * Queue lines from now on, give what libraries print to stdio's stderr the form of a line, and
 * leave a line behind when the process crashes. Main thread, before others start.
 */
void enc_log_start(void);

/** Write what is queued, for a second at most when nobody reads, and queue no more. Main thread,
 * after others have ended. */
void enc_log_stop(void);

static inline struct enc_log_field enc_log_text(const char *key, const char *text)
{
    return (struct enc_log_field){.key = key, .text = text};
}

static inline struct enc_log_field enc_log_number(const char *key, uint64_t number)
{
    return (struct enc_log_field){.key = key, .number = number};
}

/** enc_log(LISTENING, enc_log_text("listener", text), enc_log_number("count", 7)) */
#define enc_log(symbol, ...)                                                                       \
    enc_log_write(ENC_HAPPENED_##symbol,                                                           \
                  (const struct enc_log_field[]){__VA_ARGS__ __VA_OPT__(, ){NULL, NULL, 0}})
