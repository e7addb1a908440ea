/**
 * The log: one JSON object a line on stderr. Whoever calls names no secret. A line is one
 * write(2), so lines of several threads never mix. Not for every request: loops call it for what
 * is rare.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum enc_log_level { ENC_LOG_DEBUG, ENC_LOG_INFO, ENC_LOG_WARN, ENC_LOG_ERROR };

/** Names of the levels in order, separated by '|', as configuration spells them. */
#define ENC_LOG_LEVELS "debug|info|warn|error"

/** One member of a line: text, or number when text is NULL. A list ends with a NULL key. */
struct enc_log_field {
    const char *key; /* static, needs no escapes */
    const char *text;
    uint64_t number;
};

/** Lines below level are dropped. Any thread. */
void enc_log_level_set(enum enc_log_level level);

/** Write one line with the members of fields. Any thread; may block as long as stderr does. */
void enc_log_write(enum enc_log_level level, const char *message,
                   const struct enc_log_field *fields);

/**
 * Give what libraries print to stdio's stderr the form of a line too, and drop h2o's remark about
 * frames it does not know, which any client can provoke. Main thread, before others start.
 */
void enc_log_adopt_stderr(void);

static inline struct enc_log_field enc_log_text(const char *key, const char *text)
{
    return (struct enc_log_field){.key = key, .text = text};
}

static inline struct enc_log_field enc_log_number(const char *key, uint64_t number)
{
    return (struct enc_log_field){.key = key, .number = number};
}

/** enc_log(level, "message", enc_log_text("key", text), enc_log_number("key", 7)) */
#define enc_log(level, message, ...)                                                               \
    enc_log_write(level, message,                                                                  \
                  (const struct enc_log_field[]){__VA_ARGS__ __VA_OPT__(, ){NULL, NULL, 0}})
