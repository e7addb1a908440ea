/**
 * The file that an enclave travels in (protocol.md 12): lines of JSON, gzip or not.
 *
 *     {"enc_snapshot":1,"enclave","service","sequencer","seq","ct_size","ct_root","state_hash",
 *      "sth"}
 *     an event as readers get it; with "content":null also "content_hash", when the writer knows it
 *     ...
 *     {"enc_snapshot_end":1,"events":N,"sth"}
 *
 * Without its last line a file is not whole. Main thread.
 */
#pragma once

#include "net/encctl/ctl.h"
#include "proto/ct.h"
#include "proto/event.h"
#include "proto/json.h"

#include <zlib.h>

enum { ENC_SNAPSHOT_FORMAT = 1, ENC_SNAPSHOT_LINE_MAX = 4 << 20 };

/** The first line. */
struct enc_snapshot_head {
    uint8_t enclave32[32];
    struct enc_bytes service; /* its name */
    uint8_t sequencer32[32];
    uint64_t seq; /* of the last event */
    uint64_t ct_size;
    uint8_t ct_root32[32];
    uint8_t state_hash32[32];
    struct enc_sth sth;
};

/* ---- writing ---- */

struct enc_snapshot_out {
    gzFile file;
    struct enc_arena arena; /* of one line */
    uint64_t event_count;
    bool has_failed;
};

/** Write to standard output. False, and told why. */
ENC_MUST_USE bool enc_snapshot_create(struct enc_snapshot_out *out, struct enc_ctl *ctl,
                                      bool is_gzip);
void enc_snapshot_put_head(struct enc_snapshot_out *out, const struct enc_snapshot_head *head);

/** content_hash32 of the commit is valid when has_hash. */
void enc_snapshot_put_event(struct enc_snapshot_out *out, const struct enc_event *event,
                            bool hides_content, bool has_hash);

/** The last line, unless is_whole is false. Returns whether every byte was taken; tells if not. */
ENC_MUST_USE bool enc_snapshot_finish(struct enc_snapshot_out *out, const struct enc_sth *sth,
                                      bool is_whole);

/* ---- reading ---- */

struct enc_snapshot_in {
    const char *path;
    gzFile file;
    char *line;
    uint64_t line_number; /* of the line in hand, from 1 */
    struct enc_arena head_arena;
    struct enc_arena page; /* of one line */
};

enum enc_snapshot_step {
    ENC_SNAPSHOT_EVENT,
    ENC_SNAPSHOT_END, /* the last line; nothing is behind it */
    ENC_SNAPSHOT_BAD, /* told, with the number of the line */
};

/** Open a file and read its head; "-" is standard input. False, and told why; close it anyway. */
ENC_MUST_USE bool enc_snapshot_open(struct enc_snapshot_in *in, struct enc_snapshot_head *head,
                                    struct enc_ctl *ctl, const char *path);

/**
 * The next line: an event, which lives until the next call, or the end with its head. An erased
 * event has its content_hash32, or the line is bad.
 */
ENC_MUST_USE enum enc_snapshot_step enc_snapshot_next(struct enc_snapshot_in *in,
                                                      struct enc_event *event, struct enc_sth *end);
void enc_snapshot_close(struct enc_snapshot_in *in);
