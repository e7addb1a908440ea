/** What encctl prints: results to stdout, complaints to stderr. Main thread. */
#pragma once

#include "net/encctl/ctl.h"
#include "proto/json.h"

/** One line to stderr: "encctl: ...". */
void enc_out_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * From now on complaints go to why instead, the newest one, without control characters; NULL: to
 * stderr again.
 */
void enc_out_capture(char *why, size_t len);

/** The same for what is no complaint: how far it is, what was left out. */
void enc_out_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A JSON object or any text, then a line end, to stdout. */
void enc_out_line(struct enc_bytes text);

/** The content of a buffer as a line; says so when it failed. */
void enc_out_buffer(const struct enc_buffer *buffer);

/** "name    value" of a result for people, aligned. */
void enc_out_text(const char *name, struct enc_bytes value);
void enc_out_hex(const char *name, const uint8_t *bytes, size_t len);
void enc_out_u64(const char *name, uint64_t value);

/** The same for what somebody else wrote: without control characters, cut when it is long. */
void enc_out_said(const char *name, struct enc_bytes text);

/** Every member of an object as such a row; values that are objects or arrays as JSON. */
void enc_out_members(const struct enc_json *object);

/** One event as a line for people: seq, time, type, author, content or what became of it. */
void enc_out_element(const struct enc_json *element);

/** Hand on what was printed, for those who read it live. */
void enc_out_flush(void);
