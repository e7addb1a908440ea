/** One line of the log as text. No allocation, no lock, no locale: good in a signal handler. */
#pragma once

#include "net/log.h"

enum { ENC_LOG_LINE_MAX = 2048 };

struct enc_log_line {
    char text[ENC_LOG_LINE_MAX];
    size_t len;
};

/** Begin a line: time (RFC 3339, UTC, ms), level, room, event and message. */
void enc_log_line_begin(struct enc_log_line *line, enum enc_happening happening);

/** Add a member. What does not fit is cut; the line stays JSON. */
void enc_log_line_add(struct enc_log_line *line, const struct enc_log_field *field);

/** Close it, with the line's end. */
void enc_log_line_end(struct enc_log_line *line);

/** What log.def says. */
enum enc_log_level enc_happening_level(enum enc_happening happening);
enum enc_log_room enc_happening_room(enum enc_happening happening);

/** Their names. */
const char *enc_log_level_name(enum enc_log_level level);
const char *enc_log_room_name(enum enc_log_room room);
